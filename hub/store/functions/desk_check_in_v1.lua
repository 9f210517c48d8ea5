-- A resident who took a number from home is here: he waits from now on, where his arrival puts him.
-- KEYS     as in the prelude; the ticket
-- ARGS     own: 1 arrival
-- GIVES    arrival · number · lane · state · ahead
-- REFUSES  UnknownTicket · WrongMove
-- WHOLE    where the gap is closed: the lane's new ranks and LaneRenumbered; the ticket in its lane, TicketCheckedIn
local function desk_check_in_v1(keys, args)
  local desk, done = begin(keys, args)
  if not desk then return done end
  local ticket, refused = named(desk, desk.own[1], 'check_in')
  if not ticket then return refused end
  local rank, place = place_by_arrival(desk, ticket, ticket.lane)
  move(desk, ticket, 'check_in', {rank = rank})
  tell_of(desk, 'TicketCheckedIn', ticket, 'rank', whole(rank))
  return finish(desk, 'arrival', ticket.arrival, 'number', ticket.number, 'lane', ticket.lane, 'state', 'waiting',
    'ahead', whole(place))
end

redis.register_function('desk_check_in_v1', desk_check_in_v1)
