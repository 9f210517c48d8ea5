"""A hub is killed, a second hub stands beside the first: screens tell the truth either way."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import processes
from config.asgi import hub_running, listen, serving
from config.embedded import EmbeddedValkey
from config.office_file import PRACTICE_OFFICE, read_office
from config.processes import Child
from hub.ledger.connection import sqlite_url
from tests.doors import Doors
from tests.eventually import eventually
from tests.journeys.conftest import Open
from tests.journeys.looking import comes_to_itself, comes_to_warn, press, sees
from tests.journeys.ward import Ward, ward_office
from tests.ports import free_ports


async def test_a_press_at_one_hub_is_seen_at_the_other(ward: Ward, open_page: Open) -> None:
    with listen("127.0.0.1", 0) as public, listen("127.0.0.1", 0) as inside:
        running = hub_running(ward_office(), redis_url=ward.store.url, ledger_url=ward.doors.url)
        async with running as apps, serving(apps, public, inside):
            wall = await open_page(f"http://127.0.0.1:{inside.getsockname()[1]}/wall/lobby", ward.doors)
            desk = await open_page(f"{ward.inside}/desk?counter=2", ward.doors)
            await ward.issue()
            await sees(desk, "#coming", "A101")
            await press(desk, "n")
            await sees(wall, "#stage", "A101", "2番窓口")


class HubProcess:
    """`junban hub` on the practice ward, to be killed."""

    def __init__(self, store: EmbeddedValkey, log: Path) -> None:
        self.public, self.inside = free_ports(2)
        self.doors = Doors(read_office(PRACTICE_OFFICE).key, sqlite_url(log.with_name("ledger.sqlite")))
        self._store, self._log = store, log
        self.child: Child | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self.child = processes.start(
                [sys.executable, "-m", "config.cli", "hub"],
                name="the hub",
                environment={
                    "JUNBAN_REDIS_URL": self._store.url,
                    "JUNBAN_PORT": str(self.public),
                    "JUNBAN_INSIDE_PORT": str(self.inside),
                    "JUNBAN_LEDGER_URL": self.doors.url,
                },
                stdout=log,
                stderr=log,
            )

    async def is_up(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.inside)
        except OSError:
            return False
        writer.close()
        return True

    def kill(self) -> None:
        if self.child is not None:
            self.child.kill()


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubProcess]:
    with EmbeddedValkey(tmp_path / "valkey") as store:
        process = HubProcess(store, tmp_path / "hub.log")
        process.start()
        yield process
        process.kill()
        process.doors.close()


async def test_screens_say_that_their_hub_is_gone_and_come_back_to_it(hub: HubProcess, open_page: Open) -> None:
    await eventually(hub.is_up)
    wall = await open_page(f"http://127.0.0.1:{hub.inside}/wall/lobby", hub.doors)
    crowding = await open_page(f"http://127.0.0.1:{hub.public}/")
    for screen in (wall, crowding):
        await comes_to_itself(screen)
    hub.kill()
    for screen in (wall, crowding):
        await comes_to_warn(screen)
    hub.start()
    for screen in (wall, crowding):
        await comes_to_itself(screen)
