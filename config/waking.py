"""Tells workers at once that something is due, beside the hub's loop. What gets lost here the keeper finds in a second.

It holds no notice: which carrier, and nothing else.
"""

import asyncio
from collections.abc import Callable

import structlog

from hub.desk.notices import Carrier
from hub.desk.refusals import StoreAway

_log = structlog.get_logger("config.waking")


class Waking:
    """`wake` may block. One at a time: moves that make notices due meanwhile are one wake-up more, not many."""

    def __init__(self, wake: Callable[[Carrier], None]) -> None:
        self._wake = wake
        self._asked: set[Carrier] = set()
        self._task: asyncio.Task[None] | None = None

    def on_due(self, carrier: Carrier) -> None:
        """Returns at once; only from within the loop."""
        self._asked.add(carrier)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="waking")

    async def close(self) -> None:
        """Until nothing is under way any more."""
        self._asked.clear()
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        while self._asked:
            carrier = self._asked.pop()
            try:
                await asyncio.to_thread(self._wake, carrier)
            except StoreAway:
                continue  # whoever is told of that is the hub itself, by its tail
            except Exception:
                _log.exception("waking failed", carrier=carrier)
