-- A resident lets the next few who stand behind him go first.
-- KEYS     as in the prelude; the ticket
-- ARGS     own: 1 arrival · 2 places · 3 how often one may
-- GIVES    arrival · number · lane · state · ahead
-- REFUSES  UnknownTicket · WrongMove · PushedEnough · NobodyBehind
-- WHOLE    where the gap is closed: the lane's new ranks and LaneRenumbered; the ticket's new rank, TicketPushedBack
local function desk_push_back_v1(keys, args)
  local desk, done = begin(keys, args)
  if not desk then return done end
  local arrival, places, times = unpack(desk.own)
  local ticket, refused = named(desk, arrival, 'push_back')
  if not ticket then return refused end
  if ticket.pushed >= tonumber(times) then return refusal('PushedEnough') end
  local key = desk.waiting[ticket.lane]
  local ahead, count = read('ZRANK', key, arrival), read('ZCARD', key)
  if ahead + 1 == count then return refusal('NobodyBehind') end
  local place = math.min(ahead + tonumber(places), count - 1)
  local rank = insert_rank(desk, ticket.lane, place + 1)  -- he is still in the line: one more stands before
  move(desk, ticket, 'push_back', {rank = rank, 'pushed', whole(ticket.pushed + 1)})
  tell_of(desk, 'TicketPushedBack', ticket, 'rank', whole(rank))
  return finish(desk, 'arrival', arrival, 'number', ticket.number, 'lane', ticket.lane, 'state', 'waiting',
    'ahead', whole(place))
end

redis.register_function('desk_push_back_v1', desk_push_back_v1)
