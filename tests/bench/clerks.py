"""Clerks who give numbers at their desks, over whatever socket they get. As little of a client as there can be.

Clerks share a core with the store and the tabs: what each of them decoded would be missing there. They read a reply by
its first words and look at nothing else that a desk is told.
"""

import asyncio
import contextlib
import secrets
import threading
import time
from collections import deque
from collections.abc import Iterator

import uvloop

from hub.wire.codec import encode
from hub.wire.messages import Issue
from tests.bench.servers import OFFICE, Ours
from tests.doors import Doors
from tests.model.desks import CERTIFICATES

REPLY = b'{"type":"reply","id":"'
REFUSED = b'"refusal"'
FIRST_WORDS = len(REPLY) + 22 + 2 + len(REFUSED)  # of a reply: they say what it is
AGAIN_S = 0.05


class Clerks:
    """So many presses a second each (0: as fast as they are answered, `at_once` under way at each desk).

    `took_ms` of each press that was answered.
    """

    def __init__(self, server: Ours, per_s: float, clerks: int = 1, at_once: int = 1) -> None:
        self.took_ms: list[float] = []
        self._port = server.ports[0][1]
        self._head = head_of(server)
        self._per_s, self._clerks, self._at_once = per_s, clerks, at_once
        self._is_over = threading.Event()

    @contextlib.contextmanager
    def pressing(self) -> Iterator[None]:
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield
        finally:
            self._is_over.set()
            thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._press_all())

    async def _press_all(self) -> None:
        await asyncio.gather(*(self._press() for _ in range(self._clerks)))

    async def _press(self) -> None:
        """At one desk, which is opened anew where it is lost."""
        loop = asyncio.get_running_loop()
        while not self._is_over.is_set():
            desk = Desk(self._head, self.took_ms)
            try:
                transport, _ = await loop.create_connection(lambda desk=desk: desk, "127.0.0.1", self._port)  # type: ignore[misc]
            except OSError:
                await asyncio.sleep(AGAIN_S)
                continue
            await self._press_at(desk)
            transport.abort()

    async def _press_at(self, desk: "Desk") -> None:
        while not (self._is_over.is_set() or desk.is_lost):
            began = time.monotonic()
            while desk.is_open and len(desk.asked) < self._at_once:
                desk.press()
            if desk.asked:
                await desk.heard()
            rest = 1 / self._per_s - (time.monotonic() - began) if self._per_s else 0.0
            if rest > 0 or not desk.is_open:
                await asyncio.sleep(max(rest, 0.001))


class Desk(asyncio.Protocol):
    """One desk's socket: `asked` holds when each press was made that is not answered yet."""

    def __init__(self, head: bytes, took_ms: list[float]) -> None:
        self.is_open = self.is_lost = False
        self.asked: deque[float] = deque()
        self._head = head
        self._took_ms = took_ms
        self._end = b""  # of what was heard last: the words of a reply may be cut in two
        self._waiter: asyncio.Future[None] | None = None

    def press(self) -> None:
        self.asked.append(time.monotonic())
        self._transport.write(_masked(encode(Issue(secrets.token_urlsafe(16), CERTIFICATES))))

    async def heard(self) -> None:
        """Until something was answered, or the socket is lost."""
        if not self.is_lost:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        transport.write(self._head)

    def data_received(self, data: bytes) -> None:
        heard, now = self._end + data, time.monotonic()
        self.is_open = self.is_open or heard.startswith(b"HTTP/1.1 101 ")
        at, is_answered = heard.find(REPLY), False
        while 0 <= at <= len(heard) - FIRST_WORDS:
            began = self.asked.popleft()
            is_answered = True
            if REFUSED not in heard[at : at + FIRST_WORDS]:  # a hub that begins knows no day yet: he presses again
                self._took_ms.append((now - began) * 1000)
            at = heard.find(REPLY, at + FIRST_WORDS)
        self._end = heard[at:] if at >= 0 else heard[-len(REPLY) + 1 :]
        if is_answered:
            self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_lost = True
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def head_of(server: Ours) -> bytes:
    """A clerk asks for a desk's socket."""
    port = server.ports[0][1]
    with contextlib.closing(Doors(OFFICE, server.ledger_url)) as doors:
        headers = doors.headers("/ws/desk", f"http://127.0.0.1:{port}")
    told = {
        "Host": f"127.0.0.1:{port}",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        **headers,
    }
    return ("GET /ws/desk HTTP/1.1\r\n" + "".join(f"{name}: {told[name]}\r\n" for name in told) + "\r\n").encode()


def _masked(text: bytes) -> bytes:
    """A text frame of a client, below 126 bytes; the mask is zero, so the text stays as it is."""
    return bytes([0x81, 0x80 | len(text)]) + bytes(4) + text
