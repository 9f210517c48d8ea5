-- Places in a lane and turns at a counter, for the functions that give them. The rules are told in hub/desk/order.py; what
-- stands here does the same with what the store has, and reads no lane to its end.

local STEP, ROOM = 1048576, 1024  -- hub/desk/order.py

local function last_arrival(desk)
  return tonumber(read('HGET', desk.tally, 'arrival') or '0')
end

-- The ranks on both sides of a place in a lane: 0 before the first, the next newcomer's behind the last.
local function gap_at(desk, lane, place)
  local low, high = 0, (last_arrival(desk) + 1) * STEP
  if place > 0 then low = tonumber(read('ZRANGE', desk.waiting[lane], place - 1, place - 1, 'WITHSCORES')[2]) end
  local behind = read('ZRANGE', desk.waiting[lane], place, place, 'WITHSCORES')
  if behind[2] then high = tonumber(behind[2]) end
  return low, high
end

-- A rank after the first `place` of a lane; a closed gap moves the nearest neighbours apart first (planned and told).
-- `make_room` of hub/desk/order.py.
local function insert_rank(desk, lane, place)
  local key = desk.waiting[lane]
  local low, high = gap_at(desk, lane, place)
  if high - low >= 2 then return math.floor((low + high) / 2) end

  local count = read('ZCARD', key)
  local first, last, step = place, place, 0  -- those who move: first + 1 … last, counted from 1
  while true do
    low = gap_at(desk, lane, first)
    high = select(2, gap_at(desk, lane, last))
    step = math.floor((high - low) / (last - first + 2))
    if step >= ROOM then break end
    first, last = math.max(0, first - 1), math.min(count, last + 1)
  end
  local line = last > first and read('ZRANGE', key, first, last - 1) or {}
  local rank, told, mine = low, {}, nil
  for i = first, last do
    rank = rank + step
    if i == place then
      mine = rank
      rank = rank + step
    end
    if i < last then
      plan(desk, 'ZADD', key, whole(rank), line[i - first + 1])
      told[#told + 1] = line[i - first + 1] .. ':' .. whole(rank)
    end
  end
  tell(desk, 'LaneRenumbered', 'lane', lane, 'ranks', table.concat(told, ' '))
  return mine
end

local PAGE = 64  -- who joins late seldom stands far behind: a lane is read no further than that

-- Rank and people ahead of a ticket that joins a lane late: right before the first there who came after it, those who stand
-- there by priority aside. `place_of_arrival` and `rank_of_arrival` of hub/desk/order.py.
local function place_by_arrival(desk, ticket, lane)
  local mine, key = tonumber(ticket.arrival), desk.waiting[lane]
  local count, place = read('ZCARD', key), nil
  for first = 0, count - 1, PAGE do
    for i, arrival in ipairs(read('ZRANGE', key, first, first + PAGE - 1)) do
      if tonumber(arrival) > mine and not read('ZSCORE', desk.priorities, arrival) then
        place = first + i - 1
        break
      end
    end
    if place then break end
  end
  place = place or count
  local low, high = gap_at(desk, lane, place)
  if low < mine * STEP and mine * STEP < high then return mine * STEP, place end
  return insert_rank(desk, lane, place), place
end

-- Rank and people ahead of a new priority ticket. `place_of_priority` and `rank_of_priority` of hub/desk/order.py.
local function place_by_priority(desk, arrival, lane, every)
  local key, last = desk.waiting[lane], nil
  local count, since = read('ZCARD', key), read('HGET', desk.tally, 'since:' .. lane)
  for _, other in ipairs(read('ZRANGE', desk.priorities, 0, -1)) do
    local place = read('ZRANK', key, other)
    if place and (not last or place > last) then last = place end
  end
  local place = 0
  if last then place = last + every elseif since then place = math.max(0, every - 1 - tonumber(since)) end
  place = math.min(place, count)
  if place == count then return arrival * STEP, place end
  local low, high = gap_at(desk, lane, place)
  low = math.max(low, high - STEP)
  if high - low >= 2 then return math.floor((low + high) / 2), place end
  return insert_rank(desk, lane, place), place
end

-- A lane's next turn at a counter; `share`: 0 where its lanes weigh the same. `turn_of` of hub/desk/order.py.
local function turn_of(desk, counter, lane, share)
  if share == 0 then return 0 end
  local known = read('HMGET', desk.tally, 'turn:' .. counter, 'turn:' .. counter .. ':' .. lane)
  local latest = tonumber(known[1] or '1')
  return known[2] and math.max(latest, tonumber(known[2]) + share) or latest
end

local HEADS = 16  -- looked at together where the first of a lane is reserved for another counter

-- Arrival and rank of who stands first in a lane of those whom this counter may call; nil where there is nobody.
local function first_for(desk, lane, counter)
  local from, to = 0, 0
  while true do
    local line, arrivals = read('ZRANGE', desk.waiting[lane], from, to, 'WITHSCORES'), {}
    for i = 1, #line, 2 do arrivals[#arrivals + 1] = line[i] end
    if #arrivals == 0 then return nil end
    local reserved = read('HMGET', desk.reserved, unpack(arrivals))
    for i, arrival in ipairs(arrivals) do
      if not reserved[i] or reserved[i] == counter then return arrival, tonumber(line[2 * i]) end
    end
    from, to = to + 1, to + HEADS
  end
end

-- Plan the call of a ticket to a counter, and what the turns to come go by. `reason`: why out of order, or ''.
local function call(desk, ticket, counter, turn, reason)
  move(desk, ticket, 'call', {'counter', counter, 'calls', '1', 'called_at', whole(desk.at), 'called_from', ticket.state})
  plan(desk, 'HSET', desk.at_counter, counter, ticket.arrival)
  tell_of(desk, 'TicketCalled', ticket, 'counter', counter, 'turn', whole(turn), 'reason', reason)
  local field = 'since:' .. ticket.lane
  local since = read('HGET', desk.tally, field)
  if ticket.has_priority then
    plan(desk, 'HSET', desk.tally, field, '0')
  elseif since and ticket.state == 'waiting' and reason == '' then
    plan(desk, 'HSET', desk.tally, field, whole(tonumber(since) + 1))
  end
  if turn > 0 then
    plan(desk, 'HSET', desk.tally, 'turn:' .. counter, whole(turn), 'turn:' .. counter .. ':' .. ticket.lane, whole(turn))
  end
end
