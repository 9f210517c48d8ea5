"""What machines ask: does it live, can it serve, what has it done."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from hub.desk.requests import Issue
from hub.edge.health import why_not_ready
from hub.fanout.relay import Relay
from hub.wire import messages as wire
from tests.edge.hubs import Served, Visitor, memory_hub, served
from tests.eventually import eventually
from tests.fanout.days import CERTIFICATES, OFFICE
from tests.fanout.memory import MemoryStore

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("engine")]


@asynccontextmanager
async def hub_of(store: MemoryStore) -> AsyncIterator[tuple[Relay, Served, httpx2.AsyncClient]]:
    relay, apps = memory_hub(store)
    tail = asyncio.create_task(relay.run())
    async with served(apps) as hub, httpx2.AsyncClient(trust_env=False) as client:
        yield relay, hub, client
    tail.cancel()
    await asyncio.wait([tail])


async def figures(client: httpx2.AsyncClient, hub: Served) -> dict[str, float]:
    page = await client.get(hub.page("/metrics"))
    assert page.headers["content-type"].startswith("text/plain; version=")
    return {
        sample.name + "".join(f" {value}" for value in sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(page.text)
        for sample in family.samples
    }


async def test_it_is_ready_only_while_it_shows_the_present() -> None:
    store = MemoryStore(OFFICE)
    store.go_away()
    async with hub_of(store) as (relay, hub, client):
        for is_inside in (True, False):
            assert (await client.get(hub.page("/live", is_inside=is_inside))).status_code == 200
            ready = await client.get(hub.page("/ready", is_inside=is_inside))
            assert ready.status_code == 503
            assert ready.json() == {
                "ready": False,
                "reasons": ["no picture of the day yet", "the store does not answer"],
            }
        store.come_back()
        await store.open_day()
        await eventually(lambda: not relay.is_away)
        ready = await client.get(hub.page("/ready"))
        assert (ready.status_code, ready.json()) == (200, {"ready": True, "reasons": []})
        store.go_away()
        await eventually(lambda: relay.is_away)
        assert (await client.get(hub.page("/ready"))).json()["reasons"] == ["the store does not answer"]


async def test_a_tail_that_has_gone_silent_is_not_ready() -> None:
    store = MemoryStore(OFFICE)
    await store.open_day()
    async with hub_of(store) as (relay, _, _):
        await eventually(lambda: not relay.is_away)
        assert relay.last_read is not None
        assert why_not_ready(relay, relay.last_read + 1) == []
        assert why_not_ready(relay, relay.last_read + 60) == ["nothing read for 60 s"]


async def test_the_meters_tell_what_happened() -> None:
    store = MemoryStore(OFFICE)
    await store.open_day()
    async with hub_of(store) as (relay, hub, client), hub.open("/ws/kiosk") as one, hub.open("/ws/lanes/moves") as two:
        await eventually(lambda: not relay.is_away)
        kiosk = Visitor(one)
        await two.recv()
        await kiosk.ask(wire.Issue("q3oZ4lqWlT0mW1x7mBv2aA", CERTIFICATES))
        await kiosk.ask(wire.Issue("q3oZ4lqWlT0mW1x7mBv2aB", "nowhere"))
        while len(kiosk.replies) < 2:
            await kiosk.hear()
        await store.ask(Issue(CERTIFICATES, "kiosk"))
        await eventually(lambda: relay.facts == 2)
        told = await figures(client, hub)
        assert told["junban_listeners board"] == 1
        assert told["junban_listeners lanes"] == 1
        assert told["junban_listeners desk"] == 0
        assert told["junban_facts_total"] == 2
        assert told["junban_frames_total"] >= 2
        assert told["junban_mailbox_overruns_total"] == 0
        assert told["junban_requests_total issue ok"] == 1
        assert told["junban_requests_total UnknownLane issue"] == 1
        assert told["junban_store_away_seconds"] == 0
        assert told["junban_store_away_seconds_all_total"] >= 0
        assert 0 <= told["junban_position_lag_seconds"] < 5
        assert told["junban_day"] == 20261124
        assert told["junban_day_ahead"] == 0


async def test_figures_are_for_the_inside() -> None:
    async with hub_of(MemoryStore(OFFICE)) as (_, hub, client):
        assert (await client.get(hub.page("/metrics", is_inside=False))).status_code == 404
        page = await client.get(hub.page("/metrics"))
        assert re.search(r"^# HELP junban_listeners ", page.text, re.MULTILINE)
