"""What this hub knows of the archive: how far behind it is, as its archiver last told the store. It asks seldom."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import NoReturn

import structlog

from hub.desk.refusals import Refusal
from hub.store.days import Lag

_log = structlog.get_logger("hub.edge.archive")

EVERY_SECONDS = 10.0
BEHIND_SECONDS = 60.0  # an archiver that works is behind by a second


class ArchiveWatch:
    """`read` gives what the archiver told, and may raise a Refusal."""

    def __init__(self, read: Callable[[], Awaitable[Lag]], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._monotonic = monotonic
        self._told = Lag()
        self._heard_at = monotonic()  # an office starts its archiver beside its hub: it has a minute

    @property
    def behind(self) -> int:
        """Facts that are not archived."""
        return self._told.behind

    @property
    def lag_s(self) -> float:
        """Age of the oldest of them; it grows while no archiver says anything."""
        silent_s = self._monotonic() - self._heard_at
        return self._told.seconds + (silent_s if silent_s > BEHIND_SECONDS else 0.0)

    def why_alarming(self) -> str:
        """A reason for `/ready`; empty while all is well."""
        if self._monotonic() - self._heard_at > BEHIND_SECONDS:
            return f"no archiver for {self._monotonic() - self._heard_at:.0f} s"
        why = f": {self._told.why}" if self._told.why else ""
        if self._told.seconds > BEHIND_SECONDS:
            return f"the archive is {self._told.behind} facts and {self._told.seconds:.0f} s behind{why}"
        return f"the archive{why}" if why else ""

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
                    _log.exception("archive not looked at")
                is_failing = True
            await asyncio.sleep(every_s)
