"""A recorded day told again in order, move by move, against the desk's table of moves. Pure; used by `checks`.

Where a listener came back to a snapshot, what happened in between may have been told to nobody: such a window is
bridged by the photograph, and what it does not show any more must be covered by what the askers were answered.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, assert_never

from msgspec import UNSET

from config.practice.ordering import Ordering, placed_at_issue, settle
from config.practice.recording import WHOLE, History, Photograph, Place
from config.practice.seen import Seen, shown_in
from hub.desk.ticket import ENDS, MOVES, Action, State
from hub.wire import messages as m

SHOWN = frozenset(State) - ENDS - {State.EXPECTED}  # states that a photograph shows
FOR_STAFF = frozenset({State.HELD, State.BACK_OFFICE})  # of them, those that only the whole shows
NOWHERE = ""  # the lane of a ticket that was transferred while nobody listened


@dataclass(slots=True)
class Findings:
    """Counts of a day; `complaints` names each fault in one sentence."""

    tickets: int = 0
    calls: int = 0
    recalls: int = 0
    calls_shown: int = 0  # of both, those that a wall is known to have shown
    served: int = 0
    absent: int = 0
    returned: int = 0
    cancelled: int = 0
    transferred: int = 0
    chosen: int = 0  # called out of order, for a reason
    passed: int = 0  # pairs within a lane of whom the later one was called first, each for a reason
    taken_back: int = 0
    held: int = 0
    reviewed: int = 0
    ready: int = 0
    pushed_back: int = 0
    lapsed: int = 0  # missed, and not back in time; or ended by staff after closing
    closed_out: int = 0
    turned_away: int = 0
    strangers: int = 0  # numbers of nobody of ours, where others may take some too
    unheard: int = 0  # moves that no listener was told as a fact
    lost: int = 0
    doubled: int = 0
    disordered: int = 0
    unexplained: int = 0
    contacts: int = 0
    contacts_refused: int = 0  # the ticket had ended already, or too many came at once
    notices_due: int = 0  # arrived, lapsed, uncertain or lost
    notices_arrived: int = 0
    notices_lapsed: int = 0  # too late to be of use, as the resident is told and the day shows
    notices_uncertain: int = 0
    notices_again: int = 0  # sent once more where nobody could know, as it is for calls
    notices_late: int = 0
    notices_doubled: int = 0
    notices_lost: int = 0
    complaints: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        notices = self.notices_lost or self.notices_doubled or self.notices_late
        return not (self.lost or self.doubled or self.disordered or self.unexplained or notices)

    def blame(self, kind: str, complaint: str) -> None:
        """One more of `kind` (lost, doubled, disordered, unexplained, notices_lost, _doubled, _late)."""
        setattr(self, kind, getattr(self, kind) + 1)
        self.complaints.append(f"{complaint}（{kind}）")


class Answers:
    """What the askers know for certain, whatever the listeners heard."""

    def __init__(self, history: History) -> None:
        self.calls: Counter[int] = Counter()
        self.ends: dict[int, State] = {}
        self.waited_anew: Counter[int] = Counter()  # so often it may be called once more
        self.chosen: set[int] = set()
        self.chooses_lanes = False  # somebody asked for some of a counter's lanes only
        self.aside: set[int] = set()  # held, or sent to the back office: shown to staff alone
        for request, answer in history.answers:
            match request:
                case m.Next():
                    self.chooses_lanes = self.chooses_lanes or bool(request.lanes)
                    if answer.arrival is not None:
                        self.calls[answer.arrival] += 1
                    if answer.finished is not None:
                        self.ends[answer.finished] = State.SERVED
                case m.Call():
                    self.calls[request.ticket] += 1
                    if request.reason:
                        self.chosen.add(request.ticket)
                    if answer.finished is not None:
                        self.ends[answer.finished] = State.SERVED
                case m.Done():
                    self.ends[request.ticket] = State.SERVED
                case m.Cancel():
                    self.ends[request.ticket] = State.CANCELLED
                case m.Lapse():
                    self.ends[request.ticket] = State.LAPSED
                case m.Return() | m.Transfer() | m.Ready() | m.TakeBack():
                    self.waited_anew[request.ticket] += 1
                case m.Hold():
                    self.waited_anew[request.ticket] += 1
                    self.aside.add(request.ticket)
                case m.Review():
                    self.aside.add(request.ticket)
                case _:
                    pass


Watch = Callable[[int, Collection[str], Mapping[int, Seen]], None]


class Retelling:
    """`tickets` by arrival after `tell`; everything that does not fit is in `findings`.

    `watch` is told after each move when it was and in which lanes.
    """

    def __init__(self, history: History, answers: Answers, findings: Findings, watch: Watch | None = None) -> None:
        self.tickets: dict[int, Seen] = {}
        self._watch = watch
        self._until = 0  # office time of the latest fact
        self._history, self._answers, self._findings = history, answers, findings
        self._ordering = Ordering(history, answers.chosen, chooses_lanes=answers.chooses_lanes)
        self._windows = [(photo.since, photo.place) for photo in history.photographs if photo.since is not None]

    def tell(self) -> None:
        photographs = sorted(self._history.photographs, key=lambda photo: photo.place, reverse=True)
        for place in sorted(self._history.facts):
            while photographs and photographs[-1].place < place:
                self._look(photographs.pop())
            fact = self._history.facts[place]
            self._until = max(self._until, fact.at)
            self._hear(place, fact)
            if self._watch:
                self._watch(fact.at, _lanes_of(fact), self.tickets)
        for photo in reversed(photographs):
            self._look(photo)
        for arrival, ticket in self.tickets.items():
            if ticket.lane == NOWHERE and ticket.state not in ENDS:
                self._left_unheard(arrival, ticket, is_whole=True, at=self._until)

    def _hear(self, place: Place, fact: m.AnyFact) -> None:
        in_window = any(since < place <= until for since, until in self._windows)
        if isinstance(fact, m.LaneRenumbered):
            self._renumber(fact, in_window)
        elif isinstance(fact, m.LanePaused | m.LaneResumed | m.ClosingAnnounced):
            pass  # who waits is called as before
        elif isinstance(fact, m.CounterReassigned):
            self._ordering.serves(fact.counter, fact.lanes, fact.weights)
        elif isinstance(fact, MovesNobody):
            pass  # which walls there are and what they say
        elif isinstance(fact, m.CallShown):
            self._show(fact)
        elif isinstance(fact, m.TicketIssued | m.TicketExpected):
            if fact.arrival in self.tickets and not in_window:
                self._findings.blame("doubled", f"受付 {fact.arrival} が二度発券されました。二度目は {fact.number}")
            waits = isinstance(fact, m.TicketIssued)
            self.tickets[fact.arrival] = Seen(
                fact.number,
                fact.lane,
                fact.lane,
                State.WAITING if waits else State.EXPECTED,
                fact.rank if isinstance(fact, m.TicketIssued) else UNSET,
                placed=placed_at_issue(fact),
            )
        else:
            self._move(fact, in_window)

    def _move(self, fact: "Moved", in_window: bool) -> None:
        ticket = self.tickets.get(fact.arrival)
        action = _ACTIONS[type(fact)]
        if ticket is None:
            if not in_window:
                self._findings.blame("unexplained", f"発券されていない {fact.number} に {action}")
            self._findings.unheard += 1
            ticket = self.tickets[fact.arrival] = Seen(fact.number, fact.lane, None, State.WAITING)
        elif fact.number != ticket.number:
            self._findings.blame("unexplained", f"{ticket.number} が {fact.number} に変わりました")
        state = MOVES.get((ticket.state, action))
        if isinstance(fact, m.TicketTransferred | m.TicketReady) and fact.from_lane != ticket.lane:
            state = None
        if state is None:
            self._misfit(ticket, action, in_window)
        match fact:
            case m.TicketCalled():
                if state is not None and not in_window:
                    self._check_order(ticket, fact)
                self._ordering.called(ticket, fact)
                self._findings.chosen += bool(fact.reason)
                ticket.calls += 1
                ticket.counter, ticket.state, ticket.is_shown = fact.counter, State.CALLED, False
                self._findings.calls += 1
            case m.TicketRecalled():
                ticket.state, ticket.is_shown = State.CALLED, False
                self._findings.recalls += 1
            case m.TicketMarkedAbsent():
                ticket.state, ticket.until = State.ABSENT, fact.until
                self._findings.absent += 1
            case m.TicketReturned() | m.TicketTransferred() | m.TicketReady() | m.TicketPushedBack():
                settle(ticket, fact, stays=ticket.state is State.WAITING and ticket.lane == fact.lane)
                ticket.state, ticket.lane, ticket.rank = State.WAITING, fact.lane, fact.rank
                ticket.for_counter = "" if isinstance(fact, m.TicketReady) else fact.for_counter or ""
                ticket.waited_anew += not isinstance(fact, m.TicketPushedBack)
                counted = _COUNTED[type(fact)]
                setattr(self._findings, counted, getattr(self._findings, counted) + 1)
            case m.CallTakenBack():
                ticket.state, ticket.rank = State(fact.state), fact.rank
                settle(ticket, fact, stays=False)
                ticket.for_counter = fact.for_counter or ""
                ticket.waited_anew += 1
                self._findings.taken_back += 1
            case m.TicketHeld():
                ticket.state = State.HELD
                ticket.waited_anew += 1
                self._findings.held += 1
            case m.TicketSentToReview():
                ticket.state = State.BACK_OFFICE
                self._findings.reviewed += 1
            case m.TicketLapsed():
                ticket.state = State.LAPSED
                self._findings.lapsed += 1
            case m.TicketCheckedIn():
                settle(ticket, fact, stays=False)
                ticket.state, ticket.rank = State.WAITING, fact.rank
            case m.TicketServed():
                ticket.state = State.SERVED
            case m.TicketCancelled():
                ticket.state = State.CANCELLED
            case _:
                assert_never(fact)

    def _show(self, fact: m.CallShown) -> None:
        """Two walls that show one call are one call that was shown."""
        ticket = self.tickets.get(fact.arrival)
        if ticket is not None and ticket.state is State.CALLED and not ticket.is_shown:
            ticket.is_shown = True
            self._findings.calls_shown += 1

    def _misfit(self, ticket: Seen, action: Action, in_window: bool) -> None:
        self._findings.unheard += 1
        if in_window:
            return
        kind = "doubled" if action is Action.CALL else "unexplained"
        self._findings.blame(kind, f"{ticket.lane} で {ticket.state} だった {ticket.number} に {action}")

    def _check_order(self, ticket: Seen, fact: m.TicketCalled) -> None:
        if ticket.lane not in self._ordering.lanes_of(fact.counter):
            self._findings.blame(
                "unexplained", f"窓口 {fact.counter} が扱わない業務 {ticket.lane} の {ticket.number} を呼びました"
            )
            return
        for arrival, other in self.tickets.items():
            if other.counter == fact.counter and other.state is State.CALLED and arrival != fact.arrival:
                self._findings.blame(
                    "unexplained", f"窓口 {fact.counter} は {other.number} の対応中に {ticket.number} を呼びました"
                )
        wrong = self._ordering.passed_at(self.tickets, ticket, fact)
        self._findings.passed = self._ordering.passed
        for kind, stood_first in (("disordered", True), ("unexplained", False)):
            if numbers := [number for number, in_front in wrong if in_front is stood_first]:
                self._findings.blame(kind, f"{ticket.number} が {'、'.join(numbers)} より先に呼ばれました")

    def _renumber(self, fact: m.LaneRenumbered, in_window: bool) -> None:
        waiting = {a: t for a, t in self.tickets.items() if t.state is State.WAITING and t.lane == fact.lane}
        ranks = {int(arrival): rank for arrival, rank in fact.ranks.items()}
        order = sorted(waiting, key=lambda arrival: (waiting[arrival].rank or 0, arrival))
        if not in_window and order != sorted(ranks, key=lambda arrival: (ranks[arrival], arrival)):
            self._findings.blame("unexplained", f"{fact.lane} の順番の内部値の再設定で、待つ方か順番が変わりました")
        for arrival, rank in ranks.items():
            if arrival in waiting:
                waiting[arrival].rank = rank

    def _look(self, photo: Photograph) -> None:
        """Bridge what was not heard by what the photograph shows."""
        is_whole = photo.snapshot.topic == WHOLE
        scope = {lane.lane for lane in photo.snapshot.lanes}
        shown = shown_in(photo.snapshot)
        for seat in photo.snapshot.counters if is_whole else ():
            self._ordering.serves(seat.counter, seat.lanes, seat.weights)
        for arrival, seen in shown.items():
            known = self.tickets.get(arrival)
            if known is None:
                self._findings.unheard += 1
            elif (known.state, known.lane, known.number) != (seen.state, seen.lane, seen.number):
                self._findings.unheard += 1
                begins_anew = seen.state is State.WAITING and not self._answers.waited_anew[arrival]
                if known.state in ENDS or begins_anew or known.number != seen.number:
                    self._findings.blame(
                        "unexplained", f"{known.number} は {known.state} のはずが {seen.lane} で {seen.state} でした"
                    )
                was_called = known.state is State.WAITING and seen.state is not State.WAITING
                seen.calls, seen.waited_anew = known.calls + was_called, known.waited_anew
            else:
                seen.calls, seen.waited_anew = known.calls, known.waited_anew
                seen.placed = known.placed if seen.rank in (known.rank, UNSET) else None  # moved, and nobody heard why
            seen.issued_in = seen.issued_in if known is None else known.issued_in
            self.tickets[arrival] = seen
        for arrival, ticket in self.tickets.items():
            if arrival in shown or ticket.state not in SHOWN:
                continue
            if is_whole or (ticket.lane in scope and ticket.state not in FOR_STAFF):
                self._left_unheard(arrival, ticket, is_whole=is_whole, at=photo.snapshot.at)
        if self._watch:
            self._watch(photo.snapshot.at, scope, self.tickets)

    def _left_unheard(self, arrival: int, ticket: Seen, *, is_whole: bool, at: int) -> None:
        self._findings.unheard += 1
        end = self._answers.ends.get(arrival)
        went = self._answers.waited_anew[arrival] > ticket.waited_anew or arrival in self._answers.aside
        if not is_whole and went:
            ticket.lane = NOWHERE  # went elsewhere unheard: until something shows it there, or how it ended
        elif end is None and ticket.state is State.ABSENT and ticket.until is not None and at >= ticket.until:
            ticket.state = State.LAPSED  # nobody heard it, and everybody knew when
        elif end is not None:
            ticket.state = end
        else:
            self._findings.blame("lost", f"{ticket.state} だった {ticket.number} がどこにもありません")
            ticket.state = State.LAPSED


MovesNobody: TypeAlias = m.WallJoined | m.WallLeft | m.OfficeNews
Moved: TypeAlias = (
    m.TicketCheckedIn
    | m.TicketCalled
    | m.CallTakenBack
    | m.TicketRecalled
    | m.TicketMarkedAbsent
    | m.TicketReturned
    | m.TicketHeld
    | m.TicketSentToReview
    | m.TicketReady
    | m.TicketPushedBack
    | m.TicketServed
    | m.TicketCancelled
    | m.TicketLapsed
    | m.TicketTransferred
)
_ACTIONS: dict[type[m.TicketFrame], Action] = {
    m.TicketCheckedIn: Action.CHECK_IN,
    m.TicketCalled: Action.CALL,
    m.TicketRecalled: Action.RECALL,
    m.TicketMarkedAbsent: Action.MARK_ABSENT,
    m.TicketReturned: Action.RETURN,
    m.TicketServed: Action.FINISH,
    m.TicketCancelled: Action.CANCEL,
    m.TicketTransferred: Action.TRANSFER,
    m.CallTakenBack: Action.TAKE_BACK,
    m.TicketHeld: Action.HOLD,
    m.TicketSentToReview: Action.REVIEW,
    m.TicketReady: Action.READY,
    m.TicketPushedBack: Action.PUSH_BACK,
    m.TicketLapsed: Action.LAPSE,
}
_COUNTED: dict[type[m.TicketFrame], str] = {
    m.TicketReturned: "returned",
    m.TicketTransferred: "transferred",
    m.TicketReady: "ready",
    m.TicketPushedBack: "pushed_back",
}


def _lanes_of(fact: m.AnyFact) -> tuple[str, ...]:
    if isinstance(fact, MovesNobody):
        return ()
    if isinstance(fact, m.TicketTransferred | m.TicketReady):
        return fact.from_lane, fact.lane
    return (fact.lane,)
