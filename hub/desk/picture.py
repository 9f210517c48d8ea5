"""An office's day as the facts tell it: apply every fact in order and you know what the store knows.

The same picture serves the pure rules, each hub process and the check of a whole day; screens keep the public part of
it in JavaScript. It decides nothing: a fact that does not fit raises `DoesNotFit`, for then teller and listener differ.
"""

from bisect import bisect_left, insort
from dataclasses import replace
from typing import Any, assert_never

from hub.desk import facts
from hub.desk.facts import Fact
from hub.desk.ticket import ENDS, MOVES, Action, State, Ticket


class DoesNotFit(Exception):
    """A fact contradicts the picture built so far."""


class Picture:
    """Tickets by arrival, who waits in each lane in order of rank, and what each counter has."""

    def __init__(self, day: str | None = None) -> None:
        self._reset(day)

    def _reset(self, day: str | None) -> None:
        """A new day knows nothing of the old."""
        self.day = day
        self.tickets: dict[int, Ticket] = {}
        self.waiting: dict[str, list[tuple[int, int]]] = {}  # lane → ascending (rank, arrival)
        self.at_counter: dict[str, int] = {}  # counter → arrival, the latest call last
        self.numbers: dict[str, int] = {}  # number → arrival
        self.issued: dict[str, int] = {}  # lane → how many numbers of its band were given
        self.closing: set[str] = set()  # lanes whose closing was announced
        self.last_arrival = 0
        self.since: dict[str, int] = {}  # lane → ordinary tickets called in their turn since one with priority was
        self.turns: dict[str, dict[str, int]] = {}  # counter → lane → its last turn there
        self.paused: dict[str, str] = {}  # lane → reason
        self.assigned: dict[str, tuple[str, ...]] = {}  # counter → the lanes it serves today, where that was changed
        self.announcement: tuple[str, int] | None = None  # what the walls say, until when
        self.walls: list[str] = []  # of today, the first to come first

    def __eq__(self, other: object) -> bool:
        """Equal when this is: the rest follows from it."""
        return isinstance(other, Picture) and self._told() == other._told()

    def _told(self) -> tuple[object, ...]:
        of_day = self.paused, self.closing, set(self.walls), self.assigned, self.announcement
        return self.day, self.tickets, self.issued, self.since, self.turns, of_day

    __hash__ = None  # type: ignore[assignment]  # it changes with every fact

    def ranks(self, lane: str) -> list[int]:
        return [rank for rank, _ in self.waiting.get(lane, ())]

    def first(self, lane: str, counter: str) -> Ticket | None:
        """Who stands first of those in the lane whom this counter may call."""
        line = (self.tickets[arrival] for _, arrival in self.waiting.get(lane, ()))
        return next((ticket for ticket in line if ticket.for_counter in ("", counter)), None)

    def ahead(self, ticket: Ticket) -> int:
        """People ahead: tickets waiting in the lane with a smaller rank."""
        return bisect_left(self.waiting.get(ticket.lane, []), (ticket.rank, 0))

    def count(self, lane: str) -> int:
        return len(self.waiting.get(lane, ()))

    def in_state(self, state: State) -> list[Ticket]:
        """Tickets in that state, in order of rank."""
        return sorted((t for t in self.tickets.values() if t.state is state), key=lambda t: (t.rank, t.arrival))

    def place(self, ticket: Ticket) -> None:
        """Put in a ticket that is new to this picture, where its state says that it stands."""
        self.tickets[ticket.arrival] = ticket
        self.numbers[ticket.number] = ticket.arrival
        if ticket.state is State.WAITING:
            insort(self.waiting.setdefault(ticket.lane, []), (ticket.rank, ticket.arrival))
        elif ticket.is_at_counter and ticket.counter is not None:
            if ticket.counter in self.at_counter:
                raise DoesNotFit(f"counter {ticket.counter} has ticket {self.at_counter[ticket.counter]}")
            self.at_counter[ticket.counter] = ticket.arrival

    def apply(self, fact: Fact) -> None:
        match fact:
            case facts.DayOpened():
                self._reset(fact.day)
            case facts.DayClosed():
                for ticket in list(self.tickets.values()):
                    if ticket.state not in ENDS:
                        self._put(ticket, Action.CLOSE)
            case facts.TicketIssued():
                self._issue(fact, MOVES[None, Action.ISSUE])
            case facts.TicketExpected():
                self._issue(fact, MOVES[None, Action.EXPECT])
            case facts.TicketCheckedIn():
                self._put(self._known(fact), Action.CHECK_IN, rank=fact.rank)
            case facts.TicketCalled():
                ticket = self._known(fact)
                called: dict[str, Any] = {"counter": fact.counter, "calls": 1, "called_at": fact.at}
                self._put(ticket, Action.CALL, called_from=ticket.state, **called)
                self._count_turn(fact)
            case facts.CallTakenBack():
                action = Action.HOLD if fact.state == State.HELD else Action.TAKE_BACK
                self._put(self._known(fact), action, rank=fact.rank, calls=0)
            case facts.TicketRecalled():
                self._put(self._known(fact), Action.RECALL, counter=fact.counter, calls=fact.calls, called_at=fact.at)
            case facts.TicketMarkedAbsent():
                self._put(self._known(fact), Action.MARK_ABSENT, until=fact.until)
            case facts.TicketReturned():
                self._put(self._known(fact), Action.RETURN, rank=fact.rank, calls=0)
            case facts.TicketHeld():
                self._put(self._known(fact), Action.HOLD, calls=0)
            case facts.TicketSentToReview():
                self._put(self._known(fact), Action.REVIEW)
            case facts.TicketReady():
                moved = {"lane": fact.lane, "for_counter": ""}
                self._put(self._from_lane(fact), Action.READY, rank=fact.rank, calls=0, **moved)
            case facts.TicketPushedBack():
                ticket = self._known(fact)
                self._put(ticket, Action.PUSH_BACK, rank=fact.rank, pushed=ticket.pushed + 1)
            case facts.TicketServed():
                self._put(self._known(fact), Action.FINISH)
            case facts.TicketCancelled():
                self._put(self._known(fact), Action.CANCEL)
            case facts.TicketTransferred():
                moved = {"lane": fact.lane, "for_counter": fact.for_counter}
                self._put(self._from_lane(fact), Action.TRANSFER, rank=fact.rank, calls=0, **moved)
            case facts.TicketLapsed():
                self._put(self._known(fact), Action.LAPSE)
            case facts.LaneRenumbered():
                self._renumber(fact)
            case facts.LanePaused():
                self.paused[fact.lane] = fact.reason
            case facts.LaneResumed():
                self.paused.pop(fact.lane, None)
            case facts.ClosingAnnounced():
                self.closing.add(fact.lane)
            case facts.SlipReissued() | facts.ContactGiven() | facts.ContactUsed() | facts.ContactErased():
                pass  # who opens it and who is told changes nobody's place
            case facts.CounterReassigned():
                self.assigned[fact.counter] = fact.lanes
            case facts.AnnouncementPosted():
                self.announcement = fact.text, fact.until
            case facts.AnnouncementWithdrawn():
                self.announcement = None
            case facts.WallJoined() | facts.WallLeft():
                self._count_wall(fact)
            case facts.CallShown():
                self._show(fact)
            case _:
                assert_never(fact)

    def _issue(self, fact: facts.TicketIssued | facts.TicketExpected, state: State) -> None:
        if fact.arrival != self.last_arrival + 1:
            raise DoesNotFit(f"arrival {fact.arrival} after {self.last_arrival}")
        self.last_arrival = fact.arrival
        self.issued[fact.lane] = self.issued.get(fact.lane, 0) + 1
        ticket = Ticket(
            arrival=fact.arrival,
            number=fact.number,
            lane=fact.lane,
            rank=fact.rank,
            state=state,
            source=fact.source,
            issued_at=fact.at,
            is_priority=isinstance(fact, facts.TicketIssued) and fact.is_priority,
        )
        self.place(ticket)

    def _count_turn(self, fact: facts.TicketCalled) -> None:
        """What the next call of the counter and the next priority ticket of the lane go by."""
        if fact.turn:
            self.turns.setdefault(fact.counter, {})[fact.lane] = fact.turn
        ticket = self.tickets[fact.arrival]
        if ticket.is_priority:
            self.since[fact.lane] = 0
        elif fact.lane in self.since and ticket.called_from is State.WAITING and not fact.reason:
            self.since[fact.lane] += 1

    def _count_wall(self, fact: facts.WallJoined | facts.WallLeft) -> None:
        if (fact.wall in self.walls) is isinstance(fact, facts.WallJoined):
            raise DoesNotFit(f"{type(fact).__name__} of {fact.wall}: the walls are {self.walls}")
        self.walls = [wall for wall in self.walls if wall != fact.wall]
        if isinstance(fact, facts.WallJoined):
            self.walls.append(fact.wall)

    def _show(self, fact: facts.CallShown) -> None:
        ticket = self._known(fact)
        if (ticket.state, ticket.calls) != (State.CALLED, fact.calls) or fact.wall in ticket.shown:
            raise DoesNotFit(f"call {fact.calls} of ticket {fact.arrival} is not the present one, or was shown before")
        self.tickets[fact.arrival] = replace(ticket, shown=(*ticket.shown, fact.wall))

    def _known(self, fact: facts.TicketFact | facts.CallShown) -> Ticket:
        try:
            return self.tickets[fact.arrival]
        except KeyError:
            raise DoesNotFit(f"{type(fact).__name__} about unknown ticket {fact.arrival}") from None

    def _from_lane(self, fact: facts.TicketTransferred | facts.TicketReady) -> Ticket:
        ticket = self._known(fact)
        if ticket.lane != fact.from_lane:
            raise DoesNotFit(f"ticket {fact.arrival} is in lane {ticket.lane}, not in {fact.from_lane}")
        return ticket

    def _put(self, ticket: Ticket, action: Action, **changes: Any) -> None:
        """Move one ticket as the table says: out of where it stood, into where it stands now."""
        state = MOVES.get((ticket.state, action))
        if state is None:
            raise DoesNotFit(f"ticket {ticket.arrival} is {ticket.state}: no {action}")
        if ticket.state is State.WAITING:
            self.waiting[ticket.lane].remove((ticket.rank, ticket.arrival))
        elif ticket.is_at_counter and ticket.counter is not None:
            del self.at_counter[ticket.counter]
        if "calls" in changes:
            ticket = replace(ticket, shown=())  # of another call
        self.place(replace(ticket, state=state, **changes))

    def _renumber(self, fact: facts.LaneRenumbered) -> None:
        line = self.waiting.get(fact.lane, [])
        anew = [(fact.ranks.get(arrival, rank), arrival) for rank, arrival in line]
        if not fact.ranks.keys() <= {arrival for _, arrival in line} or anew != sorted(anew):
            raise DoesNotFit(f"lane {fact.lane} renumbered for others than wait there, or out of order")
        for arrival, rank in fact.ranks.items():
            self.tickets[arrival] = replace(self.tickets[arrival], rank=rank)
        self.waiting[fact.lane] = anew
