"""Wait for a condition, never for a while. The only place in the tests where anything sleeps."""

import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

import anyio

T = TypeVar("T")

FIRST_PAUSE_S = 0.001
LONGEST_PAUSE_S = 0.05
WITHIN_S = 30.0  # a story that goes well never waits so long, and a busy machine makes none fail


@overload
async def eventually(check: Callable[[], Awaitable[T]], within_s: float = WITHIN_S) -> T: ...


@overload
async def eventually(check: Callable[[], T], within_s: float = WITHIN_S) -> T: ...


async def eventually(check: Callable[[], Any], within_s: float = WITHIN_S) -> Any:
    """Try `check` again until it gives something true, and give that. Raises AssertionError after `within_s`.

    `check` is a function or a coroutine function. An AssertionError in it counts as "not yet"; any other exception is
    the test's own and comes out at once.
    """
    deadline = time.monotonic() + within_s
    pause_s = FIRST_PAUSE_S
    while True:
        seen: object
        try:
            answer = check()
            found = await answer if inspect.isawaitable(answer) else answer
            if found:
                return found
            seen = found
        except AssertionError as error:
            seen = error
        if time.monotonic() >= deadline:
            raise AssertionError(f"not so within {within_s} s; last seen: {seen!r}")
        await anyio.sleep(pause_s)
        pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
