-- What a plan makes due: wishes, how fast a lane goes, and who stands near enough. Nothing here sends or leases.

-- A notice as its hash has it: state · trigger · arrival · carrier · attempts · tenure · since when (office ms) · owed since
-- (real ms) · its place in the row (real ms), while it is in hand · '1': it was passed on · '1': it arrived, as its carrier
-- tells · tries that may have arrived. The last five may be missing.
local function notice_text(notice)
  return table.concat({notice.state, notice.trigger, notice.arrival, notice.carrier, whole(notice.attempts),
    whole(notice.tenure), whole(notice.since), whole(notice.owed), whole(notice.place), notice.passed, notice.arrived,
    whole(notice.unsure)}, US)
end

local function notice_of(text)
  local parts = parts_of(text)
  return {
    state = parts[1], trigger = parts[2], arrival = parts[3], carrier = parts[4], attempts = tonumber(parts[5]),
    tenure = tonumber(parts[6]), since = tonumber(parts[7]), owed = tonumber(parts[8] or '0'),
    place = tonumber(parts[9] or '0'), passed = parts[10] or '', arrived = parts[11] or '',
    unsure = tonumber(parts[12] or '0'),
  }
end

-- A wish as its hash has it: subscription · people ahead · why it ended · minutes · when it was told near (office ms) ·
-- what was to be expected then (ms) · how often it was told near and is so no more. The last four may be missing.
local function wish_of(text)
  local parts = parts_of(text)
  return {
    subscription = parts[1], ahead = tonumber(parts[2]), ended = parts[3], minutes = tonumber(parts[4] or '0'),
    near_at = tonumber(parts[5] or ''), expected = tonumber(parts[6] or '0'),
    nears = tonumber(parts[7] or '0'),
  }
end

local function wish_text(wish)
  return table.concat({wish.subscription, whole(wish.ahead), wish.ended, whole(wish.minutes),
    wish.near_at and whole(wish.near_at) or '', whole(wish.expected), whole(wish.nears)}, US)
end

-- `notice_id` of hub/desk/notices.py.
local function notice_id(subscription, trigger, time)
  return subscription .. ':' .. trigger .. (time == 1 and '' or '.' .. whole(time))
end

-- What a notice to come is called: one for each subscription, trigger and time, of a trigger that comes each time the first
-- that is free; nil where there is none to come. `owed`: what this plan has named already.
local function free_name(notices, subscription, trigger, time, owed)
  while true do
    local id = notice_id(subscription, trigger, time)
    if not (owed and owed[id]) and read('HEXISTS', notices, id) == 0 then return id end
    if not EACH_TIME[trigger] then return nil end
    time = time + 1
  end
end

-- Plan a notice, the first or the one of this `time`.
local function owe(desk, subscription, trigger, arrival, carrier, time)
  local id = free_name(desk.notices, subscription, trigger, time or 1, desk.owed)
  if not id then return end
  local now = real_now()
  local notice = {state = 'pending', trigger = trigger, arrival = arrival, carrier = carrier, attempts = 0, tenure = 0,
    since = desk.at, owed = now, place = 0, passed = '', arrived = '', unsure = 0}
  desk.owed[id] = true
  desk.told_due = desk.told_due or {}
  desk.told_due[carrier] = true
  plan(desk, 'HSET', desk.notices, id, notice_text(notice))
  plan(desk, 'ZADD', desk.due[carrier], whole(now), id)
end

-- For each of these tickets the wish of the first carrier that it allows, and that carrier; false where there is none.
local function first_wishes(desk, arrivals)
  local fields, found = {}, {}
  for _, arrival in ipairs(arrivals) do
    for _, carrier in ipairs(CARRIERS) do fields[#fields + 1] = arrival .. US .. carrier end
  end
  local texts = #fields > 0 and read('HMGET', desk.wishes, unpack(fields)) or {}
  for i in ipairs(arrivals) do
    found[i] = false
    for j, carrier in ipairs(CARRIERS) do
      local at = (i - 1) * #CARRIERS + j
      local text = desk.wished[fields[at]] or texts[at]
      local wish = text and wish_of(text)
      if not found[i] and wish and wish.ended == '' then
        wish.carrier, wish.field = carrier, fields[at]
        found[i] = wish
      end
    end
  end
  return found
end

-- The last calls of a lane (office ms), those of this plan included.
local function calls_of(desk, lane)
  if not desk.calls[lane] then
    desk.calls[lane] = {}
    for time in string.gmatch(read('HGET', desk.tally, 'calls:' .. lane) or '', '%d+') do
      desk.calls[lane][#desk.calls[lane] + 1] = tonumber(time)
    end
  end
  return desk.calls[lane]
end

-- `pace_ms` of hub/desk/notices.py.
local function pace_of(desk, lane)
  local calls = calls_of(desk, lane)
  if #calls < FEWEST_CALLS then return USUAL_PACE_MS end
  return math.floor((calls[#calls] - calls[1]) / (#calls - 1))
end

-- Plan what the planned facts make due for their own tickets; keep when a lane called somebody, and whose lanes to look at.
local function owe_by_facts(desk)
  for i = 1, #desk.plan do
    local command = desk.plan[i]
    if command[1] == 'XADD' and command[2] == desk.facts then
      local fact = {}
      for at = 4, #command, 2 do fact[command[at]] = command[at + 1] end
      if MOVES_A_LANE[fact.type] then
        desk.near_lanes[fact.lane] = true
        if fact.from_lane then desk.near_lanes[fact.from_lane] = true end
      end
      if PLACED_ANEW[fact.type] then desk.placed_anew = fact end
      if fact.type == 'TicketCalled' then
        local calls, texts = calls_of(desk, fact.lane), {}
        calls[#calls + 1] = desk.at
        while #calls > PACE_CALLS do table.remove(calls, 1) end
        for at, time in ipairs(calls) do texts[at] = whole(time) end
        plan(desk, 'HSET', desk.tally, 'calls:' .. fact.lane, table.concat(texts, ' '))
      end
      if BY_FACT[fact.type] then
        local wish = first_wishes(desk, {fact.arrival})[1]
        if wish then
          owe(desk, wish.subscription, BY_FACT[fact.type], fact.arrival, wish.carrier)
          if BY_FACT[fact.type] == 'now' and wish.near_at then
            wish.expected = CALLED_SINCE
            desk.wished[wish.field] = wish_text(wish)
            plan(desk, 'HSET', desk.wishes, wish.field, desk.wished[wish.field])
          end
        end
      end
    end
  end
end

-- Who stands first in a lane once the plan is carried out: at most LOOKED_AT people, and the one behind them.
local function first_after(desk, key)
  local rank, is_gone, gone, firsts = {}, {}, 0, {}
  for _, command in ipairs(desk.plan) do
    if command[2] == key and command[1] == 'ZREM' then
      is_gone[command[3]] = true
      gone = gone + 1
    elseif command[2] == key then
      rank[command[4]] = tonumber(command[3])
    end
  end
  local line = read('ZRANGE', key, 0, LOOKED_AT + gone, 'WITHSCORES')
  for i = 1, #line, 2 do
    if not is_gone[line[i]] then rank[line[i]] = rank[line[i]] or tonumber(line[i + 1]) end
  end
  for arrival in pairs(rank) do firsts[#firsts + 1] = arrival end
  table.sort(firsts, function(a, b)
    if rank[a] ~= rank[b] then return rank[a] < rank[b] end
    return tonumber(a) < tonumber(b)
  end)
  return firsts
end

-- `is_near` of hub/desk/notices.py.
local function is_near(wish, ahead, pace)
  return ahead <= wish.ahead or ahead * pace < wish.minutes * 60000
end

-- Plan that a notice which nobody has begun to send is of no use any more.
local function lapse_unsent(desk, id)
  local text = read('HGET', desk.notices, id)
  local notice = text and notice_of(text)
  if not notice or (notice.state ~= 'pending' and notice.state ~= 'claimed') then return end
  notice.state, notice.since = notice.unsure > 0 and 'uncertain' or 'lapsed', desk.at
  plan(desk, 'HSET', desk.notices, id, notice_text(notice))
  plan(desk, 'ZREM', desk.due[notice.carrier], id)
end

-- Plan that whoever was told near and stands further off now hears of it again, by whichever carrier. `firsts`: of his lane.
local function forget_near(desk, arrival, firsts, pace)
  local first = first_wishes(desk, {arrival})[1]
  if not first or not first.near_at then return end
  for place, one in ipairs(firsts) do
    if one == arrival and is_near(first, place - 1, pace) then return end
  end
  for _, carrier in ipairs(CARRIERS) do
    local field = arrival .. US .. carrier
    local text = read('HGET', desk.wishes, field)
    local wish = text and wish_of(text)
    if wish and wish.ended == '' then
      lapse_unsent(desk, notice_id(wish.subscription, 'near', wish.nears + 1))
      lapse_unsent(desk, notice_id(wish.subscription, 'jump', 1))
      wish.near_at, wish.expected, wish.nears = nil, 0, wish.nears + 1
      desk.wished[field] = wish_text(wish)
      plan(desk, 'HSET', desk.wishes, field, desk.wished[field])
    end
  end
end

-- `by_place` of hub/desk/notices.py: the trigger, or nil; whether the wish was changed.
local function by_place(wish, ahead, pace, at)
  local expected = ahead * pace
  if not wish.near_at then
    if not is_near(wish, ahead, pace) then return nil, false end
    wish.near_at, wish.expected = at, expected
    return 'near', true
  end
  if wish.expected == CALLED_SINCE then return nil, false end
  local passed = at - wish.near_at
  if ahead <= 1 and wish.expected >= FAR_OFF_MS and 2 * (passed + expected) < wish.expected then return 'jump', false end
  return passed > math.max(LATE_MS, 2 * wish.expected) and 'delayed' or nil, false
end

-- Plan the notices that the places make due by this plan, in the lanes that are to be looked at.
local function owe_by_place(desk)
  for _, lane in ipairs(desk.lanes) do
    if desk.near_lanes[lane] then
      local firsts = first_after(desk, desk.waiting[lane])
      while #firsts > LOOKED_AT + 1 do table.remove(firsts) end
      local pace = #firsts > 0 and pace_of(desk, lane)
      local anew = desk.placed_anew
      if anew and anew.lane == lane then forget_near(desk, anew.arrival, firsts, pace) end
      for place, wish in ipairs(first_wishes(desk, firsts)) do
        if wish then
          local trigger, is_changed = by_place(wish, place - 1, pace, desk.at)
          if is_changed then
            desk.wished[wish.field] = wish_text(wish)
            plan(desk, 'HSET', desk.wishes, wish.field, desk.wished[wish.field])
          end
          if trigger then
            local time = trigger == 'near' and wish.nears + 1 or 1
            owe(desk, wish.subscription, trigger, firsts[place], wish.carrier, time)
          end
        end
      end
    end
  end
end

-- Write all that was planned and what became due by it, remember the answer, and give it.
local function finish(desk, ...)
  local answer = {...}
  owe_by_facts(desk)
  owe_by_place(desk)
  if desk.told_due then
    local carriers = {}
    for _, carrier in ipairs(CARRIERS) do
      if desk.told_due[carrier] then carriers[#carriers + 1] = carrier end
    end
    answer[#answer + 1] = 'due'
    answer[#answer + 1] = table.concat(carriers, ' ')
  end
  plan(desk, 'HSET', desk.requests, desk.who .. US .. desk.request, table.concat({desk.digest, unpack(answer)}, US))
  local expiry = {}
  for _, command in ipairs(desk.plan) do
    if not desk.lives[command[2]] then expiry[command[2]] = desk.expires end
  end
  expiry[desk.facts] = desk.facts_expire
  commit(desk.plan, expiry)
  return {'ok', unpack(answer)}
end
