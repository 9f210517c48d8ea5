-- Take in hand what is due, for as long as a lease: first what costs the turn where it is late, then the longest due. What
-- was being sent when its lease ended comes with that state.
-- KEYS     1 day · 2 notices · 3 due · 4 tenures · 5 clock
-- ARGS     1 day · 2 carrier · 3 tenure · 4 at most so many · 5 lease in ms
-- GIVES    for each: notice · its id · state · trigger · arrival · attempts · unsure (tries that may have arrived) ·
--          age (ms since it is owed; each under its own name, one after the other)
-- REFUSES  StaleDay (day) · NotClaimed (a later worker has begun)
-- WHOLE    the notices claimed, or still sending, until their lease ends

-- The ids of what is due, in the order in which it is sent. A wish is confirmed before anything else is told by it: whoever
-- did not make it should not read the other first. `due`: id, score, id, score, …
local function in_turn(due, scores)
  local ids, is_taken = {}, {}
  for i = 1, #due, 2 do scores[due[i]] = tonumber(due[i + 1]) end
  local function take(id)
    for _, one in ipairs({string.match(id, '^(.-):') .. ':registered', id}) do
      if scores[one] and not is_taken[one] then
        ids[#ids + 1], is_taken[one] = one, true
      end
    end
  end
  for i = 1, #due, 2 do
    if SENT_AGAIN[string.match(due[i], ':(%a+)')] then take(due[i]) end
  end
  for i = 1, #due, 2 do take(due[i]) end
  return ids
end

local function notice_claim_v1(keys, args)
  local box, refused = begin_notices(keys, args)
  if not box then return refused end
  if (read('HGET', box.tenures, box.carrier) or '0') ~= args[3] then return refusal('NotClaimed') end
  local told, scores = {}, {}
  local ids = in_turn(read('ZRANGE', box.due, '-inf', whole(box.now), 'BYSCORE', 'WITHSCORES'), scores)
  for i = 1, math.min(#ids, tonumber(args[4])) do
    local id = ids[i]
    local notice = notice_of(read('HGET', box.notices, id))
    if notice.state == 'pending' then notice.state, notice.place = 'claimed', scores[id] end
    notice.tenure = tonumber(args[3])
    put_notice(box, id, notice, box.now + tonumber(args[5]))
    for _, part in ipairs({'notice', id, 'state', notice.state, 'trigger', notice.trigger, 'arrival', notice.arrival,
        'attempts', whole(notice.attempts), 'unsure', whole(notice.unsure),
        'age', whole(box.now - notice.owed)}) do
      told[#told + 1] = part
    end
  end
  return commit_notices(box, unpack(told))
end

redis.register_function('notice_claim_v1', notice_claim_v1)
