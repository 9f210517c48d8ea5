"""Thirty nights of an office on a store whose clock travels: outages, clocks that are set, backups that come back.

The store runs under libfaketime; the eraser is the real one, its boot clock is the true time of the story. What became
of each contact is looked at from outside: keys, store, files and the server's memory.
"""

import contextlib
import random
import secrets
import shutil
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from config import embedded
from config.embedded import EmbeddedValkey
from config.processes import Workshop
from hub.desk.notices import Ending
from hub.desk.refusals import NoticesClosed, Refusal
from hub.desk.requests import Stop
from hub.ledger.connection import sqlite_url
from hub.ledger.erasures import Erasures
from hub.ledger.operations import Ledger
from hub.store.connection import connect
from hub.store.days import Days
from hub.store.erasing import Erasing
from hub.store.lanes import TOKYO
from hub.store.sealing import Unreadable
from tests.eventually import eventually
from tests.ledger.office import KEY
from tests.workers.erasing import memory_has, supervised
from tests.workers.ward import EMAIL, Ward
from workers.archive import Archiver
from workers.clock import SteadyClock
from workers.dispatch import Keeper
from workers.erase import FAILURES, NIGHT_HOURS, Eraser

FAKETIME = next(iter(Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), Path("/none"))
SEED = 20261124
CONTACTS = 4  # a day, one of them stopped
STEPS_S = (3600, -3600, 86400, -86400)


@dataclass
class Contact:
    subscription: str
    canary: str
    sealed: str
    is_stopped: bool = False


@dataclass
class Nights:
    """What thirty nights came to."""

    days: int = 0
    contacts: int = 0
    early: int = 0
    early_by_net: int = 0  # the store's own expiry, on a clock that was a day ahead
    late: int = 0
    unverified: int = 0
    canary_hits: int = 0
    taken_while_overdue: int = 0
    outages: int = 0
    steps: int = 0
    restores: int = 0
    restarts: int = 0
    beyond_net: int = 0  # an hour after their hour still in the store, the eraser being away
    residue_by_day: int = 0  # sealed, without a key, in the memory of a server that is not restarted by day


class Traveller:
    """The true time of the story, and what the store's clock says of it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._ahead_s = 0.0
        self._wrong_s = 0.0
        self._write()

    @property
    def now_s(self) -> float:
        return time.time() + self._ahead_s

    def travel_to(self, moment_s: float) -> None:
        self._ahead_s = max(self._ahead_s, moment_s - time.time())
        self._write()

    @property
    def shown_s(self) -> float:
        """What a clock of this story shows."""
        return self.now_s + self._wrong_s

    def set_wrong(self, seconds: float) -> None:
        self._wrong_s = seconds
        self._write()

    def _write(self) -> None:
        offset = self._ahead_s + self._wrong_s
        new = self._file.with_suffix(".new")
        new.write_text(f"{offset:+.3f}s\n")
        new.replace(self._file)


class Story:
    def __init__(self, folder: Path, server: EmbeddedValkey, office: Ward, traveller: Traveller) -> None:
        self.folder, self.server, self.office, self.traveller = folder, server, office, traveller
        self.logs = folder / "logs"
        self.logs.mkdir()
        self.ledger = Ledger(sqlite_url(folder / "ledger.sqlite"), office.office.key)
        self.chance = random.Random(SEED)
        self.seen = Nights()
        self.kept: list[Contact] = []
        self.ledger.prepare()
        self.start()

    def start(self) -> None:
        """Keeper and archiver as processes that were started just now."""
        office = self.office
        self.archiver = Archiver(Days(office.client, office.office), self.ledger, self.folder / "heads", KEY)
        self.eraser = Eraser(
            Erasing(office.client, office.office),
            office.contacts,
            office.keys,
            Erasures(self.ledger),
            [self.folder],
            SteadyClock(lambda: int(self.traveller.now_s * 1000)),
            wall_ms=lambda: int(self.traveller.now_s * 1000),
            may_restart=True,
        )
        self.keeper = Keeper(office.contacts, office.keys, self.eraser)

    async def travel_to(self, moment_s: float) -> None:
        self.traveller.travel_to(moment_s)
        await self.arrive()

    async def set_wrong(self, seconds: float) -> None:
        self.traveller.set_wrong(seconds)
        await self.arrive()

    async def arrive(self) -> None:
        """The server looks at its clock a hundred times a second: it must have done so before anybody asks it."""
        store = Erasing(self.office.client, self.office.office)

        async def is_there() -> bool:
            with contextlib.suppress(Refusal):  # a connection from before a restart
                return abs(await store.now_ms() / 1000 - self.traveller.shown_s) < 30
            return False

        await eventually(is_there)

    async def turn(self) -> None:
        before = self.server.pid
        async with supervised(self.server):
            await self.keeper.turn()
            with contextlib.suppress(*FAILURES):
                await self.archiver.turn()
        if self.server.pid != before:
            self.seen.restarts += 1

    async def day(self, date: datetime) -> None:
        """From ten in the morning until one o'clock of the night after."""
        morning = date.replace(hour=10, minute=0, second=0, microsecond=0)
        await self.travel_to(morning.timestamp())
        await self.turn()
        await self.office.open()
        due = (morning + timedelta(days=1)).replace(hour=0, minute=10).timestamp()
        mine = [await self.give() for _ in range(CONTACTS)]
        self.seen.contacts += len(mine)
        await self.archiver.turn()
        backup = self.back_up() if self.chance.random() < 0.25 else None
        if self.chance.random() < 0.3:
            await self.clock_is_set(morning + timedelta(hours=self.chance.uniform(1, 6)), mine)
        mine[0].is_stopped = True
        with contextlib.suppress(Refusal):
            stop = Stop(await self.ticket_of(mine[0]), EMAIL, Ending.RESIDENT, mine[0].subscription)
            await self.office.lanes.do(self.office.stamp(), stop)
        await self.travel_to(due - 60)
        await self.turn()
        await self.count_early(mine)
        await self.night(due, mine, backup)
        self.seen.days += 1

    async def night(self, due: float, mine: list[Contact], backup: Path | None) -> None:
        is_out = self.chance.random() < 0.3
        up_at = due + (self.chance.uniform(1800, 8 * 3600) if is_out else 1)
        if is_out:
            self.seen.outages += 1
        if is_out and up_at > due + 3600:
            await self.travel_to(due + 3601)
            kept = await Erasing(self.office.client, self.office.office).kept([one.subscription for one in mine])
            self.seen.beyond_net += len(kept)
        await self.travel_to(up_at)
        if is_out:
            await self.refuses(mine)
            self.start()
        await self.turn()
        if backup is not None:
            await self.restore(backup)
            await self.refuses(mine)
            self.start()
            await self.turn()
        await self.travel_to(max(due + 1200, up_at))  # 00:30, or at once where it was off until now
        await self.turn()
        self.seen.late += sum([await self.is_readable(one) for one in mine])
        await self.travel_to(max(due + 2990, up_at + 60))  # 01:00
        await self.turn()
        handled = {one.subscription: one for one in Erasures(self.ledger).handled("0000-01-01", "9999-12-31")}
        for one in mine:
            told = handled.get(one.subscription)
            self.seen.unverified += told is None or told.verified_ms is None
        self.kept += mine
        self.look_for_canaries(mine, is_night=datetime.fromtimestamp(up_at, TOKYO).hour in NIGHT_HOURS)

    async def give(self) -> Contact:
        canary = f"canary-{secrets.token_hex(16)}"
        ticket = await self.office.take()
        subscription = await self.office.wish(ticket, f"{canary}@example.test")
        sealed = await self.office.contacts.sealed(subscription)
        assert sealed is not None
        return Contact(subscription, canary, sealed)

    async def ticket_of(self, one: Contact) -> int:
        client: Any = self.office.client
        for field_, text in (await client.hgetall(self.office.names.wishes(self.office.day))).items():
            if text.startswith(one.subscription):
                return int(field_.partition("\x1f")[0])
        raise AssertionError("no such wish")

    async def clock_is_set(self, at: datetime, mine: list[Contact]) -> None:
        """For less than half an hour, while the eraser has its turns; whoever looks after the machine mends it."""
        await self.travel_to(at.timestamp())
        await self.turn()
        step = self.chance.choice(STEPS_S)
        self.seen.steps += 1
        await self.set_wrong(step)
        for minutes in (1, 10, 25):
            await self.travel_to(at.timestamp() + minutes * 60)
            await self.turn()
        await self.set_wrong(0)
        await self.travel_to(at.timestamp() + 26 * 60)
        await self.turn()
        await self.count_early(mine)

    async def count_early(self, mine: list[Contact]) -> None:
        """Before their hour by the true time: whose key is gone, and who is gone from the store."""
        kept = await Erasing(self.office.client, self.office.office).kept([one.subscription for one in mine])
        for one in mine:
            if one.is_stopped:
                continue
            try:
                self.office.keys.open(one.sealed, one.subscription)
            except Unreadable:
                self.seen.early += 1
                continue
            if one.subscription not in kept:
                client: Any = self.office.client
                listed = await client.zscore(self.office.names.erasures(), one.subscription)
                self.seen.early_by_net += listed is not None
                self.seen.early += listed is None

    async def is_readable(self, one: Contact) -> bool:
        with contextlib.suppress(Unreadable):
            self.office.keys.open(one.sealed, one.subscription)
            return True
        return bool(await Erasing(self.office.client, self.office.office).kept([one.subscription]))

    async def refuses(self, mine: list[Contact]) -> None:
        """What is overdue is nobody's, before any eraser has come."""
        if not await Erasing(self.office.client, self.office.office).due(int(self.traveller.now_s * 1000)):
            return
        try:
            await self.office.contacts.sealed(mine[-1].subscription)
        except NoticesClosed:
            return
        self.seen.taken_while_overdue += 1

    def back_up(self) -> Path:
        place = self.folder.parent / "backup"
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(self.server.folder / "appendonlydir", place / "store")
        shutil.copytree(self.office.folder, place / "keys")
        return place

    async def restore(self, backup: Path) -> None:
        self.seen.restores += 1
        self.server.stop()
        shutil.rmtree(self.server.folder / "appendonlydir")
        shutil.copytree(backup / "store", self.server.folder / "appendonlydir")
        shutil.copytree(backup / "keys", self.office.folder, dirs_exist_ok=True)
        self.server.start()
        await self.office.client.connection_pool.disconnect()

    def look_for_canaries(self, mine: list[Contact], *, is_night: bool) -> None:
        """In clear anywhere, or sealed in a file or in the server's memory."""
        for path in self.folder.rglob("*"):
            if path.is_file() and not path.is_symlink():
                data = path.read_bytes()
                for one in self.kept:
                    self.seen.canary_hits += one.canary.encode() in data or one.sealed.encode() in data
        for one in mine:
            self.seen.canary_hits += memory_has(self.server.pid, one.canary.encode())
            is_residue = memory_has(self.server.pid, one.sealed.encode())
            self.seen.canary_hits += is_residue and is_night
            self.seen.residue_by_day += is_residue and not is_night


@contextlib.asynccontextmanager
async def story(days: int) -> AsyncIterator[Nights]:
    with Workshop() as workshop:
        folder = workshop / "office"
        folder.mkdir()
        clock = workshop / "clock"
        traveller = Traveller(clock)
        preload = {"LD_PRELOAD": str(FAKETIME), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1"}
        faked = {**preload, "DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        usual = dict(embedded.ENVIRONMENT)
        embedded.ENVIRONMENT.update(faked)
        try:
            with EmbeddedValkey(folder / "store") as server:
                client = connect(server.url)
                office = Ward(server.url, client, "bench", folder / "keys")
                made = Story(folder, server, office, traveller)
                first = datetime.fromtimestamp(traveller.now_s, TOKYO) + timedelta(days=1)
                await office.open()
                for n in range(days):
                    await made.day(first + timedelta(days=n))
                yield made.seen
                made.ledger.close()
                await client.aclose()
        finally:
            embedded.ENVIRONMENT.clear()
            embedded.ENVIRONMENT.update(usual)


def is_there() -> bool:
    return FAKETIME.exists()
