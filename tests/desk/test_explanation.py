"""Any order of calls is explained afterwards, ticket by ticket; one that no rule allows is named as such."""

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from hub.desk.chronicle import Chronicle, Passing
from hub.desk.desk import Desk
from hub.desk.explanation import ACROSS, TO_RESIDENT, TO_STAFF, Call, Placed, Reason, Standing, why
from hub.desk.facts import DayClosed, DayOpened, Fact, LaneRenumbered, TicketCalled
from hub.desk.lane import Counter, Office
from hub.desk.refusals import Refusal
from hub.desk.requests import Call as Choose
from hub.desk.requests import (
    Hold,
    Issue,
    MarkAbsent,
    Next,
    PushBack,
    Ready,
    Reassign,
    Request,
    Return,
    Review,
    Stamp,
    TakeBack,
    Transfer,
)
from hub.desk.ticket import State
from tests.model.desks import CERTIFICATES, DAY, DELIVERY, MOVES, NOON, small_office
from tests.wire.transcripts import OFFICE as WEIGHTED
from tests.wire.transcripts import any_request

SECOND = 1000
EQUAL = replace(WEIGHTED, counters=tuple(replace(counter, weights=()) for counter in WEIGHTED.counters))


class Floor:
    """An office at work: what is asked happens, and the chronicle hears of it."""

    def __init__(self, office: Office | None = None) -> None:
        self.desk = Desk(office or small_office())
        self.chronicle = Chronicle(self.desk.office)
        self.told: list[Fact] = []
        self.at = NOON
        self._asked = 0
        self._hear(self.desk.open_day(DAY, self.at))

    def ask(self, *requests: Request) -> None:
        for request in requests:
            self._asked += 1
            self.at += SECOND
            _, told = self.desk.do(Stamp(DAY, "desk", f"r{self._asked}"), request, self.at)
            self._hear(told)

    def issue(self, *lanes: str) -> None:
        self.ask(*(Issue(lane, "desk") for lane in lanes))

    def why(self, arrival: int) -> list[tuple[str, Reason]]:
        """Who went before it, and why."""
        return [(passing.number, passing.reason) for passing in self.chronicle.passed_by(arrival)]

    def _hear(self, told: list[Fact]) -> None:
        self.told += told
        for fact in told:
            self.chronicle.learn(fact)


@pytest.fixture
def floor() -> Floor:
    """Four wait for certificates."""
    floor = Floor()
    floor.issue(*[CERTIFICATES] * 4)
    return floor


def test_who_is_called_in_turn_passes_nobody(floor: Floor) -> None:
    floor.ask(Next("2", None), Next("2", 1), Next("2", 2))
    assert [floor.why(arrival) for arrival in (1, 2, 3, 4)] == [[], [], [], []]
    assert floor.chronicle.fairness().reasons.total() == 0


def test_a_number_of_another_lane_is_no_injustice(floor: Floor) -> None:
    floor.issue(MOVES)
    floor.ask(Next("3", None))
    assert floor.why(1) == [("B401", Reason.ANOTHER_LANE)]
    assert floor.chronicle.fairness().passings == {}


def test_a_chosen_number_passes_those_before_it(floor: Floor) -> None:
    floor.ask(Choose("2", 3, None, "health"))
    assert floor.why(1) == floor.why(2) == [("A103", Reason.CHOSEN)]
    assert floor.why(4) == []
    assert set(floor.chronicle.fairness().passings) == {1, 2}


def test_a_priority_ticket_passes_by_its_rule(floor: Floor) -> None:
    floor.ask(Issue(CERTIFICATES, "desk", priority="care"), Next("2", None), Next("2", 5))
    assert floor.why(1) == [("A105", Reason.PRIORITY)]


def test_who_comes_back_from_absence_is_passed_meanwhile_and_told_why(floor: Floor) -> None:
    floor.ask(Next("2", None), MarkAbsent("2", 1), Return(1))
    floor.ask(Next("2", None), Next("2", 2))
    assert floor.why(1) == [("A102", Reason.YOU_RETURNED), ("A103", Reason.YOU_RETURNED)]
    assert floor.why(4) == []


def test_who_pushed_himself_back_is_passed_by_his_own_wish(floor: Floor) -> None:
    floor.ask(PushBack(1, 2), Next("2", None))
    assert floor.why(1) == [("A102", Reason.YOU_PUSHED_BACK)]


def test_who_is_handed_over_stands_by_arrival_and_says_so_where_it_matters(floor: Floor) -> None:
    floor.issue(MOVES, CERTIFICATES)
    floor.ask(Transfer(5, CERTIFICATES), *(Next("2", current) for current in (None, 1, 2, 3, 4)))
    assert floor.why(6) == []
    assert floor.chronicle.fairness().reasons.total() == 0


def test_who_waits_for_one_counter_is_passed_at_the_others(floor: Floor) -> None:
    floor.ask(Transfer(1, CERTIFICATES, "1"), Next("2", None))
    assert floor.why(1) == [("A102", Reason.KEPT_FOR)]


def test_who_was_held_is_resumed_before_those_who_wait(floor: Floor) -> None:
    floor.ask(Choose("2", 3, None, "paper"), Hold("2", 3))
    floor.ask(Choose("2", 3, None))
    assert floor.why(1) == [("A103", Reason.CHOSEN), ("A103", Reason.RESUMED)]


def test_a_call_that_was_a_mistake_is_void(floor: Floor) -> None:
    floor.ask(Choose("2", 3, None, "paper"), TakeBack("2", 3), Next("2", None))
    assert floor.why(2) == [("A103", Reason.TAKEN_BACK)]
    assert floor.why(3) == []
    assert floor.chronicle.calls[0].call.is_taken_back


def test_two_stages_are_two_waits(floor: Floor) -> None:
    for arrival in (1, 2):
        floor.ask(Next("2", None), Review("2", arrival))
    floor.ask(Ready(2))
    delivery = next(counter.key for counter in floor.desk.office.counters if DELIVERY in counter.lanes)
    floor.ask(Next(delivery, None, (DELIVERY,)))
    assert floor.desk.picture.tickets[2].lane == DELIVERY
    assert floor.why(1) == [], "1 is still with the back office"
    assert len(floor.chronicle.calls_of(2)) == 2
    assert floor.chronicle.called_at(2) == floor.chronicle.calls[-1].at
    assert floor.chronicle.called_at(3) is None


def test_a_call_that_no_rule_allows_is_named(floor: Floor) -> None:
    """The desk would refuse it: a fact that came otherwise is found out."""
    forged = TicketCalled(
        at=floor.at, who="desk", request="x", arrival=3, number="A103", lane=CERTIFICATES, counter="2"
    )
    floor.chronicle.learn(forged)
    assert floor.why(1) == floor.why(2) == [("A103", Reason.UNEXPLAINED)]
    assert floor.chronicle.fairness().unexplained == 2


def test_staff_may_call_from_one_of_several_lanes() -> None:
    floor = Floor()
    floor.issue(CERTIFICATES, MOVES)
    floor.ask(Next("1", None, (MOVES,)))
    assert floor.why(1) == [("B401", Reason.LANE_CHOSEN)]


def test_a_call_is_explained_by_the_lanes_that_its_counter_served_then() -> None:
    floor = Floor()
    floor.issue(MOVES, CERTIFICATES, CERTIFICATES, CERTIFICATES)
    floor.ask(Next("2", None), Reassign("2", (CERTIFICATES, MOVES)), Next("2", 2, (CERTIFICATES,)))
    floor.ask(Reassign("2", (CERTIFICATES,)), Next("2", 3))
    assert floor.why(1) == [
        ("A101", Reason.ANOTHER_LANE),
        ("A102", Reason.LANE_CHOSEN),
        ("A103", Reason.ANOTHER_LANE),
    ]


def test_the_next_day_a_counter_serves_again_what_the_office_says() -> None:
    floor = Floor()
    floor.ask(Reassign("2", (CERTIFICATES, MOVES)))
    morning = Floor()
    morning.issue(MOVES, CERTIFICATES)
    morning.ask(Next("2", None))
    for fact in morning.told:
        floor.chronicle.learn(fact)
    assert floor.why(1) == [("A101", Reason.ANOTHER_LANE)]


def test_a_lane_that_is_renumbered_keeps_its_reasons(floor: Floor) -> None:
    for _ in range(40):
        first = floor.desk.picture.waiting[CERTIFICATES][0][1]
        floor.ask(Next("2", None), MarkAbsent("2", first), Return(first))
    assert any(isinstance(fact, LaneRenumbered) for fact in floor.told)
    reasons = floor.chronicle.fairness().reasons
    assert set(reasons) == {Reason.YOU_RETURNED}


def test_a_day_with_a_gap_explains_what_is_left_of_it(floor: Floor) -> None:
    floor.ask(PushBack(1, 2), Next("2", None))
    chronicle = Chronicle(floor.desk.office)
    for fact in floor.told[2:]:  # neither the opening nor the first number is there
        chronicle.learn(fact)
    assert chronicle.passed_by(1) == []
    assert chronicle.numbers[2] == "A102"


def test_a_closed_day_explains_what_it_knew_and_a_new_one_begins_empty(floor: Floor) -> None:
    floor.ask(Choose("2", 2, None, "health"))
    floor.chronicle.learn(DayClosed(at=floor.at, who="keeper", request="", day=DAY))
    assert floor.why(1) == [("A102", Reason.CHOSEN)]
    floor.chronicle.learn(DayOpened(at=floor.at, who="keeper", request="", day="2026-11-25"))
    assert floor.chronicle.calls == []


def test_a_copy_is_not_changed_by_what_happens_later(floor: Floor) -> None:
    copy = floor.chronicle.copy()
    floor.ask(Choose("2", 2, None, "health"))
    assert copy.passed_by(1) == []
    assert [passing.passed for passing in floor.chronicle.passed_at(0)] == [1]


def test_a_copy_learns_on_as_the_first_would_have() -> None:
    floor = Floor()
    floor.issue(MOVES, CERTIFICATES)
    floor.ask(Reassign("2", (CERTIFICATES, MOVES)))
    copy, heard = floor.chronicle.copy(), len(floor.told)
    floor.ask(Next("2", None, (CERTIFICATES,)))
    for fact in floor.told[heard:]:
        copy.learn(fact)
    assert [passing.reason for passing in copy.passed_by(1)] == [Reason.LANE_CHOSEN]
    assert copy.passed_by(1) == floor.chronicle.passed_by(1)


@pytest.mark.parametrize("seed", range(16))
def test_every_order_of_a_random_day_is_explained(seed: int) -> None:
    """Whatever is asked: nothing is unexplained, and nobody who was passed within his lane is forgotten."""
    chance, floor = random.Random(seed), Floor(WEIGHTED if seed % 2 else EQUAL)
    passed: set[tuple[int, int]] = set()  # (call, arrival), by the picture before each call
    for _ in range(1500):
        before, known = floor.desk.picture, len(floor.told)
        waiting = {t.arrival: t for t in before.in_state(State.WAITING)}
        try:
            floor.ask(any_request(chance, floor.desk))
        except Refusal:
            continue
        for fact in floor.told[known:]:
            if isinstance(fact, TicketCalled):
                lane = {a for a, t in waiting.items() if t.lane == fact.lane and a < fact.arrival}
                passed |= {(len(floor.chronicle.calls) - 1, arrival) for arrival in lane}
    explained = set(_within(floor.chronicle))
    assert floor.chronicle.fairness().unexplained == 0
    assert passed <= {(place, passing.passed) for place, passing in explained}
    assert len(floor.chronicle.calls) > 100, "a day in which nobody is called explains nothing"
    assert passed, "and one in which everybody was called in turn explains little"


def _within(chronicle: Chronicle) -> Iterator[tuple[int, Passing]]:
    for place in range(len(chronicle.calls)):
        for passing in chronicle.passed_at(place):
            if passing.reason not in ACROSS:
                yield place, passing


STANDS = Standing(5, "a", 500)
CALL = Call(Standing(9, "a", 400), "1", ("a", "b"))


@pytest.mark.parametrize(
    ("they", "you", "reason"),
    [
        ({Placed.RETURNED}, set(), Reason.THEY_RETURNED),
        ({Placed.TRANSFERRED}, set(), Reason.TRANSFERRED),
        ({Placed.READY}, set(), Reason.READY),
        (set(), {Placed.READY}, Reason.READY),
        ({Placed.CHECKED_IN}, set(), Reason.CHECKED_IN),
        ({Placed.PUT_BACK}, set(), Reason.PUT_BACK),
        ({Placed.BY_PRIORITY, Placed.RETURNED}, set(), Reason.PRIORITY),
        ({Placed.BY_PRIORITY}, {Placed.RETURNED}, Reason.YOU_RETURNED),
        (set(), set(), Reason.UNEXPLAINED),
    ],
)
def test_within_a_lane_the_first_cause_that_fits_is_told(they: set[Placed], you: set[Placed], reason: Reason) -> None:
    call = replace(CALL, who=replace(CALL.who, placed=frozenset(they)))
    assert why(call, replace(STANDS, placed=frozenset(you))) is reason


def test_across_lanes_only_a_counter_of_both_owes_a_reason() -> None:
    first, later = replace(STANDS, lane="b", rank=300), replace(STANDS, lane="b", arrival=12)
    assert why(CALL, first) is Reason.LANE_CHOSEN
    assert why(replace(CALL, turn=3), first) is Reason.TURN
    assert why(replace(CALL, chosen="health"), first) is Reason.ANOTHER_LANE
    assert why(CALL, replace(first, for_counter="7")) is Reason.ANOTHER_LANE
    assert why(replace(CALL, lanes=("a",)), first) is Reason.ANOTHER_LANE
    assert why(CALL, replace(STANDS, lane="b")) is Reason.ANOTHER_LANE
    assert why(CALL, later) is None


def test_every_reason_has_its_words() -> None:
    assert set(TO_RESIDENT) == set(TO_STAFF) == set(Reason)
    assert all(sentence.endswith("。") for sentence in TO_RESIDENT.values())


def test_a_counter_that_the_office_has_no_more_served_what_it_called(floor: Floor) -> None:
    chronicle = Chronicle(replace(floor.desk.office, counters=(Counter("9", "9番窓口", (MOVES,)),)))
    floor.ask(Next("2", None))
    for fact in floor.told:
        chronicle.learn(fact)
    assert list(chronicle.calls[0].call.lanes) == [CERTIFICATES]
