"""One page on this machine's own loopback, served until the process is asked to end. What it shows is unknown here."""

import asyncio
import signal
import socket
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp

HOST = "127.0.0.1"
STOP_SECONDS = 1  # the pages ask for their state all the time; nobody waits for that


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The signals are ours: what runs beside the page ends with it."""
        yield


@contextmanager
def place_at(port: int) -> Iterator[socket.socket]:
    """A listening place to be; port 0 takes a free one. Raises OSError where it is taken."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as place:
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        place.bind((HOST, port))
        yield place


def address_of(place: socket.socket) -> str:
    return f"http://{HOST}:{place.getsockname()[1]}/"


async def serve_page(app: ASGIApp, place: socket.socket, beside: Coroutine[Any, Any, Any] | None = None) -> None:
    """Until SIGTERM or SIGINT; `beside` runs for as long, and takes the page along if it fails."""
    server = _Server(
        uvicorn.Config(
            app,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, setattr, server, "should_exit", True)
    running = None if beside is None else asyncio.create_task(beside)
    if running is not None:
        running.add_done_callback(lambda ended: setattr(server, "should_exit", True))
    await server.serve(sockets=[place])
    if running is not None:
        if running.done():
            running.result()
        running.cancel()
        await asyncio.wait({running})
