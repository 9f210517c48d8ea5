"""What an erasure could leave behind: the expiry as its net, and what stays in the memory of a server that runs on."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.workers.erasing import HOUR_MS, Night, night
from tests.workers.test_erase import MINUTE_MS


@pytest.fixture
async def at_night(tmp_path: Path) -> AsyncIterator[Night]:
    async with night(tmp_path) as made:
        yield made


async def test_the_net_is_set_in_the_evening_and_never_by_a_clock_that_was_set(at_night: Night) -> None:
    subscription = await at_night.give()
    contact, hour = at_night.office.names.contact(subscription), await at_night.erase_hour()
    await at_night.let_pass(until_ms=hour - 3 * HOUR_MS)
    await at_night.turn()
    assert await at_night.office.client.pexpiretime(contact) == hour + 26 * HOUR_MS, "a day ahead it is still there"
    at_night.erasing.ahead_ms += HOUR_MS
    await at_night.turn()
    assert await at_night.office.client.pexpiretime(contact) == hour + 26 * HOUR_MS, "nobody believes it yet"
    at_night.erasing.ahead_ms -= HOUR_MS
    await at_night.let_pass(until_ms=hour - 2 * HOUR_MS + MINUTE_MS)
    await at_night.turn()
    assert await at_night.office.client.pexpiretime(contact) == hour + HOUR_MS, "whether anybody erases it or not"
    await at_night.let_pass(until_ms=hour - HOUR_MS)
    await at_night.turn()
    assert await at_night.office.client.pexpiretime(contact) == hour + HOUR_MS


async def test_what_is_erased_is_written_over_in_the_servers_memory_before_any_restart(at_night: Night) -> None:
    """Of 60 that were only unlinked, 44 were found there."""
    blobs = []
    for n in range(40):
        sealed = await at_night.office.contacts.sealed(await at_night.give(f"a{n}@example.test"))
        assert sealed is not None
        blobs.append(sealed.encode())
    assert all(at_night.memory_has(blob) for blob in blobs)
    at_night.eraser = at_night.another_eraser(may_restart=False)
    await at_night.come()
    await at_night.turn()
    assert sum(at_night.memory_has(blob) for blob in blobs) <= 4, "what passed last through a buffer of the server"


async def test_what_is_erased_by_day_leaves_the_servers_memory_at_night(at_night: Night) -> None:
    subscription = await at_night.give()
    sealed = await at_night.office.contacts.sealed(subscription)
    assert sealed is not None
    await at_night.come(later_ms=10 * HOUR_MS)  # the machine was off until ten past ten
    pid = at_night.server.pid
    await at_night.turn()
    assert at_night.files_with(sealed.encode()) == []
    assert at_night.server.pid == pid, "screens are not taken from their store by day"
    assert at_night.noted("ErasureVerified")[0].fields["method"] == "rewrite+scan"
    await at_night.let_pass(until_ms=await at_night.erasing.now_ms() + 14 * HOUR_MS)
    await at_night.turn()
    assert at_night.server.pid != pid
    assert not at_night.memory_has(sealed.encode())
    pid = at_night.server.pid
    await at_night.turn()
    assert at_night.server.pid == pid, "once"
