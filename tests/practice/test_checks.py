"""The checks of a day: a good one passes, and each way of breaking it turns the right count red."""

from collections.abc import Callable

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from config.practice.checks import judge
from config.practice.recording import Recording, Visitor
from config.practice.retelling import Findings
from hub.desk import requests
from hub.wire import messages as m
from hub.wire.client_side import Screen
from tests.practice.histories import DAY, Told, good_day

Break = Callable[[Told], None]


def place_of(told: Told, kind: type[m.AnyFact], arrival: int | None = None) -> tuple[int, int]:
    return next(
        place
        for place, fact in told.facts.items()
        if isinstance(fact, kind) and arrival in (None, getattr(fact, "arrival", None))
    )


def reds(findings: Findings) -> dict[str, int]:
    counts = {name: getattr(findings, name) for name in ("lost", "doubled", "disordered", "unexplained")}
    return {name: count for name, count in counts.items() if count}


def test_a_good_day_is_good_and_every_ticket_is_accounted_for() -> None:
    findings = judge(good_day().history())
    assert findings.complaints == []
    assert findings.is_good
    assert (findings.tickets, findings.calls, findings.recalls) == (6, 7, 1)
    assert (findings.absent, findings.returned, findings.transferred) == (2, 1, 1)
    assert (findings.served, findings.cancelled, findings.closed_out) == (4, 1, 1)
    assert findings.unheard == 0


# Each breaks a good day in one way --------------------------------------------------------------------------------


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


# What is no fault ---------------------------------------------------------------------------------------------------


def test_who_waits_when_the_office_day_closes_is_closed_out() -> None:
    told = good_day()
    told.issue()
    told.is_closed = True
    told.visitors.append(Visitor(None, refusal="closed"))
    findings = judge(told.history())
    assert reds(findings) == {}
    assert (findings.closed_out, findings.turned_away) == (2, 1)


def test_a_band_that_is_used_up_turns_residents_away() -> None:
    told = good_day()
    told.visitors.append(Visitor(None, refusal="LaneExhausted"))
    findings = judge(told.history())
    assert findings.is_good
    assert findings.turned_away == 1


def test_in_a_shared_office_the_numbers_of_others_are_no_fault() -> None:
    told = good_day()
    told.issue()
    del told.visitors[-1]
    told.is_shared = True
    findings = judge(told.history())
    assert reds(findings) == {}
    assert findings.strangers == 1


def test_a_counter_serves_other_lanes_from_the_moment_that_it_is_told() -> None:
    told = Told()
    told.issue("moves")
    told.do(requests.Reassign("1", ("moves",)))
    told.next("1")
    told.do(requests.Done("1", 1))
    assert judge(told.history()).complaints == []
    told.facts[told.clock + 1, 0] = told.facts.pop(place_of(told, m.CounterReassigned))
    assert reds(judge(told.history())) == {"unexplained": 1}


def test_which_lanes_a_counter_serves_is_known_from_a_photograph_too() -> None:
    told = Told()
    told.issue("moves")
    told.do(requests.Reassign("1", ("moves",)))
    told.photograph((told.clock - 1, 0))
    told.next("1")
    told.do(requests.Done("1", 1))
    del told.facts[place_of(told, m.CounterReassigned)]
    assert judge(told.history()).complaints == []


def test_renumbering_that_keeps_the_order_is_no_fault() -> None:
    told = good_day()
    told.facts[6, 1] = m.LaneRenumbered("", "", 0, "certificates", {}, {"1": 4, "2": 5, "3": 6, "4": 7, "5": 8})
    assert reds(judge(told.history())) == {}


@pytest.mark.parametrize("first_unheard", range(1, 18))
@pytest.mark.parametrize("moves", [1, 3, 18])
@pytest.mark.parametrize("shown", [(None,), ("certificates", "moves"), ("moves", "certificates")])
def test_facts_that_nobody_was_told_are_bridged_by_photographs_and_answers(
    first_unheard: int, moves: int, shown: tuple[str | None, ...]
) -> None:
    whole = good_day()
    told = Told()
    told.photograph(None)
    last = min(first_unheard + moves - 1, len(whole.facts))
    replay(told, until=last)
    for lane in shown:
        told.photograph(since=(first_unheard - 1, 0), lane=lane)
    replay(told, until=99)
    told.facts = {place: fact for place, fact in whole.facts.items() if not first_unheard <= place[0] <= last}
    findings = judge(told.history())
    assert reds(findings) == {}, findings
    assert findings.tickets == 6
    assert (findings.served, findings.cancelled, findings.closed_out) == (4, 1, 1)


def replay(told: Told, until: int) -> None:
    """Do again what a good day did, up to that many facts."""
    for request in list(GOOD_REQUESTS[len(told.answers) :]):
        if told.clock >= until:
            return
        told.do(request)


GOOD_REQUESTS: list[requests.Request] = [
    *[requests.Issue("certificates", "kiosk") for _ in range(5)],
    requests.Issue("moves", "kiosk"),
    requests.Next("1", None),
    requests.Next("1", 1),
    requests.Recall("1", 2),
    requests.MarkAbsent("1", 2),
    requests.Next("1", None),
    requests.Return(2),
    requests.Cancel(4),
    requests.Next("1", 3),
    requests.Transfer(5, "moves"),
    requests.Next("2", None),
    requests.Next("2", 5),
    requests.Done("2", 2),
    requests.Next("2", None),
    requests.MarkAbsent("2", 6),
    requests.Next("2", None),
]


# The recording ------------------------------------------------------------------------------------------------------


def issued(position: str, **changes: object) -> m.TicketIssued:
    fact = m.TicketIssued(position, position, 5, "certificates", {"certificates": 1}, 1, "A101", 1 << 20)
    return replace(fact, **changes)


def screen_of(day: str, topic: str = "desk") -> Screen:
    screen = Screen()
    screen.hear(m.Snapshot(topic, "e:1-0", 0, day, "ward", [], [], [], []))
    return screen


def test_one_fact_on_two_topics_is_one_fact_with_its_rank() -> None:
    recording, screen = Recording(DAY), screen_of(DAY)
    recording.hear(screen, issued("e:2-0", rank=UNSET))
    recording.hear(screen, issued("f:2-0", prev="f:1-0", waiting={}))
    recording.hear(screen, issued("e:2-0", rank=UNSET))
    assert list(recording.facts) == [(2, 0)]
    assert recording.facts[2, 0] == replace(issued(""), waiting={})
    assert recording.contradictions == []


@pytest.mark.parametrize("other", [{"number": "A102"}, {"rank": 3}, {"at": 6}])
def test_two_tales_of_one_place_are_a_contradiction(other: dict[str, object]) -> None:
    recording, screen = Recording(DAY), screen_of(DAY)
    recording.hear(screen, issued("e:2-0"))
    recording.hear(screen, issued("e:2-0", **other))
    assert len(recording.contradictions) == 1


def test_of_the_lanes_of_a_counter_the_desk_alone_is_told_all() -> None:
    recording, told = Recording(DAY), m.CounterReassigned("e:2-0", "e:1-0", 5, "2", ["certificates"], [])
    recording.hear(screen_of(DAY, "lanes/certificates"), told)
    assert recording.facts == {}
    whole = replace(told, lanes=["certificates", "moves"])
    recording.hear(screen_of(DAY), whole)
    recording.hear(screen_of(DAY, "lanes/certificates"), told)
    assert recording.facts == {(2, 0): replace(whole, position="", prev="")}
    assert recording.contradictions == []


def test_what_is_heard_of_another_day_is_left_out() -> None:
    recording = Recording(DAY)
    recording.hear(screen_of("2026-11-25"), issued("e:2-0"))
    assert recording.facts == {}


def test_a_photograph_knows_where_its_listener_stood_before() -> None:
    recording, screen = Recording(DAY), screen_of(DAY)
    for position in ("e:1-0", "f:9-2"):
        snapshot = m.Snapshot("desk", position, 0, DAY, "ward", [], [], [], [])
        screen.hear(snapshot)
        recording.hear(screen, snapshot)
    assert [(photo.place, photo.since) for photo in recording.photographs] == [((1, 0), None), ((9, 2), (1, 0))]
