-- A wall was put out for good: nobody waits any more for what it shows.
-- KEYS     as in the prelude; own: 1 walls
-- ARGS     own: 1 wall
-- GIVES    wall
-- REFUSES  nothing of its own
-- WHOLE    where it was there: the wall out of the set of today's, WallLeft
local function wall_leave_v1(keys, args)
  local desk, done = begin(keys, args)
  if not desk then return done end
  local walls, wall = desk.extra[1], desk.own[1]
  if read('HEXISTS', walls, wall) == 1 then
    plan(desk, 'HDEL', walls, wall)
    tell(desk, 'WallLeft', 'wall', wall)
  end
  return finish(desk, 'wall', wall)
end

redis.register_function('wall_leave_v1', wall_leave_v1)
