-- The carrier tells afterwards what became of a message: it arrived, or it never will.
-- KEYS     1 day · 2 notices · 3 due · 4 tenures · 5 clock · 6 wishes · 7 callbacks · 8… one `due` for each of CARRIERS
-- ARGS     1 day · 2 carrier · 3 SHA-256 of the callback's token · 4 state
-- GIVES    state · due (the carrier that has it now, or '')
-- REFUSES  StaleDay (day) · NotClaimed (no such message, or its end is not known yet)
-- WHOLE    the notice's state; where it never will arrive, the next carrier's notice
local function notice_learn_v1(keys, args)
  local box, refused = begin_notices(keys, args)
  if not box then return refused end
  local id = read('HGET', keys[7], args[3])
  local text = id and read('HGET', box.notices, id)
  local notice = text and notice_of(text)
  if not notice or (notice.state ~= 'accepted' and notice.state ~= 'uncertain') then return refusal('NotClaimed') end
  notice.state = args[4]
  if notice.state == 'refused' and notice.trigger ~= 'registered' then
    pass_on(box, id, notice, keys[6], {unpack(keys, 8)})
  end
  put_notice(box, id, notice, nil)
  return commit_notices(box, 'state', notice.state, 'due', box.passed_to or '')
end

redis.register_function('notice_learn_v1', notice_learn_v1)
