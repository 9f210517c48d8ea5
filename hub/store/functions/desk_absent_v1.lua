-- Put aside the ticket that a counter has: nobody came.
-- KEYS     as in the prelude; the ticket
-- ARGS     own: 1 counter · 2 arrival
-- GIVES    arrival · number · lane · state
-- REFUSES  NotCurrent (counter, current) · WrongMove
-- WHOLE    the ticket among the absent, the counter free, TicketMarkedAbsent
local function desk_absent_v1(keys, args)
  local desk, done = begin(keys, args)
  if not desk then return done end
  local counter, arrival = unpack(desk.own)
  local ticket, refused = current_of(desk, counter, arrival, 'absent')
  if not ticket then return refused end
  move(desk, ticket, 'absent', {})
  tell_of(desk, 'TicketMarkedAbsent', ticket, 'counter', counter)
  return finish(desk, 'arrival', arrival, 'number', ticket.number, 'lane', ticket.lane, 'state', MOVES['absent'][ticket.state])
end

redis.register_function('desk_absent_v1', desk_absent_v1)
