-- Finish what a counter has and call one number that waits, out of order for a reason, or one that is held.
-- KEYS     as in the prelude; the tickets of `current` and of the one chosen
-- ARGS     own: 1 counter · 2 current arrival or '' · 3 arrival · 4 reason or '' · 5 its lanes of the office file, joined by ' '
-- GIVES    finished (or '') · arrival · number · lane · state
-- REFUSES  NotCurrent (counter, current) · UnknownTicket · WrongMove · LaneNotServed (counter, lane) · NoReason
-- WHOLE    current served and told, the chosen one called and told
local function desk_call_v1(keys, args)
  local desk, done = begin(keys, args)
  if not desk then return done end
  local counter, current, arrival, reason, usual = unpack(desk.own)
  local leaving, refused = leaving_of(desk, counter, current)
  if refused then return refused end
  local ticket, why = named(desk, arrival, 'call')
  if not ticket then return why end
  if not is_among(ticket.lane, lanes_of(desk, counter, usual)) or (ticket.for_counter ~= '' and ticket.for_counter ~= counter) then
    return refusal('LaneNotServed', 'counter', counter, 'lane', ticket.lane)
  end
  if ticket.state == 'waiting' and reason == '' then return refusal('NoReason') end
  serve(desk, counter, leaving)
  call(desk, ticket, counter, 0, reason)
  return finish(desk, 'finished', current, 'arrival', arrival, 'number', ticket.number, 'lane', ticket.lane,
    'state', MOVES.call[ticket.state])
end

redis.register_function('desk_call_v1', desk_call_v1)
