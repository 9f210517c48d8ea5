"""What every move of the desk stands on: whose ticket it is, whether it may move so, and which rank it gets.

It reads the picture and decides nothing by itself; every other rule of this room is a function over it.
"""

from typing import Any, TypeAlias

from hub.desk import order
from hub.desk.facts import Fact, LaneRenumbered
from hub.desk.lane import Office
from hub.desk.picture import Picture
from hub.desk.refusals import NotCurrent, UnknownTicket, WrongMove
from hub.desk.requests import Answer, Stamp
from hub.desk.ticket import MOVES, Action, State, Ticket

Decision: TypeAlias = tuple[Answer, list[Fact]]


class Ground:
    """One office and its day. Each method that names a ticket raises a Refusal where it may not move so."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.picture = Picture()

    def lanes_of(self, counter: str, asked: tuple[str, ...] = ()) -> tuple[str, ...]:
        """The lanes that a counter calls from today, or those of them that are asked for."""
        return self.office.served_lanes(counter, asked, self.picture.assigned.get(counter))

    def ticket(self, arrival: int) -> Ticket:
        ticket = self.picture.tickets.get(arrival)
        if ticket is None:
            raise UnknownTicket(ticket=str(arrival))
        return ticket

    def moved(self, arrival: int, action: Action) -> Ticket:
        """A named ticket, if it may move so."""
        return self.may(self.ticket(arrival), action)

    def may(self, ticket: Ticket, action: Action) -> Ticket:
        if (ticket.state, action) not in MOVES:
            raise WrongMove(ticket=str(ticket.arrival), state=ticket.state, action=action)
        return ticket

    def current(self, counter: str, arrival: int, action: Action) -> Ticket:
        """The ticket that the counter has, if it is the one named and may move so."""
        self.office.counter(counter)
        self.has(counter, arrival)
        return self.moved(arrival, action)

    def leaving(self, counter: str, arrival: int | None) -> Ticket | None:
        """What the counter finishes by calling another: what it is believed to have, or nothing."""
        self.has(counter, arrival)
        return None if arrival is None else self.moved(arrival, Action.FINISH)

    def has(self, counter: str, arrival: int | None) -> None:
        present = self.picture.at_counter.get(counter)
        if present != arrival:
            raise NotCurrent(counter=counter, current=str(present or ""))

    def place_by_arrival(self, stamp: Stamp, ticket: Ticket, lane: str, at: int) -> tuple[int, int, list[Fact]]:
        """Rank and people ahead of a ticket that joins a lane where its arrival puts it."""
        line = [self.picture.tickets[arrival] for _, arrival in self.picture.waiting.get(lane, [])]
        place = order.place_of_arrival([0 if other.is_priority else other.arrival for other in line], ticket.arrival)
        rank = order.rank_of_arrival(self.picture.ranks(lane), place, ticket.arrival, self.picture.last_arrival)
        if rank is not None:
            return rank, place, []
        rank, told = self.insert(stamp, lane, place, at)
        return rank, place, told

    def insert(self, stamp: Stamp, lane: str, place: int, at: int) -> tuple[int, list[Fact]]:
        """A rank after the first `place` of the lane; where the gap is closed, the neighbours are renumbered first."""
        ranks = self.picture.ranks(lane)
        rank = order.rank_at(ranks, place, self.picture.last_arrival)
        if rank is not None:
            return rank, []
        rank, moved = order.make_room(ranks, place, self.picture.last_arrival)
        anew = {arrival: moved[old] for old, arrival in self.picture.waiting[lane] if old in moved}
        return rank, [LaneRenumbered(at=at, who=stamp.who, request=stamp.request, lane=lane, ranks=anew)]


def about(ticket: Ticket, stamp: Stamp, at: int) -> dict[str, Any]:
    """What every fact of a ticket says."""
    return {
        "at": at,
        "who": stamp.who,
        "request": stamp.request,
        "arrival": ticket.arrival,
        "number": ticket.number,
        "lane": ticket.lane,
    }


def stands(ticket: Ticket, state: State, ahead: int | None = None, *, finished: int | None = None) -> Answer:
    return Answer(ticket.arrival, ticket.number, ticket.lane, state, ahead=ahead, finished=finished)
