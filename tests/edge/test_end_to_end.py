"""The whole hub as it runs in earnest, on a real store: from a press at the counter to every screen."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import NoReturn

import httpx2
import msgspec
import pytest
from redis.asyncio import Redis
from redis.exceptions import MaxConnectionsError
from websockets.exceptions import InvalidStatus

from config import hub_store
from config.asgi import Tuning, hub_running
from config.embedded import EmbeddedValkey
from hub.desk.lane import Office
from hub.edge.sockets import Limits
from hub.fanout.mailbox import Depth
from hub.store.connection import connect as store_client
from hub.wire import messages as wire
from hub.wire.client_side import Heard
from tests.doors import shared_ledger
from tests.edge.earnest import hub_of, is_ready, new_id, office
from tests.edge.hubs import Served, Visitor, served
from tests.edge.sockets import deaf_client
from tests.eventually import eventually
from tests.fanout.days import CERTIFICATES, MOVES
from tests.fanout.listening import timeless

__all__ = ["office"]

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("engine")]

PATHS = ["/ws/board", "/ws/lanes/certificates", "/ws/lanes/moves", "/ws/wall/entrance", "/ws/desk", "/ws/kiosk"]


def has_replies(visitors: list[Visitor], count: int) -> bool:
    return sum(len(visitor.replies) for visitor in visitors) == count


def stand_alike(one: Visitor, other: Visitor) -> bool:
    return one.screen.position == other.screen.position


async def listening(visitor: Visitor) -> None:
    """Until the hub closes it."""
    while True:
        await visitor.hear()


def some_requests(count: int, seed: int) -> Iterator[wire.DeskRequest]:
    chance = random.Random(seed)
    for _ in range(count):
        ticket, lane, counter = chance.randint(1, 30), chance.choice([CERTIFICATES, MOVES]), chance.choice("123")
        kinds: list[wire.DeskRequest] = [
            wire.Issue(new_id(), lane),
            wire.Issue(new_id(), lane),
            wire.Next(new_id(), counter, None),
            wire.Recall(new_id(), counter, ticket),
            wire.MarkAbsent(new_id(), counter, ticket),
            wire.Done(new_id(), counter, ticket),
            wire.Return(new_id(), ticket),
            wire.Cancel(new_id(), ticket),
            wire.Transfer(new_id(), ticket, lane),
        ]
        yield chance.choice(kinds)


BACK = 240


async def test_a_waiting_room_that_comes_back_asks_nothing_of_the_store(
    valkey_server: EmbeddedValkey, office: Office
) -> None:
    """After a restart of the hub: with a position, with an old one, with none."""
    async with hub_of(office, valkey_server.url, tuning=Tuning(day_every_s=3600.0)) as hub:
        await is_ready(hub)
        async with hub.open("/ws/board", is_inside=False) as connection:
            before = Visitor(connection)
            await before.hear_all(2)
        paths = ["/ws/board", f"/ws/board?after={before.screen.position}", "/ws/board?after=2020-01-01.x:1-0"]
        async with closing_client(valkey_server.url) as store:
            asked = int((await store.info("stats"))["total_commands_processed"])
            await asyncio.gather(*(come_back(hub, paths[count % len(paths)]) for count in range(BACK)))
            asked = int((await store.info("stats"))["total_commands_processed"]) - asked
        assert asked < BACK, "what the tail reads meanwhile, and nothing for each of them"


async def come_back(hub: Served, path: str) -> None:
    async with hub.open(path, is_inside=False) as connection:
        await connection.recv()


@asynccontextmanager
async def closing_client(url: str) -> AsyncIterator[Redis]:
    client = store_client(url)
    yield client
    await client.aclose()


async def test_every_screen_ends_like_a_fresh_snapshot(valkey_server: EmbeddedValkey, office: Office) -> None:
    """Two hubs serve the office; requests go to both, and every frame fits where it comes (no gap, nothing twice)."""
    hasty = Tuning(limits=Limits(texts_at_once=1e6))
    async with (
        hub_of(office, valkey_server.url, tuning=hasty) as one,
        hub_of(office, valkey_server.url, tuning=hasty, doors=one.doors) as two,
    ):
        await is_ready(one)
        await is_ready(two)
        screens = [Visitor(await hub.open(path)) for hub in (one, two) for path in PATHS]
        staff = [Visitor(await hub.open("/ws/desk")) for hub in (one, two)]
        everybody = [asyncio.create_task(listening(visitor)) for visitor in [*screens, *staff]]
        for count, request in enumerate(some_requests(400, seed=1), start=1):
            asker = staff[count % 2]
            if isinstance(request, wire.Next):  # as a clerk does: with what the counter has on the screen
                has = [call.arrival for call in asker.screen.called.values() if call.counter == request.counter]
                request = wire.Next(request.id, request.counter, has[0] if has else None)
            await asker.ask(request)
            if count % 20 == 0:
                await eventually(partial(has_replies, staff, count))
        answered = [reply for clerk in staff for reply in clerk.replies if reply.answer is not msgspec.UNSET]
        assert len(answered) > 100
        for path in PATHS:
            fresh = Visitor(await one.open(path))
            await fresh.hear()
            for visitor in screens[PATHS.index(path) :: len(PATHS)]:
                await eventually(partial(stand_alike, visitor, fresh))
                assert timeless(visitor.screen.snapshot()) == timeless(fresh.screen.snapshot())
            await fresh.connection.close()
        for task in everybody:
            assert not task.done(), "nobody was closed or met a frame that did not fit"
            task.cancel()
        await asyncio.wait(everybody)
        for visitor in [*screens, *staff]:
            await visitor.connection.close()


async def test_the_same_request_on_another_hub_gives_the_same_answer(
    valkey_server: EmbeddedValkey, office: Office
) -> None:
    async with (
        hub_of(office, valkey_server.url) as one,
        hub_of(office, valkey_server.url, doors=one.doors) as two,
    ):
        await is_ready(one)
        await is_ready(two)
        request = wire.Issue(new_id(), CERTIFICATES)
        answers = []
        for hub in (one, two):
            async with hub.open("/ws/kiosk") as connection:
                kiosk = Visitor(connection)
                await kiosk.ask(request)
                while not kiosk.replies:
                    await kiosk.hear()
                answers.append(kiosk.replies[0])
        assert answers[0] == answers[1]


async def test_a_client_that_never_reads_is_dropped_while_others_go_on(
    valkey_server: EmbeddedValkey, office: Office
) -> None:
    tuning = Tuning(depth=Depth(frames=64), limits=Limits(send_s=0.2, texts_at_once=1e6))
    async with hub_of(office, valkey_server.url, tuning=tuning) as hub, httpx2.AsyncClient(trust_env=False) as client:
        await is_ready(hub)

        async def desks() -> int:
            found = (await client.get(hub.page("/metrics"))).text.partition('junban_listeners{topic="desk"} ')[2]
            return int(float(found.split("\n")[0]))

        with await deaf_client(hub, "/ws/desk"):
            async with hub.open("/ws/desk") as connection:
                clerk = Visitor(connection)
                listens = asyncio.create_task(listening(clerk))
                # One after the other: what is asked on one socket at once is carried out side by side, and a `next`
                # that overtakes its number calls nobody.
                begin: list[wire.DeskRequest] = [wire.Issue(new_id(), CERTIFICATES), wire.Next(new_id(), "2", None)]
                for asked, request in enumerate(begin):
                    await clerk.ask(request)
                    await eventually(partial(has_replies, [clerk], asked + 1))
                assert await desks() == 2
                pressed = 0
                while await desks() == 2:
                    for _ in range(50):
                        await clerk.ask(wire.Recall(new_id(), "2", 1))
                    pressed += 50
                    await eventually(partial(has_replies, [clerk], 2 + pressed))
                    assert clerk.replies[-1].answer is not msgspec.UNSET, "each press is a fact that all desks are told"
                    assert pressed < 50_000, "dropped long before"
                assert not listens.done()
                listens.cancel()
                await asyncio.wait([listens])


async def test_a_practice_day_begins_for_everybody(valkey_server: EmbeddedValkey, office: Office) -> None:
    async with hub_of(office, valkey_server.url, practice=True) as hub, httpx2.AsyncClient(trust_env=False) as client:
        await is_ready(hub)
        async with hub.open("/ws/board", is_inside=False) as connection:
            tab = Visitor(connection)
            await tab.hear()
            before = tab.screen.day
            answer = await client.post(hub.page("/practice/clock"), json={"start": "08:30", "speed": 240})
            day = answer.json()["day"]
            assert day > before
            while tab.screen.day != day:
                await tab.hear()
        assert (await client.post(hub.page("/practice/clock", is_inside=False), json={})).status_code == 404


async def test_the_public_page_may_listen_outside_and_press_nothing_inside(
    valkey_server: EmbeddedValkey, office: Office
) -> None:
    ours, staffs = "https://junban.example.jp", "https://staff.example.jp"
    async with (
        hub_running(
            office,
            redis_url=valkey_server.url,
            ledger_url=shared_ledger(),
            public_url=ours,
            inside_urls=[staffs],
        ) as apps,
        served(apps) as hub,
    ):
        for origin, is_inside in ((ours, False), (staffs, True)):
            async with hub.open("/ws/board", is_inside=is_inside, origin=origin) as connection:
                await connection.recv()
        for path in ("/ws/desk", "/ws/kiosk", "/ws/board"):
            with pytest.raises(InvalidStatus) as refused:
                await hub.open(path, origin=ours)
            assert refused.value.response.status_code == 403


async def test_many_requests_at_once_never_make_the_tail_say_away(
    valkey_server: EmbeddedValkey, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The requests' client has no connection left for anybody; the tail and the day go on."""
    made: list[Redis] = []

    def connecting(url: str) -> Redis:
        made.append(store_client(url))
        return made[-1]

    monkeypatch.setattr(hub_store, "connect", connecting)
    async with hub_of(office, valkey_server.url) as hub:
        await is_ready(hub)
        async with hub.open("/ws/board") as connection:
            screen = Visitor(connection)
            await screen.hear_all(2)
            monkeypatch.setattr(made[0].connection_pool, "get_connection", none_left)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(hears_away(screen), 2.5)


async def none_left(*_: object, **__: object) -> NoReturn:
    raise MaxConnectionsError("Too many connections")


async def hears_away(screen: Visitor) -> None:
    while await screen.hear() is not Heard.AWAY:
        pass


async def test_an_office_in_earnest_has_no_clock_to_set(valkey_server: EmbeddedValkey, office: Office) -> None:
    async with hub_of(office, valkey_server.url) as hub, httpx2.AsyncClient(trust_env=False) as client:
        assert (await client.post(hub.page("/practice/clock"), json={})).status_code == 404
