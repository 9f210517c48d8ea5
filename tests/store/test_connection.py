"""A task that is told to end ends, whatever it was asking the store at that moment."""

import asyncio
import random

import pytest

from config.embedded import EmbeddedValkey
from hub.store.connection import connect

CANCELS = 1000  # redis-py's own way forgot one in thirty


@pytest.mark.parametrize("together", [False, True])
async def test_no_cancellation_is_forgotten(valkey_server: EmbeddedValkey, together: bool) -> None:
    chance = random.Random(8)
    client = connect(valkey_server.url)

    async def ask_on() -> None:
        while True:
            if together:
                pipe = client.pipeline(transaction=False)
                pipe.execute_command("GET", "x")
                await pipe.execute()
            else:
                await client.get("x")

    went_on = 0
    try:
        for _ in range(CANCELS):
            asking = asyncio.create_task(ask_on())
            for _ in range(chance.randrange(1, 40)):
                await asyncio.sleep(0)
            asking.cancel()
            await asyncio.wait({asking}, timeout=0.2)
            while not asking.done():
                went_on += 1
                asking.cancel()
                await asyncio.wait({asking}, timeout=0.2)
    finally:
        await client.aclose()
    assert went_on == 0
