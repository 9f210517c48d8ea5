"""Who has connected and said nothing yet. The first bytes tell whether it is a websocket or somebody who reads pages.

uvicorn takes every head apart as a page's, finds that it asks for a websocket, lays it out anew and hands it on: a
third of what a waiting room costs that comes back. Here a head of the very form that browsers send goes to the
websocket's class as it came; whatever differs in any way goes through uvicorn's parser, and nothing is decided here.
"""

import asyncio
import re
from functools import partial
from typing import TYPE_CHECKING, Any

from hub.edge.admission import Admission
from hub.edge.connections import HttpConnection

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.server import ServerState

HEAD_BYTES = 8 * 1024  # one piece of the network's that holds a whole head; a browser's is below 1 kB
_HEAD = re.compile(rb"GET /[!-~]* HTTP/1\.1\r\n(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*\r\n)+\r\n")
_UPGRADE = re.compile(rb"\r\nupgrade:[ \t]*websocket[ \t]*\r\n")
_CONNECTION = re.compile(rb"\r\nconnection:[ \t]*(?:keep-alive,[ \t]*)?upgrade[ \t]*\r\n")
_ONCE = (b"\r\nupgrade:", b"\r\nconnection:", b"\r\nsec-websocket-key:")
_NEVER = (b"\r\ncontent-length:", b"\r\ntransfer-encoding:", b"\r\nexpect:")


def asks_as_usual(data: bytes) -> bool:
    """A whole head and nothing behind it, which asks for a websocket in the words that browsers use."""
    if len(data) > HEAD_BYTES or not _HEAD.fullmatch(data):
        return False
    low = data.lower()
    return (
        _UPGRADE.search(low) is not None
        and _CONNECTION.search(low) is not None
        and all(low.count(name) == 1 for name in _ONCE)
        and not any(name in low for name in _NEVER)
    )


class Doorstep(asyncio.Protocol):
    """What uvicorn makes of a connection. Silent for `http.head_seconds` it is cut, as is one beyond the limit.

    `admission`: of a listening place that many come to at once.
    """

    __slots__ = ("_admission", "_config", "_given", "_http", "_server", "_timer", "_transport")

    def __init__(
        self,
        http: type[HttpConnection],
        admission: Admission | None,
        *,
        config: "Config",
        server_state: "ServerState",
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._http = http
        self._admission = admission
        self._config = config
        self._server = server_state
        self._given = {"config": config, "server_state": server_state, "app_state": app_state, "_loop": _loop}
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        self._server.connections.add(self)  # type: ignore[arg-type]
        most = self._config.limit_concurrency
        if most is not None and len(self._server.connections) > most:
            transport.abort()
        else:
            self._timer = asyncio.get_running_loop().call_later(self._http.head_seconds, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()

    def data_received(self, data: bytes) -> None:
        self._stop_timer()
        if self._admission is None:
            self._come_in(data)
        elif not self._admission.ask(partial(self._come_in, data)):
            self._transport.pause_reading()

    def shutdown(self) -> None:
        """The server ends."""
        self._transport.close()

    def _come_in(self, data: bytes) -> None:
        self._leave()
        if self._transport.is_closing():
            return
        kind: Any = self._config.ws_protocol_class if asks_as_usual(data) else self._http
        protocol = kind(**self._given)
        protocol.connection_made(self._transport)
        self._transport.set_protocol(protocol)
        self._transport.resume_reading()
        protocol.data_received(data)

    def _leave(self) -> None:
        self._stop_timer()
        self._server.connections.discard(self)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
