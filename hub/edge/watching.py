"""What this hub knows of somebody who works beside it: what he last told the store, and how long he has been silent.

It asks seldom. A store that is away is no silence of his: that is told already, and nobody can be heard.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, NoReturn, Protocol, TypeVar

import structlog

from hub.desk.refusals import Refusal

_log = structlog.get_logger("hub.edge.watching")

EVERY_SECONDS = 10.0


class Word(Protocol):
    """What somebody tells of himself. `is_told` False: he has told nothing for a while."""

    @property
    def is_told(self) -> bool: ...


W = TypeVar("W", bound=Word)


class Watch(Generic[W]):
    """`read` gives what was told, and may raise a Refusal; `told` is taken until it has been heard for the first time.

    `silent_s`: whoever works has told something within that time, his start beside this hub among it.
    """

    def __init__(
        self,
        read: Callable[[], Awaitable[W]],
        told: W,
        name: str,
        *,
        silent_s: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read, self._name, self._silent_s, self._monotonic = read, name, silent_s, monotonic
        self.told = told
        self._heard_at = monotonic()

    @property
    def silence_s(self) -> float:
        """How long he has told nothing; 0 while that is no wonder."""
        silence = self._monotonic() - self._heard_at
        return silence if silence > self._silent_s else 0.0

    async def look(self) -> None:
        try:
            told = await self._read()
        except Refusal:
            self._heard_at = self._monotonic()
            return
        if told.is_told:
            self.told, self._heard_at = told, self._monotonic()

    async def run(self, *, every_s: float = EVERY_SECONDS) -> NoReturn:
        is_failing = False
        while True:
            try:
                await self.look()
                is_failing = False
            except Exception:
                if not is_failing:
                    _log.exception("not looked at", duty=self._name)
                is_failing = True
            await asyncio.sleep(every_s)
