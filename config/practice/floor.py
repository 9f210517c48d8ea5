"""What everybody in the practice office knows of each other: who holds which number, who waits, who has left.

Staff and customers know each other by number only, as on a real floor. Nothing is sent from here.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from config.practice.clock import OfficeClock
from config.practice.recording import Visitor
from hub.forecast.day import Absence, Customer, usual_service
from hub.wire.client_side import Screen
from hub.wire.messages import AnswerBody, HubFrame, PriorityClass, RefusalBody

CLOSED = "closed"  # the office day ended before a number was given


@dataclass(slots=True, eq=False)
class Visit:
    """One customer in the office. `end` says how the visit ended; None while it lasts."""

    customer: Customer
    arrival: int | None = None
    number: str | None = None
    lane: str | None = None
    refusal: str | None = None
    taken_at: float = 0.0  # office seconds
    calls: int = 0
    is_at_counter: bool = False
    was_transferred: bool = False
    was_reviewed: bool = False
    end: str | None = None

    def answers_call(self, now: float, absence: Absence) -> bool:
        """Whether somebody comes when the number is called now; counts the call."""
        self.calls += 1
        if self.end is not None or (self.customer.left_at is not None and now >= self.customer.left_at):
            return False
        return self.calls > 1 or self.customer.absence >= absence.probability((now - self.taken_at) / 60)


@dataclass(slots=True)
class Tally:
    """For the progress line."""

    issued: int = 0
    called: int = 0
    served: int = 0


class Floor:
    """`everybody_left` is set when every visit has ended, or the office day is over (`is_closed`)."""

    def __init__(self, customers: Sequence[Customer], clock: OfficeClock, day: str) -> None:
        self.clock, self.day = clock, day
        self.visits = [Visit(customer) for customer in customers]
        self.tally = Tally()
        self.is_closed = False
        self.everybody_left = asyncio.Event()
        self.complaints: list[str] = []
        self.version = 0  # grows with each change of the desk's picture
        self.usual = usual_service(customers)
        self._desk: Screen | None = None
        self._saw_today = False
        self._changed = asyncio.Event()
        self._holders: dict[int, Visit] = {}
        self._taking = 0  # requests for a number that are under way
        self._still_here = len(self.visits)

    @property
    def reasons(self) -> list[str]:
        """Of the office's list: why a number may be called out of order."""
        return [] if self._desk is None else [reason.reason for reason in self._desk.reasons]

    def priority_of(self, customer: Customer) -> PriorityClass | None:
        """The class that his `priority` names, 1 for the office's first; None for whoever waits for all before him."""
        known = [] if self._desk is None else self._desk.priorities
        return known[customer.priority - 1] if 0 < customer.priority <= len(known) else None

    @property
    def deliveries(self) -> dict[str, str]:
        """Lane → where its numbers wait again after the back office."""
        known = {} if self._desk is None else self._desk.lanes
        return {key: lane.delivery for key, lane in known.items() if isinstance(lane.delivery, str)}

    def waiting(self, lanes: Sequence[str]) -> list[int]:
        """Who is shown waiting in these lanes."""
        known = {} if self._desk is None else self._desk.queues
        return [arrival for lane in lanes for arrival in known.get(lane, ())]

    async def nobody_takes(self) -> None:
        """Until no number is being taken."""
        while self._taking:
            await self._changed.wait()

    def look(self, desk: Screen, frame: HubFrame) -> None:
        """News for the desk listener that staff looks at; a picture of the next day means that this one is over."""
        del frame
        self._desk = desk
        self.version += 1
        self._saw_today = self._saw_today or desk.day == self.day
        if self._saw_today and desk.day != self.day:
            self.close()
        self._wake()

    async def someone_waits(self, lanes: Sequence[str], since: int) -> None:
        """Until the picture changed after version `since` and shows somebody in one of these lanes."""
        while self.version <= since or not self._is_waiting(lanes):
            await self._changed.wait()

    def take(self) -> None:
        """Somebody stands at the machine."""
        self._taking += 1

    def took(self, visit: Visit, body: AnswerBody | RefusalBody) -> None:
        """What came out of it."""
        self._taking -= 1
        if self.is_closed:
            visit.refusal = CLOSED
        elif isinstance(body, RefusalBody):
            visit.refusal = body.code
            self.end(visit, "turned away")
        elif body.arrival is not None:
            visit.arrival, visit.number, visit.lane = body.arrival, body.number, body.lane
            visit.taken_at = self.clock.now
            self.tally.issued += 1
            self._holders.setdefault(body.arrival, visit)
        self._wake()

    async def holder(self, arrival: int) -> Visit | None:
        """Who answers to this number; None: nobody of ours (a number may be called before its paper is out)."""
        while arrival not in self._holders and self._taking > 0:
            await self._changed.wait()
        return self._holders.get(arrival)

    def held_by(self, arrival: int | None) -> Visit | None:
        return None if arrival is None else self._holders.get(arrival)

    def end(self, visit: Visit, how: str) -> None:
        if visit.end is None:
            visit.end = how
            self._still_here -= 1
            if self._still_here == 0:
                self.everybody_left.set()

    def close(self) -> None:
        """The office day is over, whoever is still here."""
        self.is_closed = self.is_closed or self._still_here > 0
        self.everybody_left.set()

    def is_gone(self, arrival: int) -> bool:
        """Whether the desk's picture shows the ticket nowhere any more."""
        desk = self._desk
        return desk is not None and not (
            any(arrival in among for among in (desk.called, desk.missed, desk.held or (), desk.in_review or ()))
            or any(arrival in queue for queue in desk.queues.values())
        )

    def visitors(self) -> list[Visitor]:
        closed = CLOSED if self.is_closed else None
        return [
            Visitor(visit.arrival, visit.number, visit.lane, visit.refusal or (None if visit.arrival else closed))
            for visit in self.visits
        ]

    def _is_waiting(self, lanes: Sequence[str]) -> bool:
        known = {} if self._desk is None else self._desk.lanes
        return any(lane in known and known[lane].waiting > 0 for lane in lanes)

    def _wake(self) -> None:
        self._changed.set()  # everybody who waits now is woken
        self._changed.clear()
