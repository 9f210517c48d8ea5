-- What every function of the library stands on. Mechanism only: which move is allowed is in MOVES, written above this file
-- from hub/desk/ticket.py.
--
-- A function reads, decides, refuses, and only then writes. It writes through a plan: `commit` first asks of every
-- planned command whether its key has the right type and whether this user may run it, and only then runs them all. So
-- nothing can fail after the first write: an error after a pop would lose a ticket for good.
--
-- Arguments of every desk function
--   KEYS  1 day · 2 clock · 3 requests · 4 tally · 5 at_counter · 6 facts · 7 secrets · 8 holders · 9 numbers ·
--         10 wishes · 11 notices · 12 priorities · 13 reserved · 14… one `due` for each of CARRIERS · one set for each of
--         STANDING · one `waiting` for each lane of the office · the `ticket` keys it may need · keys of its own
--   ARGS  day · who · request id · digest of the body · number of lanes · lanes… · number of tickets · arrivals… · own arguments
-- GIVES  {'ok', field, value, …} or {'no', refusal code, field, value, …}; all texts
-- What a move brings about can make notices due (hub/desk/notices.py); GIVES then also due (the carriers, joined by ' ').
-- REFUSES in general  StaleDay (day) · OtherBody · Peek (a ticket key was not declared: look again and call again)

local US = '\31'  -- joins what contains no control characters

-- What was joined by US.
local function parts_of(text)
  local parts = {}
  for part in string.gmatch(text .. US, '(.-)' .. US) do parts[#parts + 1] = part end
  return parts
end

local function refusal(code, ...)
  return {'no', code, ...}
end

-- A read that meets a key of another type is an error before any write: "DAMAGED command key".
local function read(...)
  local got = redis.pcall(...)
  if type(got) == 'table' and got.err then
    error({err = 'DAMAGED ' .. select(1, ...) .. ' ' .. select(2, ...) .. ': ' .. got.err})
  end
  return got
end

local function whole(number)
  return string.format('%.0f', number)
end

-- Real time in epoch milliseconds by the store's clock: what leases, expiry and erasure go by.
local function real_now()
  local time = read('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- Office time in epoch milliseconds: the store's clock, moved and sped up by the practice clock where there is one.
local function office_now(clock)
  local real = real_now()
  local set = read('HMGET', clock, 'start_real', 'start_office', 'speed')
  if set[1] then
    return tonumber(set[2]) + math.floor((real - tonumber(set[1])) * tonumber(set[3])), math.floor(real / 1000)
  end
  return real, math.floor(real / 1000)
end

-- The date in Asia/Tokyo (UTC+9, no summer time since 1951). Days to civil date: H. Hinnant, "chrono-Compatible
-- Low-Level Date Algorithms", civil_from_days.
local function tokyo_day(ms)
  local z = math.floor((ms + 32400000) / 86400000) + 719468
  local era = math.floor(z / 146097)
  local doe = z - era * 146097
  local yoe = math.floor((doe - math.floor(doe / 1460) + math.floor(doe / 36524) - math.floor(doe / 146096)) / 365)
  local doy = doe - (365 * yoe + math.floor(yoe / 4) - math.floor(yoe / 100))
  local mp = math.floor((5 * doy + 2) / 153)
  local d = doy - math.floor((153 * mp + 2) / 5) + 1
  local m = mp < 10 and mp + 3 or mp - 9
  local y = yoe + era * 400 + (m <= 2 and 1 or 0)
  return string.format('%04d-%02d-%02d', y, m, d)
end

local TYPE_OF = {
  HSET = 'hash', HDEL = 'hash', ZADD = 'zset', ZREM = 'zset', XADD = 'stream', SET = 'string', UNLINK = 'string',
  SETRANGE = 'string',
}

-- A sealed contact was handed to functions as text, and what they have let go of stays in the server's memory as it was:
-- it is collected, and its place is written over. Unlinked alone, 44 of 60 were found there.
local function forget_copies()
  if collectgarbage then collectgarbage() end
  local filling = {}
  for n = 1, 200 do filling[n] = string.rep('0', SEALED_CHARACTERS - 3) .. string.format('%03d', n) end
end

-- Check every planned command, then run them all. `expiry` maps a key to the real second at which it ends.
local function commit(plan, expiry)
  for _, command in ipairs(plan) do
    local kind = read('TYPE', command[2])
    kind = type(kind) == 'table' and kind.ok or kind
    if kind ~= 'none' and kind ~= TYPE_OF[command[1]] then
      error({err = 'DAMAGED ' .. command[1] .. ' ' .. command[2] .. ': it is a ' .. kind})
    end
    if redis.acl_check_cmd and not (redis.acl_check_cmd(unpack(command))
        and (not expiry[command[2]] or redis.acl_check_cmd('EXPIREAT', command[2], '1'))) then
      error({err = 'DAMAGED ' .. command[1] .. ' ' .. command[2] .. ': this user may not'})
    end
  end
  local is_erased = false
  for _, command in ipairs(plan) do
    redis.call(unpack(command))
    if expiry[command[2]] then
      redis.call('EXPIREAT', command[2], expiry[command[2]])
    end
    is_erased = is_erased or command[1] == 'SETRANGE'
  end
  if is_erased then forget_copies() end
end

local FIXED = 13

-- Open a desk function: parse, check the day, look for an earlier answer. Gives the context, or nil and the final reply.
local function begin(keys, args)
  local desk = {
    clock = keys[2], requests = keys[3], tally = keys[4], at_counter = keys[5], facts = keys[6],
    secrets = keys[7], holders = keys[8], numbers = keys[9], wishes = keys[10], notices = keys[11],
    priorities = keys[12], reserved = keys[13],
    due = {}, standing = {}, waiting = {}, ticket = {}, lanes = {}, own = {}, extra = {}, plan = {},
    wished = {}, owed = {}, calls = {}, near_lanes = {}, lives = {},
    who = args[2], request = args[3], digest = args[4],
  }
  for i, carrier in ipairs(CARRIERS) do desk.due[carrier] = keys[FIXED + i] end
  for i, state in ipairs(STANDING) do desk.standing[state] = keys[FIXED + #CARRIERS + i] end
  local key, arg = FIXED + #CARRIERS + #STANDING, 5
  for i = 1, tonumber(args[arg]) do
    desk.waiting[args[arg + i]] = keys[key + i]
    desk.lanes[i] = args[arg + i]
  end
  key, arg = key + #desk.lanes, arg + #desk.lanes + 1
  local tickets = tonumber(args[arg])
  for i = 1, tickets do desk.ticket[args[arg + i]] = keys[key + i] end
  for i = key + tickets + 1, #keys do desk.extra[#desk.extra + 1] = keys[i] end
  for i = arg + tickets + 1, #args do desk.own[#desk.own + 1] = args[i] end

  local day = read('HMGET', keys[1], 'day', 'expires_at', 'facts_expire_at')
  if day[1] ~= args[1] then
    return nil, refusal('StaleDay', 'day', day[1] or '')
  end
  local known = read('HGET', desk.requests, desk.who .. US .. desk.request)
  if known then
    local parts = parts_of(known)
    if parts[1] ~= desk.digest then return nil, refusal('OtherBody') end
    return nil, {'ok', unpack(parts, 2)}
  end
  desk.expires, desk.facts_expire = day[2], day[3]
  desk.at = office_now(desk.clock)
  return desk
end

-- A ticket of today as a table with its rank, or nil. `declared` is false where its key was not handed in.
local function ticket_of(desk, arrival)
  local key = desk.ticket[arrival]
  if not key then return nil, false end
  local got = read('HMGET', key, 'number', 'lane', 'state', 'calls', 'counter', 'priority', 'called_at', 'called_from',
    'pushed', 'until')
  if not got[3] then return nil, true end
  local ticket = {
    arrival = arrival, key = key, number = got[1], lane = got[2], state = got[3],
    calls = tonumber(got[4]), counter = got[5] or '', has_priority = got[6] == '1', called_at = tonumber(got[7] or '0'),
    called_from = got[8], pushed = tonumber(got[9] or '0'), ends_at = tonumber(got[10]),
    for_counter = read('HGET', desk.reserved, arrival) or '',
  }
  ticket.stands = desk.standing[ticket.state] or (ticket.state == 'waiting' and desk.waiting[ticket.lane]) or nil
  if ticket.stands then
    ticket.rank = tonumber(read('ZSCORE', ticket.stands, arrival) or error({err = 'DAMAGED ticket without a place'}))
  end
  return ticket, true
end

local function plan(desk, ...)
  desk.plan[#desk.plan + 1] = {...}
end

-- Plan a ticket's move: out of the set where it stands, into the one of its new state. `change`: new lane or rank, and
-- hash fields as {field, value, …}.
local function move(desk, ticket, action, change)
  local state = MOVES[action][ticket.state]
  local lane, rank = change.lane or ticket.lane, change.rank or ticket.rank
  local into = desk.standing[state] or (state == 'waiting' and desk.waiting[lane]) or nil
  if into ~= ticket.stands then plan(desk, 'ZREM', ticket.stands, ticket.arrival) end
  if into then plan(desk, 'ZADD', into, whole(rank), ticket.arrival) end
  local fields, is_other_call = {'HSET', ticket.key, 'state', state, 'lane', lane}, false
  if not into then fields[#fields + 1] = 'rank'; fields[#fields + 1] = whole(rank) end
  for i, part in ipairs(change) do
    fields[#fields + 1] = part
    if i % 2 == 1 and part == 'calls' then is_other_call = true end
  end
  if is_other_call then fields[#fields + 1] = 'shown'; fields[#fields + 1] = '' end  -- of that one no wall has told yet
  plan(desk, unpack(fields))
  local was_there = AT_COUNTER[ticket.state]
  if was_there and not AT_COUNTER[state] then plan(desk, 'HDEL', desk.at_counter, ticket.counter) end
end

-- Plan a fact. Every fact says when, who and by which request.
local function tell(desk, kind, ...)
  plan(desk, 'XADD', desk.facts, '*', 'type', kind, 'at', whole(desk.at), 'who', desk.who, 'request', desk.request, ...)
end

local function tell_of(desk, kind, ticket, ...)
  tell(desk, kind, 'arrival', ticket.arrival, 'number', ticket.number, 'lane', ticket.lane, ...)
end

-- Plan that a wall is there today, if it is not yet: in the hash `walls`, and told.
local function join_wall(desk, walls, wall)
  if read('HEXISTS', walls, wall) == 1 then return end
  plan(desk, 'HSET', walls, wall, whole(desk.at))
  tell(desk, 'WallJoined', 'wall', wall)
end

local function allowed(ticket, action)
  return MOVES[action] ~= nil and MOVES[action][ticket.state] ~= nil
end

local function wrong_move(ticket, action)
  return refusal('WrongMove', 'ticket', ticket.arrival, 'state', ticket.state, 'action', action)
end

-- The ticket that a counter has, if it is the one named and may move so; else nil and the refusal.
local function current_of(desk, counter, arrival, action)
  local present = read('HGET', desk.at_counter, counter) or ''
  if present ~= arrival then return nil, refusal('NotCurrent', 'counter', counter, 'current', present) end
  local ticket = ticket_of(desk, arrival)
  if not allowed(ticket, action) then return nil, wrong_move(ticket, action) end
  return ticket
end

-- A named ticket that may move so; else nil and the refusal.
local function named(desk, arrival, action)
  local ticket = ticket_of(desk, arrival)
  if not ticket then return nil, refusal('UnknownTicket', 'ticket', arrival) end
  if not allowed(ticket, action) then return nil, wrong_move(ticket, action) end
  return ticket
end

-- What a counter finishes by calling another ('' where it has nothing, and then nil); with the refusal as second value.
local function leaving_of(desk, counter, current)
  if current ~= '' then return current_of(desk, counter, current, 'done') end
  local present = read('HGET', desk.at_counter, counter)
  if present then return nil, refusal('NotCurrent', 'counter', counter, 'current', present) end
end

-- Plan that what a counter has is served; nil: it has nothing.
local function serve(desk, counter, leaving)
  if not leaving then return end
  move(desk, leaving, 'done', {})
  tell_of(desk, 'TicketServed', leaving, 'counter', counter)
end

-- Whether a missed number's time to come back is over. `is_over` of hub/desk/floor.py.
local function is_over(desk, ticket)
  return ticket.state == 'absent' and ticket.ends_at ~= nil and desk.at >= ticket.ends_at
end

local function is_closing(desk, lane)
  return read('HEXISTS', desk.tally, 'closing:' .. lane) == 1
end

-- The lanes that a counter serves today, joined by ' '. `usual`: those of the office file.
local function lanes_of(desk, counter, usual)
  return read('HGET', desk.tally, 'lanes:' .. counter) or usual
end

local function is_among(lane, lanes)
  return string.find(' ' .. lanes .. ' ', ' ' .. lane .. ' ', 1, true) ~= nil
end

-- The delivery lane of a lane, from pairs in the own arguments, or ''.
local function delivery_of(desk, first, lane)
  for i = first, #desk.own, 2 do
    if desk.own[i] == lane then return desk.own[i + 1] end
  end
  return ''
end

-- Whether something should be gone by now: a contact after its hour, or what is left of one in the store's files.
local function is_overdue(erasures, traces, now)
  for _, key in ipairs({erasures, traces}) do
    if #read('ZRANGE', key, '-inf', whole(now), 'BYSCORE', 'LIMIT', 0, 1) > 0 then return true end
  end
  return false
end

-- Plan that a sealed contact is gone: first it is overwritten where it stands.
local function plan_gone(box, contact)
  local length = read('STRLEN', contact)
  if length > 0 then plan(box, 'SETRANGE', contact, '0', string.rep('0', length)) end
  plan(box, 'UNLINK', contact)
end

-- Plan the end of a contact before its day is over; `lives` keeps the day's expiry away from what outlives the day.
local function plan_erasure(desk, subscription, contact, erasures, traces, owners)
  plan_gone(desk, contact)
  plan(desk, 'ZREM', erasures, subscription)
  plan(desk, 'ZADD', traces, whole(real_now() + TRACES_LIVE_MS), subscription)
  plan(desk, 'HDEL', owners, subscription)
  desk.lives[contact], desk.lives[erasures], desk.lives[traces], desk.lives[owners] = true, true, true, true
end
