"""A wall that is connected counts for the day, whatever hub or store do; one that was put out counts no more."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from hub.desk.refusals import LedgerAway
from hub.edge.access import Principal
from hub.edge.walls import Walls
from hub.fanout.relay import Relay
from hub.wire.roles import Role
from tests.edge.hubs import QUIET
from tests.eventually import eventually
from tests.fanout.days import OFFICE
from tests.fanout.memory import NEXT_DAY, MemoryStore

pytestmark = pytest.mark.anyio

LOBBY = Principal("device:wall-aaaaaa", Role.WALL, "wall-aaaaaa", "lobby", "wall-aaaaaa")
STAIRS = Principal("device:wall-bbbbbb", Role.WALL, "wall-bbbbbb", "stairs", "wall-bbbbbb")


@dataclass
class Enrolled:
    """The ledger's list of screens."""

    places: set[str] = field(default_factory=lambda: {"lobby", "stairs"})
    is_away: bool = False
    asked: int = 0

    def __call__(self) -> set[str]:
        self.asked += 1
        if self.is_away:
            raise LedgerAway
        return self.places


@asynccontextmanager
async def hub_of(store: MemoryStore, enrolled: Enrolled) -> AsyncIterator[tuple[Relay, Walls]]:
    relay = Relay(store, OFFICE, rhythm=QUIET)
    walls = Walls(relay, store, enrolled, every_s=0.01)
    tasks = [asyncio.create_task(relay.run()), asyncio.create_task(walls.run())]
    await eventually(lambda: not relay.is_away)
    yield relay, walls
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


@pytest.fixture
async def store() -> MemoryStore:
    store = MemoryStore(OFFICE)
    await store.open_day()
    return store


def counted(relay: Relay) -> list[str]:
    return relay.world.picture.walls if relay.world else []


async def test_a_wall_that_comes_counts_and_counts_on_when_it_is_dark(store: MemoryStore) -> None:
    async with hub_of(store, enrolled := Enrolled()) as (relay, walls):
        go = walls.come(LOBBY)
        await eventually(lambda: counted(relay) == ["lobby"])
        go()
        looked = enrolled.asked
        await eventually(lambda: enrolled.asked > looked + 1)
        assert counted(relay) == ["lobby"]


async def test_each_day_every_wall_that_stayed_connected_counts_anew(store: MemoryStore) -> None:
    async with hub_of(store, Enrolled()) as (relay, walls):
        walls.come(LOBBY)
        await eventually(lambda: counted(relay) == ["lobby"])
        await store.open_day(NEXT_DAY)
        await eventually(lambda: relay.day == NEXT_DAY and counted(relay) == ["lobby"])


async def test_a_wall_that_came_while_the_store_was_away_counts_when_it_is_back(store: MemoryStore) -> None:
    async with hub_of(store, Enrolled()) as (relay, walls):
        store.go_away()
        await eventually(lambda: relay.is_away)
        walls.come(LOBBY)
        store.come_back("run2")
        await eventually(lambda: counted(relay) == ["lobby"])


async def test_two_hubs_count_each_others_walls(store: MemoryStore) -> None:
    async with hub_of(store, Enrolled()) as (one, ours), hub_of(store, Enrolled()) as (other, theirs):
        ours.come(LOBBY)
        theirs.come(STAIRS)
        await eventually(lambda: set(counted(one)) == set(counted(other)) == {"lobby", "stairs"})


async def test_a_wall_that_is_put_out_for_good_counts_no_more(store: MemoryStore) -> None:
    async with hub_of(store, enrolled := Enrolled()) as (relay, walls):
        walls.come(LOBBY)
        go = walls.come(STAIRS)
        await eventually(lambda: len(counted(relay)) == 2)
        enrolled.is_away = True
        enrolled.places = {"lobby"}
        go()
        looked = enrolled.asked
        await eventually(lambda: enrolled.asked > looked + 1)
        assert len(counted(relay)) == 2, "while the ledger is away nobody knows better"
        enrolled.is_away = False
        await eventually(lambda: counted(relay) == ["lobby"])
