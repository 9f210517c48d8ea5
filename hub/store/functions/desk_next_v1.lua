-- Finish what a counter has and call the first of its lanes: the smallest rank over all of them.
-- KEYS     as in the prelude; the tickets of `current` and of those who stand first in the lanes
-- ARGS     own: 1 counter · 2 current arrival or '' · 3… lanes to call from
-- GIVES    finished (or '') · arrival · number · lane · state; without the last four where nobody waits
-- REFUSES  NotCurrent (counter, current) · WrongMove
-- WHOLE    current served and told, the first of the lane called and told
local function desk_next_v1(keys, args)
  local desk, done = begin(keys, args)
  if not desk then return done end
  local counter, current = desk.own[1], desk.own[2]
  local leaving
  if current == '' then
    local present = read('HGET', desk.at_counter, counter)
    if present then return refusal('NotCurrent', 'counter', counter, 'current', present) end
  else
    local refused
    leaving, refused = current_of(desk, counter, current, 'done')
    if not leaving then return refused end
  end
  local first, rank
  for i = 3, #desk.own do
    local head = read('ZRANGE', desk.waiting[desk.own[i]], 0, 0, 'WITHSCORES')
    if head[1] and (not rank or tonumber(head[2]) < rank
        or (tonumber(head[2]) == rank and tonumber(head[1]) < tonumber(first))) then
      first, rank = head[1], tonumber(head[2])
    end
  end
  local answer = {'finished', current}
  if leaving then
    move(desk, leaving, 'done', {})
    tell_of(desk, 'TicketServed', leaving, 'counter', counter)
  end
  if first then
    local ticket, declared = ticket_of(desk, first)
    if not declared then return refusal('Peek') end
    if not ticket then error({err = 'DAMAGED lane holds an unknown ticket'}) end
    move(desk, ticket, 'call', {'counter', counter, 'calls', '1', 'called_at', whole(desk.at)})
    plan(desk, 'HSET', desk.at_counter, counter, first)
    tell_of(desk, 'TicketCalled', ticket, 'counter', counter)
    for _, part in ipairs({'arrival', first, 'number', ticket.number, 'lane', ticket.lane, 'state', MOVES.call.waiting}) do
      answer[#answer + 1] = part
    end
  end
  return finish(desk, unpack(answer))
end

redis.register_function('desk_next_v1', desk_next_v1)
