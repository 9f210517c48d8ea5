-- Look at every lane: what time alone makes due. Nobody's ticket moves.
-- KEYS     as in the prelude
-- ARGS     own: none
-- GIVES    arrival ('': nobody's)
-- REFUSES  nothing of its own
-- WHOLE    notices that are due, wishes told near
local function desk_sweep_v1(keys, args)
  local desk, done = begin(keys, args)
  if not desk then return done end
  for _, lane in ipairs(desk.lanes) do desk.near_lanes[lane] = true end
  return finish(desk, 'arrival', '')
end

redis.register_function('desk_sweep_v1', desk_sweep_v1)
