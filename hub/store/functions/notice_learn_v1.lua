-- The carrier tells what became of a message: it arrived, or it never will. It may do so before the worker that sent it, which
-- then has nothing more to settle. That one copy never arrives says nothing of a later one, or of what has arrived.
-- KEYS     1 day · 2 notices · 3 due · 4 tenures · 5 clock · 6 wishes · 7 callbacks · 8 facts · 9… one `due` for each of CARRIERS
-- ARGS     1 day · 2 carrier · 3 SHA-256 of the callback's token · 4 state
-- GIVES    state · due (the carrier that has it now, or '')
-- REFUSES  StaleDay (day) · NotClaimed (no such message, or nothing is to be learnt of it any more)
-- WHOLE    the notice's state; ContactUsed where it was being sent; where it never will arrive, the next carrier's notice
local MAY_BE_LEARNT = {pending = true, claimed = true, sending = true, accepted = true, uncertain = true}

local function notice_learn_v1(keys, args)
  local box, refused = begin_notices(keys, args)
  if not box then return refused end
  local id, try = unpack(parts_of(read('HGET', keys[7], args[3]) or ''))
  local text = read('HGET', box.notices, id)
  local notice = text and notice_of(text)
  if not notice or not MAY_BE_LEARNT[notice.state] then return refusal('NotClaimed') end
  local is_latest = not try or tonumber(try) == notice.attempts
  if args[4] == 'refused' and (not is_latest or notice.arrived == '1') then return refusal('NotClaimed') end
  local was_sending = notice.state == 'sending'
  notice.state = args[4]
  if notice.state == 'accepted' then notice.arrived = '1' end
  if notice.state == 'refused' and notice.trigger ~= 'registered' then
    pass_on(box, id, notice, keys[6], {unpack(keys, 9)})
  end
  if was_sending then tell_used(box, keys[8], id, notice) end
  put_notice(box, id, notice, nil)
  return commit_notices(box, 'state', notice.state, 'due', box.passed_to or '')
end

redis.register_function('notice_learn_v1', notice_learn_v1)
