"""Tells the executor that a carrier has work, without ever making a press wait for it.

A wake-up that is lost is not missed for long: the keeper looks into the outbox once a second.
"""

import asyncio
from collections.abc import Callable
from typing import NoReturn

import structlog

from hub.desk.notices import Carrier
from hub.desk.refusals import StoreAway

_log = structlog.get_logger("workers.waking")


class Waking:
    """Called with a carrier it returns at once; `run` does the waking. `wake` blocks, and may raise StoreAway."""

    def __init__(self, wake: Callable[[Carrier], None]) -> None:
        self._wake = wake
        self._wanted: set[Carrier] = set()  # at most one for each carrier: a drain takes all that is due
        self._news = asyncio.Event()
        self._is_failing = False

    def __call__(self, carrier: Carrier) -> None:
        self._wanted.add(carrier)
        self._news.set()

    async def run(self) -> NoReturn:
        """For ever; ends by cancellation."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self._wanted:
                await self._tell(self._wanted.pop())

    async def _tell(self, carrier: Carrier) -> None:
        try:
            await asyncio.to_thread(self._wake, carrier)
        except StoreAway:
            if not self._is_failing:
                _log.warning("wake-ups do not arrive", carrier=carrier)
            self._is_failing = True
        except Exception:
            _log.exception("waking failed", carrier=carrier)
        else:
            self._is_failing = False
