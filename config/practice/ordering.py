"""Whether each call of a recorded day was its turn, by the same reasons that the office's own report gives. Pure.

Where a rank or a cause was not heard nothing is claimed.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from msgspec import UNSET

from config.practice.recording import History
from config.practice.seen import Seen
from hub.desk.explanation import ACROSS, Call, Placed, Reason, Standing, why
from hub.desk.order import turn_of
from hub.desk.ticket import State
from hub.wire import messages as m

# What a fact says of why a ticket stands where it stands from then on.
PLACED: dict[type[m.TicketFrame], Placed] = {
    m.TicketCheckedIn: Placed.CHECKED_IN,
    m.TicketReturned: Placed.RETURNED,
    m.TicketTransferred: Placed.TRANSFERRED,
    m.TicketReady: Placed.READY,
}


class Ordering:
    """`chosen`: arrivals that somebody is known to have asked for by number. `passed`: pairs within a lane so far."""

    def __init__(self, history: History, chosen: AbstractSet[int], *, chooses_lanes: bool) -> None:
        self.passed = 0
        self._chosen, self._chooses_lanes = chosen, chooses_lanes
        self._lanes, self._weights = dict(history.counters), dict(history.weights)  # of each counter as of now
        self._has_windows = any(photo.since is not None for photo in history.photographs)
        self._turns: dict[str, dict[str, int]] = {}  # counter → lane → its last turn there

    def lanes_of(self, counter: str) -> Sequence[str]:
        """What it serves at this moment of the day; nothing where nobody knows the counter."""
        return self._lanes.get(counter, ())

    def serves(self, counter: str, lanes: Sequence[str], weights: Sequence[int]) -> None:
        """From now on. No `weights`: all weigh the same. What turns its lanes had still counts."""
        self._lanes[counter] = lanes
        self._weights.pop(counter, None)
        if weights:
            self._weights[counter] = dict(zip(lanes, weights, strict=True))

    def passed_at(self, tickets: Mapping[int, Seen], ticket: Seen, fact: m.TicketCalled) -> list[tuple[str, bool]]:
        """Who was passed against all rules, and whether he stood in front (else: nobody knows why he stood behind)."""
        lanes = self.lanes_of(fact.counter)
        told = fact.reason or ("?" if fact.reason is UNSET and fact.arrival in self._chosen else "")
        turn = 0 if fact.turn is UNSET else fact.turn
        call = Call(_standing(fact.arrival, ticket), fact.counter, lanes, turn, told, ticket.state is State.HELD)
        wrong = []
        for arrival, other in tickets.items():
            if other.state is not State.WAITING or other.rank is UNSET or ticket.rank is UNSET:
                continue
            reason = why(call, _standing(arrival, other))
            self.passed += reason is not None and reason not in ACROSS
            in_front = (other.rank, arrival) < (ticket.rank, fact.arrival)
            is_known = None not in (ticket.placed, other.placed)
            if reason is Reason.UNEXPLAINED and (in_front or is_known):
                wrong.append((other.number, in_front))
            elif self._had_its_turn(reason, call, arrival, other):
                wrong.append((other.number, True))
        return wrong

    def called(self, ticket: Seen, fact: m.TicketCalled) -> None:
        """The turn of its lane is over."""
        if fact.turn is not UNSET and fact.turn > 0:
            self._turns.setdefault(fact.counter, {})[ticket.lane] = fact.turn

    def _had_its_turn(self, reason: Reason | None, call: Call, arrival: int, other: Seen) -> bool:
        """Whether another lane was due at a counter of both, and nobody chose otherwise."""
        weights = self._weights.get(call.counter)
        if weights is None:
            return reason is Reason.LANE_CHOSEN and not self._chooses_lanes
        is_for_it = other.lane in weights and other.for_counter in ("", call.counter)
        if not is_for_it or other.lane == call.who.lane or call.chosen or call.was_held or not call.turn:
            return False
        if self._has_windows:
            return False  # a call that nobody heard may have had its turn
        turn = turn_of(self._turns.get(call.counter, {}), other.lane, weights[other.lane])
        return (turn, other.rank, arrival) < (call.turn, call.who.rank, call.who.arrival)


def settle(ticket: Seen, fact: m.TicketFrame, *, stays: bool) -> None:
    """`ticket` waits by this fact; `stays`: it did already, in the same lane."""
    if isinstance(fact, m.CallTakenBack):
        ticket.placed = None if ticket.placed is None else ticket.placed | {Placed.PUT_BACK}
    elif isinstance(fact, m.TicketPushedBack):
        ticket.placed = None if ticket.placed is None else ticket.placed | {Placed.PUSHED_BACK}
    elif not (stays and isinstance(fact, m.TicketTransferred)):
        ticket.placed = frozenset({PLACED[type(fact)]})


def placed_at_issue(fact: m.TicketIssued | m.TicketExpected) -> frozenset[Placed] | None:
    """A number with priority stands by that; whoever hears of no priority cannot say."""
    if isinstance(fact, m.TicketExpected):
        return frozenset()
    return None if fact.priority is UNSET else frozenset({Placed.BY_PRIORITY} if fact.priority else ())


def _standing(arrival: int, seen: Seen) -> Standing:
    rank = 0 if seen.rank is UNSET else seen.rank
    return Standing(arrival, seen.lane, rank, seen.placed or frozenset(), seen.for_counter)
