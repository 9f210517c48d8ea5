"""Each way of breaking a good day turns the right count red."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from config.practice.checks import judge
from config.practice.recording import Visitor
from hub.desk import requests
from hub.wire import messages as m
from tests.practice.histories import Told, good_day, place_of, reds

Break = Callable[[Told], None]


def called_twice(told: Told) -> None:
    place = place_of(told, m.TicketCalled, 3)
    told.facts[place[0], 1] = replace(told.facts[place], counter="2")


def called_twice_by_answers(told: Told) -> None:
    called = next(entry for entry in told.answers if isinstance(entry[0], m.Next) and entry[1].arrival == 3)
    told.answers.append(called)


def issued_twice(told: Told) -> None:
    told.facts[99, 0] = told.facts[place_of(told, m.TicketIssued, 1)]


def two_customers_hold_one_ticket(told: Told) -> None:
    told.visitors.append(told.visitors[0])


def a_number_of_nobody(told: Told) -> None:
    del told.visitors[0]


def the_same_number_twice(told: Told) -> None:
    place = place_of(told, m.TicketIssued, 6)
    told.facts[place] = replace(told.facts[place], number="A101")


def a_ticket_never_heard_of(told: Told) -> None:
    told.visitors.append(Visitor(7, "A106", "certificates"))


def a_customer_never_answered(told: Told) -> None:
    told.visitors.append(Visitor(None))


def a_hole_in_arrivals(told: Told) -> None:
    told.facts[99, 0] = m.TicketIssued("", "", 0, "moves", {}, 8, "B202", 8 << 20)
    told.facts[99, 1] = m.TicketCancelled("", "", 0, "moves", {}, 8, "B202")
    told.visitors.append(Visitor(8, "B202", "moves"))


def waits_to_the_end(told: Told) -> None:
    told.issue()


def is_called_to_the_end(told: Told) -> None:
    told.issue("moves")
    told.next("2")


def answered_served_but_is_not(told: Told) -> None:
    told.answers.append((m.Done("x", "2", 6), m.AnswerBody(6, "B201", "moves", "served", None, None)))


def stands_nowhere_any_more(told: Told) -> None:
    told.issue()
    told.photograph(since=(told.clock, 0))
    photo = told.photographs[-1]
    empty = [replace(lane, queue=[]) for lane in photo.snapshot.lanes]
    told.photographs[-1] = type(photo)(photo.place, photo.since, replace(photo.snapshot, lanes=empty))
    del told.answers[-1]


def called_out_of_order(told: Told) -> None:
    swap(told, place_of(told, m.TicketCalled, 3), place_of(told, m.TicketCalled, 2), "arrival", "number")


def a_later_rank_first(told: Told) -> None:
    place = place_of(told, m.TicketIssued, 3)
    told.facts[place] = replace(told.facts[place], rank=100 << 20)


def a_counter_of_another_lane(told: Told) -> None:
    place = place_of(told, m.TicketCalled, 6)
    told.facts[place] = replace(told.facts[place], counter="1")


def a_counter_with_two(told: Told) -> None:
    place = place_of(told, m.TicketCalled, 5)
    told.facts[place] = replace(told.facts[place], counter="2")
    del told.facts[place_of(told, m.TicketServed, 2)]


def a_band_that_jumps(told: Told) -> None:
    renumber(told, 5, "A107")


def a_band_that_wraps(told: Told) -> None:
    renumber(told, 5, "A100")


def a_band_of_another_prefix(told: Told) -> None:
    renumber(told, 5, "Z105")


def a_number_that_is_none(told: Told) -> None:
    renumber(told, 5, "five")


def another_number_on_the_paper(told: Told) -> None:
    told.visitors[0] = Visitor(1, "A199", "certificates")


def another_number_on_the_wall(told: Told) -> None:
    place = place_of(told, m.TicketRecalled)
    told.facts[place] = replace(told.facts[place], number="A109")


def a_move_that_the_table_forbids(told: Told) -> None:
    told.facts[99, 0] = m.TicketServed("", "", 0, "certificates", {}, 4, "A104", "1")


def a_fact_about_nobody(told: Told) -> None:
    told.facts[0, 1] = m.TicketCancelled("", "", 0, "certificates", {}, 1, "A101")


def transferred_from_elsewhere(told: Told) -> None:
    place = place_of(told, m.TicketTransferred)
    told.facts[place] = replace(told.facts[place], from_lane="moves")


def back_from_the_end(told: Told) -> None:
    told.photograph(since=(told.clock, 0))
    photo = told.photographs[-1]
    missed = [*photo.snapshot.missed, m.MissedNumber(1, "A101", "certificates", "1", 0)]
    told.photographs[-1] = type(photo)(photo.place, photo.since, replace(photo.snapshot, missed=missed))


def waits_again_without_a_return(told: Told) -> None:
    told.issue()
    told.photograph(since=(told.clock, 0))
    told.facts[told.clock, 1] = m.TicketCalled("", "", 0, "certificates", {}, 7, "A106", "1")
    photo = told.photographs[-1]
    told.photographs[-1] = type(photo)((told.clock, 2), photo.since, photo.snapshot)
    told.next()
    told.do(requests.Done("1", 7))


def renumbered_in_another_order(told: Told) -> None:
    told.facts[6, 1] = m.LaneRenumbered("", "", 0, "certificates", {}, {"1": 5, "2": 4, "3": 6, "4": 7, "5": 8})


def two_tales(told: Told) -> None:
    told.contradictions.append("two tales")


def refused_without_reason(told: Told) -> None:
    told.visitors.append(Visitor(None, refusal="UnknownLane"))


def swap(told: Told, one: tuple[int, int], other: tuple[int, int], *fields: str) -> None:
    first, second = told.facts[one], told.facts[other]
    told.facts[one] = replace(first, **{name: getattr(second, name) for name in fields})
    told.facts[other] = replace(second, **{name: getattr(first, name) for name in fields})


def renumber(told: Told, arrival: int, number: str) -> None:
    """Give a ticket another number everywhere."""
    for place, fact in told.facts.items():
        if getattr(fact, "arrival", None) == arrival:
            told.facts[place] = replace(fact, number=number)
    told.visitors[arrival - 1] = Visitor(arrival, number, "certificates")


@pytest.mark.parametrize(
    ("break_it", "red"),
    [
        (called_twice, "doubled"),
        (called_twice_by_answers, "doubled"),
        (issued_twice, "doubled"),
        (two_customers_hold_one_ticket, "doubled"),
        (a_number_of_nobody, "doubled"),
        (the_same_number_twice, "doubled"),
        (a_ticket_never_heard_of, "lost"),
        (a_customer_never_answered, "lost"),
        (a_hole_in_arrivals, "lost"),
        (waits_to_the_end, "lost"),
        (is_called_to_the_end, "lost"),
        (answered_served_but_is_not, "lost"),
        (stands_nowhere_any_more, "lost"),
        (called_out_of_order, "disordered"),
        (a_later_rank_first, "disordered"),
        (a_counter_of_another_lane, "unexplained"),
        (a_counter_with_two, "unexplained"),
        (a_band_that_jumps, "unexplained"),
        (a_band_that_wraps, "unexplained"),
        (a_band_of_another_prefix, "unexplained"),
        (a_number_that_is_none, "unexplained"),
        (another_number_on_the_paper, "unexplained"),
        (another_number_on_the_wall, "unexplained"),
        (a_move_that_the_table_forbids, "unexplained"),
        (a_fact_about_nobody, "unexplained"),
        (transferred_from_elsewhere, "unexplained"),
        (back_from_the_end, "unexplained"),
        (waits_again_without_a_return, "unexplained"),
        (renumbered_in_another_order, "unexplained"),
        (two_tales, "unexplained"),
        (refused_without_reason, "unexplained"),
    ],
)
def test_a_broken_day_turns_red(break_it: Break, red: str) -> None:
    told = good_day()
    break_it(told)
    findings = judge(told.history())
    assert red in reds(findings), findings
    assert not findings.is_good
    assert findings.complaints
