"""A day's waiting and calling, kept so that any order can be explained: who stood where while which calls were made.

Feed it the facts of a day in order. It decides nothing and forgets nothing until the day is over; a fact costs the same
however many wait, and what one ticket was passed by is found among the calls of its own wait.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from hub.desk import facts
from hub.desk.explanation import ACROSS, Call, Placed, Reason, Standing, why
from hub.desk.facts import Fact
from hub.desk.lane import Office
from hub.desk.ticket import State


@dataclass(slots=True)
class Stint:
    """One stretch of waiting at one place: through the calls `begun` … before `ended` (None: it lasts)."""

    standing: Standing
    begun: int
    ended: int | None = None


@dataclass(slots=True)
class Calling:
    """One call of the day: `at` in office time, epoch milliseconds; `waited_ms` since it last began to wait."""

    call: Call
    number: str
    at: int
    waited_ms: int


@dataclass(frozen=True, slots=True)
class Passing:
    """`number` was called before `passed`, and why."""

    arrival: int
    number: str
    counter: str
    at: int
    passed: int
    reason: Reason


@dataclass(slots=True)
class Fairness:
    """A day in figures. `passings`: within a lane, by the number that was passed; `across`: how many by other lanes."""

    calls: int = 0
    waited: int = 0  # tickets that waited at all
    reasons: Counter[Reason] = field(default_factory=Counter)
    passings: dict[int, list[Passing]] = field(default_factory=dict)

    @property
    def unexplained(self) -> int:
        return self.reasons[Reason.UNEXPLAINED]


class Chronicle:
    """Of one office. A call is judged by the lanes that its counter served then; one that the office has no more served
    those that were called from it.
    """

    def __init__(self, office: Office) -> None:
        self._office = office
        self._reset()

    def _reset(self) -> None:
        """A new day knows nothing of the old."""
        self.calls: list[Calling] = []
        self.numbers: dict[int, str] = {}  # arrival → number
        self._lanes_of = {counter.key: counter.lanes for counter in self._office.counters}
        self._stints: dict[int, list[Stint]] = {}
        self._since: dict[int, int] = {}  # arrival → office time at which its present wait began
        self._latest: dict[int, int] = {}  # arrival → its latest call

    def learn(self, fact: Fact) -> None:
        match fact:
            case facts.DayOpened():
                self._reset()
            case facts.DayClosed():
                for arrival in self._stints:
                    self._end(arrival)
            case facts.LaneRenumbered():
                for arrival, rank in fact.ranks.items():
                    self._go_on(arrival, rank)
            case facts.TicketCalled():
                self._call(fact)
            case facts.CallTakenBack():
                self._take_back(fact)
            case facts.TicketPushedBack():
                self._go_on(fact.arrival, fact.rank, Placed.PUSHED_BACK)
            case facts.TicketIssued():
                self._begin(fact, fact.rank, *([Placed.BY_PRIORITY] if fact.is_priority else []))
            case facts.TicketCheckedIn():
                self._begin(fact, fact.rank, Placed.CHECKED_IN)
            case facts.TicketReturned():
                self._begin(fact, fact.rank, Placed.RETURNED)
            case facts.TicketReady():
                self._begin(fact, fact.rank, Placed.READY)
            case facts.TicketTransferred():
                self._transfer(fact)
            case facts.TicketCancelled() | facts.TicketLapsed():
                self._end(fact.arrival)
            case facts.CounterReassigned():
                self._lanes_of[fact.counter] = fact.lanes
            case facts.TicketExpected():
                self.numbers[fact.arrival] = fact.number
            case _:
                pass  # nobody begins or ends to wait by it

    def copy(self) -> "Chronicle":
        """What is known now, for one who reads while this one learns on."""
        copy = Chronicle(self._office)
        copy.calls, copy.numbers, copy._latest = list(self.calls), dict(self.numbers), dict(self._latest)
        copy._stints = {arrival: [replace(stint) for stint in stints] for arrival, stints in self._stints.items()}
        copy._since, copy._lanes_of = dict(self._since), dict(self._lanes_of)
        return copy

    def calls_of(self, arrival: int) -> list[int]:
        """Which calls were its."""
        return [place for place, calling in enumerate(self.calls) if calling.call.who.arrival == arrival]

    def called_at(self, arrival: int) -> int | None:
        """When its latest call was made (office ms), however often it was repeated since; None: there was none."""
        place = self._latest.get(arrival)
        return None if place is None else self.calls[place].at

    def passed_by(self, arrival: int) -> list[Passing]:
        """Every call that went before this ticket while it waited, the first first."""
        told = []
        for stint in self._stints.get(arrival, ()):
            for calling in self.calls[stint.begun : stint.ended]:
                reason = why(calling.call, stint.standing)
                if reason is not None:
                    told.append(_passing(calling, arrival, reason))
        return told

    def passed_at(self, place: int) -> list[Passing]:
        """Everybody who waited and was passed by one call, by arrival."""
        calling, told = self.calls[place], []
        for arrival, standing in self._waiting_at(place):
            reason = why(calling.call, standing)
            if reason is not None:
                told.append(_passing(calling, arrival, reason))
        return sorted(told, key=lambda passing: passing.passed)

    def fairness(self) -> Fairness:
        fairness = Fairness(calls=len(self.calls), waited=len(self._stints))
        for arrival in sorted(self._stints):
            for passing in self.passed_by(arrival):
                fairness.reasons[passing.reason] += 1
                if passing.reason not in ACROSS:
                    fairness.passings.setdefault(arrival, []).append(passing)
        return fairness

    def _waiting_at(self, place: int) -> Iterator[tuple[int, Standing]]:
        for arrival, stints in self._stints.items():
            for stint in stints:
                if stint.begun <= place and (stint.ended is None or place < stint.ended):
                    yield arrival, stint.standing

    def _begin(self, fact: "facts.TicketFact", rank: int, *placed: Placed, for_counter: str | None = None) -> None:
        """`for_counter` None: as before."""
        before = self._stints.get(fact.arrival)
        if for_counter is None:
            for_counter = before[-1].standing.for_counter if before else ""
        self.numbers[fact.arrival] = fact.number
        self._since[fact.arrival] = fact.at
        self._stand(Standing(fact.arrival, fact.lane, rank, frozenset(placed), for_counter))

    def _go_on(self, arrival: int, rank: int, *placed: Placed) -> None:
        """It waits on at another place of its lane."""
        present = self._present(arrival)
        if present is not None:
            self._end(arrival)
            self._stand(replace(present, rank=rank, placed=present.placed | frozenset(placed)))

    def _transfer(self, fact: facts.TicketTransferred) -> None:
        """Who waits in that very lane already stands where he stood: only who may call him changes."""
        present = self._present(fact.arrival)
        self._end(fact.arrival)
        if present is not None and present.lane == fact.lane:
            self._stand(replace(present, for_counter=fact.for_counter))
        else:
            self._begin(fact, fact.rank, Placed.TRANSFERRED, for_counter=fact.for_counter)

    def _stand(self, standing: Standing) -> None:
        self._stints.setdefault(standing.arrival, []).append(Stint(standing, len(self.calls)))

    def _end(self, arrival: int) -> None:
        """It waits no more, if it did. A stretch through which nobody was called explains nothing."""
        stints = self._stints.get(arrival)
        if stints and stints[-1].ended is None:
            stints[-1].ended = len(self.calls)

    def _present(self, arrival: int) -> Standing | None:
        stints = self._stints.get(arrival)
        return stints[-1].standing if stints and stints[-1].ended is None else None

    def _call(self, fact: facts.TicketCalled) -> None:
        present = self._present(fact.arrival)
        self._end(fact.arrival)
        last = self._stints.get(fact.arrival, ())
        who = present or (last[-1].standing if last else Standing(fact.arrival, fact.lane, 0))
        lanes = self._lanes_of.get(fact.counter, (fact.lane,))
        call = Call(who, fact.counter, lanes, fact.turn, fact.reason, was_held=present is None)
        self._latest[fact.arrival] = len(self.calls)
        self.calls.append(Calling(call, fact.number, fact.at, fact.at - self._since.get(fact.arrival, fact.at)))

    def _take_back(self, fact: facts.CallTakenBack) -> None:
        """It stands again where it stood, and its call is void."""
        calling = self.calls[self._latest[fact.arrival]]
        calling.call = replace(calling.call, is_taken_back=True)
        if fact.state == State.WAITING:
            who = calling.call.who
            self._stand(replace(who, rank=fact.rank, placed=who.placed | {Placed.PUT_BACK}))


def _passing(calling: Calling, passed: int, reason: Reason) -> Passing:
    return Passing(
        calling.call.who.arrival, calling.number, calling.call.counter, calling.at, passed=passed, reason=reason
    )
