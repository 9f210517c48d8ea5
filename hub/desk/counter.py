"""What a counter does with the ticket that it has, or that it chooses: pure rules over `Ground`.

`next` is not here: whom a counter calls in its turn is a rule of order.
"""

from hub.desk import facts, order
from hub.desk.facts import Fact, TicketServed
from hub.desk.ground import Decision, Ground, about, stands
from hub.desk.hours import MINUTE_MS
from hub.desk.refusals import CalledTooFewTimes, CalledTooRecently, LaneNotServed, NoDelivery, NoReason
from hub.desk.requests import Call, Done, Hold, MarkAbsent, Recall, Review, Stamp, TakeBack
from hub.desk.ticket import Action, State, Ticket

SECOND_MS = 1000


def call(ground: Ground, stamp: Stamp, request: Call, at: int) -> Decision:
    """A number that waits is chosen for a reason; one that is held comes back to a counter of its lane."""
    lanes = ground.lanes_of(request.counter)
    if request.reason:
        ground.office.call_reason(request.reason)
    leaving = ground.leaving(request.counter, request.current)
    ticket = ground.moved(request.ticket, Action.CALL)
    if ticket.lane not in lanes or ticket.for_counter not in ("", request.counter):
        raise LaneNotServed(counter=request.counter, lane=ticket.lane)
    if ticket.state is State.WAITING and not request.reason:
        raise NoReason()
    told: list[Fact] = served(leaving, request.counter, stamp, at)
    told.append(facts.TicketCalled(counter=request.counter, reason=request.reason, **about(ticket, stamp, at)))
    return stands(ticket, State.CALLED, finished=request.current), told


def take_back(ground: Ground, stamp: Stamp, request: TakeBack, at: int) -> Decision:
    """Who came in at the very rank meanwhile stands behind: this one stood there first."""
    ticket = ground.current(request.counter, request.ticket, Action.TAKE_BACK)
    told: list[Fact] = []
    rank, place = ticket.rank, None
    if ticket.called_from is State.WAITING:
        place = order.place_of_rank(ground.picture.ranks(ticket.lane), rank)
        if ground.picture.ranks(ticket.lane)[place : place + 1] == [rank]:
            rank, told = ground.insert(stamp, ticket.lane, place, at)
    back = State.HELD if ticket.called_from is State.HELD else State.WAITING
    told.append(facts.CallTakenBack(counter=request.counter, state=back, rank=rank, **about(ticket, stamp, at)))
    return stands(ticket, back, ahead=place), told


def recall(ground: Ground, stamp: Stamp, request: Recall, at: int) -> Decision:
    ticket = ground.current(request.counter, request.ticket, Action.RECALL)
    fact = facts.TicketRecalled(counter=request.counter, calls=ticket.calls + 1, **about(ticket, stamp, at))
    return stands(ticket, State.CALLED), [fact]


def mark_absent(ground: Ground, stamp: Stamp, request: MarkAbsent, at: int) -> Decision:
    ticket = ground.current(request.counter, request.ticket, Action.MARK_ABSENT)
    rule = ground.office.absence
    if ticket.calls < rule.after_calls:
        raise CalledTooFewTimes(calls=str(rule.after_calls - ticket.calls))
    lacking = (ticket.called_at or 0) + rule.after_seconds * SECOND_MS - at
    if lacking > 0:
        raise CalledTooRecently(seconds=str(-(-lacking // SECOND_MS)))
    until = at + rule.missed_minutes * MINUTE_MS
    fact = facts.TicketMarkedAbsent(counter=request.counter, until=until, **about(ticket, stamp, at))
    return stands(ticket, State.ABSENT), [fact]


def done(ground: Ground, stamp: Stamp, request: Done, at: int) -> Decision:
    ticket = ground.current(request.counter, request.ticket, Action.FINISH)
    return stands(ticket, State.SERVED), served(ticket, request.counter, stamp, at)


def hold(ground: Ground, stamp: Stamp, request: Hold, at: int) -> Decision:
    ticket = ground.current(request.counter, request.ticket, Action.HOLD)
    return stands(ticket, State.HELD), [facts.TicketHeld(counter=request.counter, **about(ticket, stamp, at))]


def review(ground: Ground, stamp: Stamp, request: Review, at: int) -> Decision:
    ticket = ground.current(request.counter, request.ticket, Action.REVIEW)
    if not ground.office.delivery_of(ticket.lane):
        raise NoDelivery(lane=ticket.lane)
    fact = facts.TicketSentToReview(counter=request.counter, **about(ticket, stamp, at))
    return stands(ticket, State.BACK_OFFICE), [fact]


def served(ticket: Ticket | None, counter: str, stamp: Stamp, at: int) -> list[Fact]:
    """That a counter finished with what it had, if it had anything."""
    return [] if ticket is None else [TicketServed(counter=counter, **about(ticket, stamp, at))]
