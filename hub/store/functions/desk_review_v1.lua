-- The back office goes on with the ticket that a counter has.
-- KEYS     as in the prelude; the ticket
-- ARGS     own: 1 counter · 2 arrival · 3… lane and its delivery lane, for each that has one
-- GIVES    arrival · number · lane · state
-- REFUSES  NotCurrent (counter, current) · WrongMove · NoDelivery (lane)
-- WHOLE    the ticket in the back office, the counter free, TicketSentToReview
local function desk_review_v1(keys, args)
  local desk, done = begin(keys, args)
  if not desk then return done end
  local counter, arrival = unpack(desk.own)
  local ticket, refused = current_of(desk, counter, arrival, 'review')
  if not ticket then return refused end
  if delivery_of(desk, 3, ticket.lane) == '' then return refusal('NoDelivery', 'lane', ticket.lane) end
  move(desk, ticket, 'review', {})
  tell_of(desk, 'TicketSentToReview', ticket, 'counter', counter)
  return finish(desk, 'arrival', arrival, 'number', ticket.number, 'lane', ticket.lane,
    'state', MOVES.review[ticket.state])
end

redis.register_function('desk_review_v1', desk_review_v1)
