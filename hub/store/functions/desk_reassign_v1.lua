-- Let a counter serve other lanes until the day is over. Nobody who waits for it alone is left in a lane that it leaves.
-- KEYS     as in the prelude; every ticket that is reserved for the counter
-- ARGS     own: 1 counter · 2 lanes joined by ' ' · 3 its lanes of the office file, joined by ' '
-- GIVES    counter
-- REFUSES  StillReserved (number, lane)
-- WHOLE    the lanes in the tally, CounterReassigned
local function desk_reassign_v1(keys, args)
  local desk, done = begin(keys, args)
  if not desk then return done end
  local counter, lanes, usual = unpack(desk.own)
  local reserved, first = read('HGETALL', desk.reserved), nil
  for i = 1, #reserved, 2 do
    if reserved[i + 1] == counter then
      local ticket, declared = ticket_of(desk, reserved[i])
      if not declared then return refusal('Peek') end
      local is_there = ticket and (ticket.state == 'waiting' or desk.standing[ticket.state])
      if is_there and not is_among(ticket.lane, lanes) and
          (not first or tonumber(ticket.arrival) < tonumber(first.arrival)) then
        first = ticket
      end
    end
  end
  if first then return refusal('StillReserved', 'number', first.number, 'lane', first.lane) end
  local former = lanes_of(desk, counter, usual)
  plan(desk, 'HSET', desk.tally, 'lanes:' .. counter, lanes)
  tell(desk, 'CounterReassigned', 'counter', counter, 'lanes', lanes, 'former', former)
  return finish(desk, 'counter', counter)
end

redis.register_function('desk_reassign_v1', desk_reassign_v1)
