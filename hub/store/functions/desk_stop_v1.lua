-- Erase a contact before its day is over, whatever has become of the ticket.
-- KEYS     as in the prelude; the ticket; own: 1 erasures · 2 traces · 3 owners · 4 the contact
-- ARGS     own: 1 arrival · 2 carrier · 3 ending · 4 the only subscription that is meant, or '' · 5 the one looked up, or ''
-- GIVES    arrival · number · lane · state
-- REFUSES  UnknownTicket · NoContact
-- WHOLE    contact gone, and whose it was, also where the memory is full; its traces noted, wish ended, ContactErased;
--          what the next carrier's wish makes due
local function desk_stop_v1(keys, args)
  local desk, done = begin(keys, args)
  if not desk then return done end
  local arrival, carrier, ending, meant, looked_up = unpack(desk.own)
  local erasures, traces, owners, contact = unpack(desk.extra)
  local ticket, declared = ticket_of(desk, arrival)
  if not declared then return refusal('Peek') end
  if not ticket then return refusal('UnknownTicket', 'ticket', arrival) end
  local field = arrival .. US .. carrier
  local wish = read('HGET', desk.wishes, field)
  local parts = wish and parts_of(wish)
  if not parts or parts[3] ~= '' or (meant ~= '' and meant ~= parts[1]) then return refusal('NoContact') end
  if parts[1] ~= looked_up then return refusal('Peek') end
  plan_erasure(desk, parts[1], contact, erasures, traces, owners)
  desk.wished[field] = table.concat({parts[1], parts[2], ending, parts[4] or '0'}, US)
  plan(desk, 'HSET', desk.wishes, field, desk.wished[field])
  tell(desk, 'ContactErased', 'arrival', arrival, 'carrier', carrier, 'subscription', parts[1], 'ending', ending)
  if ticket.state == 'waiting' then desk.near_lanes[ticket.lane] = true end  -- the next carrier's wish counts now
  return finish(desk, 'arrival', arrival, 'number', ticket.number, 'lane', ticket.lane, 'state', ticket.state)
end

redis.register_function{function_name = 'desk_stop_v1', callback = desk_stop_v1, flags = {'allow-oom'}}
