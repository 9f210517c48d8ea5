-- Take a ticket back for good, wherever it stands.
-- KEYS     as in the prelude; the ticket
-- ARGS     own: 1 arrival
-- GIVES    arrival · number · lane · state
-- REFUSES  UnknownTicket · WrongMove
-- WHOLE    the ticket out of its set, its counter free, TicketCancelled
local function desk_cancel_v1(keys, args)
  local desk, done = begin(keys, args)
  if not desk then return done end
  local ticket, refused = named(desk, desk.own[1], 'cancel')
  if not ticket then return refused end
  move(desk, ticket, 'cancel', {})
  tell_of(desk, 'TicketCancelled', ticket)
  return finish(desk, 'arrival', ticket.arrival, 'number', ticket.number, 'lane', ticket.lane,
    'state', MOVES.cancel[ticket.state])
end

redis.register_function('desk_cancel_v1', desk_cancel_v1)
