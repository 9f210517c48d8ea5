"""Whose keys a function will need: each has to be handed in, and only the store knows who is next.

A guess, taken a moment before: a function that needs the keys of somebody else refuses, and it is looked again.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

from hub.desk import requests as ask
from hub.desk.lane import Office
from hub.desk.refusals import StoreAway
from hub.desk.requests import Request
from hub.store.calling import US, Ask, answered
from hub.store.keys import Keys
from hub.store.together import Together

PEEK_DEPTH = 8  # tickets whose keys are handed in ahead of time: as many may press elsewhere at the same moment
PEEKS = 6  # each further look goes twice as deep; beyond 256 at once somebody is told to press again


@dataclass(frozen=True, slots=True)
class Peeked:
    """Tickets whose keys are handed to a function; lane and present subscription of the one named."""

    arrivals: list[int]
    lane: str | None = None
    subscription: str = ""


class Peeking:
    def __init__(self, together: Together, keys: Keys, office: Office) -> None:
        self._together = together
        self._keys = keys
        self._office = office

    async def peek(self, day: str, request: Request, depth: int) -> Peeked:
        """What the function may need, `depth` tickets deep. Raises StoreAway."""
        try:
            return await self._look(self._together.ask, day, request, depth)
        except StoreAway:  # perhaps only for the sake of who was asking too
            return await self._look(self._together.alone, day, request, depth)

    async def _look(self, look: Ask, day: str, request: Request, depth: int) -> Peeked:
        keys = self._keys
        match request:
            case ask.Issue():
                last, held = await self._all(
                    look("HGET", keys.tally(day), "arrival"),
                    look("HGET", keys.holders(day), f"{request.holder}{US}{request.lane}"),
                )
                fresh = [int(last or 0) + place for place in range(1, depth + 1)]
                return Peeked([*fresh, int(held)] if held else fresh)
            case ask.Next():
                return await self._heads(look, day, request, depth)
            case ask.Call():
                lane = await answered(look("HGET", keys.ticket(day, request.ticket), "lane"))
                return Peeked([request.ticket, *([] if request.current is None else [request.current])], lane)
            case ask.Pause() | ask.Resume() | ask.AnnounceClosing() | ask.Announce() | ask.Withdraw():
                return Peeked([])
            case ask.Reassign():
                reserved = await answered(look("HGETALL", keys.reserved(day)))
                return Peeked([int(arrival) for arrival, counter in reserved.items() if counter == request.counter])
            case ask.Wish() | ask.Stop():
                lane, wish = await self._all(
                    look("HGET", keys.ticket(day, request.ticket), "lane"),
                    look("HGET", keys.wishes(day), f"{request.ticket}{US}{request.carrier}"),
                )
                present, _, ended = wish.split(US)[:3] if wish else ("", "", "")
                return Peeked([request.ticket], lane, present if not ended else "")
            case ask.JoinWall() | ask.LeaveWall() | ask.Sweep():
                return Peeked([])
            case _:
                lane = await answered(look("HGET", keys.ticket(day, request.ticket), "lane"))
                return Peeked([request.ticket], lane)

    async def _heads(self, look: Ask, day: str, request: ask.Next, depth: int) -> Peeked:
        lanes = request.lanes or self._office.counter(request.counter).lanes
        assigned, *lines = await self._all(
            look("HGET", self._keys.tally(day), f"lanes:{request.counter}"),
            *(self._line(look, day, lane, depth) for lane in lanes),
        )
        further = set((assigned or "").split()) - set(lanes)
        if further and not request.lanes:  # a manager has changed what it serves
            lines += await self._all(*(self._line(look, day, lane, depth) for lane in sorted(further)))
        heads = [int(arrival) for line in lines for arrival in line]
        return Peeked(heads if request.current is None else [request.current, *heads])

    def _line(self, look: Ask, day: str, lane: str, depth: int) -> Awaitable[Any]:
        return look("ZRANGE", self._keys.waiting(day, lane), 0, depth - 1)

    async def _all(self, *replies: Awaitable[Any]) -> list[Any]:
        return list(await answered(asyncio.gather(*replies)))
