-- Close the open day and open today. The date comes from the store's clock alone: a hub with a wrong clock or zone cannot
-- open a wrong day, and days never go back.
-- KEYS     1 day · 2 clock · 3 facts of the new day · 4 days · 5 facts of the open day (only where there is one)
-- ARGS     1 new day · 2 open day or '' · 3 seconds a day's keys live · 4 seconds its facts live
-- GIVES    day
-- REFUSES  StaleDay (day): it is another date, another day is open, or this or a later one is open already
-- WHOLE    the day key, DayClosed at the end of the old stream, DayOpened at the head of the new, both in the set of days
local function day_open_v1(keys, args)
  local at, real = office_now(keys[2])
  local open = read('HGET', keys[1], 'day') or ''
  if tokyo_day(at) ~= args[1] or open ~= args[2] or open >= args[1] then
    return refusal('StaleDay', 'day', open)
  end
  local expires, facts_expire = whole(real + tonumber(args[3])), whole(real + tonumber(args[4]))
  local desk = {plan = {}, at = at, who = 'keeper', request = ''}
  if keys[5] then
    desk.facts = keys[5]
    tell(desk, 'DayClosed', 'day', open)
  end
  desk.facts = keys[3]
  tell(desk, 'DayOpened', 'day', args[1])
  plan(desk, 'HSET', keys[1], 'day', args[1], 'opened_at', whole(at), 'expires_at', expires, 'facts_expire_at', facts_expire)
  plan(desk, 'ZADD', keys[4], whole(real), args[1])
  -- Opened by a release that had no set of days: since when is unknown, and soon enough.
  if open ~= '' and not read('ZSCORE', keys[4], open) then plan(desk, 'ZADD', keys[4], whole(real), open) end
  local expiry = {[keys[3]] = facts_expire}
  if keys[5] then expiry[keys[5]] = facts_expire end
  commit(desk.plan, expiry)
  return {'ok', 'day', args[1]}
end

redis.register_function('day_open_v1', day_open_v1)
