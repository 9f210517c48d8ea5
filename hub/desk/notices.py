"""What a resident may wish to be told, and when it is due. Nothing here knows a contact, or how a message is sent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from hub.desk.facts import (
    CallTakenBack,
    Fact,
    TicketCalled,
    TicketCancelled,
    TicketCheckedIn,
    TicketIssued,
    TicketLapsed,
    TicketMarkedAbsent,
    TicketPushedBack,
    TicketReady,
    TicketReturned,
    TicketTransferred,
)
from hub.desk.hours import MINUTE_MS

LOOKED_AT = 60  # who wait first in a lane, whatever its length: half an hour of one that calls somebody every 30 s


class Carrier(StrEnum):
    """How a notice reaches the resident. In this order: whoever has allowed several is told by the first of them."""

    LINE = "line"
    EMAIL = "email"
    PHONE = "phone"


# It sends a notice once, however often it is handed over.
KNOWS_AGAIN = frozenset({Carrier.LINE})


class Trigger(StrEnum):
    """What a notice is about."""

    REGISTERED = "registered"  # the wish itself: whoever did not make it learns of it
    NEAR = "near"  # as few people ahead, or minutes, as was wished
    NOW = "now"  # called to a counter
    MISSED = "missed"  # called, and nobody came
    READY = "ready"  # what was asked for is ready: the ticket waits for its delivery
    JUMP = "jump"  # told near, and the turn comes far sooner than was to be expected then
    DELAYED = "delayed"  # told near, and far later it has not come


# Comes again with each call; all others once for each wish, near also once more for whoever was moved back since.
EACH_TIME = frozenset({Trigger.NOW, Trigger.MISSED})
HAS_TIMES = EACH_TIME | {Trigger.NEAR}
# A second copy does no harm and a loss costs the turn: where nobody can know, it is sent once more.
SENT_AGAIN = frozenset({Trigger.NOW, Trigger.MISSED, Trigger.READY})


class NoticeState(StrEnum):
    """Where a notice stands. The last four are ends."""

    PENDING = "pending"  # due, nobody has it in hand
    CLAIMED = "claimed"  # a worker has it in hand and has not begun to send
    SENDING = "sending"  # a worker said so before the first byte: from here on it may have arrived
    ACCEPTED = "accepted"  # the carrier has it
    UNCERTAIN = "uncertain"  # nobody can know whether the carrier has it
    REFUSED = "refused"  # the carrier will never take it
    LAPSED = "lapsed"  # too late to be of use, no longer wished, or passed on to the next carrier


ENDED = frozenset({NoticeState.ACCEPTED, NoticeState.UNCERTAIN, NoticeState.REFUSED, NoticeState.LAPSED})


class Ending(StrEnum):
    """Why a contact is gone before its day is over."""

    RESIDENT = "resident"  # the resident said stop
    BLOCK = "block"  # the resident blocked the office's account at the carrier
    REPLACED = "replaced"  # the resident gave another
    REFUSED = "refused"  # the carrier will never deliver to it
    BOUNCE = "bounce"  # the carrier took it, and it came back
    OFFICE = "office"  # the resident asked the office, and an operator did it


@dataclass(frozen=True, slots=True)
class Subscription:
    """A wish of one ticket for one carrier. `id` is random, and the name of its sealed contact.

    It is near with at most `ahead` people before, or when the turn is to be expected within `minutes` (0: that is not
    wished). `near_at` and `expected_ms` are of the moment at which it was told so (office ms), None before. `nears`:
    how often that was told and is true no more.
    """

    id: str
    ticket: int
    carrier: Carrier
    ahead: int
    minutes: int = 0
    near_at: int | None = None
    expected_ms: int = 0
    nears: int = 0


def notice_id(subscription: str, trigger: Trigger, time: int = 1) -> str:
    """One notice for each subscription, trigger and, of those that have times, time."""
    return f"{subscription}:{trigger}" if time == 1 else f"{subscription}:{trigger}.{time}"


def later_id(notice: str) -> str:
    """What the same notice is called when it comes once more."""
    first, _, time = notice.partition(".")
    return f"{first}.{int(time or 1) + 1}"


# ------------------------------------------------------------------------------------------------- how fast a lane goes

PACE_CALLS = 8  # the last calls of a lane that its pace is measured by
FEWEST_CALLS = 4  # of fewer nobody can say how fast a lane goes
USUAL_PACE_MS = 120_000  # a person, before it can be measured


def pace_ms(calls: Iterable[int]) -> int:
    """How long one person takes in a lane, from when its last ones were called (office ms, in order).

    A plain measured rate; whatever estimates better takes this one's place.
    """
    times = tuple(calls)[-PACE_CALLS:]
    return (times[-1] - times[0]) // (len(times) - 1) if len(times) >= FEWEST_CALLS else USUAL_PACE_MS


# ------------------------------------------------------------------------------------------------------- what falls due

FAR_OFF_MS = 5 * MINUTE_MS  # a turn expected sooner than that cannot come far sooner still
LATE_MS = 15 * MINUTE_MS

# By what happened to the ticket itself.
BY_FACT: Mapping[type[Fact], Trigger] = {
    TicketCalled: Trigger.NOW,
    TicketMarkedAbsent: Trigger.MISSED,
    TicketReady: Trigger.READY,
}
# By these a lane has other places or another pace: who waits in it is looked at. All others leave him where he was, and
# what time alone makes due waits for the next look (`Sweep`).
MOVES_A_LANE = (
    TicketIssued,
    TicketCheckedIn,
    TicketCalled,
    CallTakenBack,
    TicketReturned,
    TicketReady,
    TicketPushedBack,
    TicketTransferred,
    TicketCancelled,
    TicketLapsed,
)
# By these a ticket stands at another place, of its own lane or another: what was told of the old may be true no more.
PLACED_ANEW = (TicketPushedBack, TicketReturned, TicketTransferred)
# In place of what was to be expected: whoever was called after being told near is told no more of places.
CALLED_SINCE = -1


def is_near(wish: Subscription, ahead: int, pace: int) -> bool:
    return ahead <= wish.ahead or ahead * pace < wish.minutes * MINUTE_MS


def by_place(wish: Subscription, ahead: int, pace: int, at: int) -> tuple[Subscription, Trigger | None]:
    """What a place in the lane makes due: the wish as it stands then, and the trigger."""
    expected = ahead * pace
    if wish.near_at is None:
        if is_near(wish, ahead, pace):
            return replace(wish, near_at=at, expected_ms=expected), Trigger.NEAR
        return wish, None
    if wish.expected_ms == CALLED_SINCE:
        return wish, None
    passed = at - wish.near_at
    if ahead <= 1 and wish.expected_ms >= FAR_OFF_MS and 2 * (passed + expected) < wish.expected_ms:
        return wish, Trigger.JUMP
    return wish, Trigger.DELAYED if passed > max(LATE_MS, 2 * wish.expected_ms) else None


def first_allowed(wishes: Iterable[Subscription]) -> Subscription | None:
    """Which of a ticket's wishes is told; the others are for when its carrier fails."""
    order = list(Carrier)
    return min(wishes, key=lambda wish: order.index(wish.carrier), default=None)


# ------------------------------------------------------------------------------------------- what staff may know of it


class HowTold(StrEnum):
    """Whether a resident knows of his turn, by all carriers together; of the contact itself it says nothing."""

    UNWISHED = "unwished"
    SENDING = "sending"
    TOLD = "told"
    UNSURE = "unsure"
    NOT_TOLD = "not_told"


OF_THE_TURN = (Trigger.NOW, Trigger.READY, Trigger.NEAR)  # the first that there is, is what counts


def of_this_call(
    notices: Mapping[Trigger, NoticeState], since: Mapping[Trigger, int], called_at: int | None
) -> Mapping[Trigger, NoticeState]:
    """What a carrier told of the latest call (office ms, None: none yet); nothing where that was an earlier one."""
    is_earlier = called_at is not None and since.get(Trigger.NOW, called_at) < called_at
    return {} if is_earlier else notices


def how_told(wishes: Iterable[Mapping[Trigger, NoticeState]]) -> HowTold:
    """`wishes`: what became of each carrier's notices of a ticket."""
    every = list(wishes)
    for trigger in OF_THE_TURN:
        states = {notices[trigger] for notices in every if trigger in notices}
        if NoticeState.ACCEPTED in states:
            return HowTold.TOLD
        if states - ENDED:
            return HowTold.SENDING
        if states:
            return HowTold.UNSURE if NoticeState.UNCERTAIN in states else HowTold.NOT_TOLD
    return HowTold.NOT_TOLD if every else HowTold.UNWISHED
