-- Say before the first byte that a notice is being sent: from here on it may have arrived. The same again,
-- by whoever has it in hand, changes nothing.
-- KEYS     1 day · 2 notices · 3 due · 4 tenures · 5 clock · 6 its contact · 7 callbacks · 8 its ticket, where ARGS 7 is one
-- ARGS     1 day · 2 carrier · 3 notice · 4 tenure · 5 lease in ms · 6 SHA-256 of its callback's token or '' · 7 the state of
--          its ticket in which it is of use, or ''
-- GIVES    attempts
-- REFUSES  StaleDay (day) · NotClaimed · NoContact (erased meanwhile: whoever said stop is told nothing after it) ·
--          WrongMove (called meanwhile, or gone: nothing is begun too late)
-- WHOLE    the notice sending, its attempts, its lease; where its callback is heard
local function notice_mark_v1(keys, args)
  local box, refused = begin_notices(keys, args)
  if not box then return refused end
  local notice, other = in_hand(box, args[3], args[4], 'claimed', 'sending')
  if not notice then return other end
  if read('STRLEN', keys[6]) == 0 then return refusal('NoContact') end
  if args[7] ~= '' and read('HGET', keys[8], 'state') ~= args[7] then return refusal('WrongMove') end
  if notice.state == 'claimed' then notice.attempts = notice.attempts + 1 end
  notice.state = 'sending'
  put_notice(box, args[3], notice, box.now + tonumber(args[5]))
  if args[6] ~= '' then plan(box, 'HSET', keys[7], args[6], args[3] .. US .. whole(notice.attempts)) end
  return commit_notices(box, 'attempts', whole(notice.attempts))
end

redis.register_function('notice_mark_v1', notice_mark_v1)
