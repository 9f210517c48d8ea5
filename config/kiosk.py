"""What `junban kiosk` does: one ticket machine, its touch page on loopback, until it is stopped. Needs no store."""

import asyncio
import logging
import random
from pathlib import Path

from config import logs
from config.commands.asking import Say
from config.loopback import address_of, place_at, serve_page
from kiosk_client.badge import Badge, BadgeFile
from kiosk_client.machine import Machine
from kiosk_client.printer import Printer
from kiosk_client.printing import Printing
from kiosk_client.screen.pages import touch_app
from kiosk_client.spool import Spool


def run(
    *,
    hub_url: str,
    public_url: str,
    port: int,
    folder: Path,
    key: str,
    printer: Printer,
    say: Say,
) -> None:
    """Until SIGTERM or SIGINT. `folder` keeps the open request and the token; `key` is this machine's own name. Raises
    OSError where port or folder cannot be had.
    """
    logs.set_up(level=logging.WARNING)  # the library of printers tells the root logger of every slip
    logging.getLogger("kiosk_client").setLevel(logging.INFO)
    with place_at(port) as place:  # the machine's own browser; nobody else takes numbers here
        address = hub_url.rstrip("/").replace("http", "ws", 1) + "/ws/kiosk"
        badge = Badge(hub_url, key, BadgeFile(folder))
        machine = Machine(address, badge, Spool(folder), Printing(printer), public_url, random.SystemRandom().random)
        say(f"  発券機の画面  {address_of(place)}")
        asyncio.run(serve_page(touch_app(machine), place, machine.run()))
