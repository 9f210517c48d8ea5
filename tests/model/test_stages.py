"""A number goes to the counter it is meant for, through review to delivery, until closing; told once for every desk."""

from dataclasses import replace

import pytest

from hub.desk import facts
from hub.desk.refusals import LaneClosing, LaneNotServed, NoDelivery, NotYet, SameLane, WrongMove
from hub.desk.requests import AnnounceClosing, Answer, Call, Done, Issue, Lapse, Ready, Review, Transfer
from hub.desk.ticket import State
from tests.model.desks import CERTIFICATES, DELIVERY, MOVES, TimelessDesk
from tests.model.moving import call, issue, state, waiting

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


# Closing time ------------------------------------------------------------------------------------------------------


async def test_closing_is_announced_with_how_many_still_wait(desk: TimelessDesk) -> None:
    await issue(desk, times=2)
    assert await desk.ask(AnnounceClosing(CERTIFICATES)) == Answer(lane=CERTIFICATES, ahead=2)
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
