"""Where passwords are compared: one thread of low rank, with a short line before it.

Comparing takes a core for some twenty milliseconds. However many sign in at once, calls have the other core and the
better part of this one.
"""

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from hub.desk.refusals import SignInBusy

LINE = 30  # who would be later than this waits some two seconds; he is asked to try again
LOWER = 10  # of 19: above what has no haste at all, below everything that a resident waits for

_T = TypeVar("_T")


class Hashing:
    """One hub's."""

    def __init__(self, line: int = LINE) -> None:
        self.refused = 0
        self._line, self._waiting = line, 0
        self._thread = ThreadPoolExecutor(1, "hashing", initializer=_step_back)

    async def run(self, do: Callable[..., _T], *args: object) -> _T:
        """`do(*args)` in its turn. Raises SignInBusy where too many wait, and what `do` raises."""
        if self._waiting >= self._line:
            self.refused += 1
            raise SignInBusy
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: do(*args))
        finally:
            self._waiting -= 1

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)


def _step_back() -> None:
    with contextlib.suppress(OSError, AttributeError):  # where the system has no rank for a thread
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOWER)
