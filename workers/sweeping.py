"""What time alone makes due: once a minute every lane is looked at, whether anybody moves there or not."""

from collections.abc import Callable
from typing import Protocol

from hub.desk.refusals import StaleDay
from hub.desk.requests import Answer, Request, Stamp, Sweep

WHO = "keeper"
EVERY_MS = 60_000


class Desk(Protocol):
    """The store's lanes. Everything may raise a Refusal."""

    async def day_now(self) -> tuple[int, str, str]: ...
    async def do(self, stamp: Stamp, request: Request) -> Answer: ...


class Sweeper:
    """One office's. `monotonic` in seconds, whatever it counts from."""

    def __init__(self, desk: Desk, monotonic: Callable[[], float]) -> None:
        self._desk, self._monotonic = desk, monotonic
        self._next = monotonic()

    async def turn(self) -> None:
        """Nothing before the minute is over; several of these at once are one, by the minute of the office's clock."""
        if self._monotonic() < self._next:
            return
        at, _, day = await self._desk.day_now()
        if day:
            try:
                await self._desk.do(Stamp(day, WHO, f"sweep-{at // EVERY_MS}"), Sweep())
            except StaleDay:
                return  # midnight came in between
        self._next = self._monotonic() + EVERY_MS / 1000
