-- The back office is ready with a ticket: it waits in its lane's delivery lane, where its arrival puts it.
-- KEYS     as in the prelude; the ticket
-- ARGS     own: 1 arrival · 2… lane and its delivery lane, for each that has one
-- GIVES    arrival · number · lane · state · ahead
-- REFUSES  UnknownTicket · WrongMove · NoDelivery (lane)
-- WHOLE    where the gap is closed: the lane's new ranks and LaneRenumbered; the ticket in the delivery lane, for any
--          counter, TicketReady
local function desk_ready_v1(keys, args)
  local desk, done = begin(keys, args)
  if not desk then return done end
  local ticket, refused = named(desk, desk.own[1], 'ready')
  if not ticket then return refused end
  local from, lane = ticket.lane, delivery_of(desk, 2, ticket.lane)
  if lane == '' then return refusal('NoDelivery', 'lane', from) end
  local rank, place = place_by_arrival(desk, ticket, lane)
  move(desk, ticket, 'ready', {lane = lane, rank = rank, 'calls', '0'})
  if ticket.for_counter ~= '' then plan(desk, 'HDEL', desk.reserved, ticket.arrival) end
  ticket.lane = lane
  tell_of(desk, 'TicketReady', ticket, 'from_lane', from, 'rank', whole(rank))
  return finish(desk, 'arrival', ticket.arrival, 'number', ticket.number, 'lane', lane, 'state', 'waiting',
    'ahead', whole(place))
end

redis.register_function('desk_ready_v1', desk_ready_v1)
