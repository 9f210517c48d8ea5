"""What an audience may see of a fact and of the day. A field is public because it is named here; none is ever removed.

Who asked, the request's id and where a number was taken stay inside. Ranks are shown on a lane's topic and the desk's;
that a ticket has priority, why it was chosen, who is held, why a lane is paused, and turns, to staff alone.
"""

from collections.abc import Iterable
from itertools import islice
from typing import TypeAlias, TypeVar, assert_never

from msgspec import UNSET, UnsetType

from hub.desk import facts
from hub.desk.facts import LaneFact, OfficeFact, TicketFact, WallFact
from hub.desk.hours import end_of
from hub.desk.lane import Counter, Lane, Office, Reason
from hub.desk.picture import Picture
from hub.desk.ticket import State, Ticket
from hub.fanout import topics
from hub.wire import messages as wire
from hub.wire.position import Position

ToldFact: TypeAlias = TicketFact | LaneFact | WallFact | OfficeFact


def frame_of(
    fact: ToldFact, topic: str, picture: Picture, office: Office, position: Position, prev: Position
) -> wire.AnyFact:
    """A fact as a topic's audience sees it. `picture` knows it already; `prev` is the topic's previous position."""
    place, before, at = str(position), str(prev), fact.at
    if isinstance(fact, facts.WallJoined):
        return wire.WallJoined(place, before, at, fact.wall)
    if isinstance(fact, facts.WallLeft):
        return wire.WallLeft(place, before, at, fact.wall)
    if isinstance(fact, facts.AnnouncementPosted):
        return wire.AnnouncementPosted(place, before, at, fact.text, fact.until)
    if isinstance(fact, facts.AnnouncementWithdrawn):
        return wire.AnnouncementWithdrawn(place, before, at)
    if isinstance(fact, facts.CounterReassigned):
        return wire.CounterReassigned(place, before, at, fact.counter, *_served(fact.counter, topic, picture, office))
    lane = fact.lane
    waiting = {touched: picture.count(touched) for touched in topics.touched_lanes(fact)}
    match fact:
        case facts.LaneRenumbered():
            ranks = {str(arrival): rank for arrival, rank in fact.ranks.items()}
            return wire.LaneRenumbered(place, before, at, lane, waiting, ranks)
        case facts.LanePaused():
            return wire.LanePaused(place, before, at, lane, waiting, _for_staff(fact.reason, topic))
        case facts.LaneResumed():
            return wire.LaneResumed(place, before, at, lane, waiting)
        case facts.ClosingAnnounced():
            return wire.ClosingAnnounced(place, before, at, lane, waiting)
        case _:
            pass  # of a ticket
    head = (place, before, at, lane, waiting, fact.arrival, fact.number)
    ticket = picture.tickets[fact.arrival]
    only, since = _reserved(ticket, topic), _for_staff(ticket.issued_at, topic)
    match fact:
        case facts.TicketIssued():
            return wire.TicketIssued(*head, _rank(fact.rank, topic), _for_staff(fact.is_priority, topic), since)
        case facts.TicketExpected():
            return wire.TicketExpected(*head)
        case facts.TicketCheckedIn():
            return wire.TicketCheckedIn(*head, _rank(fact.rank, topic), since)
        case facts.TicketCalled():
            turn, reason = _for_staff(fact.turn, topic), _for_staff(fact.reason, topic)
            return wire.TicketCalled(*head, fact.counter, turn, reason)
        case facts.CallTakenBack():
            return wire.CallTakenBack(*head, fact.counter, fact.state, _rank(fact.rank, topic), only, since)
        case facts.TicketRecalled():
            return wire.TicketRecalled(*head, fact.counter, fact.calls)
        case facts.TicketMarkedAbsent():
            return wire.TicketMarkedAbsent(*head, fact.counter, fact.until)
        case facts.TicketReturned():
            return wire.TicketReturned(*head, _rank(fact.rank, topic), only, since)
        case facts.TicketHeld():
            return wire.TicketHeld(*head, fact.counter)
        case facts.TicketSentToReview():
            return wire.TicketSentToReview(*head, fact.counter)
        case facts.TicketReady():
            return wire.TicketReady(*head, fact.from_lane, _rank(fact.rank, topic), since)
        case facts.TicketPushedBack():
            return wire.TicketPushedBack(*head, _rank(fact.rank, topic), only, since)
        case facts.TicketServed():
            return wire.TicketServed(*head, fact.counter)
        case facts.TicketCancelled():
            return wire.TicketCancelled(*head)
        case facts.TicketLapsed():
            return wire.TicketLapsed(*head, fact.why)
        case facts.TicketTransferred():
            return wire.TicketTransferred(*head, fact.from_lane, _rank(fact.rank, topic), only, since)
        case facts.CallShown():
            return wire.CallShown(*head, fact.calls, fact.wall)
        case _:
            assert_never(fact)


def snapshot_of(topic: str, picture: Picture, office: Office, position: Position, at: int) -> wire.Snapshot:
    """The whole of a topic. A lane's: that lane, its tickets and the counters that serve it. The others': all."""
    only, is_desk = topics.lane_of(topic), topics.is_for_staff(topic)
    tickets = [ticket for ticket in picture.tickets.values() if only is None or ticket.lane == only]
    at_counters = (picture.tickets[arrival] for arrival in reversed(picture.at_counter.values()))
    called = [ticket for ticket in at_counters if only is None or ticket.lane == only]
    missed = [ticket for ticket in tickets if ticket.state is State.ABSENT]
    return wire.Snapshot(
        topic=topic,
        position=str(position),
        at=at,
        day=picture.day or "",
        office=office.name,
        lanes=[_lane(lane, topic, picture, office) for lane in office.lanes if only is None or lane.key == only],
        called=[_called(ticket, topic) for ticket in called],
        missed=[_missed(ticket) for ticket in sorted(missed, key=lambda ticket: ticket.arrival)],
        counters=[
            wire.CounterState(counter.key, counter.name, *_served(counter.key, topic, picture, office))
            for counter in office.counters
        ],
        checks_in=office.web_check_in,
        priorities=[
            wire.PriorityClass(priority.key, priority.name, sorted(priority.given_by)) for priority in office.priorities
        ],
        pause_reasons=_reasons(office.pause_reasons) if is_desk else [],
        by_priority=sorted(ticket.arrival for ticket in tickets if ticket.is_priority) if is_desk else [],
        reasons=_reasons(office.reasons) if is_desk else [],
        held=_aside(State.HELD, topic, picture),
        in_review=_aside(State.BACK_OFFICE, topic, picture),
        walls=list(picture.walls) if is_desk else UNSET,
        rules=_rules(office) if is_desk else UNSET,
        announcement=wire.Announcement(*picture.announcement) if picture.announcement and only is None else UNSET,
    )


def _rules(office: Office) -> wire.DeskRules:
    return wire.DeskRules(office.absence.after_calls, office.absence.after_seconds, office.long_wait_minutes)


def _reasons(reasons: Iterable[Reason]) -> list[wire.Reason]:
    return [wire.Reason(reason.key, reason.name) for reason in reasons]


_T = TypeVar("_T")


def _for_staff(told: _T, topic: str) -> _T | UnsetType:
    return told if topics.is_for_staff(topic) else UNSET


def _lane(lane: Lane, topic: str, picture: Picture, office: Office) -> wire.LaneState:
    reason = picture.paused.get(lane.key)
    return wire.LaneState(
        lane.key,
        lane.name,
        picture.count(lane.key),
        _queue(lane.key, topic, picture),
        closing=lane.key in picture.closing,
        offered=lane.gives_numbers,
        delivery=lane.delivery or UNSET,
        paused=reason is not None,
        reason=UNSET if reason is None else _for_staff(reason, topic),
        hours=_hours(lane.key, picture.day, office),
        given=_for_staff(picture.issued.get(lane.key, 0), topic),
    )


def _hours(lane: str, day: str | None, office: Office) -> list[tuple[int, int]] | UnsetType:
    """The same all day, so that a screen which has been there since morning knows what a fresh one is told."""
    if office.hours.is_always or not day:
        return UNSET
    today = office.hours.windows(lane, day)
    return [*today, *islice(office.hours.following(lane, end_of(day)), 1)]


def _served(key: str, topic: str, picture: Picture, office: Office) -> tuple[list[str], list[int]]:
    """Lanes and weights of a counter today. A lane's topic is told of that lane alone."""
    only = topics.lane_of(topic)
    counter = next((each for each in office.counters if each.key == key), Counter(key, key, ()))
    lanes = picture.assigned.get(key, counter.lanes)
    if only is not None:
        return ([only] if only in lanes else []), []
    return list(lanes), [counter.weight(lane) for lane in lanes] if counter.is_weighted else []


def _rank(rank: int, topic: str) -> int | UnsetType:
    return rank if topics.shows_ranks(topic) else UNSET


def _queue(lane: str, topic: str, picture: Picture) -> list[wire.WaitingNumber] | UnsetType:
    if not topics.shows_ranks(topic):
        return UNSET
    return [
        wire.WaitingNumber(arrival, ticket.number, rank, _reserved(ticket, topic), _for_staff(ticket.issued_at, topic))
        for rank, arrival in picture.waiting.get(lane, ())
        for ticket in [picture.tickets[arrival]]
    ]


def _reserved(ticket: Ticket, topic: str) -> str | UnsetType:
    return ticket.for_counter or UNSET if topics.shows_ranks(topic) else UNSET


def _aside(state: State, topic: str, picture: Picture) -> list[wire.AsideNumber] | UnsetType:
    if not topics.is_for_staff(topic):
        return UNSET
    aside = sorted((t for t in picture.tickets.values() if t.state is state), key=lambda ticket: ticket.arrival)
    return [wire.AsideNumber(ticket.arrival, ticket.number, ticket.lane, ticket.counter or "") for ticket in aside]


def _called(ticket: Ticket, topic: str) -> wire.CalledNumber:
    counter, called_at = ticket.counter or "", ticket.called_at or 0  # a called ticket has both
    shown = list(ticket.shown) if topics.is_for_staff(topic) else UNSET
    return wire.CalledNumber(ticket.arrival, ticket.number, ticket.lane, counter, ticket.calls, called_at, shown)


def _missed(ticket: Ticket) -> wire.MissedNumber:
    return wire.MissedNumber(ticket.arrival, ticket.number, ticket.lane, ticket.counter or "", ticket.until or 0)
