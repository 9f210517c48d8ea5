"""An office at the hour of erasure: its own server, its ledger, its eraser, and what can be done to each of them.

The store's clock cannot be set; the eraser reads it `ahead_ms` later than it is.
"""

import asyncio
import contextlib
import re
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from config.embedded import EmbeddedValkey
from hub.ledger.connection import sqlite_url
from hub.ledger.erasures import Erasures, Handled
from hub.ledger.log import Log, Logged
from hub.ledger.operations import Ledger
from hub.store.days import Days
from hub.store.erasing import Erasing
from hub.store.sealing import Unreadable
from tests.ledger.office import KEY
from tests.workers.ward import MASTER, Ward, ward
from workers.archive import Archiver
from workers.clock import SteadyClock
from workers.dispatch import Keeper
from workers.erase import Eraser
from workers.keys import KeyHost

TO = "canary-7@example.test"
HOUR_MS = 3_600_000


class ErasingAt(Erasing):
    """The store's time, and so much more."""

    ahead_ms = 0

    async def now_ms(self) -> int:
        return await super().now_ms() + self.ahead_ms


class Night:
    """`logs`: a folder that is looked through beside the store's own."""

    def __init__(self, office: Ward, server: EmbeddedValkey, folder: Path) -> None:
        self.office, self.server, self.folder = office, server, folder
        self.logs = folder / "logs"
        self.logs.mkdir()
        self.ledger = Ledger(sqlite_url(folder / "ledger.sqlite"), office.office.key)
        self.erasing = ErasingAt(office.client, office.office)
        self.archiver = Archiver(Days(office.client, office.office), self.ledger, folder / "heads", KEY)
        self.boot_ms = 0
        self.eraser = self.another_eraser()
        self.keeper = Keeper(office.contacts, office.keys, self.eraser)

    def another_eraser(
        self, kind: type[Eraser] = Eraser, *, may_restart: bool = True, places: Sequence[Path] | None = None
    ) -> Eraser:
        """As one that was started just now."""
        return kind(
            self.erasing,
            self.office.contacts,
            self.office.keys,
            Erasures(self.ledger),
            [self.server.folder, self.logs] if places is None else places,
            SteadyClock(lambda: self.boot_ms),
            wall_ms=lambda: 0,
            may_restart=may_restart,
        )

    async def give(self, to: str = TO) -> str:
        """A number and a contact; gives the subscription."""
        subscription = await self.office.wish(await self.office.take(), to)
        await self.archiver.turn()
        return subscription

    async def let_pass(self, *, until_ms: int) -> None:
        """So that the eraser reads this moment, and finds that nobody has set the clock."""
        passed = until_ms - await self.erasing.now_ms()
        self.erasing.ahead_ms += passed
        self.boot_ms += passed

    async def erase_hour(self) -> int:
        """The hour at which what is given now must go."""
        score = await self.office.client.zrange(self.office.names.erasures(), -1, -1, withscores=True)
        return int(score[0][1])

    async def come(self, *, later_ms: int = 1000) -> None:
        """The hour of erasure."""
        await self.let_pass(until_ms=await self.erase_hour() + later_ms)

    async def turn(self) -> None:
        """The eraser's, with somebody who looks after the store."""
        async with supervised(self.server):
            await self.eraser.turn()
        await self.reconnect()
        await self.archiver.turn()

    async def reconnect(self) -> None:
        """The client of this story: a server that was started anew has hung up on it."""
        await self.office.client.connection_pool.disconnect()

    def handled(self) -> list[Handled]:
        return Erasures(self.ledger).handled("0000-01-01", "9999-12-31")

    def noted(self, kind: str) -> list[Logged]:
        return [entry for entry in Log(self.ledger).page(limit=1000).entries if entry.type == kind]

    def files_with(self, text: bytes) -> list[str]:
        """Names of the store's files that hold it."""
        return [path.name for path in self.server.folder.rglob("*") if path.is_file() and text in path.read_bytes()]

    def memory_has(self, text: bytes) -> bool:
        return memory_has(self.server.pid, text)


class WithoutKeys(Eraser):
    async def _destroy_keys(self) -> None:
        pass


class WithoutUnlinking(Eraser):
    async def _unlink(self) -> None:
        pass


class WithoutRewriting(Eraser):
    async def _rewrite(self) -> None:
        pass


class WithoutRestart(Eraser):
    async def _restart(self) -> None:
        pass


class WithoutLooking(Eraser):
    async def _look(self, traces: object) -> int:
        return 0


async def what_is_left(at_night: Night, sealed: str, subscription: str) -> set[str]:
    """Told from outside, by whoever believes no eraser."""
    left = set()
    with contextlib.suppress(Unreadable):
        KeyHost(at_night.office.folder, MASTER).open(sealed, subscription)
        left.add("key")
    if await at_night.erasing.kept([subscription]):
        left.add("store")
    if at_night.files_with(sealed.encode()):
        left.add("files")
    if at_night.memory_has(sealed.encode()):
        left.add("memory")
    return left


def memory_has(pid: int, text: bytes) -> bool:
    """Whether a process holds it in memory that can be written; Linux, and a process of ours."""
    assert sys.platform == "linux"
    pattern = re.compile(re.escape(text))
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            place, rights, *_ = line.split()
            if not rights.startswith("rw"):
                continue
            first, last = (int(end, 16) for end in place.split("-"))
            try:
                memory.seek(first)
                if pattern.search(memory.read(last - first)):
                    return True
            except (OSError, OverflowError, ValueError):
                continue
    return False


@contextlib.asynccontextmanager
async def supervised(server: EmbeddedValkey) -> AsyncIterator[None]:
    """Whenever it ends somebody starts it again."""

    async def look_after() -> None:
        while True:
            if not server.is_running:
                server.start()
            await asyncio.sleep(0.02)

    task = asyncio.create_task(look_after())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


@contextlib.asynccontextmanager
async def night(folder: Path) -> AsyncIterator[Night]:
    with EmbeddedValkey(folder / "store") as server:
        async with ward(server.url, "ward", folder / "keys") as office:
            made = Night(office, server, folder)
            await made.archiver.turn()
            try:
                yield made
            finally:
                made.ledger.close()
