"""What a hub says of the archive: nothing while all is well, and a reason as soon as somebody should look."""

import asyncio

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from hub.desk.refusals import StoreAway
from hub.edge.archive import BEHIND_SECONDS, ArchiveWatch
from hub.store.days import Lag
from tests.edge.hubs import memory_hub, served
from tests.eventually import eventually
from tests.fanout.days import OFFICE
from tests.fanout.memory import MemoryStore


class Told:
    """What the archiver has told the store, and the time."""

    def __init__(self) -> None:
        self.lag: Lag | None = Lag()
        self.now = 100.0
        self.watch = ArchiveWatch(self.read, lambda: self.now)

    async def read(self) -> Lag:
        if self.lag is None:
            raise StoreAway
        return self.lag


async def test_an_archive_that_keeps_up_is_no_reason() -> None:
    told = Told()
    told.lag = Lag(behind=40, seconds=1.5)
    await told.watch.look()
    assert (told.watch.behind, told.watch.lag_s, told.watch.why_alarming()) == (40, 1.5, "")


async def test_an_archive_behind_for_more_than_a_minute_is_a_reason() -> None:
    told = Told()
    told.lag = Lag(behind=900, seconds=BEHIND_SECONDS + 1, why="LedgerUnusable")
    await told.watch.look()
    assert told.watch.why_alarming() == "the archive is 900 facts and 61 s behind: LedgerUnusable"


async def test_a_day_that_cannot_be_archived_is_a_reason_at_once() -> None:
    told = Told()
    told.lag = Lag(why="a fact cannot be read or kept")
    await told.watch.look()
    assert told.watch.why_alarming() == "the archive: a fact cannot be read or kept"


async def test_an_archiver_that_says_nothing_is_a_reason_after_a_minute() -> None:
    told = Told()
    told.lag = Lag(is_told=False)
    await told.watch.look()
    told.now += BEHIND_SECONDS
    await told.watch.look()
    assert (told.watch.lag_s, told.watch.why_alarming()) == (0.0, "")
    told.now += 10
    await told.watch.look()
    assert (told.watch.lag_s, told.watch.why_alarming()) == (70.0, "no archiver for 70 s")
    told.lag = Lag(behind=1, seconds=0.2)
    await told.watch.look()
    assert (told.watch.lag_s, told.watch.why_alarming()) == (0.2, "")


async def test_a_store_that_is_away_is_no_fault_of_the_archiver() -> None:
    told = Told()
    told.lag = None
    for _ in range(20):
        told.now += 10
        await told.watch.look()
    assert told.watch.why_alarming() == ""


async def test_the_pages_for_machines_tell_it_and_the_hub_stays_ready() -> None:
    told = Told()
    told.lag = Lag(behind=900, seconds=75.0)
    await told.watch.look()
    store = MemoryStore(OFFICE)
    await store.open_day()
    relay, apps = memory_hub(store, archive=told.watch)
    tail = asyncio.create_task(relay.run())
    async with served(apps) as hub, httpx2.AsyncClient(trust_env=False) as client:
        await eventually(lambda: relay.world is not None)
        ready = await client.get(hub.page("/ready"))
        assert ready.status_code == 200
        assert ready.json()["reasons"] == ["the archive is 900 facts and 75 s behind"]
        page = (await client.get(hub.page("/metrics"))).text
    tail.cancel()
    await asyncio.wait([tail])
    samples = {s.name: s.value for family in text_string_to_metric_families(page) for s in family.samples}
    assert (samples["junban_archive_behind"], samples["junban_archive_lag_seconds"]) == (900, 75.0)
