-- Set the practice clock: office time becomes the given moment and runs at the given speed. Never in earnest.
-- KEYS     1 day · 2 clock
-- ARGS     1 office ms to begin with · 2 speed
-- GIVES    now (office ms)
-- REFUSES  StaleDay (day): the moment lies on a day that was open already or before it
-- WHOLE    the clock
local function practice_clock_v1(keys, args)
  local open = read('HGET', keys[1], 'day') or ''
  if tokyo_day(tonumber(args[1])) <= open then return refusal('StaleDay', 'day', open) end
  local time = read('TIME')
  local real = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  commit({{'HSET', keys[2], 'start_real', whole(real), 'start_office', args[1], 'speed', args[2]}}, {})
  return {'ok', 'now', args[1]}
end

redis.register_function('practice_clock_v1', practice_clock_v1)
