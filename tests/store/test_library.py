"""The function library: loaded once, checked at every start, never replaced in silence under a hub."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from config.embedded import EmbeddedValkey
from config.given_store import given_server
from hub.desk.ticket import MOVES
from hub.store import library
from hub.store.connection import connect


async def loads(client: Redis) -> int:
    """How many times this server has taken a library in, since its start."""
    stats: Any = await client.info("commandstats")
    name = "cmdstat_function|load"
    return int(stats[name]["calls"]) - int(stats[name]["failed_calls"])


async def test_a_second_start_only_checks(valkey_server: EmbeddedValkey) -> None:
    client = connect(valkey_server.url)
    await library.install(client)
    before = await loads(client)
    await library.install(client)
    assert await loads(client) == before
    await client.function_delete(library.LIBRARY)
    await library.install(client)
    assert await loads(client) == before + 1
    await client.aclose()


def test_a_store_of_our_own_gets_the_functions_of_this_release(tmp_path: Path) -> None:
    wanted = library.source()
    with EmbeddedValkey(tmp_path) as store, closing(given_server(store.url)) as client:
        assert library.renew(client, wanted)
        assert not library.renew(client, wanted)
        client.function_load(wanted + "\n-- another release", replace=True)
        assert library.renew(client, wanted)
        assert not library.renew(client, wanted)


async def test_another_release_s_library_is_not_overwritten(valkey_server: EmbeddedValkey) -> None:
    client = connect(valkey_server.url)
    other = library.source() + "\n-- another release"
    await library.install(client)
    await client.function_load(other, replace=True)
    try:
        with pytest.raises(library.LibraryDiffers, match=f"FUNCTION DELETE {library.LIBRARY}"):
            await library.install(client)
    finally:
        await client.function_load(library.source(), replace=True)
        await client.aclose()


def test_the_table_of_moves_stands_in_the_library() -> None:
    head = library.source().split("local STANDING")[0]
    for (state, action), into in MOVES.items():
        row = next(line for line in head.splitlines() if line.startswith(f"  ['{action}']"))
        assert f"['{state or 'none'}'] = '{into}'" in row
