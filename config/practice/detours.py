"""What a clerk does besides next and done: choose, hold, call again, take a call back, send to the back office.

How often is a matter of the day's figures. A refusal is judged by the clerk, as of every request.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

from config.practice.asking import Asker, new_id
from config.practice.floor import Floor, Visit
from config.practice.staffing import Post
from hub.forecast.day import Chance, Moves
from hub.wire import messages as m

Aside: TypeAlias = m.TakeBack | m.Transfer | m.Hold | m.Review


@dataclass(frozen=True, slots=True)
class Held:
    """A number that this counter holds, and the office second from which it is called again."""

    arrival: int
    due: float


class Detours:
    """Of one counter."""

    def __init__(self, post: Post, asker: Asker, floor: Floor, moves: Moves, chance: Chance) -> None:
        self._post, self._asker, self._floor = post, asker, floor
        self._moves, self._chance = moves, chance
        self._held: list[Held] = []

    def call(self, current: int | None) -> m.Next | m.Call:
        """What calls the next number: now and then one that was held, or one out of order."""
        due = next((held for held in self._held if held.due <= self._floor.clock.now), None)
        if due is not None:
            self._held.remove(due)
            return m.Call(id=new_id(), counter=self._post.counter, ticket=due.arrival, current=current)
        waiting = self._floor.waiting(self._post.lanes) if self._luck(self._moves.chosen) else []
        if waiting and self._floor.reasons:
            chosen = waiting[int(self._chance.random() * len(waiting))]
            reason = self._floor.reasons[int(self._chance.random() * len(self._floor.reasons))]
            return m.Call(id=new_id(), counter=self._post.counter, ticket=chosen, current=current, reason=reason)
        return m.Next(id=new_id(), counter=self._post.counter, current=current)

    def refused(self, request: m.Next | m.Call) -> None:
        """The counter had another ticket than was believed: what is held is called again all the same."""
        if isinstance(request, m.Call) and not request.reason:
            self._held.append(Held(request.ticket, self._floor.clock.now))

    def aside(self, visit: Visit, arrival: int) -> Aside | None:
        """Whoever came is served later for once: what says so, or None."""
        counter, luck = self._post.counter, self._chance.random()
        for share, request in (
            (self._moves.mistaken, m.TakeBack(id=new_id(), counter=counter, ticket=arrival)),
            (self._moves.held, m.Hold(id=new_id(), counter=counter, ticket=arrival)),
            (
                self._moves.for_counter,
                m.Transfer(id=new_id(), ticket=arrival, lane=visit.lane or "", counter=counter),
            ),
        ):
            if luck < share:
                return request
            luck -= share
        return None

    def review(self, visit: Visit, arrival: int) -> m.Review | None:
        """After the first counter: some of those whose lane has a second stage."""
        if visit.was_reviewed or visit.lane not in self._floor.deliveries or not self._luck(self._moves.reviewed):
            return None
        return m.Review(id=new_id(), counter=self._post.counter, ticket=arrival)

    def hold(self, arrival: int) -> None:
        self._held.append(Held(arrival, self._floor.clock.now + self._moves.held_minutes * 60 * self._chance.random()))

    async def somebody(self, seen: int) -> None:
        """Until somebody waits in the counter's lanes, or one whom it holds is due."""
        waits = asyncio.ensure_future(self._floor.someone_waits(self._post.lanes, seen))
        tasks = {waits}
        if self._held:
            tasks.add(asyncio.ensure_future(self._floor.clock.until(min(held.due for held in self._held))))
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    def _luck(self, share: float) -> bool:
        return share > 0 and self._chance.random() < share
