-- Put aside the ticket that a counter has: nobody came, and the resident has had his rights.
-- KEYS     as in the prelude; the ticket
-- ARGS     own: 1 counter · 2 arrival · 3 how many calls and 4 how many seconds after the latest of them · 5 ms in which he
--          may come back
-- GIVES    arrival · number · lane · state
-- REFUSES  NotCurrent (counter, current) · WrongMove · CalledTooFewTimes (calls) · CalledTooRecently (seconds)
-- WHOLE    the ticket among the absent with its deadline, the counter free, TicketMarkedAbsent
local function desk_absent_v1(keys, args)
  local desk, done = begin(keys, args)
  if not desk then return done end
  local counter, arrival, calls, seconds, missed = unpack(desk.own)
  local ticket, refused = current_of(desk, counter, arrival, 'absent')
  if not ticket then return refused end
  if ticket.calls < tonumber(calls) then return refusal('CalledTooFewTimes', 'calls', whole(tonumber(calls) - ticket.calls)) end
  local lacking = ticket.called_at + tonumber(seconds) * 1000 - desk.at
  if lacking > 0 then return refusal('CalledTooRecently', 'seconds', whole(math.ceil(lacking / 1000))) end
  local ends_at = whole(desk.at + tonumber(missed))
  move(desk, ticket, 'absent', {'until', ends_at})
  tell_of(desk, 'TicketMarkedAbsent', ticket, 'counter', counter, 'until', ends_at)
  return finish(desk, 'arrival', arrival, 'number', ticket.number, 'lane', ticket.lane, 'state', MOVES['absent'][ticket.state])
end

redis.register_function('desk_absent_v1', desk_absent_v1)
