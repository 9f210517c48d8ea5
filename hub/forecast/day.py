"""A day of an office before it happens: who will come when, for what, for how long, and who will not answer the call.

Nothing here drives an office or knows the present time. Every figure is a value of `Figures`; chance comes in as a
`Chance`, and the same chance gives the same day. Times are whole seconds since midnight of the office day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import time
from math import isclose, log, sqrt
from typing import Annotated, Protocol, TypeVar

from msgspec import Meta, Struct

HOUR = 3600
DAY = 24 * HOUR

Share = Annotated[float, Meta(ge=0, le=1)]
Positive = Annotated[float, Meta(gt=0)]
Count = Annotated[int, Meta(ge=0)]
_T = TypeVar("_T")


class Chance(Protocol):
    """Where luck comes from; `random.Random` is one."""

    def random(self) -> float: ...
    def lognormvariate(self, mu: float, sigma: float) -> float: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """One resident's visit as it will be.

    `service_seconds` None: was never served, so nobody knows; `left_at`: leaves without a word if not called before.
    `absence` is a draw from 0 … 1: absent at the first call if it lies below the probability of that moment
    (`Absence.probability`), so 1 always answers. `back_after`: comes back so long after having been marked absent.
    `cancels_after`: gives the number back after so long, unless called. `transfer_to`: turns out to belong there.
    """

    arrived_at: int
    lane: str
    source: str
    service_seconds: int | None
    left_at: int | None = None
    absence: float = 1.0
    back_after: int | None = None
    cancels_after: int | None = None
    transfer_to: str | None = None
    contact: str | None = None
    walk_minutes: int | None = None
    priority: int = 0


class _Values(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class LaneFigures(_Values, frozen=True):
    """A lane's share of the day, its service time (lognormal) and the counters staffed on a normal and a peak day."""

    share: Share
    service_minutes: Positive
    service_cv: Positive
    counters_normal: Count
    counters_peak: Count


class Lunch(_Values, frozen=True):
    begins: time
    ends: time
    factor: Share  # of the counters stay open


class Absence(_Values, frozen=True):
    """Who waits long is more often elsewhere when called."""

    base: Share
    per_minute: Share
    most: Share
    back_share: Share
    back_within_minutes: Positive

    def probability(self, waited_minutes: float) -> float:
        return min(self.most, self.base + self.per_minute * waited_minutes)


class Moves(_Values, frozen=True):
    """What happens besides being called and served. Shares of the calls, of the customers where it says so."""

    chosen: Share = 0.0  # called out of order
    mistaken: Share = 0.0  # taken back
    held: Share = 0.0
    held_minutes: Positive = 5.0  # at most
    for_counter: Share = 0.0  # the same counter wants the number again, and nobody else
    reviewed: Share = 0.0  # of those whose lane has a second stage
    review_minutes: Positive = 8.0  # in the back office, on average
    delivery_minutes: Positive = 1.5  # at the delivery counter
    pushed_back: Share = 0.0  # of the customers: lets others go first
    reissued: Share = 0.0  # of the customers: loses the slip
    act_within_minutes: Positive = 10.0  # of taking the number


class Figures(_Values, frozen=True):
    """Everything about an office's days that is an assumption. Shares by lane and by hour must each sum to 1."""

    tickets: Annotated[int, Meta(ge=1)]
    peak_above: Count
    opens_at: time
    closes_at: time
    call_seconds: Count  # how long a counter waits after each call for somebody to come
    sources: dict[str, Share]
    transfer_share: Share
    transfer_after_seconds: Count
    cancel_share: Share
    cancel_within_minutes: Positive
    contact_share: Share  # of the customers leave a contact
    contacts: dict[str, Share]  # kind of contact → share of those
    hours: dict[int, Share]
    lanes: dict[str, LaneFigures]
    lunch: Lunch
    absence: Absence
    moves: Moves = Moves()

    def __post_init__(self) -> None:
        for name, shares in (
            ("hours", list(self.hours.values())),
            ("lanes", [lane.share for lane in self.lanes.values()]),
            ("sources", list(self.sources.values())),
            ("contacts", list(self.contacts.values())),
        ):
            if not isclose(sum(shares), 1.0, abs_tol=0.002):  # published shares are rounded to a tenth of a percent
                raise ValueError(f"the shares of {name} sum to {sum(shares):.3f}, not to 1")
        if not self.opens_at < self.closes_at:
            raise ValueError("opens_at must be before closes_at")
        if not any(begins < ends for begins, ends in _open_hours(self).values()):
            raise ValueError("no hour with a share lies between opens_at and closes_at")

    def is_peak(self, tickets: int) -> bool:
        return tickets > self.peak_above

    def counters(self, lane: str, *, is_peak: bool) -> int | None:
        """How many counters to staff for a lane; None where these figures do not know it."""
        known = self.lanes.get(lane)
        if known is None:
            return None
        return known.counters_peak if is_peak else known.counters_normal


def typical_day(figures: Figures, tickets: int, chance: Chance) -> list[Customer]:
    """`tickets` customers in order of arrival; the same chance gives the same day."""
    open_hours = {hour: span for hour, span in _open_hours(figures).items() if span[0] < span[1]}
    hours = {hour: figures.hours[hour] for hour in open_hours}
    lanes = {key: lane.share for key, lane in figures.lanes.items()}
    customers = []
    for _ in range(tickets):
        begins, ends = open_hours[_drawn(hours, chance)]
        arrived_at = begins + int(chance.random() * (ends - begins))
        customers.append(_customer(figures, arrived_at, _drawn(lanes, chance), chance))
    # Drawn last: who else comes, and when, does not depend on it.
    return [
        replace(customer, contact=_drawn(figures.contacts, chance))
        if chance.random() < figures.contact_share
        else customer
        for customer in sorted(customers, key=lambda customer: customer.arrived_at)
    ]


def usual_service(customers: Sequence[Customer]) -> dict[str, int]:
    """Lane → mean service seconds of those whose service is known; lanes where nobody's is known are missing."""
    known: dict[str, list[int]] = {}
    for customer in customers:
        if customer.service_seconds is not None:
            known.setdefault(customer.lane, []).append(customer.service_seconds)
    return {lane: round(sum(seconds) / len(seconds)) for lane, seconds in known.items()}


def seconds_of(moment: time) -> int:
    """Seconds since midnight."""
    return moment.hour * HOUR + moment.minute * 60 + moment.second


def _customer(figures: Figures, arrived_at: int, lane: str, chance: Chance) -> Customer:
    source = _drawn(figures.sources, chance)
    service = _service_seconds(figures.lanes[lane], chance)
    absence = round(chance.random(), 6)
    comes_back, back_draw = chance.random() < figures.absence.back_share, chance.random()
    fate, fate_draw = chance.random(), chance.random()
    cancels = fate < figures.cancel_share
    elsewhere = {key: other.share for key, other in figures.lanes.items() if key != lane and other.share > 0}
    transfers = bool(elsewhere) and not cancels and fate < figures.cancel_share + figures.transfer_share
    return Customer(
        arrived_at=arrived_at,
        lane=lane,
        source=source,
        service_seconds=service,
        absence=absence,
        back_after=_within(figures.absence.back_within_minutes, back_draw) if comes_back else None,
        cancels_after=_within(figures.cancel_within_minutes, fate_draw) if cancels else None,
        transfer_to=_at(elsewhere, fate_draw) if transfers else None,
    )


def _service_seconds(lane: LaneFigures, chance: Chance) -> int:
    variance = log(1 + lane.service_cv**2)
    mean_log = log(lane.service_minutes * 60) - variance / 2
    return max(1, round(chance.lognormvariate(mean_log, sqrt(variance))))


def _within(minutes: float, draw: float) -> int:
    return 1 + int(draw * minutes * 60)


def _open_hours(figures: Figures) -> dict[int, tuple[int, int]]:
    """Hour → the seconds of it in which the office lets people in (begin ≥ end: none)."""
    opens, closes = seconds_of(figures.opens_at), seconds_of(figures.closes_at)
    return {
        hour: (max(opens, hour * HOUR), min(closes, (hour + 1) * HOUR))
        for hour, share in figures.hours.items()
        if share > 0
    }


def _drawn(shares: Mapping[_T, float], chance: Chance) -> _T:
    return _at(shares, chance.random())


def _at(shares: Mapping[_T, float], draw: float) -> _T:
    """The key in whose part of the whole `draw` (0 … 1) falls."""
    left = draw * sum(shares.values())
    *most, last = shares
    for key in most:
        left -= shares[key]
        if left < 0:
            return key
    return last
