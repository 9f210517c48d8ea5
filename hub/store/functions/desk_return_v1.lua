-- A resident who was absent is back: he waits again, after the next few.
-- KEYS     as in the prelude; the ticket
-- ARGS     own: 1 arrival · 2 how many who wait go first
-- GIVES    arrival · number · lane · state · ahead
-- REFUSES  UnknownTicket · WrongMove · MissedTooLong
-- WHOLE    where the gap is closed: the lane's new ranks and LaneRenumbered; the ticket in its lane, TicketReturned
local function desk_return_v1(keys, args)
  local desk, done = begin(keys, args)
  if not desk then return done end
  local ticket, refused = named(desk, desk.own[1], 'return')
  if not ticket then return refused end
  if is_over(desk, ticket) then return refusal('MissedTooLong') end
  local place = math.min(read('ZCARD', desk.waiting[ticket.lane]), tonumber(desk.own[2]))
  local rank = insert_rank(desk, ticket.lane, place)
  move(desk, ticket, 'return', {rank = rank, 'calls', '0'})
  tell_of(desk, 'TicketReturned', ticket, 'rank', whole(rank))
  return finish(desk, 'arrival', ticket.arrival, 'number', ticket.number, 'lane', ticket.lane, 'state', 'waiting',
    'ahead', whole(place))
end

redis.register_function('desk_return_v1', desk_return_v1)
