-- Write down what became of a notice: an end, or pending again after a while. What is passed on is owed by the next
-- carrier that its ticket allows, and if it was not certain to arrive here it is lapsed then; uncertain, where it may have.
-- KEYS     1 day · 2 notices · 3 due · 4 tenures · 5 clock · 6 wishes · 7 facts · 8… one `due` for each of CARRIERS
-- ARGS     1 day · 2 carrier · 3 notice · 4 tenure · 5 state · 6 again after so many ms (pending only; '': in its place) · 7 '1': pass it on ·
--          8 '1': this try may have arrived
-- GIVES    state · due (the carrier that has it now, or '')
-- REFUSES  StaleDay (day) · NotClaimed
-- WHOLE    the notice's state, and when somebody must look at it again; ContactUsed where it was being sent; the next
--          carrier's notice
local function notice_settle_v1(keys, args)
  local box, refused = begin_notices(keys, args)
  if not box then return refused end
  local notice, other = in_hand(box, args[3], args[4], 'claimed', 'sending')
  if not notice then return other end
  local was_sending = notice.state == 'sending'
  notice.state = args[5]
  if args[8] == '1' then notice.unsure = notice.unsure + 1 end
  local is_passed = args[7] == '1' and pass_on(box, args[3], notice, keys[6], {unpack(keys, 8)})
  if is_passed and notice.state == 'pending' then notice.state = 'lapsed' end
  if notice.state == 'lapsed' and notice.unsure > 0 then notice.state = 'uncertain' end
  if was_sending then tell_used(box, keys[7], args[3], notice) end
  local again = nil
  if notice.state == 'pending' then
    notice.tenure = 0
    again = args[6] == '' and notice.place or box.now + tonumber(args[6])
  end
  put_notice(box, args[3], notice, again)
  return commit_notices(box, 'state', notice.state, 'due', box.passed_to or '')
end

redis.register_function('notice_settle_v1', notice_settle_v1)
