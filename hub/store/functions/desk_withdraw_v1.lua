-- The walls say no more what was announced.
-- KEYS     as in the prelude; no ticket
-- ARGS     no own
-- GIVES    nothing
-- REFUSES  NoAnnouncement
-- WHOLE    the announcement out of the tally, AnnouncementWithdrawn
local function desk_withdraw_v1(keys, args)
  local desk, done = begin(keys, args)
  if not desk then return done end
  if read('HEXISTS', desk.tally, 'announcement') == 0 then return refusal('NoAnnouncement') end
  plan(desk, 'HDEL', desk.tally, 'announcement')
  tell(desk, 'AnnouncementWithdrawn')
  return finish(desk)
end

redis.register_function('desk_withdraw_v1', desk_withdraw_v1)
