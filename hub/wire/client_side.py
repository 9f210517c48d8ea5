"""A screen's mind without its socket: feed it the hub's frames, ask what it knows and what to do next.

The browser's `static/picture.js` is the same in JavaScript; golden transcripts hold both to one story.
"""

from enum import StrEnum
from typing import TypeAlias, assert_never

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from hub.wire import messages as m
from hub.wire.position import Position

_Waits: TypeAlias = (
    m.TicketIssued
    | m.TicketCheckedIn
    | m.TicketReturned
    | m.TicketTransferred
    | m.TicketReady
    | m.TicketPushedBack
    | m.CallTakenBack
)
_GoesAside: TypeAlias = m.TicketHeld | m.TicketSentToReview | m.CallTakenBack


class Heard(StrEnum):
    """What a frame did to the screen."""

    NEW = "new"  # the picture changed
    OLD = "old"  # known already: ignored
    GAP = "gap"  # something is missing: connect anew with `?after=` the position held
    BEAT = "beat"
    AWAY = "away"
    REPLY = "reply"


class Screen:
    """One topic as a screen sees it. `position` is None until the first snapshot; `is_away`: what the hub said last."""

    def __init__(self) -> None:
        self.position: Position | None = None
        self.is_away = False
        self.at = 0
        self.topic = ""
        self.day = ""
        self.office = ""
        self.lanes: dict[str, m.LaneState] = {}  # `queue` is kept in `queues`
        self.queues: dict[str, dict[int, m.WaitingNumber]] = {}  # only of lanes whose queue the topic shows
        self.called: dict[int, m.CalledNumber] = {}  # the latest call last
        self.missed: dict[int, m.MissedNumber] = {}
        self.held: dict[int, m.AsideNumber] | None = None  # only where the topic shows it, as what is in review
        self.in_review: dict[int, m.AsideNumber] | None = None
        self.counters: list[m.CounterState] = []
        self.checks_in = False
        self.priorities: list[m.PriorityClass] = []
        self.pause_reasons: list[m.Reason] = []
        self.reasons: list[m.Reason] = []
        self.by_priority: list[int] = []  # arrivals; only at the desk
        self.rules: m.DeskRules | UnsetType = UNSET
        self.announcement: m.Announcement | UnsetType = UNSET
        self.walls: list[str] | UnsetType = UNSET  # where they are shown, and with them which of them showed a call

    def hear(self, frame: m.HubFrame) -> Heard:
        match frame:
            case m.Snapshot():
                self._start(frame)
                return Heard.NEW
            case m.Beat():
                if self.position is None or frame.position != str(self.position):
                    return Heard.GAP
                self.at, self.is_away = frame.at, False
                return Heard.BEAT
            case m.Away():
                self.is_away = True
                return Heard.AWAY
            case m.Reply():
                return Heard.REPLY
            case _:
                return self._hear_fact(frame)

    def queue(self, lane: str) -> list[m.WaitingNumber]:
        """Who waits, in order of rank."""
        return sorted(self.queues[lane].values(), key=lambda waiting: (waiting.rank, waiting.arrival))

    def snapshot(self) -> m.Snapshot:
        """What this screen knows, as the hub would send it anew: equal to a fresh one, or something is wrong."""
        return m.Snapshot(
            topic=self.topic,
            position=str(self.position),
            at=self.at,
            day=self.day,
            office=self.office,
            lanes=[
                replace(lane, queue=self.queue(lane.lane) if lane.lane in self.queues else UNSET)
                for lane in self.lanes.values()
            ],
            called=list(reversed(self.called.values())),
            missed=sorted(self.missed.values(), key=lambda missed: missed.arrival),
            counters=self.counters,
            checks_in=self.checks_in,
            priorities=self.priorities,
            pause_reasons=self.pause_reasons,
            by_priority=self.by_priority,
            reasons=self.reasons,
            held=_by_arrival(self.held),
            in_review=_by_arrival(self.in_review),
            walls=self.walls,
            rules=self.rules,
            announcement=self.announcement,
        )

    def _start(self, whole: m.Snapshot) -> None:
        self.position, self.at, self.is_away = Position.parse(whole.position), whole.at, False
        self.topic, self.day, self.office = whole.topic, whole.day, whole.office
        self.lanes = {lane.lane: replace(lane, queue=UNSET) for lane in whole.lanes}
        self.queues = {
            lane.lane: {waiting.arrival: waiting for waiting in lane.queue}
            for lane in whole.lanes
            if lane.queue is not UNSET
        }
        self.called = {call.arrival: call for call in reversed(whole.called)}
        self.missed = {missed.arrival: missed for missed in whole.missed}
        self.counters, self.checks_in, self.walls = whole.counters, whole.checks_in, whole.walls
        self.priorities, self.pause_reasons, self.reasons = whole.priorities, whole.pause_reasons, whole.reasons
        self.by_priority, self.rules = list(whole.by_priority), whole.rules
        self.announcement = whole.announcement
        self.held, self.in_review = (
            None if aside is UNSET else {number.arrival: number for number in aside}
            for aside in (whole.held, whole.in_review)
        )

    def _hear_fact(self, fact: m.AnyFact) -> Heard:
        mine, new, prev = self.position, Position.parse(fact.position), Position.parse(fact.prev)
        if mine is None or new is None or prev is None or new.epoch != mine.epoch:
            return Heard.GAP
        if new.place <= mine.place:
            return Heard.OLD
        if prev.place > mine.place:
            return Heard.GAP
        self.position, self.at = new, fact.at
        self._learn(fact)
        if isinstance(fact, m.FactFrame):
            for lane, waiting in fact.waiting.items():
                self._change(lane, waiting=waiting)
        return Heard.NEW

    def _learn(self, fact: m.AnyFact) -> None:
        if isinstance(fact, m.TicketIssued | m.TicketExpected):
            self._count(fact.lane)
        match fact:
            case m.TicketExpected():
                return  # it stands in none of the lists until it is checked in
            case m.TicketIssued() | m.TicketCheckedIn() | m.TicketReady():
                self._wait(fact, UNSET)
                if isinstance(fact, m.TicketIssued) and fact.priority is True:
                    self.by_priority.append(fact.arrival)
            case m.TicketReturned() | m.TicketTransferred() | m.TicketPushedBack():
                self._wait(fact, fact.for_counter)
            case m.CallTakenBack():
                if fact.state == "held":
                    self._put_aside(fact, self.held)
                else:
                    self._wait(fact, fact.for_counter)
            case m.TicketCalled() | m.TicketRecalled():
                self._forget(fact.arrival)
                calls = fact.calls if isinstance(fact, m.TicketRecalled) else 1
                self.called[fact.arrival] = m.CalledNumber(
                    fact.arrival,
                    fact.number,
                    fact.lane,
                    fact.counter,
                    calls,
                    fact.at,
                    shown=UNSET if self.walls is UNSET else [],
                )
            case m.TicketMarkedAbsent():
                self._forget(fact.arrival)
                self.missed[fact.arrival] = m.MissedNumber(
                    fact.arrival, fact.number, fact.lane, fact.counter, fact.until
                )
            case m.TicketHeld():
                self._put_aside(fact, self.held)
            case m.TicketSentToReview():
                self._put_aside(fact, self.in_review)
            case m.TicketServed() | m.TicketCancelled() | m.TicketLapsed():
                self._forget(fact.arrival)
            case m.ClosingAnnounced():
                self._change(fact.lane, closing=True)
            case m.CallShown():
                call = self.called.get(fact.arrival)
                if call is not None and call.calls == fact.calls and call.shown is not UNSET:
                    self.called[fact.arrival] = replace(call, shown=[*call.shown, fact.wall])
            case m.CounterReassigned():
                self.counters = [
                    replace(each, lanes=fact.lanes, weights=fact.weights) if each.counter == fact.counter else each
                    for each in self.counters
                ]
            case m.AnnouncementPosted():
                self.announcement = m.Announcement(fact.text, fact.until)
            case m.AnnouncementWithdrawn():
                self.announcement = UNSET
            case m.WallJoined() | m.WallLeft():
                others = [] if self.walls is UNSET else [wall for wall in self.walls if wall != fact.wall]
                self.walls = [*others, fact.wall] if isinstance(fact, m.WallJoined) else others
            case m.LaneRenumbered():
                queue = self.queues.get(fact.lane, {})
                for arrival, rank in fact.ranks.items():
                    queue[int(arrival)] = replace(queue[int(arrival)], rank=rank)
            case m.LanePaused():
                self._change(fact.lane, paused=True, reason=fact.reason)
            case m.LaneResumed():
                self._change(fact.lane, paused=False, reason=UNSET)
            case _:
                assert_never(fact)

    def _change(self, lane: str, **fields: object) -> None:
        if lane in self.lanes:
            self.lanes[lane] = replace(self.lanes[lane], **fields)

    def _count(self, lane: str) -> None:
        """One more number of the lane was taken, where that is shown."""
        given = self.lanes[lane].given if lane in self.lanes else UNSET
        if given is not UNSET:
            self._change(lane, given=given + 1)

    def _wait(self, fact: _Waits, for_counter: str | UnsetType) -> None:
        self._forget(fact.arrival)
        if fact.rank is not UNSET and fact.lane in self.queues:
            waiting = m.WaitingNumber(fact.arrival, fact.number, fact.rank, for_counter, fact.since)
            self.queues[fact.lane][fact.arrival] = waiting

    def _put_aside(self, fact: _GoesAside, among: dict[int, m.AsideNumber] | None) -> None:
        self._forget(fact.arrival)
        if among is not None:
            among[fact.arrival] = m.AsideNumber(fact.arrival, fact.number, fact.lane, fact.counter)

    def _forget(self, arrival: int) -> None:
        """Take a ticket out of wherever it stood."""
        for among in (self.called, self.missed, self.held, self.in_review, *self.queues.values()):
            if among is not None:
                among.pop(arrival, None)


def _by_arrival(among: dict[int, m.AsideNumber] | None) -> list[m.AsideNumber] | UnsetType:
    return UNSET if among is None else sorted(among.values(), key=lambda number: number.arrival)
