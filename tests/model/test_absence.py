"""Who is not there when called keeps rights, and who lets others go first keeps a place; told once for every desk."""

from dataclasses import replace

import pytest

from hub.desk import facts
from hub.desk.lane import Absence
from hub.desk.refusals import (
    CalledTooFewTimes,
    CalledTooRecently,
    MissedTooLong,
    NobodyBehind,
    NotYet,
    PushedEnough,
    TooManyPlaces,
    WrongMove,
)
from hub.desk.requests import Answer, Lapse, MarkAbsent, PushBack, Recall, Return
from hub.desk.ticket import State
from tests.model.desks import CERTIFICATES, TimelessDesk
from tests.model.moving import call, issue, state, waiting

HALF_AN_HOUR = 30 * 60


# Absence with rights -----------------------------------------------------------------------------------------------


def strict(desk: TimelessDesk) -> None:
    desk.move_to(replace(desk.office, absence=Absence(after_calls=2, after_seconds=30, missed_minutes=30)))


async def test_nobody_is_absent_before_he_was_called_often_enough(desk: TimelessDesk) -> None:
    strict(desk)
    await issue(desk)
    await call(desk)
    await desk.pass_time(120)
    with pytest.raises(CalledTooFewTimes) as refused:
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
    with pytest.raises(CalledTooRecently) as refused:
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
