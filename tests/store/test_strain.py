"""Many at once, a store in trouble, a clock that was wrong: the answer is the right one, and nothing is doubled."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from pathlib import Path

import pytest

from config.embedded import EmbeddedValkey
from hub.desk.refusals import Crowded, StoreAway, StoreDamaged
from hub.desk.requests import Answer, Issue, Next, Stamp
from hub.store.connection import MOST_CONNECTIONS
from hub.store.facts import FactStream
from hub.store.lanes import Lanes
from tests.model.desks import CERTIFICATES, DAY, StoreDesk, set_clock, small_office, store_desk


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    """A store of this test alone: its settings are changed."""
    with EmbeddedValkey(tmp_path) as own:
        yield own


@pytest.fixture
async def desk(server: EmbeddedValkey) -> AsyncIterator[StoreDesk]:
    async with store_desk(small_office(last=999), server.url) as stored:
        await stored.open_day()
        yield stored


async def test_more_at_once_than_connections_wait_for_one(desk: StoreDesk) -> None:
    asked = [desk.ask(Issue(CERTIFICATES, "kiosk")) for _ in range(MOST_CONNECTIONS * 3)]
    numbers = [answer.number for answer in await _patiently(asked, desk)]
    assert len(set(numbers)) == MOST_CONNECTIONS * 3


async def _patiently(asked: list[Coroutine[None, None, Answer]], desk: StoreDesk) -> list[Answer]:
    """What everybody is answered; whoever is told that it was crowded asks again."""
    answers = []
    for outcome in await asyncio.gather(*asked, return_exceptions=True):
        assert isinstance(outcome, Answer | Crowded), repr(outcome)
        answers.append(outcome if isinstance(outcome, Answer) else await desk.ask(Issue(CERTIFICATES, "kiosk")))
    return answers


async def test_a_hundred_counters_on_one_lane_get_a_hundred_tickets(desk: StoreDesk) -> None:
    for _ in range(120):
        await desk.ask(Issue(CERTIFICATES, "kiosk"))
    counters = [f"c{number}" for number in range(100)]
    office = small_office(last=999)
    seats = tuple(type(office.counters[0])(key, key, (CERTIFICATES,)) for key in counters)
    lanes = Lanes(desk.client, type(office)("ward", "", office.lanes, seats))
    presses = [lanes.do(Stamp(DAY, "desk", f"press-{key}"), Next(key, None)) for key in counters]
    called = [answer.arrival for answer in await asyncio.gather(*presses)]
    assert sorted(arrival for arrival in called if arrival) == list(range(1, 101))


async def test_a_store_without_memory_is_away_for_now_and_nothing_is_half_done(desk: StoreDesk) -> None:
    before = await desk.facts()
    await desk.client.config_set("maxmemory", "1")
    with pytest.raises(StoreAway):
        await desk.ask(Issue(CERTIFICATES, "kiosk"))
    await desk.client.config_set("maxmemory", "0")
    assert await desk.facts() == before
    assert (await desk.ask(Issue(CERTIFICATES, "kiosk"))).arrival == 1


async def test_facts_that_are_no_stream_are_damage_and_no_absence(desk: StoreDesk, server: EmbeddedValkey) -> None:
    stream = FactStream(server.url, desk.lanes)
    _, day = await stream.begin()
    await desk.client.delete(desk.keys.facts(day))
    await desk.client.set(desk.keys.facts(day), "of another type")
    with pytest.raises(StoreDamaged):
        await stream.read(day, (0, 0), 1)
    await stream.close()


async def test_a_day_that_lies_ahead_is_counted(desk: StoreDesk) -> None:
    await desk.lanes.open_day()
    assert desk.lanes.days_ahead == 0
    await set_clock(desk.client, desk.keys, "2026-11-21T12:00:00+09:00")
    assert await desk.lanes.open_day() == DAY
    assert desk.lanes.days_ahead == 3
