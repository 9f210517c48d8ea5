-- Let the walls say something until a moment, in place of what they said before.
-- KEYS     as in the prelude; no ticket
-- ARGS     own: 1 text (no control characters) · 2 for how long (ms)
-- GIVES    until
-- REFUSES  nothing of its own
-- WHOLE    the announcement in the tally, AnnouncementPosted
local function desk_announce_v1(keys, args)
  local desk, done = begin(keys, args)
  if not desk then return done end
  local text, until_ms = desk.own[1], whole(desk.at + tonumber(desk.own[2]))
  plan(desk, 'HSET', desk.tally, 'announcement', until_ms .. US .. text)
  tell(desk, 'AnnouncementPosted', 'text', text, 'until', until_ms)
  return finish(desk, 'until', until_ms)
end

redis.register_function('desk_announce_v1', desk_announce_v1)
