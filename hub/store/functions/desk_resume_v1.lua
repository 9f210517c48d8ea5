-- A paused lane gives numbers again.
-- KEYS     as in the prelude; no ticket
-- ARGS     own: 1 lane
-- GIVES    lane
-- REFUSES  LaneNotPaused (lane)
-- WHOLE    the reason taken from beside the lane's count, LaneResumed
local function desk_resume_v1(keys, args)
  local desk, done = begin(keys, args)
  if not desk then return done end
  local lane = desk.own[1]
  if (read('HGET', desk.tally, 'paused:' .. lane) or '') == '' then return refusal('LaneNotPaused', 'lane', lane) end
  plan(desk, 'HSET', desk.tally, 'paused:' .. lane, '')
  tell(desk, 'LaneResumed', 'lane', lane)
  return finish(desk, 'lane', lane)
end

redis.register_function('desk_resume_v1', desk_resume_v1)
