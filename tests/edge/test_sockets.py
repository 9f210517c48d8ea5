"""The websockets of the protocol page, on real connections in front of the rules of the desk."""

import asyncio
import json
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import ClassVar

import pytest
from starlette.applications import Starlette
from starlette.requests import Request as PageRequest
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from websockets.exceptions import InvalidStatus
from wsproto import events

from config.serving import Engine
from hub.desk.requests import Answer, Done, Issue, Next, Recall, Request, Stamp
from hub.edge.connections import HttpConnection, SocketConnection
from hub.edge.sockets import Limits
from hub.edge.websocket.connection import WebsocketConnection
from hub.fanout.crowd import Bounds
from hub.fanout.mailbox import Depth
from hub.fanout.relay import Relay
from hub.wire import messages as wire
from hub.wire.client_side import Heard
from tests.edge.hubs import Served, Visitor, closed_with, memory_hub, served
from tests.eventually import eventually
from tests.fanout.days import CERTIFICATES, OFFICE
from tests.fanout.memory import MemoryStore

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("engine")]

SOON = Bounds(lag_s=0.2, look_s=0.01)

INSIDE_PATHS = ["/ws/wall/entrance", "/ws/desk", "/ws/kiosk"]


@asynccontextmanager
async def hub_of(
    store: MemoryStore,
    depth: Depth | None = None,
    limits: Limits | None = None,
    ping_s: float = 20.0,
    bounds: Bounds | None = None,
) -> AsyncIterator[tuple[Relay, Served]]:
    relay, apps = memory_hub(store, depth=depth, bounds=bounds, limits=limits)
    tail = asyncio.create_task(relay.run())
    async with served(apps, ping_s) as ports:
        await eventually(lambda: not relay.is_away)
        yield relay, ports
    tail.cancel()
    await asyncio.wait([tail])


@pytest.fixture
async def store() -> MemoryStore:
    store = MemoryStore(OFFICE)
    await store.open_day()
    return store


@pytest.fixture
async def hub(store: MemoryStore) -> AsyncIterator[Served]:
    async with hub_of(store) as (_, ports):
        yield ports


def new_id() -> str:
    return secrets.token_urlsafe(16)


@pytest.mark.parametrize("is_inside", [True, False])
@pytest.mark.parametrize(("path", "topic"), [("/ws/board", "board"), ("/ws/lanes/moves", "lanes/moves")])
async def test_public_topics_are_joined_by_a_bare_get(hub: Served, path: str, topic: str, is_inside: bool) -> None:
    async with hub.open(path, is_inside=is_inside) as connection:
        visitor = Visitor(connection)
        await visitor.hear_all(2)
        assert visitor.types == ["Snapshot", "Beat"]
        assert visitor.screen.topic == topic


@pytest.mark.parametrize(
    ("path", "topic"), [("/ws/wall/entrance", "board"), ("/ws/desk", "desk"), ("/ws/kiosk", "board")]
)
async def test_inside_there_are_walls_desks_and_kiosks(hub: Served, path: str, topic: str) -> None:
    async with hub.open(path) as connection:
        visitor = Visitor(connection)
        await visitor.hear()
        assert visitor.screen.topic == topic


@pytest.mark.parametrize("path", INSIDE_PATHS)
async def test_the_public_listener_knows_nothing_of_the_inside(hub: Served, path: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await hub.open(path, is_inside=False)
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("path", ["/ws/lanes/nowhere", "/ws/wall/Entrance", "/ws/wall/" + "a" * 33])
async def test_what_does_not_exist_is_404_before_the_websocket_opens(hub: Served, path: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await hub.open(path)
    assert refused.value.response.status_code == 404
    assert refused.value.response.body


@pytest.mark.parametrize("path", ["/ws/board", "/ws/lanes/moves", *INSIDE_PATHS])
async def test_a_foreign_page_is_403(hub: Served, path: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await hub.open(path, origin="https://evil.example.com")
    assert refused.value.response.status_code == 403


async def test_our_own_page_comes_in(hub: Served) -> None:
    async with hub.open("/ws/desk", origin=f"http://127.0.0.1:{hub.inside}") as connection:
        assert await Visitor(connection).hear() is Heard.NEW


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


async def test_a_full_hub_says_so(store: MemoryStore) -> None:
    async with hub_of(store, limits=Limits(listeners=1)) as (_, hub):
        async with hub.open("/ws/board", is_inside=False) as first:
            await first.recv()
            with pytest.raises(InvalidStatus) as refused:
                await hub.open("/ws/lanes/moves", is_inside=False)
            assert refused.value.response.status_code == 503

        async def comes_in() -> bool:
            with suppress(InvalidStatus):
                async with hub.open("/ws/board", is_inside=False):
                    return True
            return False

        await eventually(comes_in)  # who has left makes room


async def test_staff_come_in_however_many_residents_look_on(store: MemoryStore) -> None:
    async with (
        hub_of(store, limits=Limits(listeners=1, inside_listeners=1)) as (_, hub),
        hub.open("/ws/board", is_inside=False) as resident,
        hub.open("/ws/desk") as clerk,
    ):
        await resident.recv()
        await clerk.recv()


async def test_who_comes_back_with_a_position_gets_the_facts_since(hub: Served, store: MemoryStore) -> None:
    async with hub.open("/ws/board") as connection:
        before = Visitor(connection)
        await before.hear_all(2)
    await store.ask(Issue(CERTIFICATES, "kiosk"))
    async with hub.open(f"/ws/board?after={before.screen.position}") as connection:
        back = Visitor(connection)
        back.screen = before.screen
        await back.hear_all(2)
        assert back.types == ["TicketIssued", "Beat"]


@pytest.mark.parametrize("after", ["", "junk", "e:1-0", "2026-11-24.run1:999999999999999-0", "%00", "a" * 2000])
async def test_any_other_position_gets_a_snapshot(store: MemoryStore, after: str) -> None:
    path = f"/ws/board?after={after}"
    async with hub_of(store, limits=Limits(catch_up_s=0.01)) as (_, hub), hub.open(path) as connection:
        assert json.loads(await connection.recv())["type"] == "snapshot"


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


async def test_a_request_is_answered_and_everybody_learns_the_fact(hub: Served) -> None:
    async with hub.open("/ws/desk") as one, hub.open("/ws/kiosk") as two, hub.open("/ws/board") as three:
        desk, kiosk, tab = Visitor(one), Visitor(two), Visitor(three)
        for visitor in (desk, kiosk, tab):
            await visitor.hear_all(2)
        await kiosk.ask(wire.Issue(new_id(), CERTIFICATES))
        await eventually_hears(kiosk, "Reply", "TicketIssued")
        await desk.ask(wire.Next(new_id(), "2", None))
        await eventually_hears(desk, "Reply", "TicketCalled")
        await tab.hear_all(2)
        assert tab.types[2:] == ["TicketIssued", "TicketCalled"]
        answer = desk.replies[0].answer
        assert isinstance(answer, wire.AnswerBody)
        assert (answer.number, answer.state) == ("A101", "called")


async def eventually_hears(visitor: Visitor, *types: str) -> None:
    while not set(types) <= set(visitor.types):
        await visitor.hear()


async def test_what_cannot_be_read_is_answered_and_the_socket_stays(hub: Served) -> None:
    async with hub.open("/ws/desk") as connection:
        desk = Visitor(connection)
        await connection.send("not json")
        await desk.ask(wire.Issue(new_id(), CERTIFICATES))
        while len(desk.replies) < 2:
            await desk.hear()
        refused, issued = desk.replies
        assert isinstance(refused.refusal, wire.RefusalBody)
        assert refused.refusal.code == "BadMessage"
        assert isinstance(issued.answer, wire.AnswerBody)


class SlowDesk:
    """A store that takes its time: nobody is answered before `go_on`."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.asked = 0
        self.go_on = asyncio.Event()

    async def do(self, stamp: Stamp, request: Request) -> Answer:
        self.asked += 1
        await self.go_on.wait()
        return await self.store.do(stamp, request)


async def test_several_requests_may_be_under_way_but_not_any_number(store: MemoryStore) -> None:
    slow = SlowDesk(store)
    relay, apps = memory_hub(store, teller=slow, limits=Limits(in_flight=3))
    tail = asyncio.create_task(relay.run())
    async with served(apps) as hub, hub.open("/ws/desk") as connection:
        desk = Visitor(connection)
        await desk.hear()
        for _ in range(5):
            await desk.ask(wire.Issue(new_id(), CERTIFICATES))
        await eventually(lambda: slow.asked == 3)
        await store.ask(Issue(CERTIFICATES, "kiosk"))
        while "TicketIssued" not in desk.types:
            await desk.hear()  # facts go on meanwhile
        assert slow.asked == 3
        slow.go_on.set()
        while len(desk.replies) < 5:
            await desk.hear()
    tail.cancel()
    await asyncio.wait([tail])


async def test_who_leaves_before_the_answer_is_served_all_the_same(store: MemoryStore) -> None:
    slow = SlowDesk(store)
    relay, apps = memory_hub(store, teller=slow)
    tail = asyncio.create_task(relay.run())
    async with served(apps) as hub:
        async with hub.open("/ws/kiosk") as connection:
            kiosk = Visitor(connection)
            await kiosk.hear()
            await kiosk.ask(wire.Issue(new_id(), CERTIFICATES))
            await eventually(lambda: slow.asked == 1)
        await eventually(lambda: len(relay.registry) == 0)
        slow.go_on.set()
        await eventually(lambda: store.desk.picture.last_arrival == 1)
    tail.cancel()
    await asyncio.wait([tail])


async def test_who_is_gone_is_forgotten(store: MemoryStore) -> None:
    async with hub_of(store) as (relay, hub):
        async with hub.open("/ws/board") as polite, hub.open("/ws/desk") as rude:
            await polite.recv()
            await rude.recv()
            assert len(relay.registry) == 2
            rude.transport.abort()
        await eventually(lambda: len(relay.registry) == 0)


async def deaf_client(hub: Served, path: str, port: int | None = None) -> socket.socket:
    """A client that says hello and then never reads, with the smallest buffer there is."""
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(deaf, ("127.0.0.1", port or hub.inside))
    head = (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port or hub.inside}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    )
    head += "".join(f"{name}: {value}\r\n" for name, value in hub.headers(path).items()) + "\r\n"
    await loop.sock_sendall(deaf, head.encode())
    return deaf


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


async def test_nothing_of_a_resident_stays_in_the_application(store: MemoryStore, engine: Engine) -> None:
    if engine is not WebsocketConnection:
        pytest.skip("only our own engine hands connections over")
    async with hub_of(store) as (relay, hub), hub.open("/ws/desk") as clerk:
        await clerk.recv()
        async with hub.open("/ws/board", is_inside=False), hub.open("/ws/lanes/moves", is_inside=False) as connection:
            await connection.recv()
            assert len(relay.registry) == 3
            await eventually(lambda: running() == 1)


def running() -> int:
    """How many websockets the application still runs for."""
    return sum("WebsocketConnection" in repr(task.get_coro()) for task in asyncio.all_tasks())


@pytest.mark.parametrize("ping_s", [0.1])
async def test_a_silent_client_that_answers_no_ping_is_dropped(store: MemoryStore, ping_s: float) -> None:
    async with hub_of(store, ping_s=ping_s) as (relay, hub):
        deaf = await deaf_client(hub, "/ws/board")
        await eventually(lambda: len(relay.registry) == 1)
        await eventually(lambda: len(relay.registry) == 0)
        deaf.close()


class Undelayed(HttpConnection):
    seen: ClassVar[list[int]] = []

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.seen.append(transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))


async def test_a_reply_does_not_wait_for_the_acknowledgement_of_the_frame_before(store: MemoryStore) -> None:
    _, apps = memory_hub(store)
    async with served(apps, http=Undelayed) as hub:
        reader, writer = await asyncio.open_connection("127.0.0.1", hub.inside)
        writer.write(LIVE)
        await reader.readuntil(b"live\n")
        writer.close()
    assert Undelayed.seen
    assert all(Undelayed.seen)


class Impatient(HttpConnection):
    head_seconds = 0.05
    body_seconds = 0.05
    taken_seconds = 0.05


async def test_beyond_the_files_of_the_public_side_a_connection_is_cut(store: MemoryStore) -> None:
    _, apps = memory_hub(store)
    async with served(apps, most_public=2) as hub:
        first, second = [await asyncio.open_connection("127.0.0.1", hub.public) for _ in range(2)]
        assert b"200 OK" not in await is_cut(hub.public, [LIVE])
        async with hub.open("/ws/desk") as clerk:
            await clerk.recv()
        for _, writer in (first, second):
            writer.close()


async def test_a_half_sent_head_is_given_up(store: MemoryStore) -> None:
    _, apps = memory_hub(store)
    async with served(apps, http=Impatient) as hub:
        assert await is_cut(hub.public, [b"GET /live HTTP/1.1\r\n"])
        assert await is_cut(hub.public, [])
        answer_then_half = [b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /live"]
        assert b"200 OK" in await is_cut(hub.public, answer_then_half)


LIVE = b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n"


async def test_an_empty_line_now_and_then_keeps_no_connection(store: MemoryStore) -> None:
    _, apps = memory_hub(store)
    async with served(apps, http=Impatient) as hub:
        assert b"200 OK" in await is_cut(hub.public, [LIVE, b"\r\n"], pause_s=0.03)


async def test_a_body_that_never_comes_is_given_up(store: MemoryStore) -> None:
    _, apps = memory_hub(store)
    async with served(apps, http=Impatient) as hub:
        head = b"GET /live HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
        await is_cut(hub.public, [head, *[b"a"] * 20], pause_s=0.03)


async def test_a_kept_connection_and_a_websocket_outlive_those_timers(store: MemoryStore) -> None:
    _, apps = memory_hub(store)
    async with served(apps, http=Impatient) as hub:
        reader, writer = await asyncio.open_connection("127.0.0.1", hub.public)
        for _ in range(3):
            writer.write(LIVE)
            assert b"200 OK" in await reader.readuntil(b"live\n")
            await is_cut(hub.public, [b"GET"])  # as long as the timers take for somebody else
        writer.close()
        async with hub.open("/ws/board", is_inside=False) as connection:
            await connection.recv()
            await is_cut(hub.public, [b"GET"])
            await (await connection.ping())


async def test_an_answer_that_nobody_takes_is_given_up(store: MemoryStore) -> None:
    async def much(request: PageRequest) -> Response:
        return PlainTextResponse("x" * 10_000_000)

    app = Starlette(routes=[Route("/much", much)])
    async with served((app, app), http=Impatient) as hub:
        reader, writer = await asyncio.open_connection("127.0.0.1", hub.public, limit=1024)
        writer.write(LIVE.replace(b"live", b"much"))
        for _ in range(4):
            await is_cut(hub.public, [b"GET"])  # as long as the timers take for somebody else
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(10_000_000)
        writer.close()


async def test_an_endless_head_is_given_up(hub: Served) -> None:
    endless = (b"X-%d: " % count + b"x" * 1000 + b"\r\n" for count in range(10_000))
    assert b"200 OK" not in await is_cut(hub.public, [b"GET /live HTTP/1.1\r\n", *endless])


async def is_cut(port: int, sent: list[bytes], *, pause_s: float = 0.0, within_s: float = 60) -> bytes:
    """What was heard until the other side cut the connection. Raises TimeoutError."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    heard = b"cut:"
    with suppress(ConnectionError):
        for piece in sent:
            writer.write(piece)
            await writer.drain()
            with suppress(TimeoutError):  # listens while it dribbles
                async with asyncio.timeout(pause_s):
                    answer = await reader.read(65536)
                    heard += answer
                    if not answer:
                        break
    async with asyncio.timeout(within_s):
        with suppress(ConnectionError):
            while piece := await reader.read(65536):
                heard += piece
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
    return heard


async def test_the_end_of_the_hub_is_told_with_come_back(store: MemoryStore) -> None:
    async with hub_of(store) as (_, hub):
        connection = await hub.open("/ws/board")
        await connection.recv()
        deaf = await deaf_client(hub, "/ws/desk")
    assert await closed_with(connection) == 1012
    deaf.close()
