"""Which walls there are today, and on which of them the present call of a ticket was shown. It moves nobody.

A wall counts from its first coming until the day is over or it is put out for good: also while it is dark, since those
who sit before it see nothing then. A receipt belongs to one call: the next, or the end of waiting anew, voids it.
"""

from typing import TypeAlias, assert_never

from hub.desk.facts import CallShown, Fact, WallJoined, WallLeft
from hub.desk.picture import Picture
from hub.desk.refusals import CallOver, UnknownTicket
from hub.desk.requests import Answer, JoinWall, LeaveWall, ShowCall, Stamp
from hub.desk.ticket import State

WallRequest: TypeAlias = JoinWall | LeaveWall | ShowCall


def decide(picture: Picture, stamp: Stamp, request: WallRequest, at: int) -> tuple[Answer, list[Fact]]:
    """What is known already is told no second time. Raises UnknownTicket, CallOver."""
    match request:
        case JoinWall():
            return Answer(), _joined(picture, stamp, request.wall, at)
        case LeaveWall():
            if request.wall not in picture.walls:
                return Answer(), []
            return Answer(), [WallLeft(at=at, who=stamp.who, request=stamp.request, wall=request.wall)]
        case ShowCall():
            return _show(picture, stamp, request, at)
        case _:
            assert_never(request)


def _joined(picture: Picture, stamp: Stamp, wall: str, at: int) -> list[Fact]:
    return [] if wall in picture.walls else [WallJoined(at=at, who=stamp.who, request=stamp.request, wall=wall)]


def _show(picture: Picture, stamp: Stamp, request: ShowCall, at: int) -> tuple[Answer, list[Fact]]:
    ticket = picture.tickets.get(request.ticket)
    if ticket is None:
        raise UnknownTicket(ticket=str(request.ticket))
    if (ticket.state, ticket.calls, ticket.called_at) != (State.CALLED, request.calls, request.called_at):
        raise CallOver(ticket=str(ticket.arrival), state=ticket.state)
    answer = Answer(ticket.arrival, ticket.number, ticket.lane, ticket.state, shown_before=len(ticket.shown))
    told = _joined(picture, stamp, request.wall, at)
    if request.wall not in ticket.shown:
        told.append(
            CallShown(
                at=at,
                who=stamp.who,
                request=stamp.request,
                arrival=ticket.arrival,
                number=ticket.number,
                lane=ticket.lane,
                calls=ticket.calls,
                wall=request.wall,
            )
        )
    return answer, told
