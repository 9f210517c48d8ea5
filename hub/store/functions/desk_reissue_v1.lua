-- A slip was lost: another secret takes the place of the old one, which opens nothing any more; nor does its browser.
-- KEYS     as in the prelude; the ticket
-- ARGS     own: 1 arrival · 2 SHA-256 of the new secret
-- GIVES    arrival · number · lane · state
-- REFUSES  UnknownTicket · SlipEnded · SecretUsed
-- WHOLE    old secret and holder gone, the new secret known and at the ticket, SlipReissued
local function desk_reissue_v1(keys, args)
  local desk, done = begin(keys, args)
  if not desk then return done end
  local arrival, secret = unpack(desk.own)
  local ticket, declared = ticket_of(desk, arrival)
  if not declared then return refusal('Peek') end
  if not ticket then return refusal('UnknownTicket', 'ticket', arrival) end
  if not ticket.stands then return refusal('SlipEnded') end
  if read('HGET', desk.secrets, secret) then return refusal('SecretUsed') end
  local old = read('HMGET', ticket.key, 'secret', 'holder')
  if old[1] and old[1] ~= '' then plan(desk, 'HDEL', desk.secrets, old[1]) end
  if old[2] and read('HGET', desk.holders, old[2]) == arrival then plan(desk, 'HDEL', desk.holders, old[2]) end
  plan(desk, 'HSET', desk.secrets, secret, arrival)
  plan(desk, 'HSET', ticket.key, 'secret', secret)
  tell_of(desk, 'SlipReissued', ticket)
  return finish(desk, 'arrival', arrival, 'number', ticket.number, 'lane', ticket.lane, 'state', ticket.state)
end

redis.register_function('desk_reissue_v1', desk_reissue_v1)
