-- Finish what a counter has and call the first of its lanes: of the lane whose turn it is, else the smallest rank of all.
-- Whoever is reserved for another counter is passed over.
-- KEYS     as in the prelude; the tickets of `current` and of those who stand first in the lanes
-- ARGS     own: 1 counter · 2 current arrival or '' · 3 its lanes of the office file, joined by ' ' · 4 those of its lanes to
--          call from, joined by ' ' ('': all) · 5… for each lane of the office: lane, share (0: all weigh the same)
-- GIVES    finished (or '') · arrival · number · lane · state; without the last four where nobody waits
-- REFUSES  LaneNotServed (counter, lane) · NotCurrent (counter, current) · WrongMove
-- WHOLE    current served and told, the first of the lane called and told, its lane's turn and count
local function desk_next_v1(keys, args)
  local desk, done = begin(keys, args)
  if not desk then return done end
  local counter, current, usual, asked = unpack(desk.own, 1, 4)
  local lanes = lanes_of(desk, counter, usual)
  for lane in string.gmatch(asked, '%S+') do
    if not is_among(lane, lanes) then return refusal('LaneNotServed', 'counter', counter, 'lane', lane) end
  end
  if asked ~= '' then lanes = asked end
  local leaving, refused = leaving_of(desk, counter, current)
  if refused then return refused end
  local first, rank, turn
  for i = 5, #desk.own, 2 do
    local arrival, its_rank
    if is_among(desk.own[i], lanes) then arrival, its_rank = first_for(desk, desk.own[i], counter) end
    if arrival then
      local its_turn = turn_of(desk, counter, desk.own[i], tonumber(desk.own[i + 1]))
      if not first or its_turn < turn or (its_turn == turn and (its_rank < rank
          or (its_rank == rank and tonumber(arrival) < tonumber(first)))) then
        first, rank, turn = arrival, its_rank, its_turn
      end
    end
  end
  local answer = {'finished', current}
  serve(desk, counter, leaving)
  if first then
    local ticket, declared = ticket_of(desk, first)
    if not declared then return refusal('Peek') end
    if not ticket then error({err = 'DAMAGED lane holds an unknown ticket'}) end
    call(desk, ticket, counter, turn, '')
    for _, part in ipairs({'arrival', first, 'number', ticket.number, 'lane', ticket.lane, 'state', MOVES.call.waiting}) do
      answer[#answer + 1] = part
    end
  end
  return finish(desk, unpack(answer))
end

redis.register_function('desk_next_v1', desk_next_v1)
