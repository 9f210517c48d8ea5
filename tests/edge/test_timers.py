"""A connection that sends half a head or body, or takes no answer, is given up in time; what is in use is not."""

import asyncio
import socket
from contextlib import suppress
from typing import ClassVar

import pytest
from starlette.applications import Starlette
from starlette.requests import Request as PageRequest
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from hub.edge.connections import HttpConnection
from tests.edge.hubs import Served, memory_hub, served
from tests.edge.sockets import hub, store
from tests.fanout.memory import MemoryStore

__all__ = ["hub", "store"]

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("engine")]

LIVE = b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n"


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
