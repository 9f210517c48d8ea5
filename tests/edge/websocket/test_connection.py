"""An application on our own engine, and clients that behave and that do not."""

import asyncio
import json
import logging
import os
import sys
from collections.abc import AsyncIterator, Callable
from typing import ClassVar

import pytest
import uvloop
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from config.serving import Engine
from hub.edge.websocket.connection import WebsocketConnection
from hub.edge.websocket.frames import Kind, close_frame, framed
from tests.edge.websocket.echo import APP, echoing
from tests.edge.websocket.sending import ACCEPT, Bare, frame, head
from tests.eventually import eventually

pytestmark = pytest.mark.anyio


class Seen(WebsocketConnection):
    """As it is, and counted."""

    all: ClassVar[list["Seen"]] = []

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        Seen.all.append(self)


@pytest.fixture
async def port() -> AsyncIterator[int]:
    Seen.all.clear()
    async with echoing(Seen) as port:
        yield port


def open_echo(port: int, path: str = "/echo", **given: object) -> connect:
    return connect(f"ws://127.0.0.1:{port}{path}", compression=None, proxy=None, max_size=None, **given)  # type: ignore[arg-type]


async def code_of(connection: ClientConnection) -> tuple[int, str] | None:
    try:
        while True:
            await connection.recv()
    except ConnectionClosed as closed:
        return (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else None


async def test_what_is_sent_comes_back(port: int) -> None:
    async with open_echo(port) as connection:
        for size in (0, 1, 125, 126, 65535, 65536, 128 * 1024):
            await connection.send("x" * size)
            assert await connection.recv() == "x" * size
            await connection.send(b"\xff" * size)
            assert await connection.recv() == b"\xff" * size
        await connection.send(["あ", "い", "う"])
        assert await connection.recv() == "あいう"
        for count in range(200):
            await connection.send(str(count))
        assert [await connection.recv() for _ in range(200)] == [str(count) for count in range(200)]
        await (await connection.ping())


async def test_an_application_is_told_what_was_asked_for(port: int) -> None:
    path = "/tell/7?a=1&b=%20x"
    async with open_echo(port, path, additional_headers={"Cookie": "s=abc"}) as connection:
        told = json.loads(await connection.recv())
        assert told == {"path": "/tell/7", "query": {"a": "1", "b": " x"}, "id": 7, "cookie": "abc"}
        assert await code_of(connection) == (1000, "")


async def test_an_application_answers_with_headers_and_a_protocol(port: int) -> None:
    async with open_echo(port, subprotocols=[Subprotocol("a"), Subprotocol("b")]) as connection:
        assert connection.subprotocol == "b"
        assert connection.response is not None
        assert connection.response.headers["x-told"] == "1"


@pytest.mark.parametrize(("path", "status"), [("/refuse", 403), ("/deny", 503), ("/nowhere", 403)])
async def test_an_application_may_refuse(port: int, path: str, status: int) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await open_echo(port, path)
    assert refused.value.response.status_code == status
    if path == "/deny":
        assert json.loads(refused.value.response.body or b"") == {"why": "full"}
        assert refused.value.response.headers["retry-after"] == "3"


@pytest.mark.parametrize("path", ["/fail", "/ignore"])
async def test_an_application_that_does_not_answer_is_a_fault(port: int, path: str) -> None:
    logging.getLogger("uvicorn.error").addFilter(quiet)
    with pytest.raises(InvalidStatus) as refused:
        await open_echo(port, path)
    assert refused.value.response.status_code == 500
    logging.getLogger("uvicorn.error").removeFilter(quiet)


def quiet(record: logging.LogRecord) -> bool:
    return False


@pytest.mark.parametrize(("said", "code"), [("close", (4001, "bye")), ("return", (1000, "")), ("fail", (1011, ""))])
async def test_an_application_ends_a_connection(port: int, said: str, code: tuple[int, str]) -> None:
    async with open_echo(port) as connection:
        await connection.send(said)
        assert await code_of(connection) == code


@pytest.mark.parametrize("code", [1000, 1001, 4002])
async def test_a_client_ends_a_connection(port: int, code: int) -> None:
    async with open_echo(port) as connection:
        await connection.close(code, "さようなら")
        assert connection.close_code == code
    assert Seen.all[0]._end == (code, "さようなら")


@pytest.mark.parametrize(
    ("line", "status"), [({"version": b"8"}, b"426"), ({"key": None}, b"400"), ({"key": b"c2hvcnQ="}, b"400")]
)  # fmt: skip
async def test_what_is_no_handshake_is_refused(port: int, line: dict[str, bytes | None], status: bytes) -> None:
    bare = await Bare.asking(port, head("/echo", port, **line))  # type: ignore[arg-type]
    answer = await bare.rest()
    assert answer.startswith(b"HTTP/1.1 " + status)
    await bare.close()


async def test_the_answer_is_that_of_the_standard(port: int) -> None:
    bare = await Bare.open(port)
    assert b"sec-websocket-accept: " + ACCEPT + b"\r\n" in bare.answer
    await bare.close()


async def test_a_byte_at_a_time(port: int) -> None:
    bare = await Bare.open(port)
    for byte in frame(1, b"hello") + frame(2, b"\0\1") + frame(1, b"x" * 300):
        bare.say(bytes([byte]))
        await bare.writer.drain()
    assert await bare.hears(7 + 4 + 304) == b"\x81\x05hello" + b"\x82\x02\0\1" + b"\x81\x7e\x01\x2c" + b"x" * 300
    await bare.close()


BROKEN: dict[str, tuple[bytes, int]] = {
    "not masked": (b"\x81\x01x1234", 1002),
    "no text": (frame(1, b"\xff"), 1007),
    "reserved bits": (frame(1, b"x", reserved=4), 1002),
    "a close code that is none": (frame(8, b"\x00\x01"), 1002),
    "too long": (b"\x82\xff" + (1 << 40).to_bytes(8, "big") + bytes(200_000), 4400),
    "too long in pieces": (frame(1, b"x" * 100_000, final=False) + frame(0, b"x" * 100_000), 4400),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_frame_ends_its_own_connection_and_says_why(engine: Engine, name: str) -> None:
    sent, code = BROKEN[name]
    async with echoing(engine) as port:
        bare, other = await Bare.open(port), await Bare.open(port)
        bare.say(sent + frame(1, b"more of it") * 5)
        heard = await bare.rest()
        assert heard == b"\x88\x02" + code.to_bytes(2, "big")
        other.say(frame(1, b"still here"))
        assert await other.hears(12) == b"\x81\x0astill here"
        for one in (bare, other):
            await one.close()


async def test_a_client_that_does_not_answer_our_close_is_cut(port: int) -> None:
    bare = await Bare.open(port)
    bare.say(frame(1, b"close"))
    assert await bare.rest() == b"\x88\x05\x0f\xa1bye"
    await bare.close()


async def test_a_client_that_is_gone_leaves_nothing_behind(port: int) -> None:
    polite, rude, half = [await Bare.open(port) for _ in range(3)]
    polite.say(frame(8, b"\x03\xe8"))
    assert await polite.rest() == b"\x88\x02\x03\xe8"
    rude.cut()
    half.writer.write_eof()
    assert await half.rest() == b""
    server = Seen.all[0]._server
    await eventually(lambda: not server.tasks and not server.connections)
    for one in (polite, half):
        await one.close()


async def test_a_message_before_the_answer_is_kept_until_then(port: int) -> None:
    APP.state.go_on = asyncio.Event()
    bare = await Bare.asking(port, head("/late", port))
    await eventually(lambda: Seen.all and Seen.all[0]._accept_key)
    bare.say(frame(1, b"early"))
    await eventually(lambda: not Seen.all[0]._is_reading)
    APP.state.go_on.set()
    await bare.reader.readuntil(b"\r\n\r\n")
    assert await bare.hears(7) == b"\x81\x05early"
    await bare.close()


async def test_what_those_who_do_not_read_are_told_first_is_held_once(port: int) -> None:
    if not isinstance(asyncio.get_running_loop(), uvloop.Loop):
        pytest.skip("asyncio's own loop copies what it holds; a hub runs on the other")
    APP.state.told = told = framed(Kind.BYTES, bytes(8 << 20))
    before = sys.getrefcount(told)
    deaf = [await Bare.asking(port, head("/listen", port)) for _ in range(5)]
    await eventually(lambda: sum(line._transport.get_write_buffer_size() > 0 for line in Seen.all) == 5)
    assert sys.getrefcount(told) >= before + 5
    for bare in deaf:
        bare.cut()


async def test_who_answers_no_ping_is_told_so() -> None:
    async with echoing(WebsocketConnection, ping_s=0.1) as port, open_echo(port) as answering:
        deaf = await Bare.open(port)
        assert (await deaf.rest()).endswith(close_frame(1011, "no answer to a ping"))
        await answering.send("still here")
        assert await answering.recv() == "still here"
        await deaf.close()


async def test_at_the_end_of_the_server_everybody_is_told_to_come_back() -> None:
    async with echoing(WebsocketConnection) as port:
        open_now = await Bare.open(port)
    assert await open_now.rest() == b"\x88\x02" + (1012).to_bytes(2, "big")
    await open_now.close()


class Watching:
    """Who takes a connection over and writes down what he is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def lags(self, line: WebsocketConnection, /) -> None:
        self.told.append("lags")

    def drains(self, line: WebsocketConnection, /) -> None:
        self.told.append("drains")

    def gone(self, line: WebsocketConnection, /) -> None:
        self.told.append("gone")


@pytest.fixture
def watching() -> Watching:
    return Watching()


async def handed_over(port: int, watching: Watching, texts: int = 3) -> tuple[Bare, Seen, Callable[[], int]]:
    bare = await Bare.open(port)
    lost = 0

    def on_lost() -> None:
        nonlocal lost
        lost += 1

    assert Seen.all[-1].hand_over(watching, texts, on_lost)
    return bare, Seen.all[-1], lambda: lost


async def test_a_connection_that_was_handed_over_is_written_to_and_lost_once(port: int, watching: Watching) -> None:
    bare, line, lost = await handed_over(port, watching)
    line.write(line.framed("これ"))
    assert await bare.hears(8) == b"\x81\x06" + "これ".encode()
    bare.say(frame(9, b"?"))
    assert await bare.hears(3) == b"\x8a\x01?"
    bare.cut()
    await eventually(lambda: lost() == 1)
    assert watching.told == ["gone"]
    assert not line.hand_over(watching, 3, lambda: None)


async def test_it_ignores_a_few_texts_and_no_more(port: int, watching: Watching) -> None:
    bare, _, lost = await handed_over(port, watching, texts=2)
    bare.say(frame(1, b"a") + frame(1, b"b"))
    bare.say(frame(9, b"?"))
    assert await bare.hears(3) == b"\x8a\x01?"
    bare.say(frame(1, b"c"))
    assert await bare.rest() == b"\x88\x02" + (4400).to_bytes(2, "big")
    await eventually(lambda: lost() == 1)
    assert watching.told == ["gone"]
    await bare.close()


async def test_it_says_when_its_client_lags_and_when_it_has_caught_up(port: int, watching: Watching) -> None:
    bare, line, _ = await handed_over(port, watching)
    data = line.framed("x" * 100_000)
    count = 0
    while "lags" not in watching.told:
        line.write(data)
        count += 1
        assert count < 1000
    heard = await bare.hears(len(data) * count)
    assert heard == data * count
    await eventually(lambda: watching.told == ["lags", "drains"])
    await bare.close()


async def test_what_its_client_takes_little_by_little_is_seen(port: int, watching: Watching) -> None:
    bare, line, _ = await handed_over(port, watching)
    line.write(bytes(16 << 20))
    before = line.untaken
    assert before > 8 << 20
    await bare.hears(4 << 20)
    await eventually(lambda: line.untaken < before - (1 << 20))
    assert watching.told == ["lags"]
    bare.cut()


@pytest.mark.skipif(sys.platform != "linux", reason="descriptors are looked up in /proc")
@pytest.mark.parametrize("end", ["cut", "close", "flood"])
async def test_its_descriptor_is_its_own_until_its_owner_was_told(port: int, end: str) -> None:
    """Else what is told to a crowd could reach whoever came next."""

    class Looking(Watching):
        def gone(self, line: WebsocketConnection, /) -> None:
            super().gone(line)
            self.told.append(os.readlink(f"/proc/self/fd/{line.descriptor}"))

    looking = Looking()
    bare, line, lost = await handed_over(port, looking)
    socket_itself = os.readlink(f"/proc/self/fd/{line.descriptor}")
    match end:
        case "cut":
            bare.cut()
        case "close":
            bare.say(frame(8, b""))
        case _:
            bare.say(frame(10, b"") * 1000)
    await eventually(lambda: lost() == 1)
    assert looking.told == ["gone", socket_itself]
    await bare.close()


async def test_what_its_owner_closes_is_closed(port: int, watching: Watching) -> None:
    bare, line, lost = await handed_over(port, watching)
    line.close(4000)
    line.close(4401)
    assert watching.told == ["gone"]
    bare.say(frame(8, (4000).to_bytes(2, "big")))
    assert await bare.rest() == b"\x88\x02" + (4000).to_bytes(2, "big")
    await eventually(lambda: lost() == 1)
    await bare.close()
