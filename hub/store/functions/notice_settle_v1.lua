-- Write down what became of a notice: an end, or pending again after a while.
-- KEYS     1 day · 2 notices · 3 due · 4 tenures
-- ARGS     1 day · 2 carrier · 3 notice · 4 tenure · 5 state · 6 again after so many ms (pending only)
-- GIVES    state
-- REFUSES  StaleDay (day) · NotClaimed
-- WHOLE    the notice's state, and when somebody must look at it again
local function notice_settle_v1(keys, args)
  local box, refused = begin_notices(keys, args)
  if not box then return refused end
  local notice, other = in_hand(box, args[3], args[4], 'claimed', 'sending')
  if not notice then return other end
  notice.state = args[5]
  local again = nil
  if notice.state == 'pending' then
    notice.tenure = 0
    again = box.now + tonumber(args[6])
  end
  put_notice(box, args[3], notice, again)
  return commit_notices(box, 'state', notice.state)
end

redis.register_function('notice_settle_v1', notice_settle_v1)
