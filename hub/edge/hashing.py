"""Where passwords are compared: one thread of low rank, with a short line before it.

Comparing takes a core for some twenty milliseconds. However many sign in at once, calls have the other core and the
better part of this one.
"""

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
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
        self._lock, self._is_closed = threading.Lock(), False
        self._thread = ThreadPoolExecutor(1, "hashing", initializer=_step_back)

    async def run(self, do: Callable[..., _T], *args: object) -> _T:
        """`do(*args)` in its turn. Raises SignInBusy where too many wait, and what `do` raises."""
        if self._is_closed or self._waiting >= self._line:
            self.refused += 1
            raise SignInBusy
        with self._lock:
            self._waiting += 1  # until it is done or never will be: who goes away does not shorten the line
        work = self._thread.submit(do, *args)
        work.add_done_callback(self._leave)
        try:
            return await asyncio.wrap_future(work)
        except asyncio.CancelledError:
            if self._is_closed and not _is_cancelled():
                raise SignInBusy from None  # this hub ends; another one, or the next, lets him in
            raise

    def close(self) -> None:
        """Whoever still waits is asked to try again; what is being compared is compared to its end."""
        self._is_closed = True
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _leave(self, work: "Future[_T]") -> None:
        with self._lock:
            self._waiting -= 1


def _is_cancelled() -> bool:
    """The asker himself, and not only what he waited for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _step_back() -> None:
    if sys.platform == "linux":  # elsewhere this would be the rank of the whole hub, or of a stranger
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOWER)
