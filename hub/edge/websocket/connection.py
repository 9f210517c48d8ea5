"""One websocket on uvicorn: the handshake and the messages are ordinary ASGI, until the connection is handed over.

    ASKED ──accept──> OPEN ──we close──> CLOSING ──the client's close, or CLOSE_SECONDS──> OVER
      └──plain answer──> OVER <──the client's close, broken frames, a cut──┘

Handed over (`scope["extensions"][LINE]`) it belongs to somebody who only writes: no task, no scope and no queue are
left of it. Whatever a client sends, this holds one message, what the system read at once, and its pongs' bottom.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from uvicorn.protocols.utils import ClientDisconnected, get_local_addr, get_remote_addr, is_ssl

from hub.edge.connections import ABORT, CLOSE_SECONDS
from hub.edge.websocket import frames, handshake
from hub.edge.websocket.pulse import Pulse
from hub.wire.messages import Close

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.server import ServerState

LINE = "junban.line"
PING = frames.framed(frames.Kind.PING, b"")

_log = logging.getLogger("uvicorn.error")  # where uvicorn tells what an application failed at


class State(Enum):
    ASKED = "asked"
    OPEN = "open"
    CLOSING = "closing"  # we have said so, and read on and forget until the client has seen it
    OVER = "over"


class Owner(Protocol):
    """Whom a connection was handed over to: a crowd of `hub.fanout`."""

    def lags(self, line: "WebsocketConnection", /) -> None:
        """Its network takes nothing more, and something is held here. Called within a write, and must not write."""

    def drains(self, line: "WebsocketConnection", /) -> None:
        """All that was held has been taken."""

    def gone(self, line: "WebsocketConnection", /) -> None:
        """It has ended, or is closing."""


class WebsocketConnection(asyncio.Protocol):
    """What uvicorn asks of a websocket class (0.54): made at the upgrade, then fed with the head of the request."""

    __slots__ = (
        "_accept_key",
        "_app_state",
        "_config",
        "_ended",
        "_ended_with",
        "_idle_at",
        "_idle_left",
        "_idle_texts",
        "_is_full",
        "_is_heard",
        "_is_reading",
        "_loop",
        "_message",
        "_owner",
        "_place",
        "_plain",
        "_pulse",
        "_reader",
        "_server",
        "_state",
        "_timer",
        "_transport",
        "_waiter",
        "_writable",
        "write",
    )

    too_long = Close.BAD_MESSAGE
    idle_burst = 100.0  # a page of 4 kB in the smallest segments that a network makes is eight pieces
    idle_per_s = 10.0  # a client that sees to its connection pings every few seconds
    unread_bytes = 1 << 20  # three of the largest snapshots; what is more in the way of a pong is pongs

    def __init__(
        self,
        pulse: Pulse,
        config: "Config",
        server_state: "ServerState",
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._pulse = pulse
        self._config = config
        self._server = server_state
        self._app_state = app_state
        self._loop = _loop or asyncio.get_running_loop()
        self._state = State.ASKED
        self._accept_key: bytes | None = None  # None: the head has not been read
        self._plain: tuple[int, handshake.Headers, bytes] | None = None  # the plain answer as far as it is told
        self._reader: frames.Reader | None = frames.Reader(config.ws_max_size)  # None: nothing more can be read
        self._message: dict[str, Any] | None = {"type": "websocket.connect"}
        self._ended_with: tuple[int, str] | None = None
        self._waiter: asyncio.Future[None] | None = None  # of the application's receive
        self._writable: asyncio.Future[None] | None = None  # of its send
        self._timer: asyncio.TimerHandle | None = None  # to the cut, once it closes
        self._owner: Owner | None = None
        self._ended: Callable[[], None] | None = None
        self._idle_texts = 0
        self._idle_left, self._idle_at = self.idle_burst, 0.0
        self._place: int | None = None
        self._is_full = False
        self._is_heard = True
        self._is_reading = True

    # As asyncio sees it -----------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        self.write = transport.write
        self._server.connections.add(self)  # type: ignore[arg-type]

    def data_received(self, data: bytes) -> None:
        if self._accept_key is None and self._state is State.ASKED:
            self._begin(data)
            return
        self._is_heard = True
        if self._reader is None or self._state is State.OVER:
            self._count()  # read on and forget
            return
        self._reader.feed(data)
        if self._state is State.ASKED:
            self._pause_reading()  # nobody may speak before the answer
        else:
            self._take()

    def eof_received(self) -> None:
        """The transport closes by itself."""

    def pause_writing(self) -> None:
        self._is_full = True
        if self._owner is not None:
            self._owner.lags(self)

    def resume_writing(self) -> None:
        self._is_full = False
        _wake(self._writable)
        if self._owner is not None:
            self._owner.drains(self)

    def connection_lost(self, exc: Exception | None) -> None:
        was_open = self._state in (State.OPEN, State.CLOSING)
        self._state = State.OVER
        self._server.connections.discard(self)
        self._end(frames.NO_CODE if was_open else 1006)
        self._reader = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        _wake(self._writable)
        if self._ended is not None:
            ended, self._ended = self._ended, None
            ended()

    # As uvicorn sees it -----------------------------------------------------------------------------------------------

    def shutdown(self) -> None:
        """The server ends."""
        if self._state is State.OPEN:
            self.close(Close.RESTART)
        elif self._state is State.ASKED:
            self._answer(503, [], b"")

    # As the pulse sees it ---------------------------------------------------------------------------------------------

    def pulse(self) -> None:
        if not self._is_heard:
            self.close(1011, "no answer to a ping")
        elif self._state is State.OPEN:
            self._is_heard = False
            self.write(PING)

    # As its owner sees it ---------------------------------------------------------------------------------------------

    def hand_over(self, owner: Owner, idle_texts: int, ended: Callable[[], None]) -> bool:
        """False: it has ended already. So many texts are ignored before it is closed; `ended` is called once."""
        if self._state is not State.OPEN:
            return False
        self._owner, self._idle_texts, self._ended = owner, idle_texts, ended
        self._transport.set_write_buffer_limits(high=0)  # the first byte that the network does not take is a lag
        self._loop.call_soon(self._listen)  # what has come already may end it: after its owner has let it in
        return True

    def _listen(self) -> None:
        message, self._message = self._message, None
        if message is not None:
            self._ignore(message.get("text"))
        self._take()
        self._resume_reading()

    @staticmethod
    def framed(text: str) -> bytes:
        return frames.text_frame(text)

    def close(self, code: int, reason: str = "") -> None:
        """Say so, and cut the connection unless the client has answered within CLOSE_SECONDS."""
        if self._state is not State.OPEN:
            return
        self._state = State.CLOSING
        self.write(frames.close_frame(code, reason))
        self._end(code, reason)
        self._timer = self._loop.call_later(CLOSE_SECONDS, self._transport.abort)
        self._message = None
        self._resume_reading()

    # As the application sees it ----------------------------------------------------------------------------------------

    async def receive(self) -> dict[str, Any]:
        if self._message is None and self._state is State.OPEN:
            self._take()
        while self._message is None and self._ended_with is None:
            self._resume_reading()  # all that came has been taken
            self._waiter = self._loop.create_future()
            await self._waiter
        if self._message is None and self._ended_with is not None:
            code, reason = self._ended_with
            return {"type": "websocket.disconnect", "code": code, "reason": reason}
        message, self._message = self._message, None
        return message or {}

    async def send(self, message: dict[str, Any]) -> None:
        while self._is_full and self._state is not State.OVER:
            self._writable = self._loop.create_future()
            await self._writable
        if self._state in (State.CLOSING, State.OVER):
            raise ClientDisconnected
        act = SENDS.get((self._state, message["type"]))
        if act is None:
            raise RuntimeError(f"{message['type']} does not follow while {self._state.value}")
        act(self, message)

    def _accept(self, message: dict[str, Any]) -> None:
        headers = [*self._server.default_headers, *message.get("headers", ())]
        self.write(handshake.switching(self._accept_key or b"", headers, message.get("subprotocol")))
        self._state = State.OPEN
        self._place = self._pulse.join(self)

    def _send(self, message: dict[str, Any]) -> None:
        text = message.get("text")
        self.write(frames.text_frame(text) if text is not None else frames.framed(frames.Kind.BYTES, message["bytes"]))

    def _close(self, message: dict[str, Any]) -> None:
        self.close(message.get("code", 1000), message.get("reason") or "")

    def _refuse(self, message: dict[str, Any]) -> None:
        self._answer(403, [], b"")

    def _start_plain(self, message: dict[str, Any]) -> None:
        self._plain = message["status"], list(message.get("headers", ())), b""

    def _go_on_plain(self, message: dict[str, Any]) -> None:
        if self._plain is None:
            raise RuntimeError("a body before its head")
        status, headers, body = self._plain
        self._plain = status, headers, body + message.get("body", b"")
        if not message.get("more_body"):
            self._answer(*self._plain)

    # The handshake ----------------------------------------------------------------------------------------------------

    def _begin(self, head: bytes) -> None:
        try:
            asked = handshake.read_head(head)
        except handshake.NotAsked as refusal:
            self._answer(refusal.status, refusal.headers, b"")
            return
        self._accept_key = asked.accept
        task = self._loop.create_task(self._run(self._scope(asked)))
        self._server.tasks.add(task)
        task.add_done_callback(self._server.tasks.discard)

    def _scope(self, asked: handshake.Asked) -> dict[str, Any]:
        transport, root = self._transport, self._config.root_path
        return {
            "type": "websocket",
            "asgi": {"version": self._config.asgi_version, "spec_version": "2.4"},
            "http_version": "1.1",
            "scheme": "wss" if is_ssl(transport) else "ws",
            "server": get_local_addr(transport),
            "client": get_remote_addr(transport),
            "root_path": root,
            "path": root + asked.path,
            "raw_path": root.encode("ascii") + asked.raw_path,
            "query_string": asked.query,
            "headers": asked.headers,
            "subprotocols": asked.subprotocols,
            "state": self._app_state.copy(),
            "extensions": {"websocket.http.response": {}, ABORT: transport.abort, LINE: self},
        }

    async def _run(self, scope: dict[str, Any]) -> None:
        app: Callable[..., Awaitable[None]] = self._config.loaded_app
        try:
            await app(scope, self.receive, self.send)
        except ClientDisconnected:
            pass
        except Exception:
            _log.exception("Exception in ASGI application\n")
            self.close(1011)
        if self._state is State.ASKED:  # it has failed, or has not answered
            self._answer(500, [], b"")
        elif self._owner is None:
            self.close(1000)

    def _answer(self, status: int, headers: handshake.Headers, body: bytes) -> None:
        """A plain HTTP answer, after which the connection ends."""
        self.write(handshake.answer(status, [*self._server.default_headers, *headers], body))
        self._state = State.OVER
        self._end(1006)
        self._transport.close()
        self._timer = self._loop.call_later(CLOSE_SECONDS, self._transport.abort)

    # What the client says ---------------------------------------------------------------------------------------------

    def _take(self) -> None:
        """Until there is a message for whoever asks; the rest stays where it arrived."""
        try:
            while self._reader is not None and self._message is None and not self._transport.is_closing():
                heard = self._reader.next()
                if heard is None:
                    return
                self._hear(heard)
        except frames.Broken as broken:
            self._break_off(self.too_long if isinstance(broken, frames.TooLong) else broken.code)

    def _hear(self, heard: frames.Heard) -> None:
        if isinstance(heard, frames.Farewell):
            self._part(heard)
            return
        if self._state is not State.OPEN or not isinstance(heard, frames.Message):
            self._count()
        if self._state is not State.OPEN:
            return
        if isinstance(heard, frames.Ping):
            self._pong(heard.payload)
        elif isinstance(heard, frames.Message) and self._owner is not None:
            self._ignore(heard.data)
        elif isinstance(heard, frames.Message):
            self._pause_reading()
            key = "text" if isinstance(heard.data, str) else "bytes"
            self._message = {"type": "websocket.receive", key: heard.data}
            _wake(self._waiter)

    def _pong(self, payload: bytes) -> None:
        if self._transport.get_write_buffer_size() > self.unread_bytes:
            self._transport.abort()
        else:
            self.write(frames.framed(frames.Kind.PONG, payload))

    def _ignore(self, data: str | bytes | None) -> None:
        """Nothing is asked of who only listens: a few texts are nothing, more is a screen that has lost its way."""
        self._idle_texts -= 1
        if self._idle_texts < 0 or not isinstance(data, str):
            self.close(Close.BAD_MESSAGE)

    def _part(self, farewell: frames.Farewell) -> None:
        """The client closes, or has answered our close."""
        if self._state is State.OPEN:
            self.write(frames.close_frame(farewell.code))
            self._end(farewell.code, farewell.reason)
            self._timer = self._loop.call_later(CLOSE_SECONDS, self._transport.abort)
        self._state = State.OVER
        self._transport.close()

    def _break_off(self, code: int) -> None:
        """Nothing more can be read: say so, end our half, and forget what comes until the client has seen it."""
        self._reader = None
        self.close(code)
        if self._transport.can_write_eof() and not self._transport.is_closing():
            self._transport.write_eof()  # closing it with bytes unread would overtake the close frame

    # Small parts ------------------------------------------------------------------------------------------------------

    def _end(self, code: int, reason: str = "") -> None:
        """Nothing more comes to whoever listens here, and the owner is told. The first code stays."""
        if self._ended_with is None:
            self._ended_with = code, reason
            _wake(self._waiter)
        if self._place is not None:
            self._pulse.leave(self, self._place)
            self._place = None
        if self._owner is not None:
            owner, self._owner = self._owner, None
            owner.gone(self)

    def _count(self) -> None:
        """So much at once and so much a second that is no message; who sends more is cut."""
        now = self._loop.time()
        self._idle_left = min(self.idle_burst, self._idle_left + (now - self._idle_at) * self.idle_per_s) - 1
        self._idle_at = now
        if self._idle_left < 0:
            self._transport.abort()

    def _pause_reading(self) -> None:
        if self._is_reading:
            self._is_reading = False
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if not self._is_reading and not self._transport.is_closing():
            self._is_reading = True
            self._transport.resume_reading()


# What the application may say when.
SENDS: dict[tuple[State, str], Callable[[WebsocketConnection, dict[str, Any]], None]] = {
    (State.ASKED, "websocket.accept"): WebsocketConnection._accept,
    (State.ASKED, "websocket.close"): WebsocketConnection._refuse,
    (State.ASKED, "websocket.http.response.start"): WebsocketConnection._start_plain,
    (State.ASKED, "websocket.http.response.body"): WebsocketConnection._go_on_plain,
    (State.OPEN, "websocket.send"): WebsocketConnection._send,
    (State.OPEN, "websocket.close"): WebsocketConnection._close,
}


def _wake(waiter: "asyncio.Future[None] | None") -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)
