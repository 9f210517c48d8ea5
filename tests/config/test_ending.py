"""A hub ends also where a cancellation was not heard."""

import asyncio
from typing import NoReturn

import pytest

from config.asgi import end_all

pytestmark = pytest.mark.anyio


async def test_who_does_not_hear_the_end_is_told_again() -> None:
    heard = 0

    async def go_on() -> NoReturn:
        nonlocal heard
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                heard += 1
                if heard == 2:
                    raise

    async def fail() -> NoReturn:
        raise ValueError("before the end")

    tasks = [asyncio.create_task(go_on()), asyncio.create_task(fail())]
    await asyncio.sleep(0)
    await end_all(tasks)
    assert heard == 2
    assert all(task.done() for task in tasks)


async def test_a_hub_that_follows_nothing_ends_at_once() -> None:
    await end_all([])
