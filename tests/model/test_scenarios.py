"""What the tests of other queue systems tell, in our words; and their known defects, each a story that would fail here.

The first are the scenarios of TheQ (QT1–QT7) and of FQM's ticket tests; D1 … D13 are defects that were read in the
published code of NovoSGA, TheQ and FQM. What concerns walls, payloads, logs and carriers has its stories beside those:
D2 in tests/journeys/test_receipts.py; D4, D6 and D7 in tests/fanout/test_views.py (nothing private in a frame); D5 in
tests/chaos/test_planted.py and tests/config/test_logs.py; D8 in tests/workers/test_drain.py.
"""

import json

import pytest

from hub.desk import facts
from hub.desk.notices import Carrier
from hub.desk.refusals import HasNumber, LaneNotServed, NotCurrent, WrongMove
from hub.desk.requests import (
    Call,
    Cancel,
    Done,
    Hold,
    Issue,
    MarkAbsent,
    Next,
    PushBack,
    Recall,
    Return,
    TakeBack,
    Transfer,
    Wish,
)
from hub.desk.ticket import ENDS, State
from hub.fanout import topics
from hub.fanout.world import World
from tests.model.desks import CERTIFICATES, DAY, MOVES, TimelessDesk


async def issue(desk: TimelessDesk, lane: str = CERTIFICATES, times: int = 1) -> list[int]:
    return [(await desk.ask(Issue(lane, "kiosk"))).arrival or 0 for _ in range(times)]


async def call(desk: TimelessDesk, counter: str = "2", current: int | None = None) -> int | None:
    return (await desk.ask(Next(counter, current))).arrival


async def states(desk: TimelessDesk) -> dict[int, State]:
    return {arrival: ticket.state for arrival, ticket in (await desk.picture()).tickets.items()}


async def world(desk: TimelessDesk) -> tuple[World, dict[str, list[str]]]:
    """The hub that heard the day so far, and what each topic was told."""
    hub, told = World("epoch", DAY, desk.office), dict[str, list[str]]()
    for place, fact in enumerate(await desk.facts(), start=1):
        for topic, frame in hub.learn((1, place), fact):
            told.setdefault(topic, []).append(frame.text)
    return hub, told


# TheQ --------------------------------------------------------------------------------------------------------------


async def test_qt1_a_visit_from_the_number_to_the_end(desk: TimelessDesk) -> None:
    await issue(desk)
    assert await call(desk) == 1
    await desk.ask(Done("2", 1))
    assert await states(desk) == {1: State.SERVED}
    assert [type(fact).__name__ for fact in await desk.facts()][1:] == [
        "TicketIssued",
        "TicketCalled",
        "TicketServed",
    ]


async def test_qt2_begun_held_and_finished(desk: TimelessDesk) -> None:
    await issue(desk, times=2)
    await call(desk)
    await desk.ask(Hold("2", 1))
    assert await call(desk) == 2
    await desk.ask(Call("2", 1, 2))
    await desk.ask(Done("2", 1))
    assert await states(desk) == {1: State.SERVED, 2: State.SERVED}


async def test_qt3_left_right_after_taking_a_number(desk: TimelessDesk) -> None:
    await issue(desk)
    await desk.ask(Cancel(1))
    assert await call(desk) is None


async def test_qt4_left_while_waiting(desk: TimelessDesk) -> None:
    await issue(desk, times=3)
    await desk.ask(Cancel(2))
    assert await call(desk) == 1
    assert await call(desk, current=1) == 3


async def test_qt5_the_business_turns_out_to_be_another(desk: TimelessDesk) -> None:
    await issue(desk)
    await call(desk)
    await desk.ask(Transfer(1, MOVES))
    assert await call(desk) is None
    assert await call(desk, "3") == 1
    assert (await desk.picture()).tickets[1].number == "A101"


@pytest.mark.parametrize(("lane", "first"), [(CERTIFICATES, 2), (MOVES, 1)])
async def test_qt6_qt7_picked_by_the_kind_of_business(desk: TimelessDesk, lane: str, first: int) -> None:
    await issue(desk, MOVES)
    await issue(desk, CERTIFICATES)
    assert (await desk.ask(Next("1", None, (lane,)))).arrival == first


# FQM ---------------------------------------------------------------------------------------------------------------


async def test_fqm_numbers_of_a_business_rise_by_one_and_are_told_apart(desk: TimelessDesk) -> None:
    await issue(desk, times=2)
    await issue(desk, MOVES)
    await issue(desk)
    assert [ticket.number for ticket in (await desk.picture()).tickets.values()] == ["A101", "A102", "B401", "A103"]


async def test_fqm_two_counters_of_one_business_pull_one_after_the_other(desk: TimelessDesk) -> None:
    await issue(desk, times=3)
    assert [await call(desk, "1"), await call(desk, "2"), await call(desk, "1", 1)] == [1, 2, 3]


async def test_fqm_a_counter_pulls_nothing_that_is_another_counters_business(desk: TimelessDesk) -> None:
    await issue(desk, MOVES)
    assert await call(desk, "2") is None
    with pytest.raises(LaneNotServed):
        await desk.ask(Call("2", 1, None, "paper"))


async def test_fqm_a_number_that_was_pulled_is_pulled_by_nobody_else(desk: TimelessDesk) -> None:
    await issue(desk)
    await call(desk, "1")
    with pytest.raises(WrongMove):
        await desk.ask(Call("2", 1, None, "paper"))


async def test_fqm_a_pulled_number_that_is_put_back_is_the_next_again(desk: TimelessDesk) -> None:
    await issue(desk, times=2)
    await call(desk)
    await desk.ask(TakeBack("2", 1))
    assert await call(desk, "1") == 1


async def test_fqm_the_feed_shows_who_is_called_where_and_who_comes_next(desk: TimelessDesk) -> None:
    await issue(desk, times=4)
    await call(desk, "1")
    await call(desk, "2")
    shown = json.loads((await world(desk))[0].snapshot(topics.DESK).text)
    assert [(called["number"], called["counter"]) for called in shown["called"]] == [("A102", "2"), ("A101", "1")]
    assert [waiting["number"] for waiting in shown["lanes"][0]["queue"]] == ["A103", "A104"]


# Defects -----------------------------------------------------------------------------------------------------------


async def test_d1_two_calls_in_one_moment_are_both_told_and_both_shown(desk: TimelessDesk) -> None:
    await issue(desk, times=2)
    await call(desk, "1")
    await call(desk, "2")
    hub, told = await world(desk)
    calls = [json.loads(frame)["number"] for frame in told[topics.BOARD] if '"TicketCalled"' in frame]
    assert calls == ["A101", "A102"]
    assert {called["number"] for called in json.loads(hub.snapshot(topics.BOARD).text)["called"]} == set(calls)


async def test_d3_who_came_first_is_called_first(desk: TimelessDesk) -> None:
    arrivals = await issue(desk, times=5)
    called = [await call(desk)]
    while called[-1] is not None:
        called.append(await call(desk, current=called[-1]))
    assert called == [*arrivals, None]


async def test_d9_the_notice_is_due_by_the_move_itself_whoever_made_it(desk: TimelessDesk) -> None:
    """Not by a clerk's browser afterwards: whatever brings somebody near makes it due in the same breath."""
    await issue(desk, times=5)
    await desk.ask(Wish(5, Carrier.EMAIL, 1, "1", "s"))
    await desk.ask(Cancel(1))  # by a resident
    await desk.ask(PushBack(2, 3))  # by another: he lets all of them go first
    assert "s:near" not in await desk.owed()
    await call(desk)
    assert "s:near" in await desk.owed()


async def test_d10_every_call_is_shown_however_many_there_are(desk: TimelessDesk) -> None:
    await issue(desk, times=2)
    await issue(desk, MOVES, 2)
    for counter in ("1", "2", "3", "4"):
        await call(desk, counter)
    hub, _ = await world(desk)
    assert len(json.loads(hub.snapshot(topics.BOARD).text)["called"]) == 4


async def test_d11_how_many_are_ahead_is_never_what_the_asker_says(desk: TimelessDesk) -> None:
    """A wish names how near is near, and nothing of where its ticket stands."""
    await issue(desk, times=4)
    await desk.ask(Wish(4, Carrier.EMAIL, 2, "1", "s"))
    assert await desk.owed() == {"s:registered"}
    await call(desk)
    assert "s:near" in await desk.owed()


async def test_d12_what_was_answered_stands_and_what_was_not_is_asked_again(desk: TimelessDesk) -> None:
    """A machine prints what it was answered: the same request again is the same number, and never a second."""
    first = await desk.ask(Issue(CERTIFICATES, "kiosk", "a" * 64, "machine"), id="press")
    assert await desk.ask(Issue(CERTIFICATES, "kiosk", "a" * 64, "machine"), id="press") == first
    with pytest.raises(HasNumber):
        await desk.ask(Issue(CERTIFICATES, "kiosk", "b" * 64, "machine"))
    assert list((await desk.picture()).tickets) == [first.arrival]


async def test_d13_the_order_of_who_waits_never_comes_from_when_he_was_called(desk: TimelessDesk) -> None:
    await issue(desk, times=4)
    await call(desk)
    await desk.pass_time(300)
    await desk.ask(MarkAbsent("2", 1))
    await desk.ask(Return(1))
    await desk.ask(Call("2", 4, None, "health"))
    await desk.pass_time(300)
    await desk.ask(TakeBack("2", 4))
    line = [arrival for _, arrival in (await desk.picture()).waiting[CERTIFICATES]]
    assert line == [2, 3, 1, 4], "by rank alone, whoever was called before or never"


async def test_nobody_calls_the_same_customer_twice(desk: TimelessDesk) -> None:
    """Asked for in all three trackers: two clerks press at the same moment."""
    await issue(desk, times=2)
    assert await call(desk, "1") == 1
    with pytest.raises(NotCurrent):
        await call(desk, "1")
    assert await call(desk, "2") == 2
    with pytest.raises(NotCurrent):
        await desk.ask(Recall("1", 2))
    calls = [fact for fact in await desk.facts() if isinstance(fact, facts.TicketCalled)]
    assert [fact.arrival for fact in calls] == [1, 2]


async def test_no_ticket_ends_twice(desk: TimelessDesk) -> None:
    await issue(desk)
    await call(desk)
    await desk.ask(Done("2", 1))
    for again in (Cancel(1), Transfer(1, MOVES), Return(1), Call("2", 1, None, "paper")):
        with pytest.raises(WrongMove):
            await desk.ask(again)
    assert (await states(desk))[1] in ENDS
