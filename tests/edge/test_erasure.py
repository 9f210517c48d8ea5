"""What a hub says of erasing: nothing while all is well, a reason as soon as something is there that must be gone."""

import asyncio

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from hub.desk.refusals import StoreAway
from hub.edge.erasure import SILENT_SECONDS, WHYS, ErasureWatch
from hub.store.erasing import Told
from tests.edge.hubs import memory_hub, served
from tests.eventually import eventually
from tests.fanout.days import OFFICE
from tests.fanout.memory import MemoryStore


class Heard:
    """What the eraser has told the store, and the time."""

    def __init__(self) -> None:
        self.told: Told | None = Told()
        self.now = 100.0
        self.watch = ErasureWatch(self.read, lambda: self.now)

    async def read(self) -> Told:
        if self.told is None:
            raise StoreAway
        return self.told


async def test_an_eraser_that_has_nothing_left_to_do_is_no_reason() -> None:
    heard = Heard()
    await heard.watch.look()
    assert (heard.watch.overdue, heard.watch.late_s, heard.watch.why_alarming()) == (0, 0.0, "")


async def test_what_should_be_gone_is_a_reason_with_its_cause() -> None:
    heard = Heard()
    heard.told = Told(overdue=3, late_s=71.0, why="files")
    await heard.watch.look()
    assert heard.watch.why_alarming() == ("erasure is overdue: 3 for 71 s (the store's files cannot be written anew)")


@pytest.mark.parametrize("why", WHYS)
async def test_each_cause_is_a_reason_before_anything_is_overdue(why: str) -> None:
    heard = Heard()
    heard.told = Told(why=why)
    await heard.watch.look()
    assert heard.watch.why_alarming() == f"erasure: {WHYS[why]}"


async def test_the_place_that_cannot_be_looked_through_is_named() -> None:
    heard = Heard()
    heard.told = Told(why="unread", where="/var/log/junban")
    await heard.watch.look()
    assert heard.watch.why_alarming() == "erasure: not everything can be looked through: /var/log/junban"


async def test_an_eraser_that_says_nothing_is_a_reason_and_grows_later() -> None:
    heard = Heard()
    heard.told = Told(is_told=False)
    heard.now += SILENT_SECONDS
    await heard.watch.look()
    assert (heard.watch.late_s, heard.watch.why_alarming()) == (0.0, "")
    heard.now += 10
    assert (heard.watch.late_s, heard.watch.why_alarming()) == (100.0, "no eraser for 100 s")
    heard.told = Told()
    await heard.watch.look()
    assert (heard.watch.late_s, heard.watch.why_alarming()) == (0.0, "")


async def test_a_store_that_is_away_is_no_fault_of_the_eraser() -> None:
    heard = Heard()
    heard.told = None
    for _ in range(20):
        heard.now += 10
        await heard.watch.look()
    assert heard.watch.why_alarming() == ""


async def test_looking_goes_on_after_whatever_it_meets() -> None:
    heard, looks = Heard(), 0

    async def breaks_once() -> Told:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise ValueError
        return Told(overdue=looks)

    watch = ErasureWatch(breaks_once, lambda: heard.now)
    looking = asyncio.create_task(watch.run(every_s=0.001))
    await eventually(lambda: watch.overdue >= 3)
    looking.cancel()
    await asyncio.wait({looking})


async def test_the_pages_for_machines_tell_it_and_the_hub_stays_ready() -> None:
    heard = Heard()
    heard.told = Told(overdue=2, late_s=75.0)
    await heard.watch.look()
    store = MemoryStore(OFFICE)
    await store.open_day()
    relay, apps = memory_hub(store, erasure=heard.watch)
    tail = asyncio.create_task(relay.run())
    async with served(apps) as hub, httpx2.AsyncClient(trust_env=False) as client:
        await eventually(lambda: relay.world is not None)
        ready = await client.get(hub.page("/ready"))
        assert (ready.status_code, ready.json()["reasons"]) == (200, ["erasure is overdue: 2 for 75 s"])
        page = (await client.get(hub.page("/metrics"))).text
    tail.cancel()
    await asyncio.wait([tail])
    samples = {s.name: s.value for family in text_string_to_metric_families(page) for s in family.samples}
    assert (samples["junban_erasure_overdue"], samples["junban_erasure_late_seconds"]) == (2, 75.0)
