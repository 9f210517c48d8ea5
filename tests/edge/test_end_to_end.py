"""The whole hub as it runs in earnest, on a real store: from a press at the counter to every screen."""

import asyncio
import os
import random
import secrets
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NoReturn

import httpx2
import msgspec
import pytest
import structlog
from redis.asyncio import Redis
from redis.exceptions import MaxConnectionsError
from websockets.exceptions import InvalidStatus

from config import asgi
from config.asgi import Tuning, hub_running, run_hub
from config.embedded import EmbeddedValkey
from config.serving import listen, serve
from hub.desk.lane import Office
from hub.edge.sockets import Limits
from hub.fanout.mailbox import Depth
from hub.ledger.connection import sqlite_url
from hub.store import library
from hub.store.connection import connect as store_client
from hub.store.lanes import Lanes
from hub.store.library import LIBRARY, LibraryDiffers
from hub.wire import messages as wire
from hub.wire.client_side import Heard
from tests.doors import Doors, shared_ledger
from tests.edge.hubs import Served, Visitor, closed_with, served
from tests.edge.sockets import deaf_client
from tests.eventually import eventually
from tests.fanout.days import CERTIFICATES, MOVES, OFFICE
from tests.fanout.listening import timeless
from tests.ports import free_ports

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("engine")]

PATHS = ["/ws/board", "/ws/lanes/certificates", "/ws/lanes/moves", "/ws/wall/entrance", "/ws/desk", "/ws/kiosk"]


@pytest.fixture
def office(office_name: str) -> Office:
    return replace(OFFICE, key=office_name)


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    """A store of this test alone: it is killed."""
    with EmbeddedValkey(tmp_path) as own:
        yield own


@asynccontextmanager
async def hub_of(
    office: Office,
    url: str,
    *,
    practice: bool = False,
    tuning: Tuning | None = None,
    doors: Doors | None = None,
) -> AsyncIterator[Served]:
    """`doors`: of another hub of this office; the same people and devices come in here."""
    running = hub_running(office, redis_url=url, ledger_url=shared_ledger(), practice=practice, tuning=tuning)
    with ExitStack() as opened:
        doors = doors or opened.enter_context(closing(Doors(office.key)))
        async with running as apps, served(apps, doors=doors) as hub:
            yield hub


async def is_ready(hub: Served, status: int = 200) -> None:
    async with httpx2.AsyncClient(trust_env=False) as client:

        async def asked() -> bool:
            return (await client.get(hub.page("/ready"))).status_code == status

        await eventually(asked)


def new_id() -> str:
    return secrets.token_urlsafe(16)


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


async def test_screens_hear_of_a_dead_store_and_of_its_return(own_server: EmbeddedValkey, office: Office) -> None:
    async with hub_of(office, own_server.url) as hub:
        await is_ready(hub)
        async with hub.open("/ws/desk") as connection:
            clerk = Visitor(connection)
            await clerk.ask(wire.Issue(new_id(), CERTIFICATES))
            while not clerk.replies or clerk.types[-1] == "Beat":
                await clerk.hear()
            epoch = clerk.screen.position
            own_server.kill()
            while clerk.types[-1] != "Away":
                await clerk.hear()
            await is_ready(hub, 503)
            request = wire.Issue(new_id(), CERTIFICATES)
            await clerk.ask(request)
            while len(clerk.replies) < 2:
                await clerk.hear()
            refusal = clerk.replies[1].refusal
            assert isinstance(refusal, wire.RefusalBody)
            assert (refusal.code, refusal.again) == ("StoreAway", True)
            own_server.start()
            while clerk.screen.position is None or clerk.screen.position == epoch or clerk.screen.is_away:
                await clerk.hear()
            assert epoch is not None
            assert clerk.screen.position.epoch != epoch.epoch
            assert clerk.screen.lanes[CERTIFICATES].waiting == 1, "what was answered is there"
            await clerk.ask(request)
            while len(clerk.replies) < 3:
                await clerk.hear()
            assert isinstance(clerk.replies[2].answer, wire.AnswerBody)


async def test_the_hub_waits_for_a_store_that_starts_later_and_is_empty(
    own_server: EmbeddedValkey, office: Office
) -> None:
    own_server.stop()
    async with hub_of(office, own_server.url, tuning=Tuning(day_every_s=0.05)) as hub:
        async with hub.open("/ws/board", is_inside=False) as connection:
            tab = Visitor(connection)
            assert await tab.hear() is Heard.AWAY
            own_server.start()
            await tab.hear_all(2)
            assert tab.types == ["Away", "Snapshot", "Beat"]
        # The same once more for a store that lost everything, our functions too, while it ran.
        client = Redis.from_url(own_server.url)
        await client.flushall()
        await client.function_delete(LIBRARY)
        await client.aclose()
        async with hub.open("/ws/kiosk") as connection:
            kiosk = Visitor(connection)

            async def is_issued() -> bool:
                await kiosk.ask(wire.Issue(new_id(), CERTIFICATES))
                answered = len(kiosk.replies)
                while len(kiosk.replies) == answered:
                    await kiosk.hear()
                return isinstance(kiosk.replies[-1].answer, wire.AnswerBody)

            await eventually(is_issued)


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

    monkeypatch.setattr(asgi, "connect", connecting)
    async with hub_of(office, valkey_server.url) as hub:
        await is_ready(hub)
        async with hub.open("/ws/board") as connection:
            screen = Visitor(connection)
            await screen.hear_all(2)
            monkeypatch.setattr(made[0].connection_pool, "get_connection", none_left)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(hears_away(screen), 2.5)


async def test_a_day_that_lies_after_today_is_told(valkey_server: EmbeddedValkey, office: Office) -> None:
    """A clock that was ahead once leaves the office there; it works on, and whoever looks is told."""
    client = store_client(valkey_server.url)
    lanes = Lanes(client, office)
    await library.install(client)
    await lanes.open_day()
    now, *_ = await lanes.day_now()
    await lanes.set_practice_clock(now + 2 * 86_400_000, 1.0)
    await lanes.open_day()
    await client.delete(lanes.keys.clock())
    await client.aclose()
    with structlog.testing.capture_logs() as told:
        async with (
            hub_of(office, valkey_server.url, tuning=Tuning(day_every_s=0.01)) as hub,
            httpx2.AsyncClient(trust_env=False) as asked,
        ):
            await is_ready(hub)
            await eventually(lambda: len(told) > 0)
            for _ in range(10):  # the day is asked for at each turn meanwhile, and told of once
                answer = await asked.get(hub.page("/ready"))
                assert answer.json() == {"ready": True, "reasons": ["the open day is 2 days after today"]}
            assert "junban_day_ahead 2.0" in (await asked.get(hub.page("/metrics"))).text
    assert [line.get("days") for line in told if line["log_level"] == "error"] == [2]


async def none_left(*_: object, **__: object) -> NoReturn:
    raise MaxConnectionsError("Too many connections")


async def hears_away(screen: Visitor) -> None:
    while await screen.hear() is not Heard.AWAY:
        pass


async def test_an_office_in_earnest_has_no_clock_to_set(valkey_server: EmbeddedValkey, office: Office) -> None:
    async with hub_of(office, valkey_server.url) as hub, httpx2.AsyncClient(trust_env=False) as client:
        assert (await client.post(hub.page("/practice/clock"), json={})).status_code == 404


async def test_pages_show_the_present_and_nothing_old(own_server: EmbeddedValkey, office: Office) -> None:
    async with hub_of(office, own_server.url) as hub, httpx2.AsyncClient(trust_env=False) as client:
        await is_ready(hub)
        shown = await client.get(hub.page("/", is_inside=False))
        assert shown.status_code == 200
        assert 'data-key="moves"' in shown.text
        for page in ("/", "/wall/entrance", "/desk"):
            assert (await client.get(hub.page(page), headers=hub.headers("/ws/desk"))).status_code == 200
        assert (await client.get(hub.page("/desk"))).headers["location"] == "/sign-in?next=/desk"
        assert (await client.get(hub.page("/desk", is_inside=False))).status_code == 404
        own_server.kill()
        await is_ready(hub, 503)
        assert 'data-key="moves"' not in (await client.get(hub.page("/", is_inside=False))).text


async def test_a_store_of_another_release_ends_the_start(own_server: EmbeddedValkey, office: Office) -> None:
    client = Redis.from_url(own_server.url)
    await client.function_load(
        f"#!lua name={LIBRARY}\nredis.register_function('other_v1', function() return 1 end)", replace=True
    )
    await client.aclose()
    with pytest.raises(LibraryDiffers):
        async with hub_running(office, redis_url=own_server.url, ledger_url=shared_ledger()):
            pytest.fail("it must not start")


async def test_a_hub_without_its_ledger_serves_residents_and_lets_staff_in_when_it_is_there(
    valkey_server: EmbeddedValkey, office: Office, tmp_path: Path
) -> None:
    file = tmp_path / "ledger.sqlite"
    file.mkdir()  # what cannot be opened as a file
    with structlog.testing.capture_logs() as told:
        async with (
            hub_running(office, redis_url=valkey_server.url, ledger_url=sqlite_url(file)) as apps,
            served(apps) as hub,
        ):
            await is_ready(hub)
            async with hub.open("/ws/board", is_inside=False) as connection:
                await connection.recv()
            with pytest.raises(InvalidStatus) as refused:
                await hub.open("/ws/kiosk")
            assert refused.value.response.status_code == 503
            file.rmdir()
            with closing(Doors(office.key, sqlite_url(file))) as doors:
                sent = doors.headers("/ws/kiosk", hub.page(""))
                async with hub.open_with("/ws/kiosk", sent) as connection:
                    await connection.recv()
                await eventually(lambda: "ledger prepared" in [line["event"] for line in told])
    errors = [line["event"] for line in told if line["log_level"] == "error"]
    assert errors == ["ledger not prepared: nobody can be let in"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_within_seconds_although_a_client_never_reads(
    valkey_server: EmbeddedValkey, office: Office, number: signal.Signals
) -> None:
    public, inside = free_ports(2)
    ready = asyncio.Event()
    running = asyncio.create_task(
        run_hub(
            office,
            redis_url=valkey_server.url,
            ledger_url=shared_ledger(),
            public_host="127.0.0.1",
            port=public,
            inside_port=inside,
            on_ready=ready.set,
        )
    )
    await ready.wait()
    hub = Served(public, inside, Doors(office.key))
    await is_ready(hub)
    connection = await hub.open("/ws/board")
    deaf = await deaf_client(hub, "/ws/desk")
    await connection.recv()
    os.kill(os.getpid(), number)
    async with asyncio.timeout(30):  # who never reads would hold it for ever
        assert await closed_with(connection) == 1012
        await running
    deaf.close()


async def test_a_taken_port_is_told_before_anything_starts(valkey_server: EmbeddedValkey, office: Office) -> None:
    with listen("127.0.0.1", 0) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            await run_hub(
                office,
                redis_url=valkey_server.url,
                ledger_url=shared_ledger(),
                public_host="127.0.0.1",
                port=port,
                inside_port=free_ports(1)[0],
            )


async def test_serve_gives_the_signals_back(valkey_server: EmbeddedValkey, office: Office) -> None:
    before = signal.getsignal(signal.SIGTERM)
    ready = asyncio.Event()
    with listen("127.0.0.1", 0) as public, listen("127.0.0.1", 0) as inside:
        async with hub_running(office, redis_url=valkey_server.url, ledger_url=shared_ledger()) as apps:
            running = asyncio.create_task(serve(apps, public=public, inside=inside, on_ready=ready.set))
            await ready.wait()
            os.kill(os.getpid(), signal.SIGTERM)
            await running
    assert signal.getsignal(signal.SIGTERM) == before
