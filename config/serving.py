"""Two applications of one hub on their sockets, in one loop: what uvicorn is told, and how it all ends.

What the applications are is unknown here.
"""

import asyncio
import contextlib
import gc
import resource
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any, TypeAlias

import structlog
import uvicorn
import uvloop
from starlette.types import ASGIApp

from hub.edge.admission import AT_ONCE, Admission
from hub.edge.connections import HttpConnection, SocketConnection
from hub.edge.doorstep import Doorstep
from hub.edge.sockets import Limits
from hub.edge.websocket.connection import WebsocketConnection
from hub.edge.websocket.pulse import Pulse
from hub.wire.messages import CLIENT_FRAME_BYTES

_log = structlog.get_logger("config.serving")

STOP_SECONDS = 3  # for close frames and requests under way; whoever has not let go by then is cut off
# Files that the public side leaves alone: 200 walls, desks and machines inside, 100 connections to the store, the rest
# for logs, libraries and a turn of ACCEPTS_AT_ONCE.
RESERVED_FILES = 384
FOR_PAGES = 8  # one public connection in so many is kept for pages, which come and go
# Connections a turn of the loop. uvloop takes one from each place: where many come, it is given the place as often.
# Otherwise a waiting room that comes back, while those who are in are told something, comes in at 300 a second.
ACCEPTS_AT_ONCE = AT_ONCE
ACCEPT_FAILURES_TOLD_EVERY_S = 60.0
BACKLOG = 4096  # connections that wait to be accepted: a whole waiting room reconnects at once
# What the kernel takes for one client beyond the mailbox: twice that, minutes of a busy office. By itself it grows to
# 4 MB for each that does not read; and how long it takes to fill is how long such a one seems well.
KERNEL_BUFFER_BYTES = 32 * 1024

Apps: TypeAlias = tuple[ASGIApp, ASGIApp]
Engine: TypeAlias = type[WebsocketConnection] | type[SocketConnection]

# What websockets can run on: our own class hands residents over to their crowd; the other one knows mailboxes only.
ENGINES: dict[str, Engine] = {"own": WebsocketConnection, "wsproto": SocketConnection}


def new_loop() -> asyncio.AbstractEventLoop:
    """The loop of a hub: a write to a listener costs it half of what it costs asyncio's own."""
    return uvloop.new_event_loop()


def listen(host: str, port: int, *, is_shared: bool = False) -> socket.socket:
    """A listening place that does not answer yet; port 0 takes any free one. Raises OSError where it is taken.

    `is_shared`: other hubs of this user may listen there too, and the kernel deals out who comes.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named TCP: to the connections of a socket of protocol 0 asyncio does not say TCP_NODELAY, and every second frame
    # waits 40 ms for the client's acknowledgement.
    place = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if is_shared:
            place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        place.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BUFFER_BYTES)  # those it accepts inherit it
        place.bind((host, port))
    except OSError:
        place.close()
        raise
    place.setblocking(False)
    return place


def raise_open_files() -> None:
    """As many files as this process may have: the usual 1,024 are a waiting room and its telephones."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(OSError, ValueError):  # then it stays as it was, and the bounds follow it
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def open_files() -> int:
    """How many files, sockets among them, this process may have open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft


def public_connections(files: int) -> int:
    """How many of so many files the public side may have: all but the reserve, and a quarter where that is nothing."""
    return max(files - RESERVED_FILES, files // 4)


def public_listeners(files: int) -> int:
    """How many of these may be websockets."""
    most = public_connections(files)
    return min(Limits().listeners, most - most // FOR_PAGES)


@contextlib.asynccontextmanager
async def serving(
    apps: Apps,
    public: socket.socket,
    inside: socket.socket,
    *,
    ping_s: float = 20.0,
    http: type[HttpConnection] = HttpConnection,
    ws: Engine = WebsocketConnection,
    most_public: int | None = None,
) -> AsyncIterator[None]:
    """Both applications answer on their sockets for the time of the block; at its end websockets close with 1012.

    At most `most_public` public connections at once (by default what the process may have), pages and sockets together.
    """
    most_public = most_public or public_connections(open_files())
    _throttle_accept_failures()
    residents, staff = partial(Doorstep, http, Admission()), partial(Doorstep, http, None)
    servers = [
        _Server(_config(app, ping_s, connection, ws, most))
        for app, connection, most in zip(apps, (residents, staff), (most_public, None), strict=True)
    ]
    many = [public, *(public.dup() for _ in range(ACCEPTS_AT_ONCE - 1))]
    tasks = [
        asyncio.create_task(server.serve(sockets=sockets))
        for server, sockets in zip(servers, (many, [inside]), strict=True)
    ]
    try:
        while not all(server.started for server in servers):
            done, _ = await asyncio.wait(tasks, timeout=0.005, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        for place in (public, inside):
            place.listen(BACKLOG)  # the server has said ACCEPTS_AT_ONCE, which is asyncio's other meaning of `backlog`
        yield
    finally:
        for server in servers:
            server.should_exit = True
        await asyncio.wait(tasks)


async def serve(
    apps: Apps,
    *,
    public: socket.socket,
    inside: socket.socket,
    ping_s: float = 20.0,
    ws: Engine = WebsocketConnection,
    on_ready: Callable[[], None] = lambda: None,
) -> None:
    """Answer on both sockets until SIGTERM or SIGINT, then close everything within `STOP_SECONDS`. Main thread only."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        async with serving(apps, public, inside, ping_s=ping_s, ws=ws):
            # What was made so far stays to the end; to look through it for a room that comes in holds the loop 0.1 s.
            gc.collect()
            gc.freeze()
            on_ready()
            await stop.wait()
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


def _throttle_accept_failures() -> None:
    """asyncio tells each connection that it could not accept; with no files left that is thousands a second."""
    loop = asyncio.get_running_loop()
    told_at = -ACCEPT_FAILURES_TOLD_EVERY_S

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        nonlocal told_at
        if "accept() out of system resource" not in context.get("message", ""):
            loop.default_exception_handler(context)
        elif loop.time() - told_at >= ACCEPT_FAILURES_TOLD_EVERY_S:
            told_at = loop.time()
            _log.error("connections not accepted", why=str(context.get("exception")))

    loop.set_exception_handler(handle)


class _Server(uvicorn.Server):
    """Two of them share a process: signals are `serve`'s business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def engine_of(ws: Engine, ping_s: float) -> Any:
    """What uvicorn takes for a class: it calls it, once a connection, with names."""
    return partial(ws, Pulse(ping_s)) if issubclass(ws, WebsocketConnection) else ws


def _config(app: ASGIApp, ping_s: float, http: Any, ws: Engine, most: int | None) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=http,
        ws=engine_of(ws, ping_s),
        ws_max_size=CLIENT_FRAME_BYTES,
        ws_ping_interval=ping_s,
        ws_ping_timeout=ping_s,
        ws_per_message_deflate=False,  # it costs memory for each client, and lengths would tell what was sent
        lifespan="off",
        log_config=None,
        access_log=False,  # it would hold addresses of residents
        proxy_headers=False,  # nothing here asks for a client's address
        server_header=False,
        backlog=ACCEPTS_AT_ONCE,
        limit_concurrency=most,  # `Doorstep` cuts who comes beyond; `Limits.listeners` refuses sockets before
        timeout_graceful_shutdown=STOP_SECONDS,
    )
