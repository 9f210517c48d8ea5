-- Give the next number of a lane to a newcomer, who waits last.
-- KEYS     as in the prelude; the tickets that the next arrivals would have
-- ARGS     own: 1 lane · 2 prefix · 3 first and 4 last figure of the band · 5 source
-- GIVES    arrival · number · lane · state · ahead
-- REFUSES  LaneExhausted (lane)
-- WHOLE    arrival and number given, the ticket, its place in the lane, TicketIssued
local function desk_issue_v1(keys, args)
  local desk, done = begin(keys, args)
  if not desk then return done end
  local lane, prefix, first, last, source = unpack(desk.own)
  local issued = tonumber(read('HGET', desk.tally, 'issued:' .. lane) or '0')
  local figure = tonumber(first) + issued
  if figure > tonumber(last) then return refusal('LaneExhausted', 'lane', lane) end
  local arrival = last_arrival(desk) + 1
  local ticket = {arrival = whole(arrival), number = prefix .. whole(figure), lane = lane}
  local key, rank, at = desk.ticket[ticket.arrival], whole(arrival * STEP), whole(desk.at)
  if not key then return refusal('Peek') end
  local ahead = read('ZCARD', desk.waiting[lane])
  plan(desk, 'HSET', desk.tally, 'arrival', ticket.arrival, 'issued:' .. lane, whole(issued + 1))
  plan(desk, 'HSET', key, 'number', ticket.number, 'lane', lane, 'state', MOVES.issue.none, 'source', source,
    'issued_at', at, 'calls', '0')
  plan(desk, 'ZADD', desk.waiting[lane], rank, ticket.arrival)
  tell_of(desk, 'TicketIssued', ticket, 'rank', rank, 'source', source)
  return finish(desk, 'arrival', ticket.arrival, 'number', ticket.number, 'lane', lane, 'state', MOVES.issue.none,
    'ahead', whole(ahead))
end

redis.register_function('desk_issue_v1', desk_issue_v1)
