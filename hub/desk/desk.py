"""The reception desk as pure rules: a request in, facts and an answer out, or a refusal and nothing changed.

The store does the same inside Redis; one behaviour suite and random walks hold both to the same story.
"""

from dataclasses import replace
from typing import Any, assert_never

from hub.desk import counter, floor, giving, managing, order, receipts, requests
from hub.desk.facts import (
    ContactErased,
    ContactGiven,
    DayClosed,
    DayOpened,
    Fact,
    SlipReissued,
    TicketCalled,
    TicketExpected,
    TicketIssued,
    TicketMarkedAbsent,
    TicketReady,
    TicketTransferred,
)
from hub.desk.ground import Decision, Ground, about, stands
from hub.desk.known import check_known
from hub.desk.lane import Office
from hub.desk.notices import (
    BY_FACT,
    CALLED_SINCE,
    EACH_TIME,
    LOOKED_AT,
    MOVES_A_LANE,
    PLACED_ANEW,
    Carrier,
    Ending,
    Subscription,
    Trigger,
    by_place,
    first_allowed,
    is_near,
    notice_id,
    pace_ms,
)
from hub.desk.refusals import (
    HasNumber,
    NoContact,
    OtherBody,
    SecretUsed,
    SlipEnded,
    StaleDay,
    TicketEnded,
)
from hub.desk.requests import Answer, Issue, Next, Reissue, Request, Stamp, Stop, Sweep, Wish
from hub.desk.ticket import ENDS, MOVES, Action, State


class Desk(Ground):
    """One office's desk over its days. `at` is office time in epoch milliseconds, always given from outside."""

    def __init__(self, office: Office) -> None:
        super().__init__(office)
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
        check_known(self.office, request)
        if stamp.day != self.picture.day:
            raise StaleDay(day=self.picture.day or "")
        known = self._answers.get((stamp.who, stamp.request))
        if known is not None:
            if known[0] != request:
                raise OtherBody()
            return known[1], []
        answer, told = self._decide(stamp, request, at)
        self._learn(told)
        self._owe(told, at, request)
        self._answers[stamp.who, stamp.request] = (request, answer)
        if isinstance(request, Issue) and answer.arrival is not None:
            if request.secret:
                self._secrets[request.secret] = answer.arrival
            if request.holder:
                self._holders[request.holder, request.lane] = answer.arrival
        if isinstance(request, Reissue):
            self._secrets = {secret: holder for secret, holder in self._secrets.items() if holder != request.ticket}
            self._holders = {browser: holder for browser, holder in self._holders.items() if holder != request.ticket}
            self._secrets[request.secret] = request.ticket
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
            case requests.Call():
                return counter.call(self, stamp, request, at)
            case requests.TakeBack():
                return counter.take_back(self, stamp, request, at)
            case requests.Recall():
                return counter.recall(self, stamp, request, at)
            case requests.MarkAbsent():
                return counter.mark_absent(self, stamp, request, at)
            case requests.Done():
                return counter.done(self, stamp, request, at)
            case requests.Hold():
                return counter.hold(self, stamp, request, at)
            case requests.Review():
                return counter.review(self, stamp, request, at)
            case requests.Ready():
                return floor.ready(self, stamp, request, at)
            case requests.Return():
                return floor.come_back(self, stamp, request, at)
            case requests.PushBack():
                return floor.push_back(self, stamp, request, at)
            case requests.CheckIn():
                return floor.check_in(self, stamp, request, at)
            case requests.Cancel():
                return floor.cancel(self, stamp, request, at)
            case requests.Transfer():
                return floor.transfer(self, stamp, request, at)
            case requests.Lapse():
                return floor.lapse(self, stamp, request, at)
            case requests.AnnounceClosing():
                return floor.announce_closing(self, stamp, request, at)
            case Reissue():
                return self._reissue(stamp, request, at)
            case requests.Pause():
                return giving.pause(self.office, self.picture, stamp, request, at)
            case requests.Resume():
                return giving.resume(self.office, self.picture, stamp, request, at)
            case requests.Reassign():
                return managing.reassign(self, stamp, request, at)
            case requests.Announce():
                return managing.announce(self, stamp, request, at)
            case requests.Withdraw():
                return managing.withdraw(self, stamp, request, at)
            case Wish():
                return self._wish(stamp, request, at)
            case Stop():
                return self._stop(stamp, request, at)
            case requests.JoinWall() | requests.LeaveWall() | requests.ShowCall():
                return receipts.decide(self.picture, stamp, request, at)
            case Sweep():
                return Answer(), []
            case _:
                assert_never(request)

    def _issue(self, stamp: Stamp, request: Issue, at: int) -> Decision:
        lane = self.office.offered_lane(request.lane)
        priority = self.office.priority(request.priority, request.source) if request.priority else None
        number = giving.next_number(self.office, self.picture, lane, at)
        if request.secret in self._secrets:
            raise SecretUsed()
        held = self.picture.tickets.get(self._holders.get((request.holder, lane.key), 0))
        if held is not None and held.state not in ENDS:
            raise HasNumber(ticket=str(held.arrival), number=held.number)
        arrival = self.picture.last_arrival + 1
        given: dict[str, Any] = {
            "at": at,
            "who": stamp.who,
            "request": stamp.request,
            "arrival": arrival,
            "number": number,
            "lane": lane.key,
            "source": request.source,
        }
        if request.is_expected:
            expected = TicketExpected(rank=order.first_rank(arrival), **given)
            return Answer(arrival, number, lane.key, MOVES[None, Action.EXPECT]), [expected]
        place, rank = self.picture.count(lane.key), order.first_rank(arrival)
        told: list[Fact] = []
        if priority is not None:
            line = [self.picture.tickets[other].is_priority for _, other in self.picture.waiting.get(lane.key, [])]
            place = order.place_of_priority(line, priority.every, self.picture.since.get(lane.key))
            rank, told = self._pass(stamp, lane.key, place, arrival, at)
        told.append(TicketIssued(rank=rank, is_priority=priority is not None, **given))
        return Answer(arrival, number, lane.key, MOVES[None, Action.ISSUE], ahead=place), told

    def _next(self, stamp: Stamp, request: Next, at: int) -> Decision:
        lanes = self.lanes_of(request.counter, request.lanes)
        leaving = self.leaving(request.counter, request.current)
        told: list[Fact] = counter.served(leaving, request.counter, stamp, at)
        offered = {lane.key for lane in self.office.lanes}  # a lane that was assigned may be gone from the office file
        lanes = tuple(lane for lane in lanes if lane in offered)
        turns = self._turns(request.counter, lanes)
        heads = [head for lane in lanes if (head := self.picture.first(lane, request.counter))]
        if not heads:
            return Answer(finished=request.current), told
        ticket = min(heads, key=lambda head: (turns[head.lane], head.rank, head.arrival))
        told.append(TicketCalled(counter=request.counter, turn=turns[ticket.lane], **about(ticket, stamp, at)))
        return stands(ticket, State.CALLED, finished=request.current), told

    def _turns(self, counter: str, lanes: tuple[str, ...]) -> dict[str, int]:
        """Each lane's next turn at a counter; 0 for all where all weigh the same."""
        seat, turns = self.office.counter(counter), self.picture.turns.get(counter, {})
        if not seat.is_weighted:
            return dict.fromkeys(lanes, 0)
        return {lane: order.turn_of(turns, lane, seat.weight(lane)) for lane in lanes}

    def _reissue(self, stamp: Stamp, request: Reissue, at: int) -> Decision:
        ticket = self.ticket(request.ticket)
        if ticket.state in ENDS:
            raise SlipEnded()
        if request.secret in self._secrets:
            raise SecretUsed()
        return stands(ticket, ticket.state), [SlipReissued(**about(ticket, stamp, at))]

    def _pass(self, stamp: Stamp, lane: str, place: int, arrival: int, at: int) -> tuple[int, list[Fact]]:
        """A rank for a new priority ticket right before whoever stands at `place`."""
        rank = order.rank_of_priority(self.picture.ranks(lane), place, arrival)
        return (rank, []) if rank is not None else self.insert(stamp, lane, place, at)

    def _wish(self, stamp: Stamp, request: Wish, at: int) -> Decision:
        ticket = self.ticket(request.ticket)
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
        return stands(ticket, ticket.state), told

    def _stop(self, stamp: Stamp, request: Stop, at: int) -> Decision:
        ticket = self.ticket(request.ticket)
        known = self.wishes.get((ticket.arrival, request.carrier))
        if known is None or request.subscription not in ("", known.id):
            raise NoContact()
        return stands(ticket, ticket.state), [_erased(known, request.ending, stamp, at)]

    def _owe(self, told: list[Fact], at: int, request: Request) -> None:
        """What became due by these facts and at this moment: each notice once, to the first carrier that is allowed."""
        minutes = request.minutes if isinstance(request, Wish) else 0
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
            if trigger is not None and isinstance(fact, TicketCalled | TicketMarkedAbsent | TicketReady):
                self._owe_first(fact.arrival, trigger)
            if isinstance(fact, PLACED_ANEW):
                self._forget_near(fact.arrival)
        for lane in self._to_look_at(told, request):
            pace = pace_ms(self._calls.get(lane, ()))
            for ahead, (_, arrival) in enumerate(self.picture.waiting.get(lane, [])[: LOOKED_AT + 1]):
                if (present := self._first_wish(arrival)) is not None:
                    wish, due = by_place(present, ahead, pace, at)
                    self.wishes[arrival, wish.carrier] = wish
                    if due is not None:
                        self.owed.add(notice_id(wish.id, due, wish.nears + 1 if due is Trigger.NEAR else 1))

    def _to_look_at(self, told: list[Fact], request: Request) -> set[str]:
        """The lanes in which places, pace or wishes are others than before; by a sweep all."""
        if isinstance(request, Sweep):
            return set(self.picture.waiting)
        if isinstance(request, Wish | Stop):
            ticket = self.ticket(request.ticket)
            return {ticket.lane} if ticket.state is State.WAITING else set()
        moved = [fact for fact in told if isinstance(fact, MOVES_A_LANE)]
        left = {fact.from_lane for fact in moved if isinstance(fact, TicketReady | TicketTransferred)}
        return left | {fact.lane for fact in moved}

    def _first_wish(self, arrival: int) -> Subscription | None:
        return first_allowed(wish for (ticket, _), wish in self.wishes.items() if ticket == arrival)

    def _forget_near(self, arrival: int) -> None:
        """Whoever was told near and stands further off now hears of it again, by whichever carrier."""
        wish, ticket = self._first_wish(arrival), self.picture.tickets[arrival]
        if wish is None or wish.near_at is None:
            return
        ahead = self.picture.ahead(ticket)
        if ahead <= LOOKED_AT and is_near(wish, ahead, pace_ms(self._calls.get(ticket.lane, ()))):
            return
        for key, one in self.wishes.items():
            if one.ticket == arrival:
                self.wishes[key] = replace(one, near_at=None, expected_ms=0, nears=one.nears + 1)

    def _owe_first(self, arrival: int, trigger: Trigger) -> None:
        wish = self._first_wish(arrival)
        if wish is None:
            return
        if trigger is Trigger.NOW and wish.near_at is not None:
            self.wishes[arrival, wish.carrier] = replace(wish, expected_ms=CALLED_SINCE)
        time = 1
        while trigger in EACH_TIME and notice_id(wish.id, trigger, time) in self.owed:
            time += 1
        self.owed.add(notice_id(wish.id, trigger, time))


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
