"""A store whose clock is really set, by an hour or a day: no contact goes before its hour, and the day after it goes.

The server runs under libfaketime, the eraser's boot clock tells the true time.
"""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from config import embedded
from config.embedded import EmbeddedValkey
from hub.ledger.erasures import Erasures
from hub.store.connection import connect
from hub.store.erasing import NET_SET_MS, Erasing
from hub.store.lanes import TOKYO
from tests.bench.nights import FAKETIME, STEPS_S, Story, Traveller, is_there
from tests.conftest import not_checked
from tests.workers.ward import Ward


@pytest.fixture
async def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Story]:
    """Ten in the morning of tomorrow."""
    if not is_there():
        not_checked("libfaketime is not installed", "as root: apt-get install libfaketime")
    clock, folder = tmp_path / "clock", tmp_path / "office"
    folder.mkdir()
    traveller = Traveller(clock)
    told = {"LD_PRELOAD": str(FAKETIME), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1"}
    for name, value in (told | {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}).items():
        monkeypatch.setitem(embedded.ENVIRONMENT, name, value)
    with EmbeddedValkey(folder / "store") as server:
        client = connect(server.url)
        made = Story(folder, server, Ward(server.url, client, "ward", folder / "keys"), traveller)
        tomorrow = datetime.fromtimestamp(traveller.now_s, TOKYO) + timedelta(days=1)
        await made.travel_to(tomorrow.replace(hour=10, minute=0, second=0, microsecond=0).timestamp())
        await made.office.open()
        await made.turn()
        yield made
        made.ledger.close()
        await client.aclose()


async def is_kept(story: Story, subscription: str) -> bool:
    return bool(await Erasing(story.office.client, story.office.office).kept([subscription]))


@pytest.mark.parametrize("step_s", STEPS_S)
async def test_a_clock_that_is_set_takes_no_contact_before_its_hour(story: Story, step_s: int) -> None:
    due = datetime.fromtimestamp(story.traveller.now_s, TOKYO).replace(hour=0, minute=10) + timedelta(days=1)
    contact = await story.give()
    await story.archiver.turn()
    await story.set_wrong(step_s)
    for minutes in (1, 25):
        await story.travel_to(due.timestamp() - 10 * 3600 + minutes * 60)
        await story.turn()
        assert await is_kept(story, contact.subscription), minutes
    await story.set_wrong(0)
    await story.travel_to(due.timestamp() - 9 * 3600)
    await story.turn()
    assert await is_kept(story, contact.subscription)
    assert story.office.keys.open(contact.sealed, contact.subscription).to.startswith("canary-")
    await story.travel_to(due.timestamp() - NET_SET_MS / 1000 + 60)
    await story.turn()
    await story.travel_to(due.timestamp() + 3601)
    assert not await is_kept(story, contact.subscription), "the net, without any eraser"
    await story.turn()
    (handled,) = Erasures(story.ledger).handled("0000-01-01", "9999-12-31")
    assert handled.erased_ms is not None
