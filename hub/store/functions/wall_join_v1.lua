-- A wall is there today: every call is to be shown on it from now on.
-- KEYS     as in the prelude; own: 1 walls
-- ARGS     own: 1 wall
-- GIVES    wall
-- REFUSES  nothing of its own
-- WHOLE    where it is new: the wall in the set of today's, WallJoined
local function wall_join_v1(keys, args)
  local desk, done = begin(keys, args)
  if not desk then return done end
  join_wall(desk, desk.extra[1], desk.own[1])
  return finish(desk, 'wall', desk.own[1])
end

redis.register_function('wall_join_v1', wall_join_v1)
