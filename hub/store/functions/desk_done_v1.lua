-- Finish the ticket that a counter has, without calling another.
-- KEYS     as in the prelude; the ticket
-- ARGS     own: 1 counter · 2 arrival
-- GIVES    arrival · number · lane · state
-- REFUSES  NotCurrent (counter, current) · WrongMove
-- WHOLE    the ticket served, the counter free, TicketServed
local function desk_done_v1(keys, args)
  local desk, done = begin(keys, args)
  if not desk then return done end
  local counter, arrival = unpack(desk.own)
  local ticket, refused = current_of(desk, counter, arrival, 'done')
  if not ticket then return refused end
  move(desk, ticket, 'done', {})
  tell_of(desk, 'TicketServed', ticket, 'counter', counter)
  return finish(desk, 'arrival', arrival, 'number', ticket.number, 'lane', ticket.lane, 'state', MOVES['done'][ticket.state])
end

redis.register_function('desk_done_v1', desk_done_v1)
