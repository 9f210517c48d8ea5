-- Keep a sealed contact and what its resident wishes to be told; what he wished before on this carrier is erased.
-- KEYS     as in the prelude; the ticket; own: 1 public_keys · 2 erasures · 3 traces · 4 owners · 5 stops · 6 the new
--          contact · 7 the old one, where there is one
-- ARGS     own: 1 arrival · 2 carrier · 3 ahead · 4 purpose · 5 subscription · 6 minutes · 7 sealed contact ·
--          8 id of its key · 9 SHA-256 of the stop token · 10 whose it is or '' · 11 old subscription or ''
-- GIVES    arrival · number · lane · state
-- REFUSES  UnknownTicket · TicketEnded · NoticesClosed (the key is not today's, or an erasure is overdue)
-- WHOLE    contact with its expiry, whose it is and its hour of erasure, wish, stop token, ContactGiven, the notice `registered`; the
--          old contact gone, ContactErased
local function desk_wish_v1(keys, args)
  local desk, done = begin(keys, args)
  if not desk then return done end
  local arrival, carrier, ahead, purpose, subscription, minutes, sealed, key_id, stop, owner, old = unpack(desk.own)
  local public_keys, erasures, traces, owners, stops, contact, old_contact = unpack(desk.extra)
  local ticket, declared = ticket_of(desk, arrival)
  if not declared then return refusal('Peek') end
  if not ticket then return refusal('UnknownTicket', 'ticket', arrival) end
  if not ticket.stands then return refusal('TicketEnded') end
  local now = real_now()
  local key = read('HGET', public_keys, tokyo_day(now))
  if not key or parts_of(key)[1] ~= key_id then return refusal('NoticesClosed') end
  if is_overdue(erasures, traces, now) then return refusal('NoticesClosed') end
  local field = arrival .. US .. carrier
  local before = read('HGET', desk.wishes, field)
  before = before and parts_of(before)
  if before and before[3] ~= '' then before = nil end
  if (before and before[1] or '') ~= old then return refusal('Peek') end
  if before then
    plan_erasure(desk, old, old_contact, erasures, traces, owners)
    tell(desk, 'ContactErased', 'arrival', arrival, 'carrier', carrier, 'subscription', old, 'ending', 'replaced')
  end
  -- Ten minutes past the next midnight in Tokyo; the expiry is only the net.
  local erase_at = (math.floor((now + 32400000) / 86400000) + 1) * 86400000 - 32400000 + 600000
  plan(desk, 'SET', contact, sealed, 'PXAT', whole(erase_at + EXPIRES_AFTER_MS))
  plan(desk, 'ZADD', erasures, whole(erase_at), subscription)
  desk.lives[contact], desk.lives[erasures] = true, true
  plan(desk, 'HSET', stops, stop, arrival .. US .. carrier .. US .. subscription)
  if owner ~= '' then
    plan(desk, 'HSET', owners, subscription, table.concat({owner, args[1], arrival, carrier}, US))
    desk.lives[owners] = true
  end
  desk.wished[field] = table.concat({subscription, ahead, '', minutes}, US)
  plan(desk, 'HSET', desk.wishes, field, desk.wished[field])
  tell(desk, 'ContactGiven', 'arrival', arrival, 'carrier', carrier, 'subscription', subscription, 'ahead', ahead,
    'purpose', purpose)
  owe(desk, subscription, 'registered', arrival, carrier)
  if ticket.state == 'waiting' then desk.near_lanes[ticket.lane] = true end
  return finish(desk, 'arrival', arrival, 'number', ticket.number, 'lane', ticket.lane, 'state', ticket.state)
end

redis.register_function('desk_wish_v1', desk_wish_v1)
