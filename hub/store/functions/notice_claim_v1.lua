-- Take in hand what is due, for as long as a lease. What was being sent when its lease ended comes with that state.
-- KEYS     1 day · 2 notices · 3 due · 4 tenures · 5 clock
-- ARGS     1 day · 2 carrier · 3 tenure · 4 at most so many · 5 lease in ms
-- GIVES    for each: notice · its id · state · trigger · arrival · attempts (each under its own name, one after the other)
-- REFUSES  StaleDay (day) · NotClaimed (a later worker has begun)
-- WHOLE    the notices claimed, or still sending, until their lease ends
local function notice_claim_v1(keys, args)
  local box, refused = begin_notices(keys, args)
  if not box then return refused end
  if (read('HGET', box.tenures, box.carrier) or '0') ~= args[3] then return refusal('NotClaimed') end
  local told = {}
  for _, id in ipairs(read('ZRANGE', box.due, '-inf', whole(box.now), 'BYSCORE', 'LIMIT', 0, args[4])) do
    local notice = notice_of(read('HGET', box.notices, id))
    if notice.state ~= 'sending' then notice.state = 'claimed' end
    notice.tenure = tonumber(args[3])
    put_notice(box, id, notice, box.now + tonumber(args[5]))
    for _, part in ipairs({'notice', id, 'state', notice.state, 'trigger', notice.trigger, 'arrival', notice.arrival,
        'attempts', whole(notice.attempts)}) do
      told[#told + 1] = part
    end
  end
  return commit_notices(box, unpack(told))
end

redis.register_function('notice_claim_v1', notice_claim_v1)
