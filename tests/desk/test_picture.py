"""What a picture refuses to believe, and what closing the day does to it."""

from dataclasses import replace
from typing import Any

import pytest

from hub.desk import facts
from hub.desk.order import first_rank
from hub.desk.picture import DoesNotFit, Picture
from hub.desk.ticket import State

STAMP: dict[str, Any] = {"at": 5, "who": "desk", "request": "r"}


def issued(arrival: int, lane: str = "certificates") -> facts.TicketIssued:
    return facts.TicketIssued(
        **STAMP, arrival=arrival, number=f"A{100 + arrival}", lane=lane, rank=first_rank(arrival), source="kiosk"
    )


def called(arrival: int, counter: str = "1") -> facts.TicketCalled:
    return facts.TicketCalled(
        **STAMP, arrival=arrival, number=f"A{100 + arrival}", lane="certificates", counter=counter
    )


@pytest.fixture
def picture() -> Picture:
    """1 called at counter 1; 2 and 3 wait."""
    picture = Picture()
    for fact in (facts.DayOpened(**STAMP, day="2026-11-24"), issued(1), issued(2), issued(3), called(1)):
        picture.apply(fact)
    return picture


def test_people_ahead_are_those_with_a_smaller_rank(picture: Picture) -> None:
    assert picture.ahead(picture.tickets[2]) == 0
    assert picture.ahead(picture.tickets[3]) == 1
    assert picture.count("certificates") == 2
    assert picture.count("moves") == 0
    assert picture.first("moves", "1") is None


def test_tickets_of_a_state_come_in_order_of_rank(picture: Picture) -> None:
    assert [ticket.arrival for ticket in picture.in_state(State.WAITING)] == [2, 3]


def test_closing_the_day_lets_everything_unfinished_lapse(picture: Picture) -> None:
    picture.apply(facts.TicketServed(**STAMP, arrival=1, number="A101", lane="certificates", counter="1"))
    picture.apply(facts.DayClosed(**STAMP, day="2026-11-24"))
    assert [ticket.state for ticket in picture.tickets.values()] == [State.SERVED, State.LAPSED, State.LAPSED]
    assert picture.count("certificates") == 0
    assert picture.at_counter == {}


def test_a_new_day_knows_nothing_of_the_old(picture: Picture) -> None:
    picture.apply(facts.DayOpened(**STAMP, day="2026-11-25"))
    assert picture == Picture("2026-11-25")
    assert picture.last_arrival == 0


def test_pictures_differ_from_other_things(picture: Picture) -> None:
    assert picture != "a picture"


@pytest.mark.parametrize(
    "lie",
    [
        issued(5),  # 4 is missing
        issued(3),
        called(9),
        called(2),  # counter 1 has ticket 1
        facts.TicketReturned(**STAMP, arrival=2, number="A102", lane="certificates", rank=1),
        facts.TicketTransferred(**STAMP, arrival=2, number="A102", lane="seal", from_lane="moves", rank=1),
        facts.LaneRenumbered(**STAMP, lane="certificates", ranks={2: first_rank(4)}),
        facts.LaneRenumbered(**STAMP, lane="moves", ranks={2: 10}),
    ],
)
def test_a_fact_that_contradicts_the_picture_is_not_believed(picture: Picture, lie: facts.Fact) -> None:
    with pytest.raises(DoesNotFit):
        picture.apply(lie)


def test_two_tickets_cannot_stand_at_one_counter(picture: Picture) -> None:
    with pytest.raises(DoesNotFit):
        picture.place(replace(picture.tickets[1], arrival=4))


def test_renumbering_keeps_the_order(picture: Picture) -> None:
    picture.apply(facts.LaneRenumbered(**STAMP, lane="certificates", ranks={2: 10, 3: 20}))
    assert picture.waiting["certificates"] == [(10, 2), (20, 3)]
    assert picture.tickets[2].rank == 10
