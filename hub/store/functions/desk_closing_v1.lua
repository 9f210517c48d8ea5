-- Announce that a lane closes for today: no more numbers, and who still waits is told so.
-- KEYS     as in the prelude
-- ARGS     own: 1 lane
-- GIVES    lane · ahead (how many wait in it)
-- REFUSES  LaneClosing (it was announced already)
-- WHOLE    the mark in the tally, ClosingAnnounced
local function desk_closing_v1(keys, args)
  local desk, done = begin(keys, args)
  if not desk then return done end
  local lane = desk.own[1]
  if is_closing(desk, lane) then return refusal('LaneClosing') end
  local count = whole(read('ZCARD', desk.waiting[lane]))
  plan(desk, 'HSET', desk.tally, 'closing:' .. lane, whole(desk.at))
  tell(desk, 'ClosingAnnounced', 'lane', lane, 'still_waiting', count)
  return finish(desk, 'lane', lane, 'ahead', count)
end

redis.register_function('desk_closing_v1', desk_closing_v1)
