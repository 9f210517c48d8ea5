-- Put aside for a while the ticket that a counter has: its resident is here and will be called again.
-- KEYS     as in the prelude; the ticket
-- ARGS     own: 1 counter · 2 arrival
-- GIVES    arrival · number · lane · state
-- REFUSES  NotCurrent (counter, current) · WrongMove
-- WHOLE    the ticket among the held, the counter free, TicketHeld
local function desk_hold_v1(keys, args)
  local desk, done = begin(keys, args)
  if not desk then return done end
  local counter, arrival = unpack(desk.own)
  local ticket, refused = current_of(desk, counter, arrival, 'hold')
  if not ticket then return refused end
  move(desk, ticket, 'hold', {'calls', '0'})
  tell_of(desk, 'TicketHeld', ticket, 'counter', counter)
  return finish(desk, 'arrival', arrival, 'number', ticket.number, 'lane', ticket.lane,
    'state', MOVES.hold[ticket.state])
end

redis.register_function('desk_hold_v1', desk_hold_v1)
