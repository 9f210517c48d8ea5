"""Whose turn it is, who may pass, and when a lane gives numbers: told once for every desk."""

from dataclasses import replace
from typing import Any

import pytest

from hub.desk import facts
from hub.desk.hours import Hours, Opening, SpecialDay
from hub.desk.lane import Office
from hub.desk.refusals import (
    LaneClosed,
    LaneExhausted,
    LaneFull,
    LaneIsPaused,
    LaneNotPaused,
    PriorityNotGiven,
    UnknownLane,
    UnknownPriority,
    UnknownReason,
)
from hub.desk.requests import Answer, Cancel, Done, Issue, Next, Pause, Request, Resume, Transfer
from hub.desk.ticket import State
from tests.model.desks import CERTIFICATES, MOVES, TimelessDesk, noon

CARE = Issue(CERTIFICATES, "kiosk", priority="care")


@pytest.fixture(autouse=True)
def room_for_many(desk: TimelessDesk) -> None:
    desk.move_to(with_lane(desk.office, last=199))


async def issue(desk: TimelessDesk, lane: str = CERTIFICATES, times: int = 1) -> list[str | None]:
    return [(await desk.ask(Issue(lane, "kiosk"))).number for _ in range(times)]


async def waiting(desk: TimelessDesk, lane: str = CERTIFICATES) -> list[int]:
    return [arrival for _, arrival in (await desk.picture()).waiting.get(lane, [])]


async def calls(desk: TimelessDesk, counter: str, times: int, lanes: tuple[str, ...] = ()) -> list[str | None]:
    """Lanes of so many calls at one counter, which finishes each."""
    called = []
    current = None
    for _ in range(times):
        answer = await desk.ask(Next(counter, current, lanes))
        current = answer.arrival
        called.append(answer.lane)
    if current is not None:
        await desk.ask(Done(counter, current))
    return called


def with_lane(office: Office, **changes: Any) -> Office:
    """The office with its first lane changed."""
    return replace(office, lanes=(replace(office.lanes[0], **changes), *office.lanes[1:]))


# Turns -------------------------------------------------------------------------------------------------------------


async def test_a_counter_calls_from_its_lanes_as_they_weigh(desk: TimelessDesk) -> None:
    await issue(desk, MOVES, 8)
    for _ in range(2):
        await issue(desk, CERTIFICATES, 3)
    assert await calls(desk, "4", 8) == [MOVES, *[CERTIFICATES] * 3] * 2, "weights 3 and 1"


async def test_a_lane_that_was_empty_saves_nothing_up(desk: TimelessDesk) -> None:
    await issue(desk, MOVES, 9)
    assert await calls(desk, "4", 4) == [MOVES] * 4
    for _ in range(2):
        await issue(desk, CERTIFICATES, 3)
    assert await calls(desk, "4", 6) == [*[CERTIFICATES] * 3, MOVES, *[CERTIFICATES] * 2]


async def test_a_turn_is_counted_at_its_counter_alone(desk: TimelessDesk) -> None:
    await issue(desk, MOVES, 6)
    await issue(desk, CERTIFICATES, 4)
    assert await calls(desk, "3", 2) == [MOVES] * 2
    assert await calls(desk, "4", 4) == [MOVES, *[CERTIFICATES] * 3]
    assert (await desk.picture()).turns == {"4": {MOVES: 1, CERTIFICATES: 1 + 2 * 840}}


async def test_a_call_from_some_lanes_counts_as_their_turn(desk: TimelessDesk) -> None:
    await issue(desk, CERTIFICATES, 3)
    await issue(desk, MOVES, 3)
    assert await calls(desk, "4", 1, (MOVES,)) == [MOVES]
    assert await calls(desk, "4", 2) == [CERTIFICATES] * 2


async def test_where_lanes_weigh_the_same_nobody_counts_turns(desk: TimelessDesk) -> None:
    await issue(desk, MOVES)
    await issue(desk, CERTIFICATES)
    assert await calls(desk, "1", 2) == [MOVES, CERTIFICATES]
    assert (await desk.picture()).turns == {}


async def test_a_call_tells_the_turn_it_was(desk: TimelessDesk) -> None:
    await issue(desk, CERTIFICATES, 2)
    await calls(desk, "4", 2)
    told = [fact.turn for fact in await desk.facts() if isinstance(fact, facts.TicketCalled)]
    assert told == [1, 841]


# Priority ----------------------------------------------------------------------------------------------------------


async def test_a_priority_ticket_passes_whom_the_rule_lets_it_pass(desk: TimelessDesk) -> None:
    await issue(desk, times=4)
    assert await desk.ask(CARE) == Answer(5, "A105", CERTIFICATES, State.WAITING, ahead=0)
    assert (await desk.ask(Issue(CERTIFICATES, "desk", priority="care"))).ahead == 3
    assert (await desk.ask(Issue(CERTIFICATES, "desk", priority="urgent"))).ahead == 5
    assert await waiting(desk) == [5, 1, 2, 6, 3, 7, 4]


async def test_right_after_a_priority_call_the_next_one_lets_others_go_first(desk: TimelessDesk) -> None:
    await issue(desk, times=4)
    await desk.ask(CARE)
    await calls(desk, "2", 1)
    await desk.ask(CARE)
    assert await waiting(desk) == [1, 2, 6, 3, 4]
    await calls(desk, "2", 2)
    await desk.ask(Cancel(6))
    await desk.ask(CARE)
    assert await waiting(desk) == [7, 3, 4], "two without priority were called since"


async def test_with_few_who_wait_it_stands_last_as_anybody_would(desk: TimelessDesk) -> None:
    await desk.ask(CARE)
    await desk.ask(CARE)
    await issue(desk)
    await desk.ask(CARE)
    assert await waiting(desk) == [1, 2, 3, 4]


async def test_a_fact_tells_of_priority_and_never_of_which_class(desk: TimelessDesk) -> None:
    await desk.ask(CARE)
    await issue(desk)
    told = [fact for fact in await desk.facts() if isinstance(fact, facts.TicketIssued)]
    assert [fact.is_priority for fact in told] == [True, False]
    assert not any("care" in str(value) for fact in told for value in facts.to_fields(fact).values())


async def test_who_joins_late_is_placed_among_those_without_priority(desk: TimelessDesk) -> None:
    await issue(desk, MOVES)
    await issue(desk, CERTIFICATES, 2)
    await desk.ask(Issue(MOVES, "kiosk"))
    await desk.ask(Issue(MOVES, "desk", priority="care"))
    assert await waiting(desk, MOVES) == [5, 1, 4]
    assert (await desk.ask(Transfer(2, MOVES))).ahead == 2
    assert await waiting(desk, MOVES) == [5, 1, 2, 4], "not before everybody because 5 came after 2"


async def test_many_priorities_at_one_place_renumber_the_lane_and_keep_its_order(desk: TimelessDesk) -> None:
    await issue(desk, times=3)
    for turn in range(30):
        before = await waiting(desk)
        mine = (await desk.ask(CARE)).arrival
        assert mine is not None
        assert await waiting(desk) == [mine, *before], f"turn {turn}"
        await desk.ask(Cancel(mine))
    ranks = (await desk.picture()).ranks(CERTIFICATES)
    assert ranks == sorted(set(ranks))


# When a lane gives numbers -----------------------------------------------------------------------------------------


async def test_a_paused_lane_gives_no_numbers_and_is_called_as_before(desk: TimelessDesk) -> None:
    await issue(desk, times=2)
    assert await desk.ask(Pause(CERTIFICATES, "system")) == Answer(lane=CERTIFICATES)
    with pytest.raises(LaneIsPaused):
        await issue(desk)
    with pytest.raises(LaneIsPaused):
        await desk.ask(Pause(CERTIFICATES, "crowded"))
    assert await issue(desk, MOVES) == ["B401"]
    assert await calls(desk, "2", 2) == [CERTIFICATES] * 2
    assert (await desk.picture()).paused == {CERTIFICATES: "system"}
    await desk.ask(Resume(CERTIFICATES))
    assert await issue(desk) == ["A103"]
    with pytest.raises(LaneNotPaused):
        await desk.ask(Resume(CERTIFICATES))


async def test_a_pause_ends_with_its_day(desk: TimelessDesk) -> None:
    await desk.ask(Pause(CERTIFICATES, "system"))
    await desk.open_day("2026-11-25")
    assert (await desk.ask(Issue(CERTIFICATES, "kiosk"), day="2026-11-25")).number == "A101"


async def test_numbers_run_by_their_step_and_never_beyond_the_band(desk: TimelessDesk) -> None:
    desk.move_to(with_lane(desk.office, step=3, last=108))
    assert await issue(desk, times=3) == ["A101", "A104", "A107"]
    with pytest.raises(LaneExhausted):
        await issue(desk)


async def test_a_step_that_is_changed_during_the_day_gives_no_number_twice(desk: TimelessDesk) -> None:
    desk.move_to(with_lane(desk.office, last=999))
    given = await issue(desk, times=4)
    desk.move_to(with_lane(desk.office, step=2, last=999))
    given += await issue(desk, times=3)
    desk.move_to(with_lane(desk.office, step=1, last=999))
    given += await issue(desk, times=3)
    assert len(set(given)) == len(given)


async def test_after_its_numbers_of_a_day_a_lane_is_full(desk: TimelessDesk) -> None:
    desk.move_to(with_lane(desk.office, cap=2))
    await issue(desk, times=2)
    await desk.ask(Cancel(1))
    with pytest.raises(LaneFull):
        await issue(desk)
    with pytest.raises(LaneFull):
        await desk.ask(CARE)
    assert await issue(desk, MOVES) == ["B401"]


async def test_outside_its_hours_a_lane_gives_no_number_to_anybody(desk: TimelessDesk) -> None:
    """Noon of a Tuesday: certificates open at 13:00, moves are open."""
    week = frozenset({"mon", "tue", "wed", "thu", "fri"})
    openings = (
        Opening(week, 13 * 60, 17 * 60, frozenset({CERTIFICATES})),
        Opening(week, 12 * 60, 12 * 60 + 1, frozenset({MOVES})),
    )
    await issue(desk)
    desk.move_to(replace(desk.office, hours=Hours(openings)))
    opens = str(noon("2026-11-24") + 3_600_000)
    for request in (Issue(CERTIFICATES, "kiosk"), Issue(CERTIFICATES, "web"), Issue(CERTIFICATES, "desk"), CARE):
        with pytest.raises(LaneClosed) as refused:
            await desk.ask(request)
        assert refused.value.details == {"lane": CERTIFICATES, "opens": opens}
    assert await issue(desk, MOVES) == ["B401"]
    assert await calls(desk, "2", 1) == [CERTIFICATES], "who waits is called"
    desk.move_to(replace(desk.office, hours=Hours(openings, (SpecialDay("11-24"),))))
    with pytest.raises(LaneClosed) as refused:
        await issue(desk, MOVES)
    assert refused.value.details["opens"] == str(noon("2026-11-25"))


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        (Issue(CERTIFICATES, "kiosk", priority="urgent"), PriorityNotGiven),
        (Issue(CERTIFICATES, "web", priority="care"), PriorityNotGiven),
        (Issue(CERTIFICATES, "desk", priority="rich"), UnknownPriority),
        (Pause("taxes", "system"), UnknownLane),
        (Pause(CERTIFICATES, "lunch"), UnknownReason),
        (Resume("taxes"), UnknownLane),
    ],
    ids=repr,
)
async def test_what_the_office_does_not_offer_is_refused(
    desk: TimelessDesk, wrong: Request, refusal: type[Exception]
) -> None:
    before = await desk.facts()
    with pytest.raises(refusal):
        await desk.ask(wrong)
    assert await desk.facts() == before
