-- A wall has painted a call. Once for each wall and call; what is known already is told no second time.
-- KEYS     as in the prelude; the ticket; own: 1 walls
-- ARGS     own: 1 wall · 2 arrival · 3 calls · 4 called_at (office ms)
-- GIVES    arrival · number · lane · state · shown_before (walls that had shown it until then)
-- REFUSES  UnknownTicket · CallOver (ticket, state): it is not the present call of the ticket
-- WHOLE    where they are new: the wall among today's and WallJoined, the wall in `shown` of the ticket and CallShown
local function wall_show_v1(keys, args)
  local desk, done = begin(keys, args)
  if not desk then return done end
  local wall, arrival, calls, called_at = unpack(desk.own)
  local ticket, declared = ticket_of(desk, arrival)
  if not declared then return refusal('Peek') end
  if not ticket then return refusal('UnknownTicket', 'ticket', arrival) end
  local known = read('HMGET', ticket.key, 'called_at', 'shown')
  if ticket.state ~= MOVES.call.waiting or whole(ticket.calls) ~= calls or known[1] ~= called_at then
    return refusal('CallOver', 'ticket', arrival, 'state', ticket.state)
  end
  local shown, before, is_known = known[2] or '', 0, false
  for one in string.gmatch(shown, '%S+') do
    before = before + 1
    is_known = is_known or one == wall
  end
  join_wall(desk, desk.extra[1], wall)
  if not is_known then
    plan(desk, 'HSET', ticket.key, 'shown', before == 0 and wall or shown .. ' ' .. wall)
    tell_of(desk, 'CallShown', ticket, 'calls', calls, 'wall', wall)
  end
  return finish(desk, 'arrival', arrival, 'number', ticket.number, 'lane', ticket.lane, 'state', ticket.state,
    'shown_before', whole(before))
end

redis.register_function('wall_show_v1', wall_show_v1)
