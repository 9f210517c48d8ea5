-- What time it is in the office, and which day is open. Reads only.
-- KEYS     1 day · 2 clock
-- ARGS     none
-- GIVES    now (office ms) · today (the date in Tokyo at that moment) · day (the open one, '' where none was opened)
-- REFUSES  nothing
local function day_now_v1(keys, args)
  local now = office_now(keys[2])
  return {'ok', 'now', whole(now), 'today', tokyo_day(now), 'day', read('HGET', keys[1], 'day') or ''}
end

redis.register_function{function_name = 'day_now_v1', callback = day_now_v1, flags = {'no-writes'}}
