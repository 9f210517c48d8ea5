"""Many who ask at the same time share the way, and nothing else."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis.exceptions
from redis.asyncio import Redis

from config.embedded import EmbeddedValkey
from hub.store.connection import connect
from hub.store.together import MOST, Together

pytestmark = pytest.mark.anyio


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    with EmbeddedValkey(tmp_path) as own:
        yield own


@pytest.fixture
async def client(server: EmbeddedValkey) -> AsyncIterator[Redis]:
    client = connect(server.url)
    yield client
    await client.aclose()


async def test_each_is_answered_in_the_order_of_asking(client: Redis) -> None:
    together = Together(client)
    counts = await asyncio.gather(*(together.ask("INCR", "count") for _ in range(3 * MOST)))
    assert counts == list(range(1, 3 * MOST + 1))


async def test_what_is_asked_in_one_turn_is_read_by_the_store_at_once(client: Redis) -> None:
    together = Together(client)
    await together.ask("PING")
    before = await reads(client)
    await asyncio.gather(*(together.ask("INCR", "count") for _ in range(MOST)))
    assert await reads(client) - before < MOST / 4


async def reads(client: Redis) -> int:
    stats: dict[str, Any] = await client.info("stats")
    return int(stats["total_reads_processed"])


async def test_one_that_fails_is_nobody_elses_failure(client: Redis) -> None:
    together = Together(client)
    asked = [together.ask("SET", "word", "a"), together.ask("INCR", "word"), together.ask("GET", "word")]
    set_, wrong, word = await asyncio.gather(*asked, return_exceptions=True)
    assert (bool(set_), word) == (True, "a")
    assert isinstance(wrong, redis.exceptions.ResponseError)


async def test_who_goes_away_keeps_nobody_from_an_answer_and_is_carried_out(client: Redis) -> None:
    together = Together(client)
    impatient, patient = together.ask("INCR", "count"), together.ask("INCR", "count")
    impatient.cancel()
    assert await patient == 2


async def test_a_connection_that_breaks_is_everybodys_and_the_next_is_a_new_one(client: Redis) -> None:
    together = Together(client)
    killed = together.ask("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no")  # its own connection as well
    broken = await asyncio.gather(killed, *(together.ask("PING") for _ in range(3)), return_exceptions=True)
    assert all(isinstance(one, redis.exceptions.ConnectionError | OSError) for one in broken)
    assert await together.ask("PING")
