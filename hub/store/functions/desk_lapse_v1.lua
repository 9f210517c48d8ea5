-- End a missed number whose time is over, or, once closing was announced, one that nobody will serve today.
-- KEYS     as in the prelude; the ticket
-- ARGS     own: 1 arrival
-- GIVES    arrival · number · lane · state
-- REFUSES  UnknownTicket · WrongMove · NotYet
-- WHOLE    the ticket out of its set, TicketLapsed
local function desk_lapse_v1(keys, args)
  local desk, done = begin(keys, args)
  if not desk then return done end
  local ticket, refused = named(desk, desk.own[1], 'lapse')
  if not ticket then return refused end
  local why = is_over(desk, ticket) and 'missed' or 'closing'
  if why == 'closing' and not is_closing(desk, ticket.lane) then return refusal('NotYet') end
  move(desk, ticket, 'lapse', {})
  tell_of(desk, 'TicketLapsed', ticket, 'why', why)
  return finish(desk, 'arrival', ticket.arrival, 'number', ticket.number, 'lane', ticket.lane,
    'state', MOVES.lapse[ticket.state])
end

redis.register_function('desk_lapse_v1', desk_lapse_v1)
