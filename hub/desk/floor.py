"""What becomes of a ticket away from the counters: it comes, comes back, goes elsewhere, or ends.

Pure rules over `Ground`, one function a request.
"""

from hub.desk import facts, order
from hub.desk.facts import Fact
from hub.desk.ground import Decision, Ground, about, stands
from hub.desk.refusals import (
    LaneClosing,
    LaneNotServed,
    MissedTooLong,
    NobodyBehind,
    NoDelivery,
    NotYet,
    PushedEnough,
    SameLane,
)
from hub.desk.requests import (
    AnnounceClosing,
    Answer,
    Cancel,
    CheckIn,
    Lapse,
    PushBack,
    Ready,
    Return,
    Stamp,
    Transfer,
)
from hub.desk.ticket import Action, State, Ticket


def check_in(ground: Ground, stamp: Stamp, request: CheckIn, at: int) -> Decision:
    ticket = ground.moved(request.ticket, Action.CHECK_IN)
    rank, place, told = ground.place_by_arrival(stamp, ticket, ticket.lane, at)
    told.append(facts.TicketCheckedIn(rank=rank, **about(ticket, stamp, at)))
    return stands(ticket, State.WAITING, ahead=place), told


def come_back(ground: Ground, stamp: Stamp, request: Return, at: int) -> Decision:
    ticket = ground.moved(request.ticket, Action.RETURN)
    if is_over(ticket, at):
        raise MissedTooLong()
    place = order.place_of_return(ground.picture.count(ticket.lane), ground.office.return_after)
    rank, told = ground.insert(stamp, ticket.lane, place, at)
    told.append(facts.TicketReturned(rank=rank, **about(ticket, stamp, at)))
    return stands(ticket, State.WAITING, ahead=place), told


def push_back(ground: Ground, stamp: Stamp, request: PushBack, at: int) -> Decision:
    """After the next few; not behind newcomers, and only where there is somebody to go first."""
    ticket = ground.moved(request.ticket, Action.PUSH_BACK)
    if ticket.pushed >= ground.office.push_backs.times:
        raise PushedEnough()
    ahead, count = ground.picture.ahead(ticket), ground.picture.count(ticket.lane)
    if ahead + 1 == count:
        raise NobodyBehind()
    place = min(ahead + request.places, count - 1)
    rank, told = ground.insert(stamp, ticket.lane, place + 1, at)  # it is still in the line: one more stands before
    told.append(facts.TicketPushedBack(rank=rank, **about(ticket, stamp, at)))
    return stands(ticket, State.WAITING, ahead=place), told


def cancel(ground: Ground, stamp: Stamp, request: Cancel, at: int) -> Decision:
    ticket = ground.moved(request.ticket, Action.CANCEL)
    return stands(ticket, State.CANCELLED), [facts.TicketCancelled(**about(ticket, stamp, at))]


def transfer(ground: Ground, stamp: Stamp, request: Transfer, at: int) -> Decision:
    """Who waits in that very lane already keeps his rank: only who may call him changes."""
    lane = ground.office.lane(request.lane).key
    if request.counter and lane not in ground.lanes_of(request.counter):
        raise LaneNotServed(counter=request.counter, lane=lane)
    ticket = ground.moved(request.ticket, Action.TRANSFER)
    if (ticket.lane, ticket.for_counter) == (lane, request.counter):
        raise SameLane(lane=lane)
    told: list[Fact] = []
    rank, place = ticket.rank, ground.picture.ahead(ticket)
    if ticket.lane != lane or ticket.state is not State.WAITING:
        rank, place, told = ground.place_by_arrival(stamp, ticket, lane, at)
    fact = facts.TicketTransferred(
        from_lane=ticket.lane, rank=rank, for_counter=request.counter, **(about(ticket, stamp, at) | {"lane": lane})
    )
    return Answer(ticket.arrival, ticket.number, lane, State.WAITING, ahead=place), [*told, fact]


def ready(ground: Ground, stamp: Stamp, request: Ready, at: int) -> Decision:
    """In the delivery lane, too, whoever came to the office first is called first."""
    ticket = ground.moved(request.ticket, Action.READY)
    lane = ground.office.delivery_of(ticket.lane)
    if not lane:
        raise NoDelivery(lane=ticket.lane)
    rank, place, told = ground.place_by_arrival(stamp, ticket, lane, at)
    fact = facts.TicketReady(from_lane=ticket.lane, rank=rank, **(about(ticket, stamp, at) | {"lane": lane}))
    return Answer(ticket.arrival, ticket.number, lane, State.WAITING, ahead=place), [*told, fact]


def lapse(ground: Ground, stamp: Stamp, request: Lapse, at: int) -> Decision:
    ticket = ground.moved(request.ticket, Action.LAPSE)
    why = "missed" if is_over(ticket, at) else "closing"
    if why == "closing" and ticket.lane not in ground.picture.closing:
        raise NotYet()
    return stands(ticket, State.LAPSED), [facts.TicketLapsed(why=why, **about(ticket, stamp, at))]


def announce_closing(ground: Ground, stamp: Stamp, request: AnnounceClosing, at: int) -> Decision:
    lane = ground.office.lane(request.lane).key
    if lane in ground.picture.closing:
        raise LaneClosing()
    waiting = ground.picture.count(lane)
    fact = facts.ClosingAnnounced(at=at, who=stamp.who, request=stamp.request, lane=lane, still_waiting=waiting)
    return Answer(lane=lane, ahead=waiting), [fact]


def is_over(ticket: Ticket, at: int) -> bool:
    """A missed number whose time to come back has passed, whether or not somebody has said so yet."""
    return ticket.state is State.ABSENT and ticket.until is not None and at >= ticket.until
