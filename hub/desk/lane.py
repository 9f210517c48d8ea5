"""What an office offers: its lanes with their number bands, and the counters that serve them. No state of any day."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from hub.desk.refusals import LaneNotServed, UnknownCounter, UnknownLane

DAY_MINUTES = 24 * 60
TOKYO_MINUTES = 9 * 60  # ahead of UTC; no summer time since 1951


@dataclass(frozen=True, slots=True)
class Lane:
    """One waiting line for one kind of business. Numbers run `prefix + first` … `prefix + last`, then it is closed."""

    key: str
    name: str
    prefix: str
    first: int
    last: int

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
    """What an office keeps a contact for, in the words that residents consent to."""

    version: str
    text: str

    @property
    def mark(self) -> str:
        """What is recorded of a consent. Another text is another mark, even where its version was forgotten."""
        return f"{self.version}/{hashlib.sha256(self.text.encode()).hexdigest()[:8]}"


@dataclass(frozen=True, slots=True)
class Office:
    """One ward office. `return_after`: a resident who comes back is placed after that many who wait.

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

    def served_lanes(self, counter: str, asked: Iterable[str] = ()) -> tuple[str, ...]:
        """The lanes that this counter calls from: all of its own, or those asked for."""
        own = self.counter(counter).lanes
        chosen = tuple(asked)
        for lane in chosen:
            self.lane(lane)
            if lane not in own:
                raise LaneNotServed(counter=counter, lane=lane)
        return chosen or own
