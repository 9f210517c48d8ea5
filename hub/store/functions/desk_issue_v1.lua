-- Give the next number of a lane to a newcomer, who waits last, or is expected where he took it from home.
-- KEYS     as in the prelude; the tickets that the next arrivals would have, and the holder's latest one in this lane
-- ARGS     own: 1 lane · 2 prefix · 3 first and 4 last figure of the band · 5 source · 6 SHA-256 of the secret or '' ·
--          7 holder or '' · 8 '1' where he is expected
-- GIVES    arrival · number · lane · state · ahead (waiting only)
-- REFUSES  LaneClosing · LaneExhausted (lane) · SecretUsed · HasNumber (ticket, number)
-- WHOLE    arrival and number given, the ticket with its secret and holder, its place, TicketIssued or TicketExpected
local function desk_issue_v1(keys, args)
  local desk, done = begin(keys, args)
  if not desk then return done end
  local lane, prefix, first, last, source, secret, holder, expected = unpack(desk.own)
  if is_closing(desk, lane) then return refusal('LaneClosing') end
  local issued = tonumber(read('HGET', desk.tally, 'issued:' .. lane) or '0')
  local figure = tonumber(first) + issued
  while read('HEXISTS', desk.numbers, prefix .. whole(figure)) == 1 do
    figure = figure + 1  -- the band was moved during the day: no number is given twice
  end
  if figure > tonumber(last) then return refusal('LaneExhausted', 'lane', lane) end
  if secret ~= '' and read('HGET', desk.secrets, secret) then return refusal('SecretUsed') end
  local held = holder ~= '' and read('HGET', desk.holders, holder .. US .. lane)
  if held then
    local ticket, declared = ticket_of(desk, held)
    if not declared then return refusal('Peek') end
    if ticket and ticket.stands then return refusal('HasNumber', 'ticket', held, 'number', ticket.number) end
  end
  local arrival = last_arrival(desk) + 1
  local action, kind, into = 'issue', 'TicketIssued', desk.waiting[lane]
  if expected == '1' then action, kind, into = 'expect', 'TicketExpected', desk.standing.expected end
  local ticket = {arrival = whole(arrival), number = prefix .. whole(figure), lane = lane}
  local key, rank, at, state = desk.ticket[ticket.arrival], whole(arrival * STEP), whole(desk.at), MOVES[action].none
  if not key then return refusal('Peek') end
  local answer = {'arrival', ticket.arrival, 'number', ticket.number, 'lane', lane, 'state', state}
  if action == 'issue' then
    answer[#answer + 1] = 'ahead'
    answer[#answer + 1] = whole(read('ZCARD', into))
  end
  plan(desk, 'HSET', desk.tally, 'arrival', ticket.arrival, 'issued:' .. lane, whole(issued + 1))
  plan(desk, 'HSET', key, 'number', ticket.number, 'lane', lane, 'state', state, 'source', source, 'secret', secret,
    'issued_at', at, 'calls', '0')
  if holder ~= '' then plan(desk, 'HSET', key, 'holder', holder .. US .. lane) end
  plan(desk, 'ZADD', into, rank, ticket.arrival)
  plan(desk, 'HSET', desk.numbers, ticket.number, ticket.arrival)
  if secret ~= '' then plan(desk, 'HSET', desk.secrets, secret, ticket.arrival) end
  if holder ~= '' then plan(desk, 'HSET', desk.holders, holder .. US .. lane, ticket.arrival) end
  tell_of(desk, kind, ticket, 'rank', rank, 'source', source)
  return finish(desk, unpack(answer))
end

redis.register_function('desk_issue_v1', desk_issue_v1)
