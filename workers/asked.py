"""Erases a ticket's contact at once because somebody asked for it beside the desk, and says what came of it.

Killed in between it begins anew under the same request id: nothing is erased twice, and the answer is the same.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

import structlog

from hub.desk.notices import Carrier, Ending
from hub.desk.refusals import NoContact, UnknownTicket
from hub.desk.requests import Answer as Done
from hub.desk.requests import Request, Stamp, Stop
from hub.ledger.asked import Answer, Ask

_log = structlog.get_logger("workers.asked")

# Later the same number may be somebody else's; whoever asked has been told by then that nobody did it.
ANSWERED_WITHIN_MS = 60_000


class Desk(Protocol):
    """The store's lanes. Everything may raise a Refusal."""

    async def day_now(self) -> tuple[int, str, str]: ...
    async def arrival_of(self, day: str, number: str) -> int | None: ...
    async def do(self, stamp: Stamp, request: Request) -> Done: ...


class Traces(Protocol):
    """`hub.store.erasing`."""

    async def hurry(self) -> None: ...


class Book(Protocol):
    """`hub.ledger.asked`: blocking; may raise LedgerUnusable."""

    def open(self) -> list[Ask]: ...
    def answer(self, ask: Ask, told: Answer, at: int) -> None: ...


class AskedErasures:
    """`turn` is a duty of the keeper. `now_ms`: the clock of who asks."""

    def __init__(self, desk: Desk, traces: Traces, book: Book, *, now_ms: Callable[[], int]) -> None:
        self._desk, self._traces, self._book, self._now_ms = desk, traces, book, now_ms

    async def turn(self) -> None:
        """Everything that was asked just now. Raises a Refusal, LedgerUnusable; the next turn goes on."""
        for ask in await asyncio.to_thread(self._book.open):
            if self._now_ms() - ask.at <= ANSWERED_WITHIN_MS:
                await self._answer(ask)

    async def _answer(self, ask: Ask) -> None:
        _, _, day = await self._desk.day_now()
        ticket = await self._desk.arrival_of(day, ask.number) if day else None
        count = 0 if ticket is None else await self._erase(ask, day, ticket)
        if count:
            await self._traces.hurry()
        await asyncio.to_thread(self._book.answer, ask, Answer(day, count), self._now_ms())
        _log.info("erased as asked", request=ask.request, count=count)

    async def _erase(self, ask: Ask, day: str, ticket: int) -> int:
        count = 0
        for carrier in Carrier:
            try:
                await self._desk.do(
                    Stamp(day, ask.who, f"{ask.request}-{carrier}"), Stop(ticket, carrier, Ending.OFFICE)
                )
            except (NoContact, UnknownTicket):
                continue
            count += 1
        return count
