"""The promise to whoever waits in a lane without priority, over random days: how many pass him, at the most."""

import itertools
from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.desk.desk import Desk
from hub.desk.facts import CallTakenBack, TicketCalled, TicketIssued, TicketReturned, TicketTransferred
from hub.desk.lane import Counter, Lane, Office, Priority, PushBacks, Reason
from hub.desk.refusals import Refusal
from hub.desk.requests import (
    Call,
    Cancel,
    Hold,
    Issue,
    MarkAbsent,
    Next,
    PushBack,
    Request,
    Return,
    Stamp,
    TakeBack,
    Transfer,
)

DAY = "2026-11-24"
EVERY = 3
OFFICE = Office(
    key="ward",
    name="区役所",
    lanes=(Lane("a", "証明", "A", 1, 9999), Lane("b", "異動", "B", 1, 9999)),
    counters=(Counter("1", "1番窓口", ("a",)), Counter("2", "2番窓口", ("a",)), Counter("3", "3番窓口", ("a", "b"))),
    priorities=(Priority("care", "優先", EVERY, frozenset({"desk"})), Priority("rare", "予約", 5, frozenset({"desk"}))),
    reasons=(Reason("chosen", "お待ちになれない方"),),
    push_backs=PushBacks(times=9, places=3),
)

# Kinds of request with how often they come; more wishes for priority than any office would see.
KINDS = ["issue"] * 6 + ["priority"] * 5 + ["rare"] + ["next"] * 6 + ["cancel", "absent", "return", "transfer"]
KINDS += ["take_back", "hold", "call", "push_back"]


def requests(desk: Desk, kind: str, place: int) -> Request:
    lane, counter = ("a", "a", "b")[place % 3], str(place % 3 + 1)
    current = desk.picture.at_counter.get(counter)
    ticket = place % (desk.picture.last_arrival + 1)
    match kind:
        case "issue":
            return Issue(lane, "kiosk")
        case "priority":
            return Issue(lane, "desk", priority="care")
        case "rare":
            return Issue(lane, "desk", priority="rare")
        case "next":
            return Next(counter, current)
        case "cancel":
            return Cancel(ticket)
        case "absent":
            return MarkAbsent(counter, current or 0)
        case "return":
            return Return(ticket)
        case "take_back":
            return TakeBack(counter, current or 0)
        case "hold":
            return Hold(counter, current or 0)
        case "call":
            return Call(counter, ticket, current, "chosen")
        case "push_back":
            return PushBack(ticket, 1 + place % 3)
        case _:
            return Transfer(ticket, "b" if lane == "a" else "a")


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 10_000)), min_size=40, max_size=150))
def test_nobody_is_passed_by_more_priority_tickets_than_the_rule_says(asked: list[tuple[str, int]]) -> None:
    """1 + ⌊n / (every − 1)⌋, n being the ordinary tickets that stood before him at any time, each time anew."""
    desk = Desk(OFFICE)
    desk.open_day(DAY, at=0)
    numbers = itertools.count()
    stints: dict[int, int] = defaultdict(int)  # ticket → how often it came to wait
    before: dict[int, set[tuple[int, int]]] = defaultdict(set)  # who waits → ordinary ones that ever stood before him
    passing: dict[int, set[int]] = defaultdict(set)  # who waits → priority tickets given later that stand before
    passed: dict[int, set[int]] = defaultdict(set)  # who waits → those of them that were called before him
    for kind, place in asked:
        try:
            _, told = desk.do(Stamp(DAY, "desk", f"r{next(numbers)}"), requests(desk, kind, place), at=0)
        except Refusal:
            continue
        tickets, waiting = desk.picture.tickets, desk.picture.waiting
        for fact in told:
            if isinstance(fact, TicketIssued | TicketReturned | TicketTransferred | CallTakenBack):
                stints[fact.arrival] += 1
            if isinstance(fact, TicketTransferred):  # in another lane it begins anew
                for known in (before, passing, passed):
                    known.pop(fact.arrival, None)
            if isinstance(fact, TicketIssued) and fact.is_priority:
                place_of_it = [arrival for _, arrival in waiting[fact.lane]].index(fact.arrival)
                for _, behind in waiting[fact.lane][place_of_it + 1 :]:
                    passing[behind].add(fact.arrival)
            if isinstance(fact, TicketCalled) and not fact.reason:  # whom staff chose, no rule let pass
                for waits in [arrival for _, arrival in waiting.get(fact.lane, ())]:
                    passed[waits] |= passing[waits] & {fact.arrival}
        for line in waiting.values():
            ordinary: set[tuple[int, int]] = set()
            for _, arrival in line:
                if not tickets[arrival].is_priority:
                    before[arrival] |= ordinary
                    ordinary.add((arrival, stints[arrival]))
                    assert len(passed[arrival]) <= 1 + len(before[arrival]) // (EVERY - 1), arrival
        for arrival, ticket in tickets.items():
            if ticket.state != "waiting":
                passing.pop(arrival, None)
                passed.pop(arrival, None)
                before.pop(arrival, None)


@given(st.integers(2, 6), st.integers(1, 40))
def test_with_both_always_waiting_every_kth_call_is_one_of_priority(every: int, calls: int) -> None:
    desk = Desk(
        Office(
            "ward",
            "区役所",
            OFFICE.lanes,
            OFFICE.counters,
            priorities=(Priority("p", "優先", every, frozenset({"desk"})),),
        )
    )
    desk.open_day(DAY, at=0)
    numbers = itertools.count()

    def ask(request: Request) -> int:
        return desk.do(Stamp(DAY, "desk", f"r{next(numbers)}"), request, at=0)[0].arrival or 0

    for _ in range(calls * 2):
        ask(Issue("a", "kiosk"))
    for _ in range(calls):
        ask(Issue("a", "desk", priority="p"))
    current: int | None = None
    row: list[bool] = []
    for _ in range(calls):
        current = ask(Next("1", current))
        row.append(desk.picture.tickets[current].is_priority)
    assert row == [place % every == 0 for place in range(calls)]
