"""Reading the facts of a day: from the first, as they come, and what a restart of the store means."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from config.embedded import EmbeddedValkey
from hub.desk.facts import DayClosed, DayOpened, Fact, TicketIssued, UnreadableFact
from hub.desk.refusals import StoreAway
from hub.desk.requests import Issue
from hub.store.facts import FactStream
from tests.model.desks import CERTIFICATES, DAY, StoreDesk, small_office, store_desk


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    """A store of this test alone: it is killed."""
    with EmbeddedValkey(tmp_path) as own:
        yield own


@pytest.fixture
async def desk(server: EmbeddedValkey) -> AsyncIterator[StoreDesk]:
    async with store_desk(small_office(), server.url) as stored:
        await stored.open_day()
        yield stored


@pytest.fixture
async def stream(server: EmbeddedValkey, desk: StoreDesk) -> AsyncIterator[FactStream]:
    reading = FactStream(server.url, desk.lanes)
    yield reading
    await reading.close()


def kinds(told: list[tuple[int, int, Fact]]) -> list[type[Fact]]:
    return [type(fact) for _, _, fact in told]


async def test_it_tells_the_whole_day_and_then_what_comes(stream: FactStream, desk: StoreDesk) -> None:
    await desk.ask(Issue(CERTIFICATES, "kiosk"))
    _, day = await stream.begin()
    told = await stream.read(day, (0, 0), 1)
    assert kinds(told) == [DayOpened, TicketIssued]
    waiting = asyncio.ensure_future(stream.read(day, told[-1][:2], 2000))
    await desk.ask(Issue(CERTIFICATES, "kiosk"))
    assert kinds(await waiting) == [TicketIssued]


async def test_nothing_new_is_an_empty_list(stream: FactStream) -> None:
    _, day = await stream.begin()
    told = await stream.read(day, (0, 0), 1)
    assert await stream.read(day, told[-1][:2], 1) == []


async def test_beginning_opens_the_day_that_is_due(stream: FactStream, desk: StoreDesk) -> None:
    await desk.open_day("2026-11-25")
    epoch, day = await stream.begin()
    assert day == "2026-11-25"
    assert epoch.startswith("2026-11-25.")
    assert kinds(await stream.read(DAY, (0, 0), 1)) == [DayOpened, DayClosed]


async def test_an_epoch_lasts_as_long_as_the_store_runs(
    stream: FactStream, desk: StoreDesk, server: EmbeddedValkey
) -> None:
    first, day = await stream.begin()
    assert (await stream.begin())[0] == first
    server.kill()
    with pytest.raises(StoreAway):
        await stream.read(day, (0, 0), 1)
    with pytest.raises(StoreAway):
        await stream.begin()
    server.start()
    second, same_day = await stream.begin()
    assert same_day == day
    assert second != first
    assert kinds(await stream.read(day, (0, 0), 1)) == [DayOpened], "what was acknowledged is still there"


async def test_a_restart_between_two_reads_is_never_missed(
    stream: FactStream, desk: StoreDesk, server: EmbeddedValkey
) -> None:
    """The connection must not be renewed behind the reader's back: the new run may know another past."""
    _, day = await stream.begin()
    told = await stream.read(day, (0, 0), 1)
    server.kill()
    server.start()
    with pytest.raises(StoreAway):
        await stream.read(day, told[-1][:2], 1)


async def test_reading_before_beginning_is_refused(stream: FactStream) -> None:
    with pytest.raises(StoreAway):
        await stream.read(DAY, (0, 0), 1)


async def test_an_entry_that_is_no_fact_is_not_skipped(stream: FactStream, desk: StoreDesk) -> None:
    _, day = await stream.begin()
    await desk.client.xadd(desk.keys.facts(day), {"type": "TicketEaten"})
    with pytest.raises(UnreadableFact):
        await stream.read(day, (0, 0), 1)


async def test_it_knows_the_office_s_time(stream: FactStream) -> None:
    await stream.begin()
    assert await stream.now() == 1795489200000  # noon of 2026-11-24 in Tokyo
