-- A worker begins: what an earlier one had in hand and had not begun to send is free again, and no longer his. What he is
-- sending is due at once where the carrier knows a message again: handed over twice, it is sent once.
-- KEYS     1 day · 2 notices · 3 due · 4 tenures · 5 clock
-- ARGS     1 day · 2 carrier
-- GIVES    tenure
-- REFUSES  StaleDay (day)
-- WHOLE    the new tenure, the claimed notices pending and in their places
local function notice_take_over_v1(keys, args)
  local box, refused = begin_notices(keys, args)
  if not box then return refused end
  -- Not merely one more: a store that lost its memory would give a second worker the number of the first.
  local tenure = math.max(tonumber(read('HGET', box.tenures, box.carrier) or '0') + 1, box.now)
  plan(box, 'HSET', box.tenures, box.carrier, whole(tenure))
  for _, id in ipairs(read('ZRANGE', box.due, 0, -1)) do
    local notice = notice_of(read('HGET', box.notices, id))
    if notice.state == 'claimed' then
      notice.state, notice.tenure = 'pending', 0
      put_notice(box, id, notice, notice.place)
    elseif notice.state == 'sending' and KNOWS_AGAIN[box.carrier] then
      put_notice(box, id, notice, box.now)  -- still his: he may be the one who settles it
    end
  end
  return commit_notices(box, 'tenure', whole(tenure))
end

redis.register_function('notice_take_over_v1', notice_take_over_v1)
