-- Give the next number of a lane to a newcomer, who waits last, by priority before others, or is expected from home.
-- KEYS     as in the prelude; the tickets that the next arrivals would have, and the holder's latest one in this lane
-- ARGS     own: 1 lane · 2 prefix · 3 first and 4 last figure of the band · 5 its step · 6 numbers a day or '' · 7 its
--          windows today, `FROM-UNTIL …` in office ms, or '' for all hours · 8 source · 9 SHA-256 of the secret or '' ·
--          10 holder or '' · 11 '1' where he is expected · 12 for priority: every how many, else ''
-- GIVES    arrival · number · lane · state · ahead (waiting only)
-- REFUSES  LaneClosed (lane, at) · LaneIsPaused (lane) · LaneClosing · LaneFull (lane) · LaneExhausted (lane) · SecretUsed ·
--          HasNumber (ticket, number)
-- WHOLE    arrival and number given, the ticket with its secret and holder, its place, TicketIssued or TicketExpected;
--          where a priority ticket meets a closed gap: the lane's new ranks and LaneRenumbered
local function desk_issue_v1(keys, args)
  local desk, done = begin(keys, args)
  if not desk then return done end
  local lane, prefix, first, last, step, cap, windows, source, secret, holder, expected, every = unpack(desk.own)
  local is_open = windows == ''
  for opens, closes in string.gmatch(windows, '(%d+)-(%d+)') do
    is_open = is_open or (tonumber(opens) <= desk.at and desk.at < tonumber(closes))
  end
  if not is_open then return refusal('LaneClosed', 'lane', lane, 'at', whole(desk.at)) end
  local given = read('HMGET', desk.tally, 'issued:' .. lane, 'paused:' .. lane)
  if given[2] and given[2] ~= '' then return refusal('LaneIsPaused', 'lane', lane) end
  if is_closing(desk, lane) then return refusal('LaneClosing') end
  local issued = tonumber(given[1] or '0')
  if cap ~= '' and issued >= tonumber(cap) then return refusal('LaneFull', 'lane', lane) end
  local figure = tonumber(first) + issued * tonumber(step)
  while read('HEXISTS', desk.numbers, prefix .. whole(figure)) == 1 do
    figure = figure + tonumber(step)  -- the band was moved during the day: no number is given twice
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
  local key, at, state = desk.ticket[ticket.arrival], whole(desk.at), MOVES[action].none
  if not key then return refusal('Peek') end
  local rank, answer = arrival * STEP, {'arrival', ticket.arrival, 'number', ticket.number, 'lane', lane, 'state', state}
  local priority = ''
  if action == 'issue' then
    local place = read('ZCARD', into)
    if every ~= '' then
      priority = '1'
      rank, place = place_by_priority(desk, arrival, lane, tonumber(every))
      plan(desk, 'ZADD', desk.priorities, ticket.arrival, ticket.arrival)
    end
    answer[#answer + 1] = 'ahead'
    answer[#answer + 1] = whole(place)
  end
  plan(desk, 'HSET', desk.tally, 'arrival', ticket.arrival, 'issued:' .. lane, whole(issued + 1))
  plan(desk, 'HSET', key, 'number', ticket.number, 'lane', lane, 'state', state, 'source', source, 'secret', secret,
    'issued_at', at, 'calls', '0', 'priority', priority)
  if holder ~= '' then plan(desk, 'HSET', key, 'holder', holder .. US .. lane) end
  plan(desk, 'ZADD', into, whole(rank), ticket.arrival)
  plan(desk, 'HSET', desk.numbers, ticket.number, ticket.arrival)
  if secret ~= '' then plan(desk, 'HSET', desk.secrets, secret, ticket.arrival) end
  if holder ~= '' then plan(desk, 'HSET', desk.holders, holder .. US .. lane, ticket.arrival) end
  if action == 'issue' then
    tell_of(desk, kind, ticket, 'rank', whole(rank), 'source', source, 'is_priority', priority)
  else
    tell_of(desk, kind, ticket, 'rank', whole(rank), 'source', source)
  end
  return finish(desk, unpack(answer))
end

redis.register_function('desk_issue_v1', desk_issue_v1)
