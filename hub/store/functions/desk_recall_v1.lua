-- Call the ticket that a counter has once more.
-- KEYS     as in the prelude; the ticket
-- ARGS     own: 1 counter · 2 arrival
-- GIVES    arrival · number · lane · state
-- REFUSES  NotCurrent (counter, current) · WrongMove
-- WHOLE    calls and time of the ticket, TicketRecalled
local function desk_recall_v1(keys, args)
  local desk, done = begin(keys, args)
  if not desk then return done end
  local counter, arrival = unpack(desk.own)
  local ticket, refused = current_of(desk, counter, arrival, 'recall')
  if not ticket then return refused end
  local calls = whole(ticket.calls + 1)
  move(desk, ticket, 'recall', {'calls', calls, 'called_at', whole(desk.at)})
  tell_of(desk, 'TicketRecalled', ticket, 'counter', counter, 'calls', calls)
  return finish(desk, 'arrival', arrival, 'number', ticket.number, 'lane', ticket.lane, 'state', MOVES['recall'][ticket.state])
end

redis.register_function('desk_recall_v1', desk_recall_v1)
