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
    `is_expected`: taken from home, waits from checking in.
    """

    lane: str
    source: str  # where the number was taken: kiosk, web, desk
    secret: str = ""
    holder: str = ""
    is_expected: bool = False


@dataclass(frozen=True, slots=True)
class Next:
    """Finish what the counter has and call the first of its lanes. `current`: the arrival the asker believes it has."""

    counter: str
    current: int | None
    lanes: tuple[str, ...] = ()  # empty: all lanes of the counter


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
    ticket: int
    lane: str


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
class Sweep:
    """Look at every lane: what time alone makes due. Nobody's ticket moves."""


Request: TypeAlias = (
    Issue | Next | Recall | MarkAbsent | Done | Return | CheckIn | Cancel | Transfer | Wish | Stop | Sweep
)


@dataclass(frozen=True, slots=True)
class Answer:
    """Where the ticket stands now. For `Next` it is the ticket called, and `finished` the one that left the counter;
    with nobody waiting the ticket's fields are None. `ahead`: people ahead, for a ticket that waits, else None.
    """

    arrival: int | None
    number: str | None
    lane: str | None
    state: State | None
    ahead: int | None = None
    finished: int | None = None
