"""Was it a good day at the counters? Tells the facts again and reckons at each of them what the rules would have done.

`order` alone is trusted; the rest is reckoned anew from what was told before.
"""

from collections import Counter
from dataclasses import dataclass, field

from hub.desk import facts, order
from hub.desk.chronicle import Chronicle
from hub.desk.explanation import Reason
from hub.desk.lane import Office
from hub.desk.picture import DoesNotFit, Picture
from hub.desk.ticket import State, Ticket
from tests.bench.everything import Told


@dataclass
class Verdict:
    tickets: int = 0
    calls: int = 0
    double_calls: int = 0
    lost: int = 0
    disordered: int = 0
    unexplained: int = 0
    complaints: list[str] = field(default_factory=list)

    def blame(self, kind: str, complaint: str) -> None:
        setattr(self, kind, getattr(self, kind) + 1)
        self.complaints.append(f"{kind}: {complaint}")


def judge(told: Told) -> Verdict:
    verdict, picture, chronicle = Verdict(), Picture(), Chronicle(told.office)
    for fact in told.facts:
        if isinstance(fact, facts.TicketCalled):
            verdict.calls += 1
            _check_call(fact, picture, told.office, verdict)
        if isinstance(fact, facts.TicketIssued):
            verdict.tickets += 1
            _check_place(fact, picture, told.office, verdict)
        try:
            picture.apply(fact)
        except DoesNotFit as error:
            verdict.blame("unexplained", f"{fact}: {error}")
            return verdict
        chronicle.learn(fact)
    for passings in chronicle.fairness().passings.values():  # as the office's own report of the day has it
        for passing in passings:
            if passing.reason is Reason.UNEXPLAINED:
                verdict.blame("unexplained", f"{passing}")
    _check_answers(told, picture, verdict)
    for lane, line in picture.waiting.items():
        for _, arrival in line:
            only = picture.tickets[arrival].for_counter
            verdict.blame("lost", f"{arrival} still waits in {lane} for {only or 'anybody'}")
    return verdict


def _check_call(fact: facts.TicketCalled, picture: Picture, office: Office, verdict: Verdict) -> None:
    ticket = picture.tickets.get(fact.arrival)
    if ticket is None or ticket.state not in (State.WAITING, State.HELD):
        verdict.blame("double_calls", f"{fact}")
    elif fact.counter in picture.at_counter:
        verdict.blame("double_calls", f"counter {fact.counter} had {picture.at_counter[fact.counter]}: {fact}")
    elif fact.reason:
        if fact.reason not in {reason.key for reason in office.reasons}:
            verdict.blame("unexplained", f"no reason of the list: {fact}")
    elif ticket.state is State.WAITING:
        wanted, turn = _in_turn(fact.counter, picture, office)
        if wanted is None or (wanted.arrival, turn) != (fact.arrival, fact.turn):
            verdict.blame("disordered", f"{fact} instead of {wanted} by turn {turn}")


def _in_turn(counter: str, picture: Picture, office: Office) -> tuple[Ticket | None, int]:
    """Whom the counter had to call, and the turn of his lane."""
    seat, turns = office.counter(counter), picture.turns.get(counter, {})
    best: tuple[int, int, int] | None = None
    for lane in picture.assigned.get(counter, seat.lanes):
        turn = order.turn_of(turns, lane, seat.weight(lane)) if seat.is_weighted else 0
        for rank, arrival in picture.waiting.get(lane, ()):
            if picture.tickets[arrival].for_counter in ("", counter):
                best = min(best or (turn, rank, arrival), (turn, rank, arrival))
                break
    return (picture.tickets[best[2]], best[0]) if best else (None, 0)


def _check_place(fact: facts.TicketIssued, picture: Picture, office: Office, verdict: Verdict) -> None:
    """A newcomer stands last, one with priority exactly where the rule lets him pass."""
    line = picture.waiting.get(fact.lane, [])
    place = sum((rank, arrival) < (fact.rank, fact.arrival) for rank, arrival in line)
    wanted = len(line)
    if fact.is_priority:
        flags = [picture.tickets[arrival].is_priority for _, arrival in line]
        wanted = order.place_of_priority(flags, office.priorities[0].every, picture.since.get(fact.lane))
    if place != wanted:
        verdict.blame("disordered", f"{fact} at place {place} of {len(line)}, not {wanted}")
    if fact.number in picture.numbers:
        verdict.blame("unexplained", f"number given twice: {fact}")


def _check_answers(told: Told, picture: Picture, verdict: Verdict) -> None:
    """What was answered happened, once; what happened to a ticket was answered about that ticket."""
    by_request = Counter((fact.request, type(fact)) for fact in told.facts if fact.request)
    happened = {request for request, _ in by_request}
    called = {fact.request: fact.arrival for fact in told.facts if isinstance(fact, facts.TicketCalled)}
    for (request, kind), times in by_request.items():
        if times > 1 and kind is not facts.LaneRenumbered:
            verdict.blame("double_calls", f"request {request} told {kind.__name__} {times} times")
    verdict.double_calls += told.differing
    for request, (asked, answer) in told.answers.items():
        is_nothing = answer.arrival is None and answer.finished is None and answer.lane is None  # nobody waited
        if request not in happened and not is_nothing:
            verdict.blame("lost", f"answered and never told: {asked} {answer}")
        if request in called and called[request] != answer.arrival:
            verdict.blame("double_calls", f"{asked} was answered {answer}, and called {called[request]}")
        if answer.arrival is not None and answer.arrival not in picture.tickets:
            verdict.blame("lost", f"ticket of {answer}")
