-- Notices that are due: who has one in hand, what became of it, and who owes it next.

-- Open a function of the notices: KEYS 1 day · 2 notices · 3 due · 4 tenures · 5 clock; ARGS 1 day · 2 carrier. Gives the
-- context, or nil and the refusal.
local function begin_notices(keys, args)
  local day = read('HMGET', keys[1], 'day', 'expires_at', 'facts_expire_at')
  if day[1] ~= args[1] then return nil, refusal('StaleDay', 'day', day[1] or '') end
  return {notices = keys[2], due = keys[3], tenures = keys[4], carrier = args[2], expires = day[2], now = real_now(),
    facts_expire = day[3], at = office_now(keys[5]), dues = {}, plan = {}, lasting = {[keys[4]] = true}}
end

-- Plan a notice's new state; `due` is when somebody must look at it again (real ms), nil: never more.
local function put_notice(box, id, notice, due)
  notice.since = box.at
  plan(box, 'HSET', box.notices, id, notice_text(notice))
  if due then plan(box, 'ZADD', box.due, whole(due), id) else plan(box, 'ZREM', box.due, id) end
end

-- Plan the fact that a contact was used: a notice was being sent, and this came of it.
local function tell_used(box, facts, id, notice)
  box.facts = facts
  plan(box, 'XADD', facts, '*', 'type', 'ContactUsed', 'at', whole(box.at), 'who', 'worker', 'request', '',
    'arrival', notice.arrival, 'carrier', notice.carrier, 'subscription', string.match(id, '^(.-):'),
    'trigger', notice.trigger, 'outcome', notice.state, 'times', whole(notice.attempts))
end

local function commit_notices(box, ...)
  local expiry = {}
  for _, command in ipairs(box.plan) do
    if not box.lasting[command[2]] then expiry[command[2]] = box.expires end
  end
  if box.facts then expiry[box.facts] = box.facts_expire end
  commit(box.plan, expiry)
  return {'ok', ...}
end

-- A notice that is in the hands of this tenure and in one of two states; else nil and the refusal.
local function in_hand(box, id, tenure, one, other)
  local text = read('HGET', box.notices, id)
  local notice = text and notice_of(text)
  if not notice or notice.tenure ~= tonumber(tenure) or (notice.state ~= one and notice.state ~= other) then
    return nil, refusal('NotClaimed')
  end
  return notice
end

-- Plan the same notice for the next carrier that the ticket allows; whether there is one. `dues`: a key for each carrier.
-- Once: it may come back after it was passed on. Of a trigger that comes each time it is one more, whatever the next carrier
-- told before.
local function pass_on(box, id, notice, wishes, dues)
  if notice.passed == '1' then return true end
  local is_behind = false
  for i, carrier in ipairs(CARRIERS) do
    local text = is_behind and read('HGET', wishes, notice.arrival .. US .. carrier)
    local wish = text and wish_of(text)
    if wish and wish.ended == '' then
      local time = EACH_TIME[notice.trigger] and 1 or tonumber(string.match(id, '%.(%d+)$') or '1')
      local other = free_name(box.notices, wish.subscription, notice.trigger, time)
      if other then
        plan(box, 'HSET', box.notices, other, notice_text({state = 'pending', trigger = notice.trigger,
          arrival = notice.arrival, carrier = carrier, attempts = 0, tenure = 0, since = box.at,
          owed = box.now, place = 0, passed = '', arrived = '', unsure = 0}))
        plan(box, 'ZADD', dues[i], whole(box.now), other)
        box.passed_to = carrier
      end
      notice.passed = '1'
      return true
    end
    is_behind = is_behind or carrier == notice.carrier
  end
  return false
end
