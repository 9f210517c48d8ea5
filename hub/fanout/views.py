"""What an audience may see of a fact and of the day. A field is public because it is named here; none is ever removed.

Who asked, the request's id and where a number was taken stay inside. Ranks are shown on a lane's topic and the desk's.
"""

from typing import TypeAlias, assert_never

from msgspec import UNSET, UnsetType

from hub.desk import facts
from hub.desk.facts import TicketFact
from hub.desk.lane import Office
from hub.desk.picture import Picture
from hub.desk.ticket import State, Ticket
from hub.fanout import topics
from hub.wire import messages as wire
from hub.wire.position import Position

PublicFact: TypeAlias = TicketFact | facts.LaneFact


def frame_of(fact: PublicFact, topic: str, picture: Picture, position: Position, prev: Position) -> wire.AnyFact:
    """A fact as a topic's audience sees it. `picture` knows it already; `prev` is the topic's previous position."""
    place, before, at, lane = str(position), str(prev), fact.at, fact.lane
    waiting = {touched: picture.count(touched) for touched in topics.touched_lanes(fact)}
    if isinstance(fact, facts.LaneRenumbered):
        ranks = {str(arrival): rank for arrival, rank in fact.ranks.items()}
        return wire.LaneRenumbered(place, before, at, lane, waiting, ranks)
    if isinstance(fact, facts.ClosingAnnounced):
        return wire.ClosingAnnounced(place, before, at, lane, waiting)
    head = (place, before, at, lane, waiting, fact.arrival, fact.number)
    only = _reserved(picture.tickets[fact.arrival], topic)
    match fact:
        case facts.TicketIssued():
            return wire.TicketIssued(*head, _rank(fact.rank, topic))
        case facts.TicketExpected():
            return wire.TicketExpected(*head)
        case facts.TicketCheckedIn():
            return wire.TicketCheckedIn(*head, _rank(fact.rank, topic))
        case facts.TicketCalled():
            return wire.TicketCalled(*head, fact.counter, fact.reason if topics.shows_all(topic) else UNSET)
        case facts.CallTakenBack():
            return wire.CallTakenBack(*head, fact.counter, fact.state, _rank(fact.rank, topic), only)
        case facts.TicketRecalled():
            return wire.TicketRecalled(*head, fact.counter, fact.calls)
        case facts.TicketMarkedAbsent():
            return wire.TicketMarkedAbsent(*head, fact.counter, fact.until)
        case facts.TicketReturned():
            return wire.TicketReturned(*head, _rank(fact.rank, topic), only)
        case facts.TicketHeld():
            return wire.TicketHeld(*head, fact.counter)
        case facts.TicketSentToReview():
            return wire.TicketSentToReview(*head, fact.counter)
        case facts.TicketReady():
            return wire.TicketReady(*head, fact.from_lane, _rank(fact.rank, topic), only)
        case facts.TicketPushedBack():
            return wire.TicketPushedBack(*head, _rank(fact.rank, topic), only)
        case facts.TicketServed():
            return wire.TicketServed(*head, fact.counter)
        case facts.TicketCancelled():
            return wire.TicketCancelled(*head)
        case facts.TicketLapsed():
            return wire.TicketLapsed(*head, fact.why)
        case facts.TicketTransferred():
            return wire.TicketTransferred(*head, fact.from_lane, _rank(fact.rank, topic), only)
        case _:
            assert_never(fact)


def snapshot_of(topic: str, picture: Picture, office: Office, position: Position, at: int) -> wire.Snapshot:
    """The whole of a topic. A lane's: that lane, its tickets and the counters that serve it. The others': all."""
    only = topics.lane_of(topic)
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
        lanes=[
            wire.LaneState(
                lane.key,
                lane.name,
                picture.count(lane.key),
                lane.key in picture.closing,
                _queue(lane.key, topic, picture),
            )
            for lane in office.lanes
            if only is None or lane.key == only
        ],
        called=[_called(ticket) for ticket in called],
        missed=[_missed(ticket) for ticket in sorted(missed, key=lambda ticket: ticket.arrival)],
        counters=[
            wire.CounterState(counter.key, counter.name, list(counter.lanes))
            for counter in office.counters
            if only is None or only in counter.lanes
        ],
        checks_in=office.web_check_in,
        held=_aside(State.HELD, topic, picture),
        in_review=_aside(State.BACK_OFFICE, topic, picture),
    )


def _rank(rank: int, topic: str) -> int | UnsetType:
    return rank if topics.shows_ranks(topic) else UNSET


def _queue(lane: str, topic: str, picture: Picture) -> list[wire.WaitingNumber] | UnsetType:
    if not topics.shows_ranks(topic):
        return UNSET
    return [
        wire.WaitingNumber(arrival, ticket.number, rank, _reserved(ticket, topic))
        for rank, arrival in picture.waiting.get(lane, ())
        for ticket in [picture.tickets[arrival]]
    ]


def _reserved(ticket: Ticket, topic: str) -> str | UnsetType:
    return ticket.for_counter or UNSET if topics.shows_ranks(topic) else UNSET


def _aside(state: State, topic: str, picture: Picture) -> list[wire.AsideNumber] | UnsetType:
    if not topics.shows_all(topic):
        return UNSET
    aside = sorted((t for t in picture.tickets.values() if t.state is state), key=lambda ticket: ticket.arrival)
    return [wire.AsideNumber(ticket.arrival, ticket.number, ticket.lane, ticket.counter or "") for ticket in aside]


def _called(ticket: Ticket) -> wire.CalledNumber:
    counter, called_at = ticket.counter or "", ticket.called_at or 0  # a called ticket has both
    return wire.CalledNumber(ticket.arrival, ticket.number, ticket.lane, counter, ticket.calls, called_at)


def _missed(ticket: Ticket) -> wire.MissedNumber:
    return wire.MissedNumber(ticket.arrival, ticket.number, ticket.lane, ticket.counter or "", ticket.until or 0)
