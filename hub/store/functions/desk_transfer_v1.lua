-- Send a ticket to a lane, the present one or another, or to one counter of it, which alone may call it. It keeps its number
-- and stands there where its arrival puts it; who waits there already keeps his place.
-- KEYS     as in the prelude; the ticket
-- ARGS     own: 1 arrival · 2 lane · 3 counter or '' · 4 its lanes of the office file, joined by ' '
-- GIVES    arrival · number · lane · state · ahead
-- REFUSES  LaneNotServed (counter, lane) · UnknownTicket · WrongMove · SameLane (lane)
-- WHOLE    where the gap is closed: the lane's new ranks and LaneRenumbered; the ticket in its new lane, its counter free,
--          its reservation set or gone, TicketTransferred
local function desk_transfer_v1(keys, args)
  local desk, done = begin(keys, args)
  if not desk then return done end
  local lane, counter, usual = unpack(desk.own, 2, 4)
  if counter ~= '' and not is_among(lane, lanes_of(desk, counter, usual)) then
    return refusal('LaneNotServed', 'counter', counter, 'lane', lane)
  end
  local ticket, refused = named(desk, desk.own[1], 'transfer')
  if not ticket then return refused end
  if ticket.lane == lane and ticket.for_counter == counter then return refusal('SameLane', 'lane', lane) end
  local rank, place
  if ticket.lane == lane and ticket.state == 'waiting' then
    rank, place = ticket.rank, read('ZRANK', desk.waiting[lane], ticket.arrival)
  else
    rank, place = place_by_arrival(desk, ticket, lane)
  end
  local from = ticket.lane
  move(desk, ticket, 'transfer', {lane = lane, rank = rank, 'calls', '0'})
  if counter ~= '' then
    plan(desk, 'HSET', desk.reserved, ticket.arrival, counter)
  elseif ticket.for_counter ~= '' then
    plan(desk, 'HDEL', desk.reserved, ticket.arrival)
  end
  ticket.lane = lane
  tell_of(desk, 'TicketTransferred', ticket, 'from_lane', from, 'rank', whole(rank), 'for_counter', counter)
  return finish(desk, 'arrival', ticket.arrival, 'number', ticket.number, 'lane', lane, 'state', 'waiting',
    'ahead', whole(place))
end

redis.register_function('desk_transfer_v1', desk_transfer_v1)
