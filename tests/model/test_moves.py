"""The moves of a real day beyond next and done, told once for the rules, fakeredis, Valkey and the oldest Redis."""

from dataclasses import replace

import pytest

from hub.desk import facts
from hub.desk.lane import Absence
from hub.desk.order import STEP
from hub.desk.picture import Picture
from hub.desk.refusals import (
    CalledTooFew,
    CalledTooLately,
    LaneClosing,
    LaneNotServed,
    MissedTooLong,
    NobodyBehind,
    NoDelivery,
    NoReason,
    NotCurrent,
    NotYet,
    PushedEnough,
    SameLane,
    SecretUsed,
    SlipEnded,
    TooManyPlaces,
    UnknownReason,
    UnknownTicket,
    WrongMove,
)
from hub.desk.requests import (
    AnnounceClosing,
    Answer,
    Call,
    Cancel,
    Done,
    Hold,
    Issue,
    Lapse,
    MarkAbsent,
    Next,
    PushBack,
    Ready,
    Recall,
    Reissue,
    Request,
    Return,
    Review,
    TakeBack,
    Transfer,
)
from hub.desk.ticket import State
from tests.model.desks import CERTIFICATES, DELIVERY, MOVES, TimelessDesk

HALF_AN_HOUR = 30 * 60


async def issue(desk: TimelessDesk, lane: str = CERTIFICATES, times: int = 1) -> None:
    for _ in range(times):
        await desk.ask(Issue(lane, "kiosk"))


async def call(desk: TimelessDesk, counter: str = "2", current: int | None = None) -> Answer:
    return await desk.ask(Next(counter, current))


async def waiting(desk: TimelessDesk, lane: str = CERTIFICATES) -> list[int]:
    return [arrival for _, arrival in (await desk.picture()).waiting.get(lane, [])]


async def state(desk: TimelessDesk, arrival: int) -> State:
    return (await desk.picture()).tickets[arrival].state


# A chosen number ---------------------------------------------------------------------------------------------------


async def test_a_number_is_called_out_of_order_for_a_reason_that_is_told(desk: TimelessDesk) -> None:
    await issue(desk, times=3)
    assert await desk.ask(Call("2", 3, None, "health")) == Answer(3, "A103", CERTIFICATES, State.CALLED)
    assert await waiting(desk) == [1, 2], "nobody else moves"
    told = (await desk.facts())[-1]
    assert isinstance(told, facts.TicketCalled)
    assert (told.arrival, told.counter, told.reason) == (3, "2", "health")


async def test_in_its_turn_a_number_is_called_without_a_reason(desk: TimelessDesk) -> None:
    await issue(desk)
    await call(desk)
    told = (await desk.facts())[-1]
    assert isinstance(told, facts.TicketCalled)
    assert told.reason == ""


async def test_a_chosen_number_finishes_what_the_counter_has(desk: TimelessDesk) -> None:
    await issue(desk, times=3)
    await call(desk)
    with pytest.raises(NotCurrent):
        await desk.ask(Call("2", 3, None, "health"))
    assert (await desk.ask(Call("2", 3, 1, "health"))).finished == 1
    assert await state(desk, 1) is State.SERVED
    assert (await desk.picture()).at_counter == {"2": 3}


async def test_nobody_is_called_out_of_order_without_a_reason_of_the_list(desk: TimelessDesk) -> None:
    await issue(desk, times=2)
    with pytest.raises(NoReason):
        await desk.ask(Call("2", 2, None))
    with pytest.raises(UnknownReason):
        await desk.ask(Call("2", 2, None, "friend-of-mine"))
    assert await waiting(desk) == [1, 2]


async def test_a_counter_chooses_from_its_own_lanes(desk: TimelessDesk) -> None:
    await issue(desk, MOVES)
    with pytest.raises(LaneNotServed) as refused:
        await desk.ask(Call("2", 1, None, "health"))
    assert refused.value.details == {"counter": "2", "lane": MOVES}


# A mistaken call ---------------------------------------------------------------------------------------------------


async def test_a_mistaken_call_is_taken_back_to_exactly_where_it_stood(desk: TimelessDesk) -> None:
    await issue(desk, times=3)
    before = await desk.picture()
    await desk.ask(Call("2", 2, None, "health"))
    assert await desk.ask(TakeBack("2", 2)) == Answer(2, "A102", CERTIFICATES, State.WAITING, ahead=1)
    after = await desk.picture()
    assert after.waiting == before.waiting, "the same rank"
    assert (after.at_counter, after.tickets[2].calls) == ({}, 0)
    told = (await desk.facts())[-1]
    assert isinstance(told, facts.CallTakenBack)
    assert (told.counter, told.state, told.rank) == ("2", "waiting", 2 * STEP)


async def test_only_the_call_that_a_counter_has_is_taken_back(desk: TimelessDesk) -> None:
    await issue(desk, times=2)
    await call(desk)
    await call(desk, "1")
    with pytest.raises(NotCurrent):
        await desk.ask(TakeBack("1", 1))
    await desk.ask(Done("2", 1))
    with pytest.raises(NotCurrent):
        await desk.ask(TakeBack("2", 1))


async def test_who_came_in_at_its_rank_meanwhile_stands_behind_it(desk: TimelessDesk) -> None:
    await issue(desk, times=4)
    await call(desk)
    await desk.ask(MarkAbsent("2", 1))
    await desk.ask(Call("2", 3, None, "health"))
    await desk.ask(Return(1))  # after 2 and 4: not at its rank yet
    await desk.ask(Call("1", 1, None, "paper"))
    await desk.ask(MarkAbsent("1", 1))
    await issue(desk, MOVES)
    await desk.ask(Call("1", 4, None, "paper"))
    await desk.ask(Cancel(4))
    await desk.ask(Return(1))
    assert await waiting(desk) == [2, 1]
    await desk.ask(TakeBack("2", 3))
    line = (await desk.picture()).waiting[CERTIFICATES]
    assert [arrival for _, arrival in line] == [2, 3, 1]
    assert len({rank for rank, _ in line}) == 3


async def test_a_rank_that_another_got_meanwhile_is_shared_with_nobody(desk: TimelessDesk) -> None:
    """2 is called; 5 comes in between 1 and 3, in the middle of the gap: at 2's very rank."""
    await issue(desk, times=3)
    await issue(desk, MOVES)
    await issue(desk)
    office = desk.office
    desk.move_to(replace(office, return_after=1))
    await desk.ask(Call("1", 5, None, "paper"))
    await desk.ask(MarkAbsent("1", 5))
    await desk.ask(Call("2", 2, None, "health"))
    await desk.ask(Return(5))
    assert (await desk.picture()).waiting[CERTIFICATES][1] == (2 * STEP, 5)
    await desk.ask(TakeBack("2", 2))
    assert await waiting(desk) == [1, 2, 5, 3]


async def test_a_held_number_that_was_called_by_mistake_is_held_again(desk: TimelessDesk) -> None:
    await issue(desk, times=2)
    await call(desk)
    await desk.ask(Hold("2", 1))
    await desk.ask(Call("1", 1, None))
    assert (await desk.ask(TakeBack("1", 1))).state is State.HELD
    assert (await desk.picture()).at_counter == {}
    assert await waiting(desk) == [2]


# Hold and resume ---------------------------------------------------------------------------------------------------


async def test_a_held_number_keeps_the_counter_free_and_is_called_again(desk: TimelessDesk) -> None:
    await issue(desk, times=3)
    await call(desk)
    assert (await desk.ask(Hold("2", 1))).state is State.HELD
    assert (await call(desk)).arrival == 2
    assert await desk.ask(Call("2", 1, 2)) == Answer(1, "A101", CERTIFICATES, State.CALLED, finished=2)
    assert (await desk.picture()).tickets[1].calls == 1


async def test_a_held_number_is_called_by_another_counter_of_its_lane_only(desk: TimelessDesk) -> None:
    await issue(desk)
    await call(desk)
    await desk.ask(Hold("2", 1))
    with pytest.raises(LaneNotServed):
        await desk.ask(Call("3", 1, None))
    assert (await desk.ask(Call("1", 1, None))).state is State.CALLED


async def test_only_what_a_counter_has_is_held(desk: TimelessDesk) -> None:
    await issue(desk, times=2)
    await call(desk)
    with pytest.raises(NotCurrent):
        await desk.ask(Hold("2", 2))
    await desk.ask(Hold("2", 1))
    with pytest.raises(NotCurrent):
        await desk.ask(Hold("2", 1))


# Absence with rights -----------------------------------------------------------------------------------------------


def strict(desk: TimelessDesk) -> None:
    desk.move_to(replace(desk.office, absence=Absence(after_calls=2, after_seconds=30, missed_minutes=30)))


async def test_nobody_is_absent_before_he_was_called_often_enough(desk: TimelessDesk) -> None:
    strict(desk)
    await issue(desk)
    await call(desk)
    await desk.pass_time(120)
    with pytest.raises(CalledTooFew) as refused:
        await desk.ask(MarkAbsent("2", 1))
    assert refused.value.details == {"calls": "1"}
    assert refused.value.said == "まだ不在にできません。あと 1 回お呼びしてください。"
    assert await state(desk, 1) is State.CALLED


async def test_each_call_leaves_the_whole_time_to_come(desk: TimelessDesk) -> None:
    strict(desk)
    await issue(desk)
    await call(desk)
    await desk.pass_time(120)
    await desk.ask(Recall("2", 1))
    await desk.pass_time(12)
    with pytest.raises(CalledTooLately) as refused:
        await desk.ask(MarkAbsent("2", 1))
    assert refused.value.details == {"seconds": "18"}
    await desk.pass_time(18)
    assert (await desk.ask(MarkAbsent("2", 1))).state is State.ABSENT


async def test_a_missed_number_has_a_deadline_and_comes_back_before_it(desk: TimelessDesk) -> None:
    await issue(desk, times=5)
    await call(desk)
    until = desk.now + HALF_AN_HOUR * 1000
    await desk.ask(MarkAbsent("2", 1))
    told = (await desk.facts())[-1]
    assert isinstance(told, facts.TicketMarkedAbsent)
    assert told.until == until
    await desk.pass_time(HALF_AN_HOUR - 1)
    with pytest.raises(NotYet):
        await desk.ask(Lapse(1))
    assert (await desk.ask(Return(1))).ahead == 2


async def test_after_the_deadline_nobody_comes_back_whether_or_not_it_was_said(desk: TimelessDesk) -> None:
    await issue(desk)
    await call(desk)
    await desk.ask(MarkAbsent("2", 1))
    await desk.pass_time(HALF_AN_HOUR)
    with pytest.raises(MissedTooLong):
        await desk.ask(Return(1))
    assert (await desk.ask(Lapse(1))).state is State.LAPSED
    told = (await desk.facts())[-1]
    assert isinstance(told, facts.TicketLapsed)
    assert told.why == "missed"


async def test_whoever_says_that_a_number_is_over_says_it_once(desk: TimelessDesk) -> None:
    await issue(desk)
    await call(desk)
    await desk.ask(MarkAbsent("2", 1))
    await desk.pass_time(HALF_AN_HOUR)
    first = await desk.ask(Lapse(1), who="hub", id="lapse-1")
    told = len(await desk.facts())
    assert await desk.ask(Lapse(1), who="hub", id="lapse-1") == first
    with pytest.raises(WrongMove):
        await desk.ask(Lapse(1))
    assert len(await desk.facts()) == told


# Push-back by the resident -----------------------------------------------------------------------------------------


async def test_a_resident_lets_the_next_few_go_first(desk: TimelessDesk) -> None:
    await issue(desk, times=5)
    assert await desk.ask(PushBack(2, 2)) == Answer(2, "A102", CERTIFICATES, State.WAITING, ahead=3)
    assert await waiting(desk) == [1, 3, 4, 2, 5]


async def test_a_pushed_back_number_stands_before_every_newcomer(desk: TimelessDesk) -> None:
    await issue(desk, times=2)
    await desk.ask(PushBack(1, 3))
    await issue(desk)
    assert await waiting(desk) == [2, 1, 3]


async def test_a_number_is_pushed_back_so_often_and_so_far(desk: TimelessDesk) -> None:
    await issue(desk, times=5)
    with pytest.raises(TooManyPlaces) as refused:
        await desk.ask(PushBack(1, 4))
    assert refused.value.said == "一度に後にできるのは 3 人分までです。"
    with pytest.raises(TooManyPlaces):
        await desk.ask(PushBack(1, 0))
    await desk.ask(PushBack(1, 1), id="used")
    with pytest.raises(TooManyPlaces):
        await desk.ask(PushBack(1, 4), id="used")
    await desk.ask(PushBack(1, 1))
    with pytest.raises(PushedEnough):
        await desk.ask(PushBack(1, 1))
    assert await waiting(desk) == [2, 3, 1, 4, 5]


async def test_with_nobody_behind_no_push_is_used_up(desk: TimelessDesk) -> None:
    await issue(desk)
    with pytest.raises(NobodyBehind):
        await desk.ask(PushBack(1, 1))
    await issue(desk)
    assert (await desk.ask(PushBack(1, 1))).ahead == 1


async def test_only_who_waits_is_pushed_back(desk: TimelessDesk) -> None:
    await issue(desk, times=2)
    await call(desk)
    with pytest.raises(WrongMove):
        await desk.ask(PushBack(1, 1))


async def test_many_pushes_renumber_the_lane_and_keep_its_order(desk: TimelessDesk) -> None:
    desk.move_to(replace(desk.office, push_backs=replace(desk.office.push_backs, times=99)))
    await issue(desk, times=5)
    for turn in range(40):
        first, second, *others = await waiting(desk)
        await desk.ask(PushBack(first, 1))
        assert await waiting(desk) == [second, first, *others], f"turn {turn}"
    assert any(isinstance(fact, facts.LaneRenumbered) for fact in await desk.facts())


# To a counter ------------------------------------------------------------------------------------------------------


async def test_a_number_for_one_counter_is_called_by_that_one_only(desk: TimelessDesk) -> None:
    await issue(desk, times=3)
    await call(desk)
    assert (await desk.ask(Transfer(1, CERTIFICATES, "1"))).ahead == 0
    assert (await call(desk)).arrival == 2, "the others pass over it"
    with pytest.raises(LaneNotServed):
        await desk.ask(Call("2", 1, 2, "paper"))
    assert (await call(desk, "1")).arrival == 1


async def test_a_number_for_one_counter_keeps_its_number_and_place(desk: TimelessDesk) -> None:
    await issue(desk, times=3)
    assert await desk.ask(Transfer(2, CERTIFICATES, "1")) == Answer(2, "A102", CERTIFICATES, State.WAITING, ahead=1)
    assert await waiting(desk) == [1, 2, 3]
    assert (await desk.picture()).tickets[2].for_counter == "1"


async def test_a_number_may_be_meant_for_a_counter_of_another_lane(desk: TimelessDesk) -> None:
    await issue(desk)
    with pytest.raises(LaneNotServed):
        await desk.ask(Transfer(1, CERTIFICATES, "3"))
    await desk.ask(Transfer(1, MOVES, "3"))
    assert (await call(desk, "1")).arrival is None
    assert (await call(desk, "3")).number == "A101"


async def test_the_same_counter_twice_is_no_transfer_and_a_lane_ends_it(desk: TimelessDesk) -> None:
    await issue(desk)
    await desk.ask(Transfer(1, CERTIFICATES, "1"))
    with pytest.raises(SameLane):
        await desk.ask(Transfer(1, CERTIFICATES, "1"))
    await desk.ask(Transfer(1, CERTIFICATES))
    assert (await call(desk)).arrival == 1


async def test_more_numbers_than_are_looked_at_together_may_be_meant_for_others(desk: TimelessDesk) -> None:
    await issue(desk, MOVES, 40)
    for arrival in range(1, 40):
        await desk.ask(Transfer(arrival, MOVES, "1"))
    assert (await call(desk, "3")).arrival == 40
    assert (await call(desk, "3", 40)).arrival is None
    assert (await call(desk, "1")).arrival == 1


# Two stages on one number ------------------------------------------------------------------------------------------


async def test_one_number_goes_from_the_first_counter_through_review_to_delivery(desk: TimelessDesk) -> None:
    await issue(desk, times=2)
    await call(desk)
    assert await desk.ask(Review("2", 1)) == Answer(1, "A101", CERTIFICATES, State.BACK_OFFICE)
    assert (await call(desk)).arrival == 2, "the counter is free"
    assert await desk.ask(Ready(1)) == Answer(1, "A101", DELIVERY, State.WAITING, ahead=0)
    assert (await call(desk, "5")).number == "A101"
    await desk.ask(Done("5", 1))
    assert await state(desk, 1) is State.SERVED


async def test_whoever_came_first_is_delivered_to_first(desk: TimelessDesk) -> None:
    await issue(desk, times=3)
    for arrival in (1, 2, 3):
        await call(desk)
        await desk.ask(Review("2", arrival))
    for arrival in (2, 3, 1):
        await desk.ask(Ready(arrival))
    assert await waiting(desk, DELIVERY) == [1, 2, 3]


async def test_what_was_meant_for_one_counter_is_delivered_by_any(desk: TimelessDesk) -> None:
    """Otherwise it would wait for ever: the first counter does not deliver."""
    await issue(desk)
    await desk.ask(Transfer(1, CERTIFICATES, "1"))
    await call(desk, "1")
    await desk.ask(Review("1", 1))
    await desk.ask(Ready(1))
    assert (await call(desk, "5")).arrival == 1


async def test_a_lane_without_a_second_stage_sends_nothing_to_review(desk: TimelessDesk) -> None:
    await issue(desk, DELIVERY)
    await call(desk, "5")
    with pytest.raises(NoDelivery):
        await desk.ask(Review("5", 1))


async def test_what_the_office_dropped_while_in_review_goes_on_by_transfer(desk: TimelessDesk) -> None:
    await issue(desk)
    await call(desk)
    await desk.ask(Review("2", 1))
    lanes = tuple(replace(lane, delivery="") for lane in desk.office.lanes)
    desk.move_to(replace(desk.office, lanes=lanes))
    with pytest.raises(NoDelivery):
        await desk.ask(Ready(1))
    assert (await desk.ask(Transfer(1, DELIVERY))).state is State.WAITING


# Slips -------------------------------------------------------------------------------------------------------------


async def test_a_new_slip_puts_another_secret_in_the_place_of_the_old(desk: TimelessDesk) -> None:
    old, new = "a" * 64, "b" * 64
    await desk.ask(Issue(CERTIFICATES, "kiosk", secret=old))
    before = await desk.picture()
    assert await desk.ask(Reissue(1, new)) == Answer(1, "A101", CERTIFICATES, State.WAITING)
    assert await desk.picture() == before, "nobody's place changes"
    with pytest.raises(SecretUsed):
        await desk.ask(Issue(CERTIFICATES, "kiosk", secret=new))
    await desk.ask(Issue(CERTIFICATES, "kiosk", secret=old))  # nobody's any more


async def test_the_fact_of_a_new_slip_says_no_secret(desk: TimelessDesk) -> None:
    await issue(desk)
    await desk.ask(Reissue(1, "b" * 64))
    told = (await desk.facts())[-1]
    assert isinstance(told, facts.SlipReissued)
    assert "b" * 64 not in facts.to_fields(told).values()


async def test_the_browser_of_a_lost_number_holds_it_no_more(desk: TimelessDesk) -> None:
    await desk.ask(Issue(CERTIFICATES, "web", "a" * 64, "browser"))
    await desk.ask(Reissue(1, "b" * 64))
    assert (await desk.ask(Issue(CERTIFICATES, "web", "c" * 64, "browser"))).arrival == 2


async def test_a_new_slip_has_a_new_secret_and_a_living_ticket(desk: TimelessDesk) -> None:
    await desk.ask(Issue(CERTIFICATES, "kiosk", secret="a" * 64))
    with pytest.raises(SecretUsed):
        await desk.ask(Reissue(1, "a" * 64))
    with pytest.raises(UnknownTicket):
        await desk.ask(Reissue(9, "b" * 64))
    await desk.ask(Cancel(1))
    with pytest.raises(SlipEnded):
        await desk.ask(Reissue(1, "b" * 64))


# Closing time ------------------------------------------------------------------------------------------------------


async def test_closing_is_announced_with_how_many_still_wait(desk: TimelessDesk) -> None:
    await issue(desk, times=2)
    assert await desk.ask(AnnounceClosing(CERTIFICATES)) == Answer(None, None, CERTIFICATES, None, ahead=2)
    assert (await desk.picture()).closing == {CERTIFICATES}
    with pytest.raises(LaneClosing):
        await desk.ask(AnnounceClosing(CERTIFICATES))


async def test_a_closing_lane_gives_no_more_numbers_and_serves_who_waits(desk: TimelessDesk) -> None:
    await issue(desk)
    await desk.ask(AnnounceClosing(CERTIFICATES))
    with pytest.raises(LaneClosing):
        await issue(desk)
    await issue(desk, MOVES)
    assert (await call(desk)).arrival == 1


async def test_after_closing_staff_may_end_whoever_is_not_at_a_counter(desk: TimelessDesk) -> None:
    await issue(desk, times=3)
    await call(desk)
    with pytest.raises(NotYet):
        await desk.ask(Lapse(2))
    await desk.ask(AnnounceClosing(CERTIFICATES))
    assert (await desk.ask(Lapse(2))).state is State.LAPSED
    with pytest.raises(WrongMove):
        await desk.ask(Lapse(1))
    told = (await desk.facts())[-1]
    assert isinstance(told, facts.TicketLapsed)
    assert told.why == "closing"


async def test_a_new_day_opens_every_lane_again(desk: TimelessDesk) -> None:
    await desk.ask(AnnounceClosing(CERTIFICATES))
    await desk.open_day("2026-11-25")
    assert (await desk.ask(Issue(CERTIFICATES, "kiosk"), day="2026-11-25")).arrival == 1


# All of them -------------------------------------------------------------------------------------------------------

BUSY: tuple[Request, ...] = (
    *(Issue(CERTIFICATES, "kiosk"),) * 5,
    *(Issue(MOVES, "desk"),) * 3,
    Next("2", None),
    Hold("2", 1),
    Next("2", None),
    MarkAbsent("2", 2),
    Call("1", 4, None, "paper"),
    TakeBack("1", 4),
    Call("1", 1, None),
    Review("1", 1),
    Ready(1),
    PushBack(3, 2),
    Transfer(6, MOVES, "3"),
    Return(2),
    Next("3", None),
    Review("3", 6),
    AnnounceClosing(MOVES),
    Lapse(7),
    Next("5", None),
    Reissue(8, "d" * 64),
)


async def test_replayed_facts_are_the_picture_after_every_move(desk: TimelessDesk) -> None:
    for request in BUSY:
        await desk.ask(request)
        replayed = Picture()
        for fact in await desk.facts():
            replayed.apply(fact)
        stored = await desk.picture()
        assert replayed == stored, request
        assert replayed.at_counter == stored.at_counter
        assert _lines(replayed) == _lines(stored)


def _lines(picture: Picture) -> dict[str, list[tuple[int, int]]]:
    return {lane: line for lane, line in picture.waiting.items() if line}
