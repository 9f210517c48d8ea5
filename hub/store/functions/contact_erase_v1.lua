-- Erase contacts whose hour is past, and note when the last trace of them must be gone from the store's files.
-- KEYS     1 erasures · 2 traces · 3 owners · 4… the contact of each subscription
-- ARGS     1 the moment up to which (real ms) · 2 ms between an hour of erasure and the end of its traces · 3… subscriptions
-- GIVES    count
-- REFUSES  nothing; whose hour is not past, or who is gone already, is left out
-- WHOLE    contacts gone, and whose they were, also where the memory is full; no more in the list of what must go, their traces noted
local function contact_erase_v1(keys, args)
  local erasures, traces, owners = keys[1], keys[2], keys[3]
  local box, gone, noted, unowned = {plan = {}}, {'ZREM', erasures}, {'ZADD', traces}, {'HDEL', owners}
  for i = 3, #args do
    local due = tonumber(read('ZSCORE', erasures, args[i]) or 'inf')
    if due <= tonumber(args[1]) then
      plan_gone(box, keys[i + 1])
      gone[#gone + 1] = args[i]
      unowned[#unowned + 1] = args[i]
      noted[#noted + 1] = whole(due + tonumber(args[2]))
      noted[#noted + 1] = args[i]
    end
  end
  if #box.plan > 0 then
    plan(box, unpack(gone))
    plan(box, unpack(unowned))
    plan(box, unpack(noted))
  end
  commit(box.plan, {})
  return {'ok', 'count', whole(#gone - 2)}
end

redis.register_function{function_name = 'contact_erase_v1', callback = contact_erase_v1, flags = {'allow-oom'}}
