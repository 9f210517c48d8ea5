"""What staff, kiosks and residents may ask of the desk, in the imperative, and what the desk answers."""

from dataclasses import dataclass, field
from typing import TypeAlias

from hub.desk.notices import Carrier, Ending
from hub.desk.ticket import State


@dataclass(frozen=True, slots=True)
class Stamp:
    """Who asks, on which business day, under which request id (≥ 128 random bits, made by the asker).

    The same (who, request) again gives the first answer; with another request behind it, `OtherBody`.
    """

    day: str
    who: str
    request: str


@dataclass(frozen=True, slots=True)
class Issue:
    """`secret`: SHA-256 of the taker's secret in hexadecimal; without it only staff can act for the ticket.

    `holder`: who took it on the web (a hash of the browser's own random id): one live number for each lane.
    `is_expected`: taken from home, waits from checking in. `priority`: key of the class, '' for none.
    """

    lane: str
    source: str  # where the number was taken: kiosk, web, desk
    secret: str = ""
    holder: str = ""
    is_expected: bool = False
    priority: str = ""


@dataclass(frozen=True, slots=True)
class Next:
    """Finish what the counter has and call the first of its lanes. `current`: the arrival the asker believes it has."""

    counter: str
    current: int | None
    lanes: tuple[str, ...] = ()  # empty: all lanes of the counter


@dataclass(frozen=True, slots=True)
class Call:
    """Finish what the counter has and call this one, out of order: for a `reason` of the office's list.

    A number that is held was called in its turn and needs none.
    """

    counter: str
    ticket: int
    current: int | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TakeBack:
    """The call was a mistake: the ticket stands again exactly where it stood."""

    counter: str
    ticket: int


@dataclass(frozen=True, slots=True)
class Recall:
    counter: str
    ticket: int


@dataclass(frozen=True, slots=True)
class MarkAbsent:
    counter: str
    ticket: int


@dataclass(frozen=True, slots=True)
class Done:
    counter: str
    ticket: int


@dataclass(frozen=True, slots=True)
class Hold:
    """Put aside for a while what the counter has: the resident is here and fetches or fills in something."""

    counter: str
    ticket: int


@dataclass(frozen=True, slots=True)
class Review:
    """The back office goes on with it; the counter is free."""

    counter: str
    ticket: int


@dataclass(frozen=True, slots=True)
class Ready:
    """The back office has done its part: the ticket waits in the delivery lane of its lane."""

    ticket: int


@dataclass(frozen=True, slots=True)
class PushBack:
    """By the resident: so many `places` (people) who stand behind go first."""

    ticket: int
    places: int


@dataclass(frozen=True, slots=True)
class Lapse:
    """End a missed number whose time is over, or, once closing was announced, one that nobody will serve today."""

    ticket: int


@dataclass(frozen=True, slots=True)
class AnnounceClosing:
    """The lane closes for today: no more numbers are given, and who still waits is told so."""

    lane: str


@dataclass(frozen=True, slots=True)
class Reissue:
    """A slip was lost. `secret` as in `Issue`: it takes the place of the old one, which opens nothing any more."""

    ticket: int
    secret: str


@dataclass(frozen=True, slots=True)
class Return:
    ticket: int


@dataclass(frozen=True, slots=True)
class CheckIn:
    ticket: int


@dataclass(frozen=True, slots=True)
class Cancel:
    ticket: int


@dataclass(frozen=True, slots=True)
class Transfer:
    """To a lane, the present one or another. With a `counter` that one alone may call it."""

    ticket: int
    lane: str
    counter: str = ""


@dataclass(frozen=True, slots=True)
class Pause:
    """The lane gives no numbers until it is resumed; who waits is called as before. `reason`: of the office's list."""

    lane: str
    reason: str


@dataclass(frozen=True, slots=True)
class Resume:
    lane: str


@dataclass(frozen=True, slots=True)
class Reassign:
    """Until the day is over the counter serves these lanes, and no others."""

    counter: str
    lanes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Announce:
    """The walls say this for so long, in place of what they said before. About the office, never about a person."""

    text: str
    minutes: int


@dataclass(frozen=True, slots=True)
class Withdraw:
    """The walls say no more what was announced."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Tell the resident by `carrier` when at most `ahead` people are before him, in place of what he wished before.

    `minutes`: or when his turn is to be expected within so many, 0: that is not wished. `subscription`: random, made
    anew for each try and therefore no part of the request. `purpose`: version of the text that was shown and accepted.
    """

    ticket: int
    carrier: Carrier
    ahead: int
    purpose: str
    subscription: str = field(compare=False)
    minutes: int = 0


@dataclass(frozen=True, slots=True)
class Stop:
    """Erase a contact now. `subscription`: only if it is still that one; empty: whichever there is."""

    ticket: int
    carrier: Carrier
    ending: Ending
    subscription: str = ""


@dataclass(frozen=True, slots=True)
class JoinWall:
    """This wall is there today: every call is to be shown on it."""

    wall: str


@dataclass(frozen=True, slots=True)
class LeaveWall:
    """It was put out for good: nobody waits any more for what it shows."""

    wall: str


@dataclass(frozen=True, slots=True)
class ShowCall:
    """This wall has painted a call. `calls`: which recall it is; `called_at` tells it from one before the ticket waited
    anew.
    """

    wall: str
    ticket: int
    calls: int
    called_at: int


@dataclass(frozen=True, slots=True)
class Sweep:
    """Look at every lane: what time alone makes due. Nobody's ticket moves."""


OfTicket: TypeAlias = (
    Call
    | TakeBack
    | Recall
    | MarkAbsent
    | Done
    | Hold
    | Review
    | Ready
    | Return
    | PushBack
    | CheckIn
    | Cancel
    | Transfer
    | Lapse
    | Reissue
)
OfLane: TypeAlias = Pause | Resume | AnnounceClosing
OfWall: TypeAlias = JoinWall | LeaveWall | ShowCall
OfOffice: TypeAlias = Reassign | Announce | Withdraw
Request: TypeAlias = Issue | Next | OfTicket | OfLane | OfOffice | Wish | Stop | OfWall | Sweep


@dataclass(frozen=True, slots=True)
class Answer:
    """Where the ticket stands now. `finished`: the one that left the counter by `Next` or `Call`. For `Next` with
    nobody waiting the ticket's fields are None. `ahead`: people ahead, for a ticket that waits, else None. For what is
    asked of a lane only that; `ahead` is how many wait in one that closes. `shown_before`: for `ShowCall`, on how
    many walls that call had been shown until then.
    """

    arrival: int | None = None
    number: str | None = None
    lane: str | None = None
    state: State | None = None
    ahead: int | None = None
    finished: int | None = None
    shown_before: int | None = None
