"""The checks of a day: a good one passes, what is no fault is none, and the recording that they judge."""

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from config.practice.checks import judge
from config.practice.recording import Recording, Visitor
from hub.desk import requests
from hub.wire import messages as m
from hub.wire.client_side import Screen
from tests.practice.histories import DAY, Told, good_day, place_of, reds


def test_a_good_day_is_good_and_every_ticket_is_accounted_for() -> None:
    findings = judge(good_day().history())
    assert findings.complaints == []
    assert findings.is_good
    assert (findings.tickets, findings.calls, findings.recalls) == (6, 7, 1)
    assert (findings.absent, findings.returned, findings.transferred) == (2, 1, 1)
    assert (findings.served, findings.cancelled, findings.closed_out) == (4, 1, 1)
    assert findings.unheard == 0


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


def test_of_who_moved_back_unheard_nobody_can_say_why_he_was_passed() -> None:
    told = Told()
    told.photograph(None)
    for _ in range(2):
        told.issue()
    heard = told.clock
    told.next()
    told.do(requests.MarkAbsent("1", 1))
    told.do(requests.Return(1))
    told.photograph(since=(heard, 0))
    unheard = range(heard + 1, told.clock + 1)
    assert told.next() == 2
    told.next("1", 2)
    told.do(requests.Done("1", 1))
    told.facts = {place: fact for place, fact in told.facts.items() if place[0] not in unheard}
    for arrival in (1, 2):  # as staff hear it
        place = place_of(told, m.TicketIssued, arrival)
        told.facts[place] = replace(told.facts[place], priority="")
    assert judge(told.history()).complaints == []


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
