"""What this hub knows of erasing: what is overdue, as the eraser last told the store. It asks seldom."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import NoReturn

import structlog

from hub.desk.refusals import Refusal
from hub.store.erasing import Told

_log = structlog.get_logger("hub.edge.erasure")

EVERY_SECONDS = 10.0
SILENT_SECONDS = 90.0  # an eraser has its turn every second; its word lives a minute
WHYS = {
    "ledger": "the ledger cannot note it",
    "keys": "a key cannot be destroyed",
    "files": "the store's files cannot be written anew",
    "found": "something that must be gone was found",
    "unfit": "the store throws contacts away or has a replica",
    "store": "the store does not do it",
    "clock": "the clock was set",
}


class ErasureWatch:
    """`read` gives what the eraser told, and may raise a Refusal."""

    def __init__(self, read: Callable[[], Awaitable[Told]], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._monotonic = monotonic
        self._told = Told()
        self._heard_at = monotonic()  # an office starts its keeper beside its hub

    @property
    def overdue(self) -> int:
        """Contacts, and traces of contacts, that should be gone."""
        return self._told.overdue

    @property
    def late_s(self) -> float:
        """Since when the oldest of them should be gone; it grows while no eraser says anything."""
        silent_s = self._monotonic() - self._heard_at
        return self._told.late_s + (silent_s if silent_s > SILENT_SECONDS else 0.0)

    def why_alarming(self) -> str:
        """A reason for `/ready`; empty while all is well."""
        if self._monotonic() - self._heard_at > SILENT_SECONDS:
            return f"no eraser for {self._monotonic() - self._heard_at:.0f} s"
        why = WHYS.get(self._told.why, self._told.why)
        if self._told.overdue:
            return f"erasure is overdue: {self._told.overdue} for {self._told.late_s:.0f} s{f' ({why})' if why else ''}"
        return f"erasure: {why}" if why else ""

    async def look(self) -> None:
        try:
            told = await self._read()
        except Refusal:
            self._heard_at = self._monotonic()  # the store is away, and that is told already: nobody can be heard
            return
        if told.is_told:
            self._told, self._heard_at = told, self._monotonic()

    async def run(self, *, every_s: float = EVERY_SECONDS) -> NoReturn:
        is_failing = False
        while True:
            try:
                await self.look()
                is_failing = False
            except Exception:
                if not is_failing:
                    _log.exception("erasure not looked at")
                is_failing = True
            await asyncio.sleep(every_s)
