"""Who is told, and when, told once for the pure rules, fakeredis, Valkey and the oldest Redis."""

from dataclasses import replace

import pytest

from hub.desk.facts import ContactErased, ContactGiven
from hub.desk.lane import PushBacks
from hub.desk.notices import LATE_MS, LOOKED_AT, Carrier, Ending
from hub.desk.refusals import NoContact, OtherBody, TicketEnded, UnknownTicket
from hub.desk.requests import (
    Call,
    Cancel,
    CheckIn,
    Hold,
    Issue,
    MarkAbsent,
    Next,
    PushBack,
    Recall,
    Return,
    Stop,
    Sweep,
    Transfer,
    Wish,
)
from hub.desk.ticket import State
from hub.wire.messages import FURTHEST_AHEAD
from tests.model.desks import CERTIFICATES, MOVES, TimelessDesk, small_office

EMAIL = Carrier.EMAIL


def wish(ticket: int, ahead: int = 1, subscription: str = "s") -> Wish:
    return Wish(ticket, EMAIL, ahead, "1", subscription)


async def issue(desk: TimelessDesk, times: int, lane: str = CERTIFICATES) -> None:
    for _ in range(times):
        await desk.ask(Issue(lane, "kiosk"))


async def test_a_wish_is_confirmed_and_told_without_a_place(desk: TimelessDesk) -> None:
    await issue(desk, 4)
    answer = await desk.ask(wish(4, 2), who="web", id="r" * 22)
    assert (answer.arrival, answer.state) == (4, State.WAITING)
    assert await desk.owed() == {"s:registered"}
    assert (await desk.facts())[-1] == ContactGiven(
        at=desk.now, who="web", request="r" * 22, arrival=4, carrier="email", subscription="s", ahead=2, purpose="1"
    )


async def test_near_is_due_with_as_few_ahead_as_wished_and_only_once(desk: TimelessDesk) -> None:
    await issue(desk, 4)
    await desk.ask(wish(4, 1))
    await desk.ask(Next("2", None))
    assert await desk.owed() == {"s:registered"}
    await desk.ask(Next("2", 1))
    assert await desk.owed() == {"s:registered", "s:near"}
    await desk.ask(Next("2", 2))
    assert await desk.owed() == {"s:registered", "s:near"}


async def test_who_lets_others_go_first_is_told_again_when_it_is_near_once_more(desk: TimelessDesk) -> None:
    await issue(desk, 5)
    await desk.ask(wish(2, 1))
    told = {"s:registered", "s:near"}
    await desk.ask(PushBack(2, 3))
    assert await desk.owed() == told
    for current in (None, 1, 3):
        await desk.ask(Next("2", current))
    assert await desk.owed() == told | {"s:near.2"}


async def test_who_lets_others_go_first_and_stands_as_near_as_wished_is_not_told_again(desk: TimelessDesk) -> None:
    await issue(desk, 5)
    await desk.ask(wish(1, 3))
    await desk.ask(PushBack(1, 3))
    await desk.ask(Next("2", None))
    assert await desk.owed() == {"s:registered", "s:near"}


async def test_who_is_sent_to_a_long_lane_is_told_again_when_it_is_near_there(desk: TimelessDesk) -> None:
    await issue(desk, 3, MOVES)
    await issue(desk, 1)
    await desk.ask(wish(4, 1))
    await desk.ask(Next("2", None))
    told = {"s:registered", "s:near", "s:now"}
    await desk.ask(Transfer(4, MOVES))
    await desk.ask(Next("3", None))
    assert await desk.owed() == told
    await desk.ask(Next("3", 1))
    assert await desk.owed() == told | {"s:near.2"}
    await desk.ask(Next("3", 2))
    await desk.ask(Next("3", 3))
    assert await desk.owed() == told | {"s:near.2", "s:now.2"}


async def test_who_comes_back_behind_more_than_he_wished_is_told_again_and_by_whichever_carrier(
    desk: TimelessDesk,
) -> None:
    await issue(desk, 4)
    await desk.ask(Wish(1, Carrier.LINE, 1, "1", "line"))
    await desk.ask(Wish(1, EMAIL, 1, "1", "mail"))
    await desk.ask(Next("2", None))
    await desk.ask(MarkAbsent("2", 1))
    await desk.ask(Return(1))
    told = {"line:registered", "mail:registered", "line:near", "line:now", "line:missed"}
    assert await desk.owed() == told
    await desk.ask(Stop(1, Carrier.LINE, Ending.RESIDENT))
    await desk.ask(Next("2", None))
    assert await desk.owed() == told | {"mail:near.2"}


async def test_who_is_moved_behind_all_that_are_looked_at_is_told_again(desk: TimelessDesk) -> None:
    desk.move_to(replace(small_office(desk.office.key), push_backs=PushBacks(times=1, places=LOOKED_AT + 3)))
    await issue(desk, LOOKED_AT + 4)
    await desk.ask(wish(1, 1))
    await desk.ask(PushBack(1, LOOKED_AT + 3))
    current = None
    for _ in range(LOOKED_AT + 2):
        current = (await desk.ask(Next("2", current))).arrival
    assert await desk.owed() == {"s:registered", "s:near", "s:near.2"}


async def test_who_wishes_when_it_is_near_already_is_told_at_once(desk: TimelessDesk) -> None:
    await issue(desk, 2)
    await desk.ask(wish(2, 1))
    assert await desk.owed() == {"s:registered", "s:near"}


async def test_whoever_leaves_brings_those_behind_nearer(desk: TimelessDesk) -> None:
    await issue(desk, 4)
    await issue(desk, 1, MOVES)
    await desk.ask(wish(4, 1, "a"))
    await desk.ask(Cancel(2))
    assert "a:near" not in await desk.owed()
    await desk.ask(Transfer(1, MOVES))
    assert "a:near" in await desk.owed()


async def test_a_transfer_to_a_short_lane_brings_near(desk: TimelessDesk) -> None:
    await issue(desk, 3)
    await desk.ask(wish(3, 1))
    await desk.ask(Transfer(3, MOVES))
    assert "s:near" in await desk.owed()


async def test_who_is_expected_is_told_from_checking_in(desk: TimelessDesk) -> None:
    await desk.ask(Issue(CERTIFICATES, "web", is_expected=True))
    await desk.ask(wish(1, 3))
    assert await desk.owed() == {"s:registered"}
    await desk.ask(CheckIn(1))
    assert await desk.owed() == {"s:registered", "s:near"}


async def test_who_comes_back_after_absence_is_told_of_his_new_place(desk: TimelessDesk) -> None:
    await issue(desk, 2)
    await desk.ask(Next("2", None))
    await desk.ask(wish(1, 3))
    await desk.ask(MarkAbsent("2", 1))
    assert "s:near" not in await desk.owed()
    await desk.ask(Return(1))
    assert "s:near" in await desk.owed()


async def test_another_wish_takes_the_place_of_the_first(desk: TimelessDesk) -> None:
    await issue(desk, 4)
    await desk.ask(wish(4, 1, "old"))
    await desk.ask(wish(4, 2, "new"))
    erased, given = (await desk.facts())[-2:]
    assert isinstance(erased, ContactErased)
    assert (erased.subscription, erased.ending) == ("old", "replaced")
    assert isinstance(given, ContactGiven)
    await desk.ask(Next("2", None))
    assert await desk.owed() == {"old:registered", "new:registered", "new:near"}


async def test_after_stop_nothing_is_due(desk: TimelessDesk) -> None:
    await issue(desk, 3)
    await desk.ask(wish(3, 1))
    await desk.ask(Stop(3, EMAIL, Ending.RESIDENT))
    await desk.ask(Next("2", None))
    assert await desk.owed() == {"s:registered"}
    with pytest.raises(NoContact):
        await desk.ask(Stop(3, EMAIL, Ending.RESIDENT))
    told = (await desk.facts())[-2]
    assert isinstance(told, ContactErased)
    assert told.ending == "resident"


async def test_a_stop_that_means_an_earlier_wish_leaves_the_present_one(desk: TimelessDesk) -> None:
    await issue(desk, 3)
    await desk.ask(wish(3, 1, "old"))
    await desk.ask(wish(3, 1, "new"))
    with pytest.raises(NoContact):
        await desk.ask(Stop(3, EMAIL, Ending.RESIDENT, "old"))
    await desk.ask(Stop(3, EMAIL, Ending.RESIDENT, "new"))


async def test_a_contact_can_be_erased_when_all_is_over_but_not_given(desk: TimelessDesk) -> None:
    await issue(desk, 1)
    await desk.ask(wish(1))
    await desk.ask(Cancel(1))
    await desk.ask(Stop(1, EMAIL, Ending.RESIDENT))
    with pytest.raises(TicketEnded):
        await desk.ask(wish(1))


async def test_nobody_wishes_for_a_ticket_that_is_not_there(desk: TimelessDesk) -> None:
    with pytest.raises(UnknownTicket):
        await desk.ask(wish(7))
    with pytest.raises(UnknownTicket):
        await desk.ask(Stop(7, EMAIL, Ending.RESIDENT))


async def test_the_same_wish_sent_again_is_one_wish(desk: TimelessDesk) -> None:
    """The second try was sealed anew, under another subscription."""
    await issue(desk, 3)
    first = await desk.ask(wish(3, 1, "first"), id="r" * 22)
    assert await desk.ask(wish(3, 1, "second"), id="r" * 22) == first
    assert await desk.owed() == {"first:registered"}
    with pytest.raises(OtherBody):
        await desk.ask(wish(3, 2, "third"), id="r" * 22)


async def test_the_furthest_wish_is_heard(desk: TimelessDesk) -> None:
    desk.move_to(small_office(desk.office.key))
    await issue(desk, FURTHEST_AHEAD + 3)
    last = FURTHEST_AHEAD + 3
    await desk.ask(wish(last, FURTHEST_AHEAD))
    await desk.ask(Next("2", None))
    assert "s:near" not in await desk.owed()
    await desk.ask(Next("1", None))
    assert "s:near" in await desk.owed()


async def test_a_new_day_knows_no_wish_of_the_old(desk: TimelessDesk) -> None:
    await issue(desk, 2)
    await desk.ask(wish(2))
    await desk.open_day("2026-11-25")
    await desk.ask(Issue(CERTIFICATES, "kiosk"), day="2026-11-25")
    assert await desk.owed() == set()


async def test_the_call_and_the_missed_call_are_told_each_time(desk: TimelessDesk) -> None:
    await issue(desk, 1)
    await desk.ask(wish(1, 1))
    for _ in range(2):
        await desk.ask(Next("2", None))
        await desk.ask(Recall("2", 1))
        await desk.ask(MarkAbsent("2", 1))
        await desk.ask(Return(1))
    assert await desk.owed() == {"s:registered", "s:near", "s:now", "s:missed", "s:now.2", "s:missed.2"}


async def test_of_several_carriers_the_first_is_told_and_each_is_confirmed(desk: TimelessDesk) -> None:
    await issue(desk, 2)
    for carrier in (Carrier.PHONE, Carrier.EMAIL, Carrier.LINE):
        await desk.ask(Wish(2, carrier, 1, "1", str(carrier)))
    registered = {f"{carrier}:registered" for carrier in Carrier}
    # Whoever came first was near already; who came later finds it told.
    assert await desk.owed() == registered | {f"{carrier}:near" for carrier in Carrier}
    await desk.ask(Next("2", None))
    await desk.ask(Next("2", 1))
    assert "line:now" in await desk.owed()
    assert {"email:now", "phone:now"}.isdisjoint(await desk.owed())


async def test_when_the_first_carrier_is_given_up_the_next_is_told(desk: TimelessDesk) -> None:
    await issue(desk, 2)
    for carrier in (Carrier.EMAIL, Carrier.LINE):
        await desk.ask(Wish(2, carrier, 1, "1", str(carrier)))
    await desk.ask(Stop(2, Carrier.LINE, Ending.RESIDENT))
    await desk.ask(Next("2", None))
    await desk.ask(Next("2", 1))
    assert "email:now" in await desk.owed()
    assert "line:now" not in await desk.owed()


async def test_who_walks_for_minutes_is_near_by_the_usual_pace_before_it_can_be_measured(desk: TimelessDesk) -> None:
    desk.move_to(small_office(desk.office.key))
    await issue(desk, 8)
    await desk.ask(Wish(8, EMAIL, 1, "1", "s", minutes=10))
    await desk.ask(Next("2", None))
    await desk.ask(Next("2", 1))
    assert "s:near" not in await desk.owed(), "five ahead are ten minutes"
    await desk.ask(Next("2", 2))
    assert "s:near" in await desk.owed()


async def test_who_stands_where_he_stood_is_told_of_no_jump_however_slow_his_lane(desk: TimelessDesk) -> None:
    desk.move_to(small_office(desk.office.key))
    await issue(desk, 6)
    for current in (None, 1, 2, 3):
        await desk.pass_time(360)
        await desk.ask(Next("2", current))
    await desk.ask(wish(6, 1))
    told = {"s:registered", "s:near"}
    assert await desk.owed() == told, "one ahead, six minutes"
    await issue(desk, 1, MOVES)
    await issue(desk, 1)
    await desk.ask(Sweep())
    assert await desk.owed() == told
    await desk.ask(Next("2", 4))
    assert await desk.owed() == told | {"s:jump"}


async def test_what_time_alone_makes_due_is_found_by_the_next_look_at_the_lane(desk: TimelessDesk) -> None:
    await issue(desk, 2)
    await desk.ask(wish(2, 1))
    await desk.pass_time(LATE_MS // 1000 + 1)
    await issue(desk, 1, MOVES)
    assert "s:delayed" not in await desk.owed()
    await desk.ask(Sweep())
    assert "s:delayed" in await desk.owed()


async def test_a_call_of_one_who_was_held_shows_how_fast_the_lane_goes(desk: TimelessDesk) -> None:
    desk.move_to(small_office(desk.office.key))
    await issue(desk, 7)
    await desk.ask(Next("2", None))
    await desk.ask(Hold("2", 1))
    await desk.ask(Next("2", None))
    await desk.ask(Next("2", 2))
    await desk.ask(Wish(7, EMAIL, 1, "1", "s", minutes=5))
    assert "s:near" not in await desk.owed(), "three ahead are six minutes while nothing is measured"
    await desk.ask(Call("2", 1, 3))
    assert "s:near" in await desk.owed(), "four were called within this minute"


async def test_the_wish_of_the_next_carrier_counts_as_soon_as_the_first_is_given_up(desk: TimelessDesk) -> None:
    await issue(desk, 4)
    await desk.ask(Wish(4, Carrier.LINE, 1, "1", "line"))
    await desk.ask(Wish(4, Carrier.EMAIL, 3, "1", "email"))
    assert await desk.owed() == {"line:registered", "email:registered"}
    await desk.ask(Stop(4, Carrier.LINE, Ending.RESIDENT))
    assert await desk.owed() == {"line:registered", "email:registered", "email:near"}


async def test_a_look_at_every_lane_moves_nobody_and_says_the_same_again(desk: TimelessDesk) -> None:
    await issue(desk, 2)
    await desk.ask(wish(2, 1))
    before, owed = await desk.facts(), await desk.owed()
    for _ in range(2):
        answer = await desk.ask(Sweep(), who="keeper", id="sweep-1")
        assert answer.arrival is None
    assert (await desk.facts(), await desk.owed()) == (before, owed)
