"""What an audience may see of a fact and of the day. A field is public because it is named here; none is ever removed.

Who asked, the request's id and where a number was taken stay inside. Ranks are shown on a lane's topic and the desk's.
"""

from typing import TypeAlias, assert_never

from msgspec import UNSET, UnsetType

from hub.desk import facts
from hub.desk.facts import TicketFact, WallFact
from hub.desk.lane import Office
from hub.desk.picture import Picture
from hub.desk.ticket import State, Ticket
from hub.fanout import topics
from hub.wire import messages as wire
from hub.wire.position import Position

ToldFact: TypeAlias = TicketFact | facts.LaneRenumbered | WallFact


def frame_of(fact: ToldFact, topic: str, picture: Picture, position: Position, prev: Position) -> wire.AnyFact:
    """A fact as a topic's audience sees it. `picture` knows it already; `prev` is the topic's previous position."""
    place, before, at = str(position), str(prev), fact.at
    if isinstance(fact, facts.WallJoined):
        return wire.WallJoined(place, before, at, fact.wall)
    if isinstance(fact, facts.WallLeft):
        return wire.WallLeft(place, before, at, fact.wall)
    lane = fact.lane
    waiting = {touched: picture.count(touched) for touched in topics.touched_lanes(fact)}
    if isinstance(fact, facts.LaneRenumbered):
        ranks = {str(arrival): rank for arrival, rank in fact.ranks.items()}
        return wire.LaneRenumbered(place, before, at, lane, waiting, ranks)
    arrival, number = fact.arrival, fact.number
    match fact:
        case facts.TicketIssued():
            rank = _rank(fact.rank, topic)
            return wire.TicketIssued(place, before, at, lane, waiting, arrival, number, rank)
        case facts.TicketExpected():
            return wire.TicketExpected(place, before, at, lane, waiting, arrival, number)
        case facts.TicketCheckedIn():
            rank = _rank(fact.rank, topic)
            return wire.TicketCheckedIn(place, before, at, lane, waiting, arrival, number, rank)
        case facts.TicketCalled():
            return wire.TicketCalled(place, before, at, lane, waiting, arrival, number, fact.counter)
        case facts.TicketRecalled():
            return wire.TicketRecalled(place, before, at, lane, waiting, arrival, number, fact.counter, fact.calls)
        case facts.TicketMarkedAbsent():
            return wire.TicketMarkedAbsent(place, before, at, lane, waiting, arrival, number, fact.counter)
        case facts.TicketReturned():
            rank = _rank(fact.rank, topic)
            return wire.TicketReturned(place, before, at, lane, waiting, arrival, number, rank)
        case facts.TicketServed():
            return wire.TicketServed(place, before, at, lane, waiting, arrival, number, fact.counter)
        case facts.TicketCancelled():
            return wire.TicketCancelled(place, before, at, lane, waiting, arrival, number)
        case facts.TicketTransferred():
            rank = _rank(fact.rank, topic)
            return wire.TicketTransferred(
                place, before, at, lane, waiting, arrival, number, from_lane=fact.from_lane, rank=rank
            )
        case facts.CallShown():
            return wire.CallShown(place, before, at, lane, waiting, arrival, number, fact.calls, fact.wall)
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
            wire.LaneState(lane.key, lane.name, picture.count(lane.key), _queue(lane.key, topic, picture))
            for lane in office.lanes
            if only is None or lane.key == only
        ],
        called=[_called(ticket, topic) for ticket in called],
        missed=[_missed(ticket) for ticket in sorted(missed, key=lambda ticket: ticket.arrival)],
        counters=[
            wire.CounterState(counter.key, counter.name, list(counter.lanes))
            for counter in office.counters
            if only is None or only in counter.lanes
        ],
        checks_in=office.web_check_in,
        walls=list(picture.walls) if topics.shows_receipts(topic) else UNSET,
    )


def _rank(rank: int, topic: str) -> int | UnsetType:
    return rank if topics.shows_ranks(topic) else UNSET


def _queue(lane: str, topic: str, picture: Picture) -> list[wire.WaitingNumber] | UnsetType:
    if not topics.shows_ranks(topic):
        return UNSET
    return [
        wire.WaitingNumber(arrival, picture.tickets[arrival].number, rank)
        for rank, arrival in picture.waiting.get(lane, ())
    ]


def _called(ticket: Ticket, topic: str) -> wire.CalledNumber:
    counter, called_at = ticket.counter or "", ticket.called_at or 0  # a called ticket has both
    shown = list(ticket.shown) if topics.shows_receipts(topic) else UNSET
    return wire.CalledNumber(ticket.arrival, ticket.number, ticket.lane, counter, ticket.calls, called_at, shown)


def _missed(ticket: Ticket) -> wire.MissedNumber:
    return wire.MissedNumber(ticket.arrival, ticket.number, ticket.lane, ticket.counter or "")
