"""The business day moves on when the office's clock says so, although nobody presses a button. Any hub asks for it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn

import structlog

from hub.desk.refusals import TryAgain

_log = structlog.get_logger("hub.fanout.day")

EVERY_SECONDS = 1.0  # the first resident of the day presses a button at 8:30:00, not at 8:31


async def keep_day(open_day: Callable[[], Awaitable[str]], *, every_s: float = EVERY_SECONDS) -> NoReturn:
    """Ask for today's opening again and again. A store that is away, or any other failure, only delays it."""
    is_failing = False
    while True:
        try:
            await open_day()
            is_failing = False
        except TryAgain:
            pass  # the tail says away to everybody; here there is nothing to add
        except Exception:
            if not is_failing:  # once per run of failures: this loop turns every second
                _log.exception("day not opened")
            is_failing = True
        await asyncio.sleep(every_s)
