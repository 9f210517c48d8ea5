"""What the desk does, told once for the pure rules, fakeredis, Valkey and the oldest Redis."""

from dataclasses import replace

import pytest

from hub.desk import facts
from hub.desk.order import STEP
from hub.desk.picture import Picture
from hub.desk.refusals import (
    HasNumber,
    LaneExhausted,
    LaneNotServed,
    NotCurrent,
    OtherBody,
    SameLane,
    SecretUsed,
    StaleDay,
    UnknownCounter,
    UnknownLane,
    UnknownTicket,
    WrongMove,
)
from hub.desk.requests import Answer, Cancel, CheckIn, Done, Issue, MarkAbsent, Next, Recall, Return, Transfer
from hub.desk.ticket import State
from tests.model.desks import CERTIFICATES, DAY, MOVES, TimelessDesk


async def issue(desk: TimelessDesk, lane: str = CERTIFICATES, times: int = 1) -> list[Answer]:
    return [await desk.ask(Issue(lane, "kiosk")) for _ in range(times)]


async def call(desk: TimelessDesk, counter: str = "2", current: int | None = None) -> Answer:
    return await desk.ask(Next(counter, current))


async def waiting(desk: TimelessDesk, lane: str = CERTIFICATES) -> list[int]:
    return [arrival for _, arrival in (await desk.picture()).waiting.get(lane, [])]


async def state(desk: TimelessDesk, arrival: int) -> State:
    return (await desk.picture()).tickets[arrival].state


async def test_a_newcomer_gets_the_next_number_of_the_lane_and_waits_last(desk: TimelessDesk) -> None:
    first, second = await issue(desk, times=2)
    other = (await issue(desk, MOVES))[0]
    assert first == Answer(1, "A101", CERTIFICATES, State.WAITING, ahead=0)
    assert second == Answer(2, "A102", CERTIFICATES, State.WAITING, ahead=1)
    assert other == Answer(3, "B401", MOVES, State.WAITING, ahead=0)
    assert await waiting(desk) == [1, 2]


async def test_a_used_up_band_is_closed_and_never_wraps(desk: TimelessDesk) -> None:
    assert (await issue(desk, times=5))[-1].number == "A105"
    before = await desk.facts()
    with pytest.raises(LaneExhausted):
        await issue(desk)
    await desk.ask(Cancel(1))
    with pytest.raises(LaneExhausted):
        await issue(desk)
    assert len(await desk.facts()) == len(before) + 1


async def test_next_calls_the_first_and_finishes_the_current(desk: TimelessDesk) -> None:
    await issue(desk, times=2)
    assert await call(desk) == Answer(1, "A101", CERTIFICATES, State.CALLED)
    assert await call(desk, current=1) == Answer(2, "A102", CERTIFICATES, State.CALLED, finished=1)
    assert await state(desk, 1) is State.SERVED
    assert (await desk.picture()).at_counter == {"2": 2}


async def test_a_called_ticket_leaves_the_waiting_room(desk: TimelessDesk) -> None:
    await issue(desk, times=2)
    await call(desk)
    assert await waiting(desk) == [2]


async def test_a_double_press_is_one_call(desk: TimelessDesk) -> None:
    await issue(desk, times=3)
    await call(desk)
    with pytest.raises(NotCurrent) as refused:
        await call(desk)
    assert refused.value.details == {"counter": "2", "current": "1"}
    assert await waiting(desk) == [2, 3]


async def test_next_with_nobody_waiting_still_finishes_the_current(desk: TimelessDesk) -> None:
    await issue(desk)
    await call(desk)
    assert await call(desk, current=1) == Answer(finished=1)
    assert await call(desk) == Answer()
    assert (await desk.picture()).at_counter == {}


async def test_a_counter_with_several_lanes_takes_who_came_first(desk: TimelessDesk) -> None:
    await issue(desk, MOVES)
    await issue(desk, CERTIFICATES)
    await issue(desk, MOVES)
    called = [(await call(desk, "1", current)).arrival for current in (None, 1, 2)]
    assert called == [1, 2, 3]


async def test_next_may_be_asked_for_some_lanes_only(desk: TimelessDesk) -> None:
    await issue(desk, MOVES)
    await issue(desk, CERTIFICATES)
    assert (await desk.ask(Next("1", None, (CERTIFICATES,)))).arrival == 2
    with pytest.raises(LaneNotServed):
        await desk.ask(Next("2", None, (MOVES,)))


async def test_two_counters_never_get_the_same_ticket(desk: TimelessDesk) -> None:
    await issue(desk, times=2)
    assert (await call(desk, "1")).arrival == 1
    assert (await call(desk, "2")).arrival == 2


async def test_recall_counts_and_moves_nothing(desk: TimelessDesk) -> None:
    await issue(desk)
    await call(desk)
    await desk.ask(Recall("2", 1))
    await desk.ask(Recall("2", 1))
    ticket = (await desk.picture()).tickets[1]
    assert (ticket.state, ticket.calls) == (State.CALLED, 3)


async def test_an_absent_ticket_frees_the_counter_and_may_return(desk: TimelessDesk) -> None:
    await issue(desk, times=5)
    await call(desk)
    assert (await desk.ask(MarkAbsent("2", 1))).state is State.ABSENT
    assert (await desk.picture()).at_counter == {}
    assert await desk.ask(Return(1)) == Answer(1, "A101", CERTIFICATES, State.WAITING, ahead=2)
    assert await waiting(desk) == [2, 3, 1, 4, 5], "after the next two, before those behind them"


async def test_who_returns_last_still_stands_before_every_newcomer(desk: TimelessDesk) -> None:
    await issue(desk, times=2)
    await call(desk)
    await desk.ask(MarkAbsent("2", 1))
    await desk.ask(Return(1))
    await issue(desk)
    assert await waiting(desk) == [2, 1, 3]


async def test_done_frees_the_counter_without_a_call(desk: TimelessDesk) -> None:
    await issue(desk, times=2)
    await call(desk)
    assert (await desk.ask(Done("2", 1))).state is State.SERVED
    assert await waiting(desk) == [2]
    assert (await desk.picture()).at_counter == {}


async def test_a_transferred_ticket_keeps_its_number_and_its_arrival(desk: TimelessDesk) -> None:
    await issue(desk, MOVES)
    await issue(desk, CERTIFICATES)
    await issue(desk, MOVES)
    answer = await desk.ask(Transfer(2, MOVES))
    assert answer == Answer(2, "A101", MOVES, State.WAITING, ahead=1)
    assert await waiting(desk, MOVES) == [1, 2, 3]
    assert await waiting(desk, CERTIFICATES) == []


async def test_a_ticket_at_a_counter_may_be_transferred(desk: TimelessDesk) -> None:
    await issue(desk, CERTIFICATES)
    await call(desk)
    await desk.ask(Transfer(1, MOVES))
    assert (await desk.picture()).at_counter == {}
    assert (await call(desk, "3")).arrival == 1
    assert (await desk.picture()).tickets[1].calls == 1, "calls are counted since it last waited"


async def test_a_transfer_to_an_occupied_rank_stands_right_behind_it(desk: TimelessDesk) -> None:
    await issue(desk, MOVES, 1)
    await issue(desk, CERTIFICATES, 1)
    await issue(desk, MOVES, 4)  # 3, 4, 5, 6
    await call(desk, "3")
    await desk.ask(MarkAbsent("3", 1))
    await desk.ask(Return(1))  # between 4 and 5, in the middle of their gap
    assert await waiting(desk, MOVES) == [3, 4, 1, 5, 6]
    await desk.ask(Transfer(2, MOVES))
    assert await waiting(desk, MOVES) == [2, 3, 4, 1, 5, 6]


async def test_cancel_takes_a_ticket_out_wherever_it_stands(desk: TimelessDesk) -> None:
    await issue(desk, times=3)
    await call(desk)
    await desk.ask(Cancel(1))  # called
    await desk.ask(Cancel(3))  # waiting
    assert (await desk.picture()).at_counter == {}
    assert await waiting(desk) == [2]
    with pytest.raises(WrongMove):
        await desk.ask(Cancel(1))


async def test_the_same_request_id_gives_the_first_answer_and_acts_once(desk: TimelessDesk) -> None:
    await issue(desk, times=2)
    first = await desk.ask(Next("2", None), id="same")
    told = len(await desk.facts())
    assert await desk.ask(Next("2", None), id="same") == first
    assert len(await desk.facts()) == told
    assert await waiting(desk) == [2]


async def test_an_answer_with_nobody_called_is_repeated_too(desk: TimelessDesk) -> None:
    nobody = await desk.ask(Next("2", None), id="same")
    await issue(desk)
    assert await desk.ask(Next("2", None), id="same") == nobody
    assert await waiting(desk) == [1]


async def test_another_body_under_a_used_id_is_refused(desk: TimelessDesk) -> None:
    await desk.ask(Issue(CERTIFICATES, "kiosk"), id="same")
    with pytest.raises(OtherBody):
        await desk.ask(Issue(MOVES, "kiosk"), id="same")
    with pytest.raises(OtherBody):
        await desk.ask(Cancel(1), id="same")


async def test_request_ids_belong_to_who_made_them(desk: TimelessDesk) -> None:
    await desk.ask(Issue(CERTIFICATES, "kiosk"), who="kiosk-1", id="same")
    assert (await desk.ask(Issue(CERTIFICATES, "kiosk"), who="kiosk-2", id="same")).arrival == 2


async def test_a_number_from_home_is_expected_and_nobody_waits_for_it(desk: TimelessDesk) -> None:
    answer = await desk.ask(Issue(CERTIFICATES, "web", is_expected=True))
    assert answer == Answer(1, "A101", CERTIFICATES, State.EXPECTED)
    assert await waiting(desk) == []
    assert (await call(desk)).arrival is None


async def test_who_checks_in_stands_where_the_arrival_says(desk: TimelessDesk) -> None:
    await issue(desk)
    await desk.ask(Issue(CERTIFICATES, "web", is_expected=True))
    await issue(desk)
    assert await desk.ask(CheckIn(2)) == Answer(2, "A102", CERTIFICATES, State.WAITING, ahead=1)
    assert await waiting(desk) == [1, 2, 3]
    with pytest.raises(WrongMove):
        await desk.ask(CheckIn(2))


async def test_an_expected_number_may_be_cancelled_from_home(desk: TimelessDesk) -> None:
    await desk.ask(Issue(CERTIFICATES, "web", is_expected=True))
    assert (await desk.ask(Cancel(1))).state is State.CANCELLED


async def test_a_browser_holds_one_live_number_in_a_lane(desk: TimelessDesk) -> None:
    await desk.ask(Issue(CERTIFICATES, "web", holder="mine"))
    with pytest.raises(HasNumber) as refused:
        await desk.ask(Issue(CERTIFICATES, "web", holder="mine"))
    assert refused.value.details == {"ticket": "1", "number": "A101"}
    await desk.ask(Issue(MOVES, "web", holder="mine"))
    await desk.ask(Issue(CERTIFICATES, "web", holder="another's"))
    await desk.ask(Cancel(1))
    assert (await desk.ask(Issue(CERTIFICATES, "web", holder="mine"))).number == "A103"


async def test_a_secret_opens_one_ticket_only(desk: TimelessDesk) -> None:
    await desk.ask(Issue(CERTIFICATES, "kiosk", secret="a" * 64))
    with pytest.raises(SecretUsed):
        await desk.ask(Issue(MOVES, "kiosk", secret="a" * 64))
    await desk.open_day("2026-11-25")
    assert (await desk.ask(Issue(CERTIFICATES, "kiosk", secret="a" * 64), day="2026-11-25")).arrival == 1


async def test_after_a_renumbering_a_transfer_still_stands_where_its_arrival_says(desk: TimelessDesk) -> None:
    await issue(desk, MOVES, 20)
    for _ in range(25):
        first = (await waiting(desk, MOVES))[0]
        await call(desk, "3")
        await desk.ask(MarkAbsent("3", first))
        await desk.ask(Return(first))
    assert any(isinstance(fact, facts.LaneRenumbered) for fact in await desk.facts())
    await issue(desk, CERTIFICATES)
    line = await waiting(desk, MOVES)
    assert (await desk.ask(Transfer(21, MOVES))).ahead == 20, "who came last stands last"
    assert await waiting(desk, MOVES) == [*line, 21]


async def test_a_number_is_never_given_twice_though_the_band_is_moved(desk: TimelessDesk) -> None:
    await issue(desk, times=3)  # A101 … A103
    lanes = tuple(replace(lane, first=100) if lane.key == CERTIFICATES else lane for lane in desk.office.lanes)
    desk.move_to(replace(desk.office, lanes=lanes))
    assert (await issue(desk))[0].number == "A104"


async def test_who_waits_in_a_lane_that_the_office_dropped_can_be_moved(desk: TimelessDesk) -> None:
    await issue(desk, times=2)
    desk.move_to(replace(desk.office, lanes=desk.office.lanes[1:]))
    await desk.ask(Transfer(1, MOVES))
    await desk.ask(Cancel(2))
    assert await waiting(desk, MOVES) == [1]


async def test_a_refusal_changes_nothing_and_is_not_kept(desk: TimelessDesk) -> None:
    before = await desk.facts()
    with pytest.raises(NotCurrent):
        await desk.ask(Recall("2", 1), id="same")
    assert await desk.facts() == before
    await issue(desk)
    await call(desk)
    assert (await desk.ask(Recall("2", 1), id="same")).state is State.CALLED


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        (Issue("taxes", "kiosk"), UnknownLane),
        (Next("99", None), UnknownCounter),
        (Next("1", None, ("taxes",)), UnknownLane),
        (Next("1", 77), NotCurrent),
        (Recall("1", 77), NotCurrent),
        (MarkAbsent("99", 1), UnknownCounter),
        (Done("2", 1), NotCurrent),
        (Return(77), UnknownTicket),
        (Return(1), WrongMove),
        (Cancel(77), UnknownTicket),
        (CheckIn(77), UnknownTicket),
        (CheckIn(1), WrongMove),
        (Transfer(77, MOVES), UnknownTicket),
        (Transfer(1, "taxes"), UnknownLane),
        (Transfer(1, CERTIFICATES), SameLane),
    ],
    ids=repr,
)
async def test_what_does_not_fit_is_refused(desk: TimelessDesk, wrong: Issue, refusal: type[Exception]) -> None:
    await issue(desk)
    before = await desk.picture()
    with pytest.raises(refusal):
        await desk.ask(wrong)
    assert await desk.picture() == before


async def test_wrong_moves_say_what_the_ticket_is(desk: TimelessDesk) -> None:
    await issue(desk)
    with pytest.raises(WrongMove) as refused:
        await desk.ask(Return(1))
    assert refused.value.details == {"ticket": "1", "state": "waiting", "action": "return"}


async def test_a_request_for_yesterday_is_refused(desk: TimelessDesk) -> None:
    with pytest.raises(StaleDay) as refused:
        await desk.ask(Issue(CERTIFICATES, "kiosk"), day="2026-11-23")
    assert refused.value.details == {"day": DAY}


async def test_a_new_day_starts_from_the_first_number(desk: TimelessDesk) -> None:
    await issue(desk, times=3)
    assert await desk.open_day("2026-11-25") == "2026-11-25"
    with pytest.raises(StaleDay):
        await issue(desk)
    assert await desk.ask(Issue(CERTIFICATES, "kiosk"), day="2026-11-25") == Answer(
        1, "A101", CERTIFICATES, State.WAITING, ahead=0
    )


async def test_days_never_go_back(desk: TimelessDesk) -> None:
    assert await desk.open_day("2026-11-20") == DAY


async def test_many_returns_to_one_place_renumber_the_lane_and_keep_its_order(desk: TimelessDesk) -> None:
    await issue(desk, times=5)
    for turn in range(40):
        first, *others = await waiting(desk)
        expected = [*others[:2], first, *others[2:]]
        await call(desk)
        await desk.ask(MarkAbsent("2", first))
        await desk.ask(Return(first))
        assert await waiting(desk) == expected, f"turn {turn}"
    assert any(isinstance(fact, facts.LaneRenumbered) for fact in await desk.facts())
    ranks = (await desk.picture()).ranks(CERTIFICATES)
    assert ranks == sorted(set(ranks))
    assert ranks[-1] < 6 * STEP, "a newcomer still comes last"


async def test_replayed_facts_are_the_picture(desk: TimelessDesk) -> None:
    await issue(desk, times=3)
    await issue(desk, MOVES, 2)
    await call(desk)
    await desk.ask(MarkAbsent("2", 1))
    await call(desk, "1")
    await desk.ask(Transfer(2, MOVES))
    await desk.ask(Return(1))
    await desk.ask(Cancel(5))
    replayed = Picture()
    for fact in await desk.facts():
        replayed.apply(fact)
    stored = await desk.picture()
    assert replayed == stored
    assert replayed.at_counter == stored.at_counter
    assert {lane: line for lane, line in replayed.waiting.items() if line} == stored.waiting
