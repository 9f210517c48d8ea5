"""What an office offers: lanes with their number bands, counters that serve them, its hours. No state of any day."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from hub.desk.hours import ALWAYS, DAY_MINUTES, MINUTE_MS, TOKYO_MINUTES, Hours
from hub.desk.refusals import (
    LaneNotOffered,
    LaneNotServed,
    NoLanes,
    PriorityNotGiven,
    TooManyPlaces,
    UnknownCounter,
    UnknownLane,
    UnknownPriority,
    UnknownReason,
)


@dataclass(frozen=True, slots=True)
class Lane:
    """One waiting line for one kind of business. Numbers run from `prefix + first` by `step` up to `last`, then it is
    closed; and after `cap` numbers of a day, where there is one. `delivery`: key of the lane where a ticket waits once
    the back office is ready with it; empty: no second stage. A lane for delivery alone gives no numbers itself.
    """

    key: str
    name: str
    prefix: str
    first: int
    last: int
    step: int = 1
    cap: int | None = None
    delivery: str = ""
    gives_numbers: bool = True

    def number(self, figure: int) -> str:
        return f"{self.prefix}{figure}"


@dataclass(frozen=True, slots=True)
class Counter:
    """A window where staff sits, and the lanes it serves. `weights` beside `lanes`; empty: all weigh the same."""

    key: str
    name: str
    lanes: tuple[str, ...]
    weights: tuple[int, ...] = ()

    @property
    def is_weighted(self) -> bool:
        return len(set(self.weights)) > 1

    def weight(self, lane: str) -> int:
        """A lane that it serves for a day only weighs 1."""
        return self.weights[self.lanes.index(lane)] if self.weights and lane in self.lanes else 1


@dataclass(frozen=True, slots=True)
class Priority:
    """A class of people who need not wait for all before them. At most every `every`-th who is called is one.

    `given_by`: at which kind of place such a number may be taken, of `kiosk` and `desk`.
    """

    key: str
    name: str
    every: int
    given_by: frozenset[str]


@dataclass(frozen=True, slots=True)
class Reason:
    """One entry of a list that staff chooses from: there is no free text."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Purpose:
    """What an office keeps a contact for, in the words that residents consent to."""

    version: str
    text: str

    @property
    def mark(self) -> str:
        """What is recorded of a consent. Another text is another mark, even where its version was forgotten."""
        return f"{self.version}/{hashlib.sha256(self.text.encode()).hexdigest()[:8]}"


@dataclass(frozen=True, slots=True)
class Absence:
    """When a called number may be put aside as absent: after so many calls, and so long after the latest of them.

    Each call gives its resident the whole of these seconds to come. `missed_minutes`: how long he may come back.
    """

    after_calls: int = 1
    after_seconds: int = 0
    missed_minutes: int = DAY_MINUTES


@dataclass(frozen=True, slots=True)
class PushBacks:
    """How often a resident may let others go first, and at most how many at a time. Zero times: not at all."""

    times: int = 0
    places: int = 1


@dataclass(frozen=True, slots=True)
class Office:
    """One ward office. `return_after`: a resident who comes back is placed after that many who wait.
    `pause_reasons`: why a lane gives no numbers for a while; `reasons`: why a number may be called out of order.
    `hours_in_practice`: the hours hold there too. Who has waited for `long_wait_minutes` is marked at the desks.

    Numbers are given on the web from `web_open` until before `web_close`, minutes of the day in Tokyo.
    `web_check_in`: whoever took one there waits only from checking in at the office. Without a `purpose` no notices
    are offered, by LINE and by telephone without one of their own.
    """

    key: str
    name: str
    lanes: tuple[Lane, ...]
    counters: tuple[Counter, ...]
    return_after: int = 2
    web_open: int = 0
    web_close: int = DAY_MINUTES
    web_check_in: bool = False
    purpose: Purpose | None = None
    line_purpose: Purpose | None = None
    phone_purpose: Purpose | None = None
    priorities: tuple[Priority, ...] = ()
    pause_reasons: tuple[Reason, ...] = ()
    reasons: tuple[Reason, ...] = ()
    absence: Absence = Absence()
    push_backs: PushBacks = PushBacks()
    hours: Hours = ALWAYS
    hours_in_practice: bool = False
    long_wait_minutes: int = 45

    def for_practice(self) -> "Office":
        """Open at all hours, unless the office wants to practise them."""
        return self if self.hours_in_practice else replace(self, web_open=0, web_close=DAY_MINUTES, hours=ALWAYS)

    def is_web_open(self, at: int) -> bool:
        """`at`: office time in epoch milliseconds."""
        minute = (at // 60_000 + TOKYO_MINUTES) % DAY_MINUTES
        return self.web_open <= minute < self.web_close

    def lane(self, key: str) -> Lane:
        for lane in self.lanes:
            if lane.key == key:
                return lane
        raise UnknownLane(lane=key)

    def offered_lane(self, key: str) -> Lane:
        """The lane, if numbers of it are given."""
        lane = self.lane(key)
        if not lane.gives_numbers:
            raise LaneNotOffered(lane=key)
        return lane

    def counter(self, key: str) -> Counter:
        for counter in self.counters:
            if counter.key == key:
                return counter
        raise UnknownCounter(counter=key)

    def priority(self, key: str, source: str) -> Priority:
        """The class, if numbers of it are given there."""
        for priority in self.priorities:
            if priority.key == key:
                if source not in priority.given_by:
                    raise PriorityNotGiven(priority=key)
                return priority
        raise UnknownPriority(priority=key)

    def pause_reason(self, key: str) -> str:
        if key not in {reason.key for reason in self.pause_reasons}:
            raise UnknownReason(reason=key)
        return key

    def call_reason(self, key: str) -> str:
        if key not in {reason.key for reason in self.reasons}:
            raise UnknownReason(reason=key)
        return key

    def places_back(self, asked: int) -> int:
        """How many a resident may let go first at once, as asked. Raises TooManyPlaces."""
        if not 1 <= asked <= self.push_backs.places:
            raise TooManyPlaces(places=str(self.push_backs.places))
        return asked

    def delivery_of(self, lane: str) -> str:
        """The key of its delivery lane, empty where it has none or where the office dropped it during the day."""
        return next((each.delivery for each in self.lanes if each.key == lane), "")

    def next_opening(self, lane: str, at: int, *, on_web: bool = False) -> int | None:
        """When a lane that is closed at `at` opens, for everybody or for numbers from the web; None: not in a year."""
        for opens, closes in self.hours.following(lane, at):
            if on_web:
                midnight = opens - (opens + TOKYO_MINUTES * MINUTE_MS) % (DAY_MINUTES * MINUTE_MS)
                opens = max(opens, midnight + self.web_open * MINUTE_MS)
                closes = min(closes, midnight + self.web_close * MINUTE_MS)
            if max(opens, at) < closes:
                return opens
        return None

    def served_lanes(
        self, counter: str, asked: Iterable[str] = (), assigned: tuple[str, ...] | None = None
    ) -> tuple[str, ...]:
        """The lanes that this counter calls from: all of its own, or those asked for. `assigned`: its own for today."""
        usual, chosen = self.counter(counter).lanes, self.known_lanes(asked)
        own = usual if assigned is None else assigned
        for lane in chosen:
            if lane not in own:
                raise LaneNotServed(counter=counter, lane=lane)
        return chosen or own

    def known_lanes(self, asked: Iterable[str]) -> tuple[str, ...]:
        return tuple(self.lane(lane).key for lane in asked)

    def in_order(self, asked: Iterable[str]) -> tuple[str, ...]:
        """These lanes, each once, as the office lists them. Raises UnknownLane, NoLanes."""
        chosen = set(self.known_lanes(asked))
        if not chosen:
            raise NoLanes()
        return tuple(lane.key for lane in self.lanes if lane.key in chosen)
