"""The moves of a real day beyond next and done, told once for the rules, fakeredis, Valkey and the oldest Redis."""

from dataclasses import replace

import pytest

from hub.desk import facts
from hub.desk.order import STEP
from hub.desk.picture import Picture
from hub.desk.refusals import LaneNotServed, NoReason, NotCurrent, SecretUsed, SlipEnded, UnknownReason, UnknownTicket
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
    Reissue,
    Request,
    Return,
    Review,
    TakeBack,
    Transfer,
)
from hub.desk.ticket import State
from tests.model.desks import CERTIFICATES, MOVES, TimelessDesk
from tests.model.moving import call, issue, state, waiting

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
