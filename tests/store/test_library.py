"""The function library: loaded once, checked at every start, never replaced in silence."""

import pytest

from config.embedded import EmbeddedValkey
from hub.desk.ticket import MOVES
from hub.store import library
from hub.store.connection import connect


async def test_a_second_start_only_checks(valkey_server: EmbeddedValkey) -> None:
    client = connect(valkey_server.url)
    await library.install(client)
    await library.install(client)
    await client.aclose()


async def test_another_release_s_library_is_not_overwritten(valkey_server: EmbeddedValkey) -> None:
    client = connect(valkey_server.url)
    other = library.source() + "\n-- another release"
    await library.install(client)
    await client.function_load(other, replace=True)
    try:
        with pytest.raises(library.LibraryDiffers):
            await library.install(client)
    finally:
        await client.function_load(library.source(), replace=True)
        await client.aclose()


def test_the_table_of_moves_stands_in_the_library() -> None:
    head = library.source().split("local STANDING")[0]
    for (state, action), into in MOVES.items():
        row = next(line for line in head.splitlines() if line.startswith(f"  ['{action}']"))
        assert f"['{state or 'none'}'] = '{into}'" in row
