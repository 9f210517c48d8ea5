"""Who comes to the door: a websocket in the usual words is let in as it came, all else goes through the parser."""

import asyncio
import contextlib
import socket

import pytest

from hub.edge.connections import HttpConnection
from hub.edge.doorstep import HEAD_BYTES, asks_as_usual
from tests.edge.hubs import Served, memory_hub, served
from tests.eventually import eventually
from tests.fanout.days import OFFICE
from tests.fanout.memory import MemoryStore

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("engine")]

KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
USUAL = (
    b"GET /ws/board HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    + KEY
    + b"Sec-WebSocket-Version: 13\r\n\r\n"
)
FIREFOX = USUAL.replace(b"Connection: Upgrade", b"Connection: keep-alive, Upgrade")
PROXY = USUAL.replace(b"Connection: Upgrade", b"connection: upgrade").replace(
    b"Upgrade: websocket", b"upgrade: WebSocket"
)


@pytest.mark.parametrize("head", [USUAL, FIREFOX, PROXY])
def test_browsers_and_proxies_ask_as_usual(head: bytes) -> None:
    assert asks_as_usual(head)


UNUSUAL = {
    "half": USUAL[:60],
    "more behind it": USUAL + b"\x81\x80aaaa",
    "post": USUAL.replace(b"GET", b"POST"),
    "old": USUAL.replace(b"HTTP/1.1", b"HTTP/1.0"),
    "whole address": USUAL.replace(b"GET /ws", b"GET http://localhost/ws"),
    "space in the path": USUAL.replace(b"/ws/board", b"/ws /board"),
    "no upgrade": USUAL.replace(b"Upgrade: websocket\r\n", b""),
    "other upgrade": USUAL.replace(b"websocket\r\nC", b"h2c\r\nC"),
    "two upgrades": USUAL.replace(b"Upgrade: websocket\r\n", b"Upgrade: websocket\r\nUpgrade: websocket\r\n"),
    "connection of another kind": USUAL.replace(b"Connection: Upgrade", b"Connection: close"),
    "two connections": USUAL.replace(b"Connection: Upgrade", b"Connection: Upgrade\r\nConnection: close"),
    "two keys": USUAL.replace(KEY, KEY + KEY),
    "a body": USUAL.replace(KEY, KEY + b"Content-Length: 3\r\n"),
    "a body in pieces": USUAL.replace(KEY, KEY + b"Transfer-Encoding: chunked\r\n"),
    "expects": USUAL.replace(KEY, KEY + b"Expect: 100-continue\r\n"),
    "a folded line": USUAL.replace(KEY, KEY + b" more of it\r\n"),
    "space before the colon": USUAL.replace(b"Host:", b"Host :"),
    "a bare line feed": USUAL.replace(b"localhost\r\n", b"localhost\n"),
    "a bare return": USUAL.replace(b"localhost", b"local\rhost"),
    "a zero": USUAL.replace(b"localhost", b"local\0host"),
    "no headers": b"GET /ws/board HTTP/1.1\r\n\r\n",
    "very long": USUAL.replace(KEY, KEY + b"X: " + b"x" * HEAD_BYTES + b"\r\n"),
}


@pytest.mark.parametrize("head", UNUSUAL.values(), ids=UNUSUAL)
def test_whatever_differs_goes_through_the_parser(head: bytes) -> None:
    assert not asks_as_usual(head)


async def test_a_head_in_pieces_or_in_other_words_opens_the_same_socket() -> None:
    other_words = USUAL.replace(b"Connection: Upgrade", b"Connection: Upgrade, keep-alive")
    _, apps = memory_hub(MemoryStore(OFFICE))
    parsed = list[bytes]()
    async with served(apps, http=parser_that_keeps(parsed)) as hub:
        usual = await answer_to(hub, [USUAL], parsed)
        assert usual.startswith(b"HTTP/1.1 101 ")
        assert parsed == []
        for pieces in ([USUAL[:40], USUAL[40:]], [USUAL[:-1], USUAL[-1:]], [other_words]):
            parsed.clear()
            assert without_date(await answer_to(hub, pieces, parsed)) == without_date(usual)
            assert parsed == pieces, "as many times as they came"


@pytest.mark.parametrize("name", ["post", "a bare return", "a zero", "no upgrade"])
async def test_what_is_no_websocket_opens_none(name: str) -> None:
    relay, apps = memory_hub(MemoryStore(OFFICE))
    async with served(apps) as hub:
        assert not (await answer_to(hub, [UNUSUAL[name]], [])).startswith(b"HTTP/1.1 101 ")
        assert len(relay.registry) == 0


async def test_a_waiting_room_comes_in_several_a_turn_of_the_loop() -> None:
    _, apps = memory_hub(MemoryStore(OFFICE))
    async with served(apps) as hub:
        with contextlib.ExitStack() as opened:
            room = [opened.enter_context(socket.create_connection(("127.0.0.1", hub.public))) for _ in range(64)]
            for one in room:
                one.setblocking(False)
                one.sendall(USUAL)
            turns, left = 0, set(room)
            while left:
                await asyncio.sleep(0)
                turns += 1
                left = {one for one in left if not has_answer(one)}
                assert turns < len(room), "one a turn would be in by now, had they been answered at once"


def has_answer(one: socket.socket) -> bool:
    try:
        return bool(one.recv(1))
    except BlockingIOError:
        return False


def parser_that_keeps(parsed: list[bytes]) -> type[HttpConnection]:
    """What goes through it, piece by piece."""

    class Keeping(HttpConnection):
        def data_received(self, data: bytes) -> None:
            parsed.append(data)
            super().data_received(data)

    return Keeping


async def answer_to(hub: Served, pieces: list[bytes], parsed: list[bytes]) -> bytes:
    """Each piece goes once the one before was `parsed`: on the way no two become one."""
    reader, writer = await asyncio.open_connection("127.0.0.1", hub.public)
    *before, last = pieces
    for count, piece in enumerate(before, start=1):
        writer.write(piece)
        await eventually(lambda: len(parsed) == count)  # noqa: B023
    writer.write(last)
    head = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    return head


def without_date(head: bytes) -> list[bytes]:
    return [line for line in head.lower().split(b"\r\n") if not line.startswith(b"date:")]
