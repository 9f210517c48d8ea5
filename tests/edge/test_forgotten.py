"""What is kept of a contact beside its seal goes with it: whose it is in the store, and what a hub counts by."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest

from hub.edge.line import WRONG_CODES
from hub.edge.telephones import A_NUMBER
from hub.edge.tries import Tries
from hub.edge.wishes import Counted, forget_at_midnight
from hub.store.erasing import Erasing
from tests.edge.test_residents import Browser, code_in
from tests.edge.told import USER, Ward, browser, ward
from tests.eventually import eventually

__all__ = ["browser", "ward"]
pytestmark = pytest.mark.anyio

BEFORE_MIDNIGHT, AFTER_MIDNIGHT = (
    round(datetime.fromisoformat(f"2026-11-{moment}+09:00").timestamp() * 1000)
    for moment in ("24T23:59:59", "25T00:00:00")
)


async def linked(ward: Ward, browser: Browser, lane: str = "certificates") -> str:
    """A number of this lane that LINE's user is told of; gives its secret."""
    secret, _ = await browser.take(lane)
    assert await ward.line.write(USER, await ward.agree(browser, secret)) == 200
    return secret


async def owner_of(ward: Ward) -> str:
    """The digest by which this user is found, which every ticket of his has."""
    owners = {str(text).partition("\x1f")[0] for text in await ward.client.hvals(ward.keys.owners())}
    (owner,) = owners
    assert len(owner) == 64
    return owner


async def keys_with(ward: Ward, text: str) -> list[str]:
    """Every key of the office whose name or value has it."""
    found: list[str] = []
    client: Any = ward.client
    async for name in client.scan_iter(match=f"{{{ward.office.key}}}:*"):
        value = await client.execute_command("DUMP", name, NEVER_DECODE=True)
        if value and (text.encode() in value or text in name):
            found.append(name.rpartition(":")[2])
    return found


async def test_a_stop_takes_along_whose_contact_it_was_and_leaves_his_other_tickets(
    ward: Ward, browser: Browser
) -> None:
    first, _ = await linked(ward, browser), await linked(ward, browser, "moves")
    owner = await owner_of(ward)
    assert await keys_with(ward, owner) == ["owners"]
    assert await ward.client.hlen(ward.keys.owners()) == 2
    assert code_in(await browser.post("/t/stop", id="s" * 22, secret=first, carrier="line")) == "ok"
    assert await ward.client.hlen(ward.keys.owners()) == 1
    assert await ward.line.block(USER) == 200
    assert await keys_with(ward, owner) == ["line_left"], "for ten minutes, in which LINE may tell of an older message"
    assert 0 < await ward.client.ttl(ward.keys.line_left()) <= 600


async def test_another_contact_takes_the_place_of_the_first_with_whose_it_was(ward: Ward, browser: Browser) -> None:
    secret = await linked(ward, browser)
    assert await ward.line.write(USER, await ward.agree(browser, secret)) == 200
    assert len(await ward.kept()) == 1
    assert await ward.client.hlen(ward.keys.owners()) == 1


async def test_at_the_hour_of_erasure_nobody_knows_any_more_whose_it_was(ward: Ward, browser: Browser) -> None:
    await linked(ward, browser)
    owner, erasing = await owner_of(ward), Erasing(ward.client, ward.office)
    due = await erasing.due(1 << 53)
    assert await erasing.erase(due, 1 << 53) == 1
    assert await keys_with(ward, owner) == []


@contextlib.asynccontextmanager
async def passing_midnight(*counted: Counted) -> AsyncIterator[list[int]]:
    """The clock; midnight is watched for meanwhile."""
    clock = [BEFORE_MIDNIGHT]
    watching = asyncio.create_task(forget_at_midnight(counted, lambda: clock[0], every_s=0.001))
    await asyncio.sleep(0)
    try:
        yield clock
    finally:
        watching.cancel()
        await asyncio.wait({watching})


@pytest.mark.parametrize("limit", [A_NUMBER, WRONG_CODES])
async def test_at_midnight_what_was_counted_is_forgotten_though_nobody_comes(limit: int) -> None:
    counted = Counted(Tries(limit, 86_400.0, lambda: 0.0))
    assert [counted.take("+81312345678") for _ in range(limit + 1)] == [True] * limit + [False]
    before = counted._name("+81312345678")
    async with passing_midnight(counted) as clock:
        assert len(counted) == 1
        clock[0] = AFTER_MIDNIGHT
        await eventually(lambda: len(counted) == 0)
    assert counted._name("+81312345678") != before, "and the key by which a number could be tried out"
    assert counted.take("+81312345678")


async def test_a_running_hub_watches_for_midnight(ward: Ward) -> None:
    assert "forget" in {task.get_name() for task in asyncio.all_tasks()}
