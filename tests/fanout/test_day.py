"""The day moves on whatever happens to the one who asks for it."""

import asyncio

import pytest

from hub.desk.refusals import StoreAway
from hub.fanout.day import keep_day
from tests.eventually import eventually

pytestmark = pytest.mark.anyio


async def test_it_asks_again_and_again_through_every_failure() -> None:
    asked = 0

    async def open_day() -> str:
        nonlocal asked
        asked += 1
        if asked in (2, 3):
            raise StoreAway
        if asked in (4, 5):
            raise RuntimeError("a defect")
        return "2026-11-24"

    keeping = asyncio.create_task(keep_day(open_day, every_s=0.001))
    await eventually(lambda: asked > 8)
    assert not keeping.done()
    keeping.cancel()
    await asyncio.wait([keeping])
