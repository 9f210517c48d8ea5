"""What a resident may wish to be told, and when it is due. Nothing here knows an address, or how a message is sent."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

FURTHEST_AHEAD = 20  # people; a sweep looks at so many who wait first, whatever the length of the lane


class Carrier(StrEnum):
    """How a notice reaches the resident."""

    EMAIL = "email"


class Trigger(StrEnum):
    """What a notice is about."""

    REGISTERED = "registered"  # the wish itself: whoever did not make it learns of it
    NEAR = "near"  # as few people ahead as was wished


class NoticeState(StrEnum):
    """Where a notice stands. The last four are ends."""

    PENDING = "pending"  # due, nobody has it in hand
    CLAIMED = "claimed"  # a worker has it in hand and has not begun to send
    SENDING = "sending"  # a worker said so before the first byte: from here on it may have arrived
    ACCEPTED = "accepted"  # the carrier has it
    UNCERTAIN = "uncertain"  # nobody can know whether the carrier has it
    REFUSED = "refused"  # the carrier will never take it
    LAPSED = "lapsed"  # too late to be of use, or no longer wished


ENDED = frozenset({NoticeState.ACCEPTED, NoticeState.UNCERTAIN, NoticeState.REFUSED, NoticeState.LAPSED})


class Ending(StrEnum):
    """Why a contact is gone before its day is over."""

    RESIDENT = "resident"  # the resident said stop
    REPLACED = "replaced"  # the resident gave another
    REFUSED = "refused"  # the carrier will never deliver to it


@dataclass(frozen=True, slots=True)
class Subscription:
    """A wish of one ticket for one carrier. `id` is random, and the name of its sealed contact."""

    id: str
    ticket: int
    carrier: Carrier
    ahead: int  # people


def notice_id(subscription: str, trigger: Trigger) -> str:
    """One notice for each subscription and trigger, however often it is found to be due."""
    return f"{subscription}:{trigger}"


def near(line: Iterable[int], wishes: Iterable[Subscription]) -> list[Subscription]:
    """Whose turn is near. `line`: arrivals that wait in a lane, first of all first."""
    places = {arrival: place for place, arrival in zip(range(FURTHEST_AHEAD + 1), line, strict=False)}
    return [wish for wish in wishes if wish.ticket in places and places[wish.ticket] <= wish.ahead]
