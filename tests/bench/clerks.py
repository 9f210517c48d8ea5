"""Clerks who give numbers at their desks, over whatever socket they get. As little of a client as there can be.

Clerks share a core with the store and the tabs: what each of them decoded would be missing there. They read a reply by
its first words and look at nothing else that a desk is told.
"""

import asyncio
import contextlib
import math
import secrets
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator

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
ANSWERED_WITHIN_S = 10.0


class Clerks:
    """Desks that press as fast as they are answered, `at_once` presses under way at each.

    `took_ms` of each press that was answered.
    """

    def __init__(self, server: Ours, clerks: int = 1, at_once: int = 1) -> None:
        self.took_ms: list[float] = []
        self._port = server.ports[0][1]
        self._head = head_of(server)
        self._clerks, self._at_once = clerks, at_once
        self._is_over = threading.Event()

    @contextlib.contextmanager
    def pressing(self) -> Iterator[None]:
        """Raises RuntimeError where nothing was answered."""
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield
        finally:
            self._is_over.set()
            thread.join()
        if not self.took_ms:
            raise RuntimeError("no press was answered")

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._press_all())

    async def _press_all(self) -> None:
        await asyncio.gather(*(self._press() for _ in range(self._clerks)))

    async def _press(self) -> None:
        """At one desk, which is opened anew where it is lost."""
        while not self._is_over.is_set():
            async with self._desk() as desk:
                while desk and not (self._is_over.is_set() or desk.is_lost):
                    while desk.is_open and len(desk.asked) < self._at_once:
                        desk.press(time.monotonic())
                    if desk.asked:
                        await desk.heard()
                    else:
                        await asyncio.sleep(0.001)

    @contextlib.asynccontextmanager
    async def _desk(self) -> AsyncIterator["Desk | None"]:
        """None where there is no hub; it has been waited a little then."""
        desk = Desk(self._head, self.took_ms)
        try:
            transport, _ = await asyncio.get_running_loop().create_connection(lambda: desk, "127.0.0.1", self._port)
        except OSError:
            await asyncio.sleep(AGAIN_S)
            yield None
            return
        try:
            yield desk
        finally:
            transport.abort()


class PunctualClerk(Clerks):
    """One who presses `per_s` times a second by the clock, from when his desk is open, whatever is still under way.

    `took_ms` since the moment at which a press was due. One that is refused, because a hub that begins knows no day, or
    that is lost with its socket, is made again and goes on waiting. `opened_at` (monotonic seconds): when he began.
    """

    def __init__(self, server: Ours, per_s: float) -> None:
        super().__init__(server)
        self.opened_at = 0.0
        self._per_s = per_s
        self._next = 0.0
        self._owed: list[float] = []  # when presses were due that are not answered

    @contextlib.contextmanager
    def pressing(self) -> Iterator[None]:
        """Raises RuntimeError where a press was never answered."""
        with super().pressing():
            yield
        if self._owed:
            raise RuntimeError(f"{len(self._owed)} of {len(self._owed) + len(self.took_ms)} presses were not answered")

    async def _press(self) -> None:
        until = math.inf
        while time.monotonic() < until and not (self._is_over.is_set() and self.opened_at and not self._owed):
            if self._is_over.is_set():
                until = min(until, time.monotonic() + ANSWERED_WITHIN_S)
            async with self._desk() as desk:
                while desk and not desk.is_lost and time.monotonic() < until:
                    if desk.is_open:
                        self._press_due(desk)
                    if self._is_over.is_set():
                        if not (desk.asked or desk.refused):
                            return
                        until = min(until, time.monotonic() + ANSWERED_WITHIN_S)
                    await asyncio.sleep(max(0.001, min(AGAIN_S, self._next - time.monotonic())))
                if desk:
                    self._owed += [*desk.refused, *desk.asked]

    def _press_due(self, desk: "Desk") -> None:
        now = time.monotonic()
        if not self.opened_at:
            self._next = self.opened_at = now
        while self._next <= now and not self._is_over.is_set():
            self._owed.append(self._next)
            self._next += 1 / self._per_s
        for since in (*desk.refused, *self._owed):
            desk.press(since)
        desk.refused.clear()
        self._owed.clear()


class Desk(asyncio.Protocol):
    """One desk's socket: `asked` holds since when each press waits that is not answered yet, `refused` those that a
    hub would not do.
    """

    def __init__(self, head: bytes, took_ms: list[float]) -> None:
        self.is_open = self.is_lost = False
        self.asked: deque[float] = deque()
        self.refused: list[float] = []
        self._head = head
        self._took_ms = took_ms
        self._end = b""  # of what was heard last: the words of a reply may be cut in two
        self._waiter: asyncio.Future[None] | None = None

    def press(self, since: float) -> None:
        self.asked.append(since)
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
            since = self.asked.popleft()
            is_answered = True
            if REFUSED in heard[at : at + FIRST_WORDS]:
                self.refused.append(since)
            else:
                self._took_ms.append((now - since) * 1000)
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
