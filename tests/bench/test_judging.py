"""The judge of the desk's bench finds what he is there to find: a good day is good, and each fault has its count."""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from hub.desk import facts, requests
from hub.desk.desk import Desk
from hub.desk.lane import Counter, Lane, Office, Priority, Reason
from hub.desk.refusals import Refusal
from hub.wire import messages as m
from tests.bench.everything import Told
from tests.bench.judging import judge

DAY = "2026-11-24"
OFFICE = Office(
    "ward",
    "区役所",
    (Lane("a", "証明", "A", 1, 999), Lane("b", "異動", "B", 1, 999)),
    (Counter("1", "1番窓口", ("a", "b"), (3, 1)), Counter("2", "2番窓口", ("b", "a"))),
    priorities=(Priority("care", "優先", 3, frozenset({"kiosk"})),),
    reasons=(Reason("unwell", "体調"),),
)


def day() -> Told:
    """Both counters call and put aside at random until nobody waits."""
    chance, desk, told = random.Random(1480), Desk(OFFICE), Told(OFFICE)
    told.facts += desk.open_day(DAY, 0)
    for asked in range(400):
        counter = chance.choice("12")
        current = desk.picture.at_counter.get(counter)
        waiting = [arrival for line in desk.picture.waiting.values() for _, arrival in line] or [0]
        kinds: list[requests.Request] = [
            requests.Next(counter, current),
            requests.Call(counter, chance.choice(waiting), current, "unwell"),
            requests.MarkAbsent(counter, current or 0),
        ]
        if asked < 300:
            kinds += [requests.Issue(lane, "kiosk", priority=key) for lane in "ab" for key in ("", "care")]
        request = chance.choice(kinds) if asked < 300 else requests.Next(counter, current)
        try:
            answer, happened = desk.do(requests.Stamp(DAY, "desk", f"r{asked}"), request, asked)
        except Refusal:
            continue
        told.facts += happened
        if isinstance(request, requests.Next):
            body = m.AnswerBody(answer.arrival, answer.number, answer.lane, answer.state, None, answer.finished)
            told.answers[f"r{asked}"] = (m.Next(f"r{asked}", counter, current), body)
    return told


def test_a_good_day_is_good() -> None:
    verdict = judge(day())
    assert verdict.complaints == []
    assert verdict.calls > 50
    assert verdict.tickets > 50


def test_a_counter_is_judged_by_the_lanes_that_it_serves_today() -> None:
    desk, told = Desk(OFFICE), Told(OFFICE)
    told.facts += desk.open_day(DAY, 0)
    asked: list[requests.Request] = [
        requests.Issue("b", "kiosk"),
        requests.Issue("a", "kiosk"),
        requests.Reassign("2", ("a",)),
        requests.Next("2", None),
        requests.Next("1", None),
    ]
    for place, request in enumerate(asked):
        told.facts += desk.do(requests.Stamp(DAY, "desk", f"r{place}"), request, place)[1]
    assert judge(told).complaints == []
    told.facts = [fact for fact in told.facts if not isinstance(fact, facts.CounterReassigned)]
    assert judge(told).disordered == 1


def another_is_called_instead(told: Told) -> None:
    waiting: list[tuple[int, facts.TicketIssued]] = []
    for place, fact in enumerate(told.facts):
        if isinstance(fact, facts.TicketIssued) and not fact.is_priority:
            waiting.append((place, fact))
        if isinstance(fact, facts.TicketCalled) and not fact.reason and fact.arrival < waiting[-1][1].arrival:
            late = waiting[-1][1]
            told.facts[place] = replace(fact, arrival=late.arrival, number=late.number, lane=late.lane)
            return


def one_is_called_again(told: Told) -> None:
    place = next(place for place, fact in enumerate(told.facts) if isinstance(fact, facts.TicketCalled))
    told.facts.insert(place + 1, replace(told.facts[place], request="another"))


def a_priority_passes_too_many(told: Told) -> None:
    issued = [(place, fact) for place, fact in enumerate(told.facts) if isinstance(fact, facts.TicketIssued)]
    late, ordinary = next(entry for entry in issued[20:] if not entry[1].is_priority)
    told.facts[late] = replace(ordinary, rank=1)


def an_answer_was_never_told(told: Told) -> None:
    told.answers["never"] = (m.Next("never", "1", None), m.AnswerBody(1, "A1", "a", "called", None, None))


def an_answer_names_another(told: Told) -> None:
    request, (asked, body) = next(entry for entry in told.answers.items() if entry[1][1].arrival is not None)
    told.answers[request] = (asked, m.AnswerBody(999, body.number, body.lane, body.state, None, body.finished))


def a_call_has_no_reason_of_the_list(told: Told) -> None:
    called = [(place, fact) for place, fact in enumerate(told.facts) if isinstance(fact, facts.TicketCalled)]
    place, chosen = next(entry for entry in called if entry[1].reason)
    told.facts[place] = replace(chosen, reason="friend")


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (another_is_called_instead, "disordered"),
        (one_is_called_again, "double_calls"),
        (a_priority_passes_too_many, "disordered"),
        (an_answer_was_never_told, "lost"),
        (an_answer_names_another, "double_calls"),
        (a_call_has_no_reason_of_the_list, "unexplained"),
    ],
)
def test_what_went_wrong_is_counted(spoil: Callable[[Told], None], kind: str) -> None:
    told = day()
    spoil(told)
    assert getattr(judge(told), kind) > 0
