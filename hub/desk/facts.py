"""What happened, in the past tense. A fact is the only news in the house: screens, archive and picture learn from it.

On the stream of a day each fact is one flat entry of texts (`to_fields`, `from_fields`); its place in the stream is
its position and not part of it. `at` is epoch milliseconds of office time; `who` is the principal and `request` the
id of the request that caused it (for the record, never public). A field that came later than its fact has a default: an
older release did not tell it.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, TypeAlias, get_args, get_type_hints


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fact:
    at: int
    who: str
    request: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOpened(_Fact):
    day: str  # YYYY-MM-DD, Asia/Tokyo


@dataclass(frozen=True, slots=True, kw_only=True)
class DayClosed(_Fact):
    """The last fact of a day: every ticket that has not ended has lapsed."""

    day: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _TicketFact(_Fact):
    arrival: int
    number: str
    lane: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketIssued(_TicketFact):
    """`is_priority`: its rank was given by the rule of priorities. Which class it is of is nobody's business."""

    rank: int
    source: str
    is_priority: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketExpected(_TicketFact):
    """A number was taken from home; its holder waits from the moment of checking in."""

    rank: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketCheckedIn(_TicketFact):
    rank: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketCalled(_TicketFact):
    """`turn`: of its lane at a counter whose lanes weigh differently (`order.turn_of`), else 0.

    `reason`: key in the office's list, where it was chosen out of order; else empty.
    """

    counter: str
    turn: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTakenBack(_TicketFact):
    """The call was a mistake. `state` is where the ticket stands again: it waits or is held."""

    counter: str
    state: str
    rank: int  # its own, or right before whoever got that rank meanwhile


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketRecalled(_TicketFact):
    counter: str
    calls: int  # how often since it last waited, this one included


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketMarkedAbsent(_TicketFact):
    """Its resident may come back before `until` (epoch milliseconds, office time)."""

    counter: str
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketHeld(_TicketFact):
    counter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketSentToReview(_TicketFact):
    """The back office goes on with it."""

    counter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketReady(_TicketFact):
    """It waits in `lane`, the delivery lane of `from_lane`, for any counter of it."""

    from_lane: str
    rank: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketPushedBack(_TicketFact):
    rank: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketLapsed(_TicketFact):
    """`why`: `missed`, its time to come back was over; `closing`, staff said so after closing was announced."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketReturned(_TicketFact):
    rank: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketServed(_TicketFact):
    counter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketCancelled(_TicketFact):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketTransferred(_TicketFact):
    """`lane` is the new one; the number stays, though its prefix tells of `from_lane`.

    `for_counter`: the only one that may call it; empty: any of the lane.
    """

    from_lane: str
    rank: int
    for_counter: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlipReissued(_TicketFact):
    """Another secret opens the ticket from now on; told on no topic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneRenumbered(_Fact):
    """A gap between two neighbours had closed: these who wait get new ranks, the order stays as it is."""

    lane: str
    ranks: Mapping[int, int]  # arrival → new rank


@dataclass(frozen=True, slots=True, kw_only=True)
class LanePaused(_Fact):
    """The lane gives no numbers until it is resumed or the day is over; who waits is called as before."""

    lane: str
    reason: str  # key of the office's list


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneResumed(_Fact):
    lane: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosingAnnounced(_Fact):
    """No more numbers of this lane today; `still_waiting` people are served or told otherwise."""

    lane: str
    still_waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactGiven(_Fact):
    """A resident wished to be told. Of the contact itself nothing but the name of its seal; told on no topic."""

    arrival: int
    carrier: str
    subscription: str
    ahead: int
    purpose: str  # version of the text that was shown and accepted


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactUsed(_Fact):
    """A message was sent to it, or that was tried: each try is one of these. Told on no topic."""

    arrival: int
    carrier: str
    subscription: str
    trigger: str
    outcome: str  # state of the notice after it; pending: it will be tried again
    times: int  # how often this notice was tried by now


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactErased(_Fact):
    """Before its day was over; told on no topic."""

    arrival: int
    carrier: str
    subscription: str
    ending: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterReassigned(_Fact):
    """Until the day is over it serves `lanes`; `former`: those until now."""

    counter: str
    lanes: tuple[str, ...]
    former: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncementPosted(_Fact):
    """The walls say this until then, in place of what they said before."""

    text: str
    until: int  # office time


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncementWithdrawn(_Fact):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class WallJoined(_Fact):
    """The first time that a wall came today: from here on every call is to be shown on it."""

    wall: str  # its screen


@dataclass(frozen=True, slots=True, kw_only=True)
class WallLeft(_Fact):
    """It was put out for good."""

    wall: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallShown(_TicketFact):
    """A wall has painted this call, for the first time; told to staff alone."""

    calls: int  # which recall it was
    wall: str


TicketFact: TypeAlias = (
    TicketIssued
    | TicketExpected
    | TicketCheckedIn
    | TicketCalled
    | CallTakenBack
    | TicketRecalled
    | TicketMarkedAbsent
    | TicketReturned
    | TicketHeld
    | TicketSentToReview
    | TicketReady
    | TicketPushedBack
    | TicketServed
    | TicketCancelled
    | TicketLapsed
    | TicketTransferred
)
LaneFact: TypeAlias = LaneRenumbered | LanePaused | LaneResumed | ClosingAnnounced
# Told on no topic: they change nobody's place.
QuietFact: TypeAlias = SlipReissued | ContactGiven | ContactUsed | ContactErased
WallFact: TypeAlias = WallJoined | WallLeft | CallShown
OfficeFact: TypeAlias = CounterReassigned | AnnouncementPosted | AnnouncementWithdrawn
Fact: TypeAlias = DayOpened | DayClosed | TicketFact | LaneFact | QuietFact | WallFact | OfficeFact

FACTS: dict[str, type[Fact]] = {kind.__name__: kind for kind in get_args(Fact)}


class UnreadableFact(Exception):
    """A stream entry that is no fact of ours. The reader must stop and say so: skipping one makes every picture lie."""


def to_fields(fact: Fact) -> dict[str, str]:
    """One fact as the flat texts of a stream entry."""
    entry = {"type": type(fact).__name__}
    for field in fields(fact):
        value = getattr(fact, field.name)
        if isinstance(value, Mapping):
            entry[field.name] = " ".join(f"{arrival}:{rank}" for arrival, rank in value.items())
        elif isinstance(value, tuple):
            entry[field.name] = " ".join(value)
        elif isinstance(value, bool):
            entry[field.name] = "1" if value else ""
        else:
            entry[field.name] = str(value)
    return entry


def from_fields(entry: Mapping[str, str]) -> Fact:
    """The fact behind a stream entry. Unknown fields are ignored (a newer hub wrote them).

    Raises UnreadableFact for an unknown type, a missing field or one that is not what it should be.
    """
    kind = FACTS.get(entry.get("type", ""))
    if kind is None:
        raise UnreadableFact(f"unknown type {entry.get('type')!r}")
    try:
        values = {
            name: read(entry[name])
            for name, read in _READERS[kind.__name__].items()
            if name in entry or name not in _LATER[kind.__name__]
        }
    except (KeyError, ValueError) as error:
        raise UnreadableFact(f"{kind.__name__}: {error}") from error
    return kind(**values)


def _read_ranks(text: str) -> dict[int, int]:
    pairs = (pair.split(":") for pair in text.split())
    return {int(arrival): int(rank) for arrival, rank in pairs}


def _read_flag(text: str) -> bool:
    if text not in ("", "1"):
        raise ValueError(f"{text!r} is no flag")
    return text == "1"


def _read_keys(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_READ: dict[object, Callable[[str], Any]] = {
    int: int,
    str: str,
    bool: _read_flag,
    Mapping[int, int]: _read_ranks,
    tuple[str, ...]: _read_keys,
}
_READERS = {
    name: {field.name: _READ[get_type_hints(kind)[field.name]] for field in fields(kind)}
    for name, kind in FACTS.items()
}
_LATER = {name: {field.name for field in fields(kind) if field.default is not MISSING} for name, kind in FACTS.items()}
