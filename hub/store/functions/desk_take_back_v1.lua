-- The call of the ticket that a counter has was a mistake: it stands again exactly where it stood.
-- KEYS     as in the prelude; the ticket
-- ARGS     own: 1 counter · 2 arrival
-- GIVES    arrival · number · lane · state · ahead (waiting only)
-- REFUSES  NotCurrent (counter, current) · WrongMove
-- WHOLE    where another got its rank meanwhile and the gap is closed: the lane's new ranks and LaneRenumbered; the ticket
--          in its lane or held again, the counter free, CallTakenBack
local function desk_take_back_v1(keys, args)
  local desk, done = begin(keys, args)
  if not desk then return done end
  local counter, arrival = unpack(desk.own)
  local ticket, refused = current_of(desk, counter, arrival, 'take_back')
  if not ticket then return refused end
  local action, rank, place = ticket.called_from == 'held' and 'hold' or 'take_back', ticket.rank, nil
  if action == 'take_back' then
    local key = desk.waiting[ticket.lane]
    place = read('ZCOUNT', key, '-inf', '(' .. whole(rank))
    if tonumber(read('ZRANGE', key, place, place, 'WITHSCORES')[2]) == rank then
      rank = insert_rank(desk, ticket.lane, place)
    end
  end
  local state = MOVES[action][ticket.state]
  move(desk, ticket, action, {rank = rank, 'calls', '0'})
  tell_of(desk, 'CallTakenBack', ticket, 'counter', counter, 'state', state, 'rank', whole(rank))
  local answer = {'arrival', arrival, 'number', ticket.number, 'lane', ticket.lane, 'state', state}
  if place then
    answer[#answer + 1] = 'ahead'
    answer[#answer + 1] = whole(place)
  end
  return finish(desk, unpack(answer))
end

redis.register_function('desk_take_back_v1', desk_take_back_v1)
