"""The reception desk as pure rules: a request in, facts and an answer out, or a refusal and nothing changed.

The store does the same inside Redis; one behaviour suite and random walks hold both to the same story.
"""

from typing import Any, TypeAlias, assert_never

from hub.desk import order
from hub.desk.facts import (
    ContactErased,
    ContactGiven,
    DayClosed,
    DayOpened,
    Fact,
    LaneRenumbered,
    TicketCalled,
    TicketCancelled,
    TicketCheckedIn,
    TicketExpected,
    TicketIssued,
    TicketMarkedAbsent,
    TicketRecalled,
    TicketReturned,
    TicketServed,
    TicketTransferred,
)
from hub.desk.lane import Office
from hub.desk.notices import (
    BY_FACT,
    EACH_TIME,
    LOOKED_AT,
    Carrier,
    Ending,
    Subscription,
    Trigger,
    by_place,
    first_allowed,
    notice_id,
    pace_ms,
)
from hub.desk.picture import Picture
from hub.desk.refusals import (
    HasNumber,
    LaneExhausted,
    NoContact,
    NotCurrent,
    OtherBody,
    SameLane,
    SecretUsed,
    StaleDay,
    TicketEnded,
    UnknownTicket,
    WrongMove,
)
from hub.desk.requests import (
    Answer,
    Cancel,
    CheckIn,
    Done,
    Issue,
    MarkAbsent,
    Next,
    Recall,
    Request,
    Return,
    Stamp,
    Stop,
    Sweep,
    Transfer,
    Wish,
)
from hub.desk.ticket import ENDS, MOVES, Action, State, Ticket

Decision: TypeAlias = tuple[Answer, list[Fact]]


class Desk:
    """One office's desk over its days. `at` is office time in epoch milliseconds, always given from outside."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.picture = Picture()
        self._answers: dict[tuple[str, str], tuple[Request, Answer]] = {}
        self._secrets: dict[str, int] = {}  # SHA-256 of a secret → arrival
        self._holders: dict[tuple[str, str], int] = {}  # holder, lane → arrival
        self.wishes: dict[tuple[int, str], Subscription] = {}  # arrival, carrier → what is wished
        self.owed: set[str] = set()  # every notice that was due today
        self._calls: dict[str, list[int]] = {}  # lane → when somebody was called there (office ms)

    def open_day(self, day: str, at: int) -> list[Fact]:
        """Move to `day` if it is later than the present one; otherwise nothing happens. Days never go back."""
        present = self.picture.day
        if present is not None and day <= present:
            return []
        told: list[Fact] = []
        if present is not None:
            told.append(DayClosed(at=at, who="keeper", request="", day=present))
        told.append(DayOpened(at=at, who="keeper", request="", day=day))
        self._learn(told)
        self._answers, self._secrets, self._holders = {}, {}, {}
        self.wishes, self.owed, self._calls = {}, set(), {}
        return told

    def do(self, stamp: Stamp, request: Request, at: int) -> Decision:
        """Decide and remember. Raises a Refusal, and then nothing has changed and nothing is remembered."""
        if stamp.day != self.picture.day:
            raise StaleDay(day=self.picture.day or "")
        known = self._answers.get((stamp.who, stamp.request))
        if known is not None:
            if known[0] != request:
                raise OtherBody()
            return known[1], []
        answer, told = self._decide(stamp, request, at)
        self._learn(told)
        self._owe(told, at, request.minutes if isinstance(request, Wish) else 0)
        self._answers[stamp.who, stamp.request] = (request, answer)
        if isinstance(request, Issue) and answer.arrival is not None:
            if request.secret:
                self._secrets[request.secret] = answer.arrival
            if request.holder:
                self._holders[request.holder, request.lane] = answer.arrival
        return answer, told

    def _learn(self, told: list[Fact]) -> None:
        for fact in told:
            self.picture.apply(fact)

    def _decide(self, stamp: Stamp, request: Request, at: int) -> Decision:
        match request:
            case Issue():
                return self._issue(stamp, request, at)
            case Next():
                return self._next(stamp, request, at)
            case Recall():
                return self._recall(stamp, request, at)
            case MarkAbsent():
                return self._mark_absent(stamp, request, at)
            case Done():
                return self._done(stamp, request, at)
            case Return():
                return self._return(stamp, request, at)
            case CheckIn():
                return self._check_in(stamp, request, at)
            case Cancel():
                return self._cancel(stamp, request, at)
            case Transfer():
                return self._transfer(stamp, request, at)
            case Wish():
                return self._wish(stamp, request, at)
            case Stop():
                return self._stop(stamp, request, at)
            case Sweep():
                return Answer(None, None, None, None), []
            case _:
                assert_never(request)

    def _issue(self, stamp: Stamp, request: Issue, at: int) -> Decision:
        lane = self.office.lane(request.lane)
        figure = lane.first + self.picture.issued.get(lane.key, 0)
        while lane.number(figure) in self.picture.numbers:
            figure += 1  # the band was moved during the day: no number is given twice
        if figure > lane.last:
            raise LaneExhausted(lane=lane.key)
        if request.secret in self._secrets:
            raise SecretUsed()
        held = self.picture.tickets.get(self._holders.get((request.holder, lane.key), 0))
        if held is not None and held.state not in ENDS:
            raise HasNumber(ticket=str(held.arrival), number=held.number)
        arrival = self.picture.last_arrival + 1
        kind, action = (TicketExpected, Action.EXPECT) if request.is_expected else (TicketIssued, Action.ISSUE)
        fact = kind(
            at=at,
            who=stamp.who,
            request=stamp.request,
            arrival=arrival,
            number=lane.number(figure),
            lane=lane.key,
            rank=order.first_rank(arrival),
            source=request.source,
        )
        ahead = None if request.is_expected else self.picture.count(lane.key)
        return Answer(arrival, fact.number, lane.key, MOVES[None, action], ahead=ahead), [fact]

    def _next(self, stamp: Stamp, request: Next, at: int) -> Decision:
        lanes = self.office.served_lanes(request.counter, request.lanes)
        present = self.picture.at_counter.get(request.counter)
        if present != request.current:
            raise NotCurrent(counter=request.counter, current=str(present or ""))
        told: list[Fact] = []
        if present is not None:
            leaving = self._moved(self.picture.tickets[present], Action.FINISH)
            told.append(TicketServed(counter=request.counter, **_about(leaving, stamp, at)))
        heads = [head for lane in lanes if (head := self.picture.first(lane))]
        if not heads:
            return Answer(None, None, None, None, finished=present), told
        ticket = min(heads, key=lambda head: (head.rank, head.arrival))
        told.append(TicketCalled(counter=request.counter, **_about(ticket, stamp, at)))
        return Answer(ticket.arrival, ticket.number, ticket.lane, State.CALLED, finished=present), told

    def _recall(self, stamp: Stamp, request: Recall, at: int) -> Decision:
        ticket = self._current(request.counter, request.ticket, Action.RECALL)
        fact = TicketRecalled(counter=request.counter, calls=ticket.calls + 1, **_about(ticket, stamp, at))
        return _stands(ticket, State.CALLED), [fact]

    def _mark_absent(self, stamp: Stamp, request: MarkAbsent, at: int) -> Decision:
        ticket = self._current(request.counter, request.ticket, Action.MARK_ABSENT)
        return _stands(ticket, State.ABSENT), [TicketMarkedAbsent(counter=request.counter, **_about(ticket, stamp, at))]

    def _done(self, stamp: Stamp, request: Done, at: int) -> Decision:
        ticket = self._current(request.counter, request.ticket, Action.FINISH)
        return _stands(ticket, State.SERVED), [TicketServed(counter=request.counter, **_about(ticket, stamp, at))]

    def _return(self, stamp: Stamp, request: Return, at: int) -> Decision:
        ticket = self._moved(self._ticket(request.ticket), Action.RETURN)
        place = order.place_of_return(self.picture.count(ticket.lane), self.office.return_after)
        rank, told = self._insert(stamp, ticket.lane, place, at)
        told.append(TicketReturned(rank=rank, **_about(ticket, stamp, at)))
        return _stands(ticket, State.WAITING, ahead=place), told

    def _check_in(self, stamp: Stamp, request: CheckIn, at: int) -> Decision:
        ticket = self._moved(self._ticket(request.ticket), Action.CHECK_IN)
        rank, place, told = self._place_by_arrival(stamp, ticket, ticket.lane, at)
        told.append(TicketCheckedIn(rank=rank, **_about(ticket, stamp, at)))
        return _stands(ticket, State.WAITING, ahead=place), told

    def _cancel(self, stamp: Stamp, request: Cancel, at: int) -> Decision:
        ticket = self._moved(self._ticket(request.ticket), Action.CANCEL)
        return _stands(ticket, State.CANCELLED), [TicketCancelled(**_about(ticket, stamp, at))]

    def _transfer(self, stamp: Stamp, request: Transfer, at: int) -> Decision:
        lane = self.office.lane(request.lane).key
        ticket = self._moved(self._ticket(request.ticket), Action.TRANSFER)
        if ticket.lane == lane:
            raise SameLane(lane=lane)
        rank, place, told = self._place_by_arrival(stamp, ticket, lane, at)
        told.append(
            TicketTransferred(
                at=at,
                who=stamp.who,
                request=stamp.request,
                arrival=ticket.arrival,
                number=ticket.number,
                lane=lane,
                from_lane=ticket.lane,
                rank=rank,
            )
        )
        return Answer(ticket.arrival, ticket.number, lane, State.WAITING, ahead=place), told

    def _wish(self, stamp: Stamp, request: Wish, at: int) -> Decision:
        ticket = self._ticket(request.ticket)
        if ticket.state in ENDS:
            raise TicketEnded()
        known = self.wishes.get((ticket.arrival, request.carrier))
        told: list[Fact] = [_erased(known, Ending.REPLACED, stamp, at)] if known else []
        told.append(
            ContactGiven(
                at=at,
                who=stamp.who,
                request=stamp.request,
                arrival=ticket.arrival,
                carrier=request.carrier,
                subscription=request.subscription,
                ahead=request.ahead,
                purpose=request.purpose,
            )
        )
        return _stands(ticket, ticket.state), told

    def _stop(self, stamp: Stamp, request: Stop, at: int) -> Decision:
        ticket = self._ticket(request.ticket)
        known = self.wishes.get((ticket.arrival, request.carrier))
        if known is None or request.subscription not in ("", known.id):
            raise NoContact()
        return _stands(ticket, ticket.state), [_erased(known, request.ending, stamp, at)]

    def _owe(self, told: list[Fact], at: int, minutes: int) -> None:
        """What became due by these facts, and at this moment: each notice once, to the first carrier that is allowed.

        `minutes`: of the wish among them.
        """
        for fact in told:
            if isinstance(fact, ContactGiven):
                wish = Subscription(fact.subscription, fact.arrival, Carrier(fact.carrier), fact.ahead, minutes)
                self.wishes[fact.arrival, fact.carrier] = wish
                self.owed.add(notice_id(wish.id, Trigger.REGISTERED))
            elif isinstance(fact, ContactErased):
                del self.wishes[fact.arrival, fact.carrier]
            elif isinstance(fact, TicketCalled):
                self._calls.setdefault(fact.lane, []).append(fact.at)
            trigger = BY_FACT.get(type(fact))
            if trigger is not None and isinstance(fact, TicketCalled | TicketMarkedAbsent):
                self._owe_first(fact.arrival, trigger)
        for lane, line in self.picture.waiting.items():
            pace = pace_ms(self._calls.get(lane, ()))
            for ahead, (_, arrival) in enumerate(line[: LOOKED_AT + 1]):
                if (present := self._first_wish(arrival)) is not None:
                    wish, due = by_place(present, ahead, pace, at)
                    self.wishes[arrival, wish.carrier] = wish
                    if due is not None:
                        self.owed.add(notice_id(wish.id, due))

    def _first_wish(self, arrival: int) -> Subscription | None:
        return first_allowed(wish for (ticket, _), wish in self.wishes.items() if ticket == arrival)

    def _owe_first(self, arrival: int, trigger: Trigger) -> None:
        wish = self._first_wish(arrival)
        if wish is None:
            return
        time = 1
        while trigger in EACH_TIME and notice_id(wish.id, trigger, time) in self.owed:
            time += 1
        self.owed.add(notice_id(wish.id, trigger, time))

    def _ticket(self, arrival: int) -> Ticket:
        ticket = self.picture.tickets.get(arrival)
        if ticket is None:
            raise UnknownTicket(ticket=str(arrival))
        return ticket

    def _current(self, counter: str, arrival: int, action: Action) -> Ticket:
        """The ticket that the counter has, if it is the one named and may move so."""
        self.office.counter(counter)
        present = self.picture.at_counter.get(counter)
        if present != arrival:
            raise NotCurrent(counter=counter, current=str(present or ""))
        return self._moved(self._ticket(arrival), action)

    def _moved(self, ticket: Ticket, action: Action) -> Ticket:
        if (ticket.state, action) not in MOVES:
            raise WrongMove(ticket=str(ticket.arrival), state=ticket.state, action=action)
        return ticket

    def _place_by_arrival(self, stamp: Stamp, ticket: Ticket, lane: str, at: int) -> tuple[int, int, list[Fact]]:
        """Rank and people ahead of a ticket that joins a lane where its arrival puts it."""
        line = self.picture.waiting.get(lane, [])
        place = order.place_of_arrival([arrival for _, arrival in line], ticket.arrival)
        rank = order.rank_of_arrival(self.picture.ranks(lane), place, ticket.arrival, self.picture.last_arrival)
        if rank is not None:
            return rank, place, []
        rank, told = self._insert(stamp, lane, place, at)
        return rank, place, told

    def _insert(self, stamp: Stamp, lane: str, place: int, at: int) -> tuple[int, list[Fact]]:
        """A rank after the first `place` of the lane; where the gap is closed, the neighbours are renumbered first."""
        ranks = self.picture.ranks(lane)
        rank = order.rank_at(ranks, place, self.picture.last_arrival)
        if rank is not None:
            return rank, []
        rank, moved = order.make_room(ranks, place, self.picture.last_arrival)
        anew = {arrival: moved[old] for old, arrival in self.picture.waiting[lane] if old in moved}
        return rank, [LaneRenumbered(at=at, who=stamp.who, request=stamp.request, lane=lane, ranks=anew)]


def _about(ticket: Ticket, stamp: Stamp, at: int) -> dict[str, Any]:
    return {
        "at": at,
        "who": stamp.who,
        "request": stamp.request,
        "arrival": ticket.arrival,
        "number": ticket.number,
        "lane": ticket.lane,
    }


def _erased(wish: Subscription, ending: Ending, stamp: Stamp, at: int) -> ContactErased:
    return ContactErased(
        at=at,
        who=stamp.who,
        request=stamp.request,
        arrival=wish.ticket,
        carrier=wish.carrier,
        subscription=wish.id,
        ending=ending,
    )


def _stands(ticket: Ticket, state: State, ahead: int | None = None) -> Answer:
    return Answer(ticket.arrival, ticket.number, ticket.lane, state, ahead=ahead)
