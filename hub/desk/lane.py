"""What an office offers: its lanes with their number bands, and the counters that serve them. No state of any day."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from hub.desk.refusals import LaneNotServed, UnknownCounter, UnknownLane, UnknownReason

DAY_MINUTES = 24 * 60
TOKYO_MINUTES = 9 * 60  # ahead of UTC; no summer time since 1951


@dataclass(frozen=True, slots=True)
class Lane:
    """One waiting line for one kind of business. Numbers run `prefix + first` … `prefix + last`, then it is closed.

    `delivery`: key of the lane where a ticket waits once the back office is ready with it; empty: no second stage.
    """

    key: str
    name: str
    prefix: str
    first: int
    last: int
    delivery: str = ""

    def number(self, figure: int) -> str:
        return f"{self.prefix}{figure}"


@dataclass(frozen=True, slots=True)
class Counter:
    """A window where staff sits, and the lanes it serves."""

    key: str
    name: str
    lanes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Purpose:
    """What an office keeps addresses for, in the words that residents consent to."""

    version: str
    text: str

    @property
    def mark(self) -> str:
        """What is recorded of a consent. Another text is another mark, even where its version was forgotten."""
        return f"{self.version}/{hashlib.sha256(self.text.encode()).hexdigest()[:8]}"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a number may be called out of order. There is no other: nobody writes about a resident in free text."""

    key: str
    text: str


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

    Numbers are given on the web from `web_open` until before `web_close`, minutes of the day in Tokyo.
    `web_check_in`: whoever took one there waits only from checking in at the office. Without a `purpose` no notices
    are offered.
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
    reasons: tuple[Reason, ...] = ()
    absence: Absence = Absence()
    push_backs: PushBacks = PushBacks()

    def is_web_open(self, at: int) -> bool:
        """`at`: office time in epoch milliseconds."""
        minute = (at // 60_000 + TOKYO_MINUTES) % DAY_MINUTES
        return self.web_open <= minute < self.web_close

    def lane(self, key: str) -> Lane:
        for lane in self.lanes:
            if lane.key == key:
                return lane
        raise UnknownLane(lane=key)

    def counter(self, key: str) -> Counter:
        for counter in self.counters:
            if counter.key == key:
                return counter
        raise UnknownCounter(counter=key)

    def reason(self, key: str) -> Reason:
        for reason in self.reasons:
            if reason.key == key:
                return reason
        raise UnknownReason(reason=key)

    def delivery_of(self, lane: str) -> str:
        """The key of its delivery lane, empty where it has none or where the office dropped it during the day."""
        return next((each.delivery for each in self.lanes if each.key == lane), "")

    def served_lanes(self, counter: str, asked: Iterable[str] = ()) -> tuple[str, ...]:
        """The lanes that this counter calls from: all of its own, or those asked for."""
        own = self.counter(counter).lanes
        chosen = tuple(asked)
        for lane in chosen:
            self.lane(lane)
            if lane not in own:
                raise LaneNotServed(counter=counter, lane=lane)
        return chosen or own
