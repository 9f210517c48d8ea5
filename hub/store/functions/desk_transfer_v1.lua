-- Send a ticket to another lane. It keeps its number and stands there where its arrival puts it.
-- KEYS     as in the prelude; the ticket
-- ARGS     own: 1 arrival · 2 lane
-- GIVES    arrival · number · lane · state · ahead
-- REFUSES  UnknownTicket · WrongMove · SameLane (lane)
-- WHOLE    where the gap is closed: the lane's new ranks and LaneRenumbered; the ticket in its new lane, its counter free,
--          TicketTransferred
local function desk_transfer_v1(keys, args)
  local desk, done = begin(keys, args)
  if not desk then return done end
  local lane = desk.own[2]
  local ticket, refused = named(desk, desk.own[1], 'transfer')
  if not ticket then return refused end
  if ticket.lane == lane then return refusal('SameLane', 'lane', lane) end
  local rank, place = place_by_arrival(desk, ticket, lane)
  local from = ticket.lane
  move(desk, ticket, 'transfer', {lane = lane, rank = rank, 'calls', '0'})
  ticket.lane = lane
  tell_of(desk, 'TicketTransferred', ticket, 'from_lane', from, 'rank', whole(rank))
  return finish(desk, 'arrival', ticket.arrival, 'number', ticket.number, 'lane', lane, 'state', 'waiting',
    'ahead', whole(place))
end

redis.register_function('desk_transfer_v1', desk_transfer_v1)
