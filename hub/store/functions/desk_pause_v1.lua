-- A lane gives no numbers until it is resumed or the day is over; who waits is called as before.
-- KEYS     as in the prelude; no ticket
-- ARGS     own: 1 lane · 2 reason
-- GIVES    lane
-- REFUSES  LaneIsPaused (lane)
-- WHOLE    the reason beside the lane's count, LanePaused
local function desk_pause_v1(keys, args)
  local desk, done = begin(keys, args)
  if not desk then return done end
  local lane, reason = unpack(desk.own)
  if (read('HGET', desk.tally, 'paused:' .. lane) or '') ~= '' then return refusal('LaneIsPaused', 'lane', lane) end
  plan(desk, 'HSET', desk.tally, 'paused:' .. lane, reason)
  tell(desk, 'LanePaused', 'lane', lane, 'reason', reason)
  return finish(desk, 'lane', lane)
end

redis.register_function('desk_pause_v1', desk_pause_v1)
