"""uvicorn's two connection classes with this house's bottoms: nobody holds a connection by doing nothing.

What uvicorn 0.54 leaves open was seen in experiments: a half-sent request head stays for ever, its headers have no end,
so does a body that never comes, an answer that nobody takes, and an empty line sent every few seconds; a closed
connection stays for as long as its client does not read; messages are taken apart ahead of whoever reads them, and
pings are answered without limit (415 MB from one client). An ASGI application cannot cut a connection; the writer of a
socket gets that from here (`scope["extensions"][ABORT]`).
"""

import asyncio
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol
from wsproto import events
from wsproto.connection import ConnectionState

from hub.wire.messages import Close

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent, WebSocketEvent

ABORT = "junban.abort"
HEAD_END = b"\r\n\r\n"
NOT_BY_THE_CLIENT = {ConnectionState.OPEN, ConnectionState.LOCAL_CLOSING}  # in which wsproto tells what is broken
CLOSE_SECONDS = 1.0  # for our close frame to arrive and the client's to come back


class HttpConnection(HttpToolsProtocol):
    """A head, a body and an answer each come to their end within so many seconds, or the connection is cut.

    `limit_concurrency` of uvicorn's configuration is here what it says: a connection more is cut at once.
    """

    head_seconds = 10.0  # a telephone on a bad line sends its kilobyte within two
    body_seconds = 10.0  # a page's is a kilobyte; LINE's longest comes from a server of its own
    taken_seconds = 30.0  # for the last 64 kB of an answer: 2 kB a second is a page that nobody waits for
    head_bytes = 64 * 1024  # as h11 allows; ours are below 2 kB, a browser with a proxy's cookies below 16 kB
    _head_bytes = 0
    _head_timer: asyncio.TimerHandle | None = None
    _body_timer: asyncio.TimerHandle | None = None
    _taken_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.limit_concurrency is not None and len(self.connections) > self.limit_concurrency:
            transport.abort()
        else:
            self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timers()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._head_timer is not None:
            end = data.find(HEAD_END)  # what stands behind it in the same piece is body
            self._head_bytes += len(data) if end < 0 else end
            if self._head_bytes > self.head_bytes:
                self._stop_timers()
                self.transport.abort()
                return
        super().data_received(data)
        if self.transport.get_protocol() is not self:
            self._stop_timers()  # it is a websocket now
            # They hold each other, and ten thousand of them would wait for the collector.
            self.parser = None  # type: ignore[assignment]
        elif self._is_idle and self._body_timer is None and not self.transport.is_closing():
            self._expect_head()  # whatever it was, it has stopped the timer that ends an idle connection

    def on_message_begin(self) -> None:
        self._expect_head()  # the next request of a kept connection
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._head_timer = _stopped(self._head_timer)
        self._body_timer = _stopped(self._body_timer)
        self._body_timer = self.loop.call_later(self.body_seconds, self.transport.abort)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._body_timer = _stopped(self._body_timer)
        super().on_message_complete()

    def pause_writing(self) -> None:
        self._expect_taken()
        super().pause_writing()

    def resume_writing(self) -> None:
        self._taken_timer = _stopped(self._taken_timer)
        super().resume_writing()

    def on_response_complete(self) -> None:
        if self.transport.get_write_buffer_size():
            self._expect_taken()
        super().on_response_complete()

    @property
    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]

    def _expect_head(self) -> None:
        if self._head_timer is None:
            self._head_bytes = 0
            self._head_timer = self.loop.call_later(self.head_seconds, self.transport.abort)

    def _expect_taken(self) -> None:
        self._taken_timer = _stopped(self._taken_timer)
        self._taken_timer = self.loop.call_later(self.taken_seconds, self._cut_if_not_taken)

    def _cut_if_not_taken(self) -> None:
        if self.transport.get_write_buffer_size():
            self.transport.abort()

    def _stop_timers(self) -> None:
        self._head_timer = _stopped(self._head_timer)
        self._body_timer = _stopped(self._body_timer)
        self._taken_timer = _stopped(self._taken_timer)


class SocketConnection(WSProtocol):
    """Too long a message is answered with our own close code, and every close ends within CLOSE_SECONDS.

    A message is taken out of what has arrived when the application asks for one, never ahead of it: a socket holds one
    message and what the system read at once (256 kB), however fast its client sends. What is no message (pings, pongs,
    pieces, anything after the close) is counted, since nobody asks for it.
    """

    idle_burst = 100  # a page of 4 kB in the smallest segments that a network makes is eight pieces
    # A ticket machine pings every five seconds, a browser never. Times `Limits.listeners` it is an eighth of a core;
    # staff's presses wait for the same one.
    idle_per_s = 0.5
    unread_bytes = 1 << 20  # three of the largest snapshots; what is more in the way of a pong is pongs
    _idle_left = float(idle_burst)
    _idle_at = 0.0
    _is_broken = False  # nothing more can be read

    def data_received(self, data: bytes) -> None:
        if self._is_broken:
            self._count()
        else:
            super().data_received(data)

    def handle_connect(self, event: events.Request) -> None:
        super().handle_connect(event)
        extensions: dict[str, Any] = self.scope["extensions"]
        extensions[ABORT] = self.transport.abort  # the application's task has not begun yet

    def handle_events(self) -> None:
        """One message at most; the rest stays where it arrived."""
        for event in self.conn.events():
            if self.close_sent:
                self._count()
            match event:
                case events.CloseConnection() if self.conn.state in NOT_BY_THE_CLIENT:
                    self._break_off(event.code)
                case events.CloseConnection():
                    self.handle_close(event)
                case _ if self.close_sent:
                    pass  # read on and forget
                case events.Request():
                    self.handle_connect(event)
                case events.TextMessage() | events.BytesMessage():
                    self.handle_message(event)
                case events.Ping():
                    self.handle_ping(event)
                case events.Pong():
                    self._count()
                    self.handle_pong(event)
                case _:
                    pass  # nothing else comes to a server
            if self.read_paused or self.transport.is_closing():
                return

    async def receive(self) -> "WebSocketEvent":
        if self.queue.empty():
            self.read_paused = False
            self.handle_events()
        if self.queue.empty() and not self.transport.is_closing():
            self.transport.resume_reading()  # all that came has been taken
        return await self.queue.get()

    def handle_message(self, event: events.TextMessage | events.BytesMessage) -> None:
        size = len(event.data.encode()) if isinstance(event, events.TextMessage) else len(event.data)
        if not event.message_finished:
            self._count()
        if self.buffer.length + size > self.config.ws_max_size:
            self._refuse(Close.BAD_MESSAGE)
        else:
            super().handle_message(event)

    def handle_ping(self, event: events.Ping) -> None:
        self._count()
        if self.transport.get_write_buffer_size() > self.unread_bytes:
            self.transport.abort()
        if not self.transport.is_closing():
            super().handle_ping(event)

    async def send(self, message: "ASGISendEvent") -> None:
        await super().send(message)
        if message["type"] == "websocket.close":
            self._cut_soon()
            self.handle_events()  # the client's own close may have come already

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self._cut_soon()

    def shutdown(self) -> None:
        super().shutdown()
        self._cut_soon()

    def _break_off(self, code: int) -> None:
        """What came is no websocket: say so and end our half, since the client's own close cannot be read either."""
        self._is_broken = True
        if not self.close_sent:
            self._refuse(code)
        if self.transport.can_write_eof() and not self.transport.is_closing():
            self.transport.write_eof()

    def _refuse(self, code: int) -> None:
        """Close, then read on and forget until the client has seen it: a reset would overtake the close frame."""
        self.stop_keepalive()
        self.close_sent = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": ""})
        if not self.transport.is_closing():
            self.transport.write(self.conn.send(events.CloseConnection(code=code)))
        self._cut_soon()

    def _cut_soon(self) -> None:
        if self.close_timer is not None:
            self.close_timer.cancel()
        self.close_timer = self.loop.call_later(CLOSE_SECONDS, self.transport.abort)

    def _count(self) -> None:
        """So many at once and so many a second; who sends more is cut."""
        now = self.loop.time()
        self._idle_left = min(float(self.idle_burst), self._idle_left + (now - self._idle_at) * self.idle_per_s) - 1
        self._idle_at = now
        if self._idle_left < 0:
            self.transport.abort()


def _stopped(timer: asyncio.TimerHandle | None) -> asyncio.TimerHandle | None:
    if timer is not None:
        timer.cancel()
    return None
