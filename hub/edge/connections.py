"""uvicorn's two connection classes with this house's bottoms: nobody holds a connection by doing nothing.

What uvicorn 0.54 leaves open was seen in experiments: a half-sent request head stays for ever, its headers have no end,
and a closed connection stays for as long as its client does not read. An ASGI application cannot cut a connection; the
writer of a socket gets that from here (`scope["extensions"][ABORT]`).
"""

import asyncio
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol
from wsproto import events

from hub.wire.messages import Close

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent

ABORT = "junban.abort"
CLOSE_SECONDS = 1.0  # for our close frame to arrive and the client's to come back


class HttpConnection(HttpToolsProtocol):
    """A request head is complete within so many seconds and bytes, or the connection is cut."""

    head_seconds = 10.0  # a telephone on a bad line sends its kilobyte within two
    head_bytes = 64 * 1024  # as h11 allows; ours are below 2 kB, a browser with a proxy's cookies below 16 kB
    _head_bytes = 0
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_came()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._head_timer is not None:
            self._head_bytes += len(data)
            if self._head_bytes > self.head_bytes:
                self._head_came()
                self.transport.abort()
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        self._expect_head()  # the next request of a kept connection
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._head_came()
        super().on_headers_complete()

    def _expect_head(self) -> None:
        if self._head_timer is None:
            self._head_bytes = 0
            self._head_timer = self.loop.call_later(self.head_seconds, self.transport.abort)

    def _head_came(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


class SocketConnection(WSProtocol):
    """Too long a message is answered with our own close code, and every close ends within CLOSE_SECONDS."""

    def handle_connect(self, event: events.Request) -> None:
        super().handle_connect(event)
        extensions: dict[str, Any] = self.scope["extensions"]
        extensions[ABORT] = self.transport.abort  # the application's task has not begun yet

    def handle_message(self, event: events.TextMessage | events.BytesMessage) -> None:
        size = len(event.data.encode()) if isinstance(event, events.TextMessage) else len(event.data)
        if self.buffer.length + size > self.config.ws_max_size:
            self._refuse()
        else:
            super().handle_message(event)

    async def send(self, message: "ASGISendEvent") -> None:
        await super().send(message)
        if message["type"] == "websocket.close":
            self._cut_soon()

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self._cut_soon()

    def shutdown(self) -> None:
        super().shutdown()
        self._cut_soon()

    def _refuse(self) -> None:
        """Close, then read on and forget until the client has seen it: a reset would overtake the close frame."""
        self.stop_keepalive()
        self.close_sent = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": Close.BAD_MESSAGE, "reason": ""})
        if not self.transport.is_closing():
            self.transport.write(self.conn.send(events.CloseConnection(code=Close.BAD_MESSAGE)))
        self._cut_soon()

    def _cut_soon(self) -> None:
        if self.close_timer is not None:
            self.close_timer.cancel()
        self.close_timer = self.loop.call_later(CLOSE_SECONDS, self.transport.abort)
