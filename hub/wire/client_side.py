"""A screen's mind without its socket: feed it the hub's frames, ask what it knows and what to do next.

The browser's `static/picture.js` is the same in JavaScript; golden transcripts hold both to one story.
"""

from enum import StrEnum
from typing import assert_never

from msgspec import UNSET
from msgspec.structs import replace

from hub.wire import messages as m
from hub.wire.position import Position


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
        self.counters: list[m.CounterState] = []
        self.checks_in = False
        self.priorities: list[m.PriorityClass] = []
        self.pause_reasons: list[m.Reason] = []
        self.by_priority: list[int] = []  # arrivals; only at the desk

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
        self.counters, self.checks_in = whole.counters, whole.checks_in
        self.priorities, self.pause_reasons = whole.priorities, whole.pause_reasons
        self.by_priority = list(whole.by_priority)

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
        for lane, waiting in fact.waiting.items():
            self._change(lane, waiting=waiting)
        return Heard.NEW

    def _learn(self, fact: m.AnyFact) -> None:
        match fact:
            case m.TicketExpected():
                return  # it stands in none of the lists until it is checked in
            case m.TicketIssued() | m.TicketCheckedIn() | m.TicketReturned() | m.TicketTransferred():
                self._forget(fact.arrival)
                if fact.rank is not UNSET and fact.lane in self.queues:
                    self.queues[fact.lane][fact.arrival] = m.WaitingNumber(fact.arrival, fact.number, fact.rank)
                if isinstance(fact, m.TicketIssued) and fact.priority is True:
                    self.by_priority.append(fact.arrival)
            case m.TicketCalled() | m.TicketRecalled():
                self._forget(fact.arrival)
                calls = fact.calls if isinstance(fact, m.TicketRecalled) else 1
                self.called[fact.arrival] = m.CalledNumber(
                    fact.arrival, fact.number, fact.lane, fact.counter, calls, fact.at
                )
            case m.TicketMarkedAbsent():
                self._forget(fact.arrival)
                self.missed[fact.arrival] = m.MissedNumber(fact.arrival, fact.number, fact.lane, fact.counter)
            case m.TicketServed() | m.TicketCancelled():
                self._forget(fact.arrival)
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

    def _forget(self, arrival: int) -> None:
        """Take a ticket out of wherever it stood."""
        self.called.pop(arrival, None)
        self.missed.pop(arrival, None)
        for queue in self.queues.values():
            queue.pop(arrival, None)
