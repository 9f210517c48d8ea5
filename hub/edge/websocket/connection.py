"""One websocket on uvicorn: its handshake and its messages are ordinary ASGI, until the connection is handed over.

Handed over (`scope["extensions"][LINE]`) it belongs to somebody who only writes: of the application's task, its scope
and its message nothing is left.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol

from uvicorn.protocols.utils import ClientDisconnected, get_local_addr, get_remote_addr, is_ssl

from hub.edge.connections import ABORT
from hub.edge.websocket import frames, handshake
from hub.edge.websocket.pulse import Pulse
from hub.edge.websocket.stream import State, Stream
from hub.wire.messages import Close

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.server import ServerState

LINE = "junban.line"

_log = logging.getLogger("uvicorn.error")  # where uvicorn tells what an application failed at


class Owner(Protocol):
    """Whom a connection was handed over to: a crowd of `hub.fanout`."""

    def lags(self, line: "WebsocketConnection", /) -> None:
        """Its network takes nothing more, and something is held here. Called within a write, and must not write."""

    def drains(self, line: "WebsocketConnection", /) -> None:
        """All that was held has been taken."""

    def gone(self, line: "WebsocketConnection", /) -> None:
        """It has ended, or is closing."""


class WebsocketConnection(Stream):
    """What uvicorn asks of a websocket class (0.54): made at the upgrade, then fed with the head of the request."""

    __slots__ = (
        "_accept_key",
        "_app_state",
        "_config",
        "_end",
        "_idle_texts",
        "_message",
        "_on_lost",
        "_owner",
        "_plain",
        "_waiter",
        "_writable",
        "descriptor",
    )

    def __init__(
        self,
        pulse: Pulse,
        config: "Config",
        server_state: "ServerState",
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(pulse, server_state, config.ws_max_size, _loop or asyncio.get_running_loop())
        self._config = config
        self._app_state = app_state
        self._accept_key: bytes | None = None  # None: the head has not been read
        self._plain: tuple[int, handshake.Headers, bytes] | None = None  # the plain answer as far as it is told
        self._message: dict[str, Any] | None = {"type": "websocket.connect"}
        self._end: tuple[int, str] | None = None
        self._waiter: asyncio.Future[None] | None = None  # of the application's receive
        self._writable: asyncio.Future[None] | None = None  # of its send
        self._owner: Owner | None = None
        self._on_lost: Callable[[], None] | None = None
        self._idle_texts = 0
        self.descriptor = -1

    # As asyncio and uvicorn see it ------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        if self._accept_key is None and self._state is State.ASKED:
            self._begin(data)
        else:
            super().data_received(data)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._owner is not None:
            self._owner.lags(self)

    def resume_writing(self) -> None:
        super().resume_writing()
        _wake(self._writable)
        if self._owner is not None:
            self._owner.drains(self)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        _wake(self._writable)
        if self._on_lost is not None:
            on_lost, self._on_lost = self._on_lost, None
            on_lost()

    def shutdown(self) -> None:
        """The server ends."""
        if self._state is State.ASKED:
            self._answer(503, [], b"")
        else:
            self.close(Close.RESTART)

    # As its owner sees it ---------------------------------------------------------------------------------------------

    def hand_over(self, owner: Owner, idle_texts: int, on_lost: Callable[[], None]) -> bool:
        """False: it has ended already. So many texts are ignored before it is closed; `on_lost` is called once."""
        if self._state is not State.OPEN:
            return False
        self._owner, self._idle_texts, self._on_lost = owner, idle_texts, on_lost
        if not is_ssl(self._transport):
            self.descriptor = self._transport.get_extra_info("socket").fileno()
        self._transport.set_write_buffer_limits(high=0)  # the first byte that the network does not take is a lag
        self._loop.call_soon(self._listen)  # what has come already may end it: after its owner has let it in
        return True

    @property
    def untaken(self) -> int:
        return self._transport.get_write_buffer_size()

    @staticmethod
    def framed(text: str) -> bytes:
        return frames.text_frame(text)

    def _listen(self) -> None:
        message, self._message = self._message, None
        if message is not None:
            self._ignore(message.get("text"))
        self._take()
        self._resume_reading()

    def _ignore(self, data: str | bytes | None) -> None:
        """Nothing is asked of who only listens: a few texts are nothing, more is a screen that has lost its way."""
        self._idle_texts -= 1
        if self._idle_texts < 0 or not isinstance(data, str):
            self.close(Close.BAD_MESSAGE)

    # As the stream sees it --------------------------------------------------------------------------------------------

    @property
    def _is_taken(self) -> bool:
        return self._message is None

    def _deliver(self, data: str | bytes) -> None:
        if self._owner is not None:
            self._ignore(data)
            return
        self._pause_reading()
        self._message = {"type": "websocket.receive", "text" if isinstance(data, str) else "bytes": data}
        _wake(self._waiter)

    def _ended(self, code: int, reason: str) -> None:
        self._end = code, reason
        if self._state is State.CLOSING:
            self._message = None  # whoever closes asks no more
        _wake(self._waiter)
        if self._owner is not None:
            owner, self._owner = self._owner, None
            owner.gone(self)

    # As the application sees it ---------------------------------------------------------------------------------------

    async def receive(self) -> dict[str, Any]:
        if self._message is None and self._state is State.OPEN:
            self._take()
        while self._message is None and self._end is None:
            self._resume_reading()  # all that came has been taken
            self._waiter = self._loop.create_future()
            await self._waiter
        if self._message is not None:
            message, self._message = self._message, None
            return message
        code, reason = self._end or (1006, "")
        return {"type": "websocket.disconnect", "code": code, "reason": reason}

    async def send_texts(self, texts: Iterable[str]) -> None:
        """Several in one write, and by none of the layers of an application. Raises ClientDisconnected."""
        await self._until_writable()
        self.write(b"".join(map(frames.text_frame, texts)))

    async def send(self, message: dict[str, Any]) -> None:
        await self._until_writable()
        act = SENDS.get((self._state, message["type"]))
        if act is None:
            raise RuntimeError(f"{message['type']} does not follow while {self._state.value}")
        act(self, message)

    async def _until_writable(self) -> None:
        while self._is_full and self._state is not State.OVER:
            self._writable = self._loop.create_future()
            await self._writable
        if self._state in (State.CLOSING, State.OVER):
            raise ClientDisconnected

    def _accept(self, message: dict[str, Any]) -> None:
        headers = [*self._server.default_headers, *message.get("headers", ())]
        self._open(handshake.switching(self._accept_key or b"", headers, message.get("subprotocol")))

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
        self._over(1006)
        self._transport.close()
        self._cut_soon()


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
