"""What `junban kiosk` does: one ticket machine, its touch page on loopback, until it is stopped. Needs no store."""

import asyncio
import random
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from kiosk_client.machine import Machine
from kiosk_client.printer import Printer
from kiosk_client.screen.pages import touch_app
from kiosk_client.spool import Spool

HOST = "127.0.0.1"  # the machine's own browser; nobody else takes numbers here
STOP_SECONDS = 1  # the page asks for its state all the time; nobody waits for that


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The signals are ours: the machine ends with its page."""
        yield


def run(
    *, hub_url: str, public_url: str, port: int, folder: Path, printer: Printer, say: Callable[[str], None]
) -> None:
    """Until SIGTERM or SIGINT. `folder` keeps the open request. Raises OSError where port or folder cannot be had."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as place:
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        place.bind((HOST, port))
        address = hub_url.rstrip("/").replace("http", "ws", 1) + "/ws/kiosk"
        machine = Machine(address, Spool(folder), printer, public_url, random.SystemRandom().random)
        say(f"  発券機の画面  http://{HOST}:{place.getsockname()[1]}/")
        asyncio.run(_serve(machine, place))


async def _serve(machine: Machine, place: socket.socket) -> None:
    server = _Server(
        uvicorn.Config(
            touch_app(machine),
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
    running = asyncio.create_task(machine.run())
    running.add_done_callback(lambda ended: setattr(server, "should_exit", True))
    await server.serve(sockets=[place])
    if running.done():
        running.result()  # a machine that fails takes its page along
    running.cancel()
    await asyncio.wait({running})
