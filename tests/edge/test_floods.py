"""Who talks too much or never reads is closed or dropped, and everybody else is served meanwhile."""

import asyncio
import json
import socket

import pytest
from wsproto import events

from config.serving import Engine
from hub.desk.requests import Done, Issue, Next, Recall
from hub.edge.connections import SocketConnection
from hub.edge.sockets import Limits
from hub.fanout.crowd import Bounds
from hub.fanout.mailbox import Depth
from hub.wire import messages as wire
from tests.edge.hubs import Served, Visitor, closed_with, memory_hub, served
from tests.edge.sockets import deaf_client, hub, hub_of, new_id, store
from tests.eventually import eventually
from tests.fanout.days import CERTIFICATES, OFFICE
from tests.fanout.memory import MemoryStore

__all__ = ["hub", "store"]

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("engine")]

SOON = Bounds(lag_s=0.2, look_s=0.01)


async def test_nobody_presses_so_often(store: MemoryStore) -> None:
    limits = Limits(texts_per_s=0.001, texts_at_once=5)
    async with hub_of(store, limits=limits) as (_, hub), hub.open("/ws/desk") as connection:
        desk = Visitor(connection)
        for _ in range(5):
            await desk.ask(wire.Issue(new_id(), CERTIFICATES))
        while len(desk.replies) < 5:
            await desk.hear()
        await desk.ask(wire.Issue(new_id(), CERTIFICATES))
        assert await closed_with(connection) == 4400
    assert store.desk.picture.last_arrival == 5


async def test_a_listener_that_talks_is_ignored(hub: Served, store: MemoryStore) -> None:
    async with hub.open("/ws/board", is_inside=False) as connection:
        visitor = Visitor(connection)
        await visitor.hear_all(2)
        for _ in range(3):
            await visitor.ask(wire.Issue(new_id(), CERTIFICATES))
        await store.ask(Issue(CERTIFICATES, "kiosk"))
        await visitor.hear()
        assert visitor.types[2:] == ["TicketIssued"]
        assert store.desk.picture.last_arrival == 1


async def test_a_listener_that_goes_on_talking_is_closed(store: MemoryStore) -> None:
    limits = Limits(idle_texts=3)
    async with hub_of(store, limits=limits) as (_, hub), hub.open("/ws/board", is_inside=False) as connection:
        await connection.recv()
        for _ in range(4):
            await connection.send("hello")
        assert await closed_with(connection) == 4400


async def test_who_talks_without_end_is_not_heard_to_the_end(store: MemoryStore) -> None:
    """What came at once is dropped after the few that are ignored; taking it all would make everybody else wait."""
    taken = 0

    class Counting(SocketConnection):
        def handle_message(self, event: events.TextMessage | events.BytesMessage) -> None:
            nonlocal taken
            super().handle_message(event)
            taken += 1

    _, apps = memory_hub(store)
    async with served(apps, ws=Counting) as hub:
        deaf = await deaf_client(hub, "/ws/board")
        with pytest.raises(ConnectionError):
            await flooded(deaf, (b"\x81\x81\0\0\0\0x") * 20_000)
        deaf.close()
    assert taken < 20


async def test_requests_wait_where_they_arrived_until_there_is_a_place_for_them(store: MemoryStore) -> None:
    """A thousand sent at once are answered one after the other; the hub takes none apart ahead of its turn."""
    most = 0

    class Watched(SocketConnection):
        def handle_message(self, event: events.TextMessage | events.BytesMessage) -> None:
            nonlocal most
            super().handle_message(event)
            most = max(most, self.queue.qsize())

    _, apps = memory_hub(store, limits=Limits(texts_at_once=1000))
    async with served(apps, ws=Watched) as hub, hub.open("/ws/desk") as connection:
        for _ in range(1000):
            await connection.send("not a request")
        heard = 0
        while heard < 1000:
            heard += json.loads(await connection.recv())["type"] == "reply"
    assert most == 1


PING = b"\x89\xfd\0\0\0\0" + b"x" * 125
PIECE = b"\x01\x80\0\0\0\0"  # the empty beginning of a text
MORE = b"\x00\x80\0\0\0\0"


@pytest.mark.parametrize(
    "flood", [PING * 5000, PIECE + MORE * 5000, (b"\x8a" + PIECE[1:]) * 5000], ids=["ping", "pieces", "pong"]
)
async def test_a_flood_of_what_is_no_message_is_cut(hub: Served, flood: bytes) -> None:
    deaf = await deaf_client(hub, "/ws/board")
    with pytest.raises(ConnectionError):
        await flooded(deaf, flood)
    deaf.close()


async def flooded(deaf: socket.socket, flood: bytes) -> None:
    for _ in range(1000):
        await asyncio.get_running_loop().sock_sendall(deaf, flood)
        await asyncio.sleep(0)


PINGS_OF_A_CORE = 75_000  # a second


def test_what_all_listeners_may_ping_leaves_the_process_to_who_presses(engine: Engine) -> None:
    assert engine.idle_per_s * Limits().listeners < PINGS_OF_A_CORE / 5


async def test_some_pings_are_answered(hub: Served) -> None:
    async with hub.open("/ws/board", is_inside=False) as connection:
        for _ in range(50):
            await (await connection.ping())


async def test_pongs_that_nobody_takes_are_not_heaped_up(store: MemoryStore) -> None:
    class Small(SocketConnection):
        idle_burst = 10**9
        _idle_left = 1e9
        unread_bytes = 100_000

    _, apps = memory_hub(store)
    async with served(apps, ws=Small) as hub:
        deaf = await deaf_client(hub, "/ws/board")
        with pytest.raises(ConnectionError):
            await flooded(deaf, PING * 1000)
        deaf.close()


@pytest.mark.parametrize("path", ["/ws/board", "/ws/desk"])
@pytest.mark.parametrize("message", [b"bytes", "x" * 4097, "あ" * 1366, "x" * 1_000_000], ids=lambda m: str(len(m)))
async def test_no_text_or_too_much_of_it_closes_with_do_not_come_back(
    hub: Served, path: str, message: str | bytes
) -> None:
    async with hub.open(path) as connection:
        await connection.recv()
        await connection.send(message)
        assert await closed_with(connection) == 4400


async def test_a_message_in_pieces_counts_as_a_whole(hub: Served) -> None:
    async with hub.open("/ws/desk") as connection:
        await connection.recv()
        await connection.send("x" * 1000 for _ in range(5))
        assert await closed_with(connection) == 4400


async def test_a_client_that_never_reads_is_dropped_and_the_others_go_on(store: MemoryStore) -> None:
    limits = Limits(send_s=0.2, texts_at_once=1e6)
    async with hub_of(store, depth=Depth(frames=64), limits=limits) as (relay, hub):
        deaf = await deaf_client(hub, "/ws/desk")
        async with hub.open("/ws/desk") as connection:
            reader = Visitor(connection)
            await reader.hear_all(2)
            await eventually(lambda: len(relay.registry) == 2)
            lane = OFFICE.lanes[0]
            recalls = 0
            await reader.ask(wire.Issue(new_id(), lane.key))
            await reader.ask(wire.Next(new_id(), "2", None))
            while len(relay.registry) == 2:
                await reader.ask(wire.Recall(new_id(), "2", 1))
                await reader.hear()
                recalls += 1
                assert recalls < 100_000, "dropped long before"
            await reader.ask(wire.Done(new_id(), "2", 1))
            while reader.types[-1] != "TicketServed":
                await reader.hear()
        deaf.close()


async def test_residents_who_never_read_are_told_to_come_back_and_the_others_hear_everything(
    store: MemoryStore,
) -> None:
    async with hub_of(store, limits=Limits(send_s=0.2), depth=Depth(frames=64), bounds=SOON) as (relay, hub):
        deaf = [await deaf_client(hub, "/ws/board", hub.public) for _ in range(3)]
        async with hub.open("/ws/board", is_inside=False) as connection:
            reader = Visitor(connection)
            await reader.hear_all(2)
            await eventually(lambda: len(relay.registry) == 4)
            await store.ask(Issue(CERTIFICATES, "kiosk"))
            await store.ask(Next("2", None))
            calls = 1
            while len(relay.registry) > 1:
                calls += 1
                await store.ask(Recall("2", 1))
                await reader.hear()
                assert calls < 100_000, "gone long before"
            await store.ask(Done("2", 1))
            while reader.types[-1] != "TicketServed":
                await reader.hear()
            assert reader.types.count("TicketRecalled") == calls - 1
        for one in deaf:
            one.close()


@pytest.mark.parametrize("ping_s", [0.1])
async def test_a_silent_client_that_answers_no_ping_is_dropped(store: MemoryStore, ping_s: float) -> None:
    async with hub_of(store, ping_s=ping_s) as (relay, hub):
        deaf = await deaf_client(hub, "/ws/board")
        await eventually(lambda: len(relay.registry) == 1)
        await eventually(lambda: len(relay.registry) == 0)
        deaf.close()
