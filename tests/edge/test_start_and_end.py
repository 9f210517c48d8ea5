"""How the hub starts without its store or its ledger, works on when they go away or differ, and ends by a signal."""

import asyncio
import os
import signal
from contextlib import closing
from pathlib import Path

import httpx2
import pytest
import structlog
from redis.asyncio import Redis
from websockets.exceptions import InvalidStatus

from config.asgi import Tuning, hub_running, run_hub
from config.embedded import EmbeddedValkey
from config.serving import listen, serve
from hub.desk.lane import Office
from hub.ledger.connection import sqlite_url
from hub.store import library
from hub.store.connection import connect as store_client
from hub.store.lanes import Lanes
from hub.store.library import LIBRARY, LibraryDiffers
from hub.wire import messages as wire
from hub.wire.client_side import Heard
from tests.doors import Doors, shared_ledger
from tests.edge.earnest import hub_of, is_ready, new_id, office, own_server
from tests.edge.hubs import Served, Visitor, closed_with, served
from tests.edge.sockets import deaf_client
from tests.eventually import eventually
from tests.fanout.days import CERTIFICATES
from tests.ports import free_ports

__all__ = ["office", "own_server"]

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("engine")]


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
