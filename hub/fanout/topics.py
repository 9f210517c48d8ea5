"""What can be listened to, and which fact is news where. Names only: nothing here knows a listener or a frame."""

from typing import assert_never

from hub.desk import facts
from hub.desk.facts import Fact

BOARD = "board"  # calls, missed numbers and counts of all lanes, no ranks
DESK = "desk"  # everything, with the queues of all lanes
_LANES = "lanes/"  # a lane's public facts, with ranks


def of_lane(lane: str) -> str:
    return _LANES + lane


def lane_of(topic: str) -> str | None:
    """The lane whose topic this is; None for the board and the desk."""
    return topic.removeprefix(_LANES) if topic.startswith(_LANES) else None


def kind_of(topic: str) -> str:
    """`board`, `lanes` or `desk`: what listeners are counted under."""
    return topic.partition("/")[0]


def is_for_staff(topic: str) -> bool:
    return topic == DESK


def shows_ranks(topic: str) -> bool:
    return topic != BOARD


def touched_lanes(fact: Fact) -> tuple[str, ...]:
    """The lanes whose waiting line, calls or missed numbers a fact is about; none for others."""
    match fact:
        case facts.DayOpened() | facts.DayClosed():
            return ()
        case facts.SlipReissued() | facts.ContactGiven() | facts.ContactUsed() | facts.ContactErased():
            return ()
        case facts.WallJoined() | facts.WallLeft() | facts.CallShown():
            return ()
        case facts.CounterReassigned() | facts.AnnouncementPosted() | facts.AnnouncementWithdrawn():
            return ()
        case facts.TicketTransferred() | facts.TicketReady():
            return (fact.lane,) if fact.from_lane == fact.lane else (fact.from_lane, fact.lane)
        case (
            facts.TicketIssued()
            | facts.TicketExpected()
            | facts.TicketCheckedIn()
            | facts.TicketCalled()
            | facts.CallTakenBack()
            | facts.TicketRecalled()
            | facts.TicketMarkedAbsent()
            | facts.TicketReturned()
            | facts.TicketHeld()
            | facts.TicketSentToReview()
            | facts.TicketPushedBack()
            | facts.TicketServed()
            | facts.TicketCancelled()
            | facts.TicketLapsed()
            | facts.LaneRenumbered()
            | facts.LanePaused()
            | facts.LaneResumed()
            | facts.ClosingAnnounced()
        ):
            return (fact.lane,)
        case _:
            assert_never(fact)


def touched_topics(fact: Fact) -> tuple[str, ...]:
    """Where a fact is told. A renumbering changes ranks only, so it is told only where ranks are shown; what walls do
    is told to staff alone. A lane hears which counters come and go, walls what they say.
    """
    if isinstance(fact, facts.CounterReassigned):
        changed = [lane for lane in (*fact.former, *fact.lanes) if (lane in fact.former) != (lane in fact.lanes)]
        return (BOARD, *map(of_lane, changed), DESK)
    if isinstance(fact, facts.AnnouncementPosted | facts.AnnouncementWithdrawn):
        return (BOARD, DESK)
    if isinstance(fact, facts.WallJoined | facts.WallLeft | facts.CallShown):
        return (DESK,)
    lanes = tuple(of_lane(lane) for lane in touched_lanes(fact))
    if not lanes:
        return ()
    everywhere = (BOARD, *lanes, DESK)
    return tuple(filter(shows_ranks, everywhere)) if isinstance(fact, facts.LaneRenumbered) else everywhere
