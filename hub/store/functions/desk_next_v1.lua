-- Finish what a counter has and call the first of its lanes: the smallest rank over all of them, of those that are not
-- reserved for another counter.
-- KEYS     as in the prelude; the tickets of `current` and of those who stand first in the lanes
-- ARGS     own: 1 counter · 2 current arrival or '' · 3… lanes to call from
-- GIVES    finished (or '') · arrival · number · lane · state; without the last four where nobody waits
-- REFUSES  NotCurrent (counter, current) · WrongMove
-- WHOLE    current served and told, the first of the lane called and told
local function desk_next_v1(keys, args)
  local desk, done = begin(keys, args)
  if not desk then return done end
  local counter, current = desk.own[1], desk.own[2]
  local leaving, refused = leaving_of(desk, counter, current)
  if refused then return refused end
  local first, rank
  for i = 3, #desk.own do
    local arrival, its = first_for(desk, desk.own[i], counter)
    if arrival and (not rank or its < rank or (its == rank and tonumber(arrival) < tonumber(first))) then
      first, rank = arrival, its
    end
  end
  local answer, ticket, declared = {'finished', current}, nil, nil
  if first then
    ticket, declared = ticket_of(desk, first)
    if not declared then return refusal('Peek') end
    if not ticket then error({err = 'DAMAGED lane holds an unknown ticket'}) end
    for _, part in ipairs({'arrival', first, 'number', ticket.number, 'lane', ticket.lane, 'state', MOVES.call.waiting}) do
      answer[#answer + 1] = part
    end
  end
  call_to(desk, counter, leaving, ticket, '')
  return finish(desk, unpack(answer))
end

redis.register_function('desk_next_v1', desk_next_v1)
