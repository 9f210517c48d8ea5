"""Facts at a steady pace into a store, and how far behind them the ledger is; measured from outside of the archiver.

Store and keeper are processes of their own, as in earnest; the ledger is the SQLite file of an office of one machine.
"""

import asyncio
import contextlib
import json
import os
import secrets
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.embedded import EmbeddedValkey
from config.processes import Workshop, start
from hub.desk.requests import Issue, Stamp
from hub.ledger.connection import sqlite_url
from hub.ledger.operations import Ledger, Stream
from hub.ledger.verifying import verify
from hub.store import library
from hub.store.connection import connect
from hub.store.keys import Keys
from hub.store.lanes import Lanes
from tests.eventually import eventually
from tests.model.desks import CERTIFICATES, small_office

OFFICE = "bench"
OFFERED_PER_S = 500  # a hundred times what a ward does at its peak
HANDS = 8  # requests under way at once
LOOK_EVERY_S = 0.25
READY_WITHIN_S = 60.0
SETTLED_WITHIN_S = 60.0
OFFICE_FILE = f"""
key = "{OFFICE}"
name = "計測"
lanes = [ {{ key = "{CERTIFICATES}", name = "証明", prefix = "A", first = 101, last = 199 }} ]
counters = [ {{ key = "2", name = "2番窓口", lanes = ["{CERTIFICATES}"] }} ]
"""  # what the keeper is told; numbers are given by this process, from a band of its own


@dataclass
class Archived:
    """What one run came to. `lost`, `doubled`, `disordered`: facts, at its end; `is_whole`: the chain verifies."""

    facts: int = 0
    offered_per_s: float = 0.0
    archived_per_s: float = 0.0
    behind_max: int = 0
    lag_max_s: float = 0.0
    lost: int = 0
    doubled: int = 0
    disordered: int = 0
    is_whole: bool = False


def archive(seconds: float) -> Archived:
    """Main thread only: it starts processes."""
    with Workshop() as folder:
        return asyncio.run(_archive(folder, seconds))


async def _archive(folder: Path, seconds: float) -> Archived:
    (folder / "office.toml").write_text(OFFICE_FILE, encoding="utf-8")
    url = sqlite_url(folder.absolute() / "ledger.sqlite")
    async with contextlib.AsyncExitStack() as opened:
        store = opened.enter_context(EmbeddedValkey(folder / "store"))
        client: Any = connect(store.url)
        opened.push_async_callback(client.aclose)
        await library.install(client)
        lanes = Lanes(client, small_office(OFFICE, last=99_999))
        day = await lanes.open_day()
        ledger = Ledger(url, OFFICE)
        opened.callback(ledger.close)
        ledger.prepare()  # or who looks on might come while the keeper makes the tables
        kept = {name: value for name, value in os.environ.items() if not name.startswith("JUNBAN_")}
        settings = {"JUNBAN_REDIS_URL": store.url, "JUNBAN_OFFICE": str(folder / "office.toml")}
        settings |= {"JUNBAN_LEDGER_URL": url, "JUNBAN_LEDGER_KEY_DIR": str(folder.absolute())}
        with (folder / "keeper.log").open("ab") as log:
            command = [sys.executable, "-m", "config.cli", "keeper"]
            keeper = start(command, name="keeper", environment=kept | settings, stdout=log, stderr=log)
        opened.callback(keeper.kill)
        watch = Watch(client, Keys(OFFICE).facts(day), ledger, day)
        await eventually(watch.is_level, within_s=READY_WITHIN_S)
        return await watch.measure(lanes, seconds)


class Watch:
    """What is in the stream, and what of it is in the ledger."""

    def __init__(self, client: Any, key: str, ledger: Ledger, day: str) -> None:
        self._client, self._key, self._ledger, self._day = client, key, ledger, day
        self._is_over = False

    async def is_level(self) -> bool:
        """The ledger has every fact."""
        archived = await asyncio.to_thread(self._archived)
        return archived.position != "" and not await self._client.xrange(self._key, f"({archived.position}", count=1)

    async def measure(self, lanes: Lanes, seconds: float) -> Archived:
        seen = Archived()
        looking = asyncio.create_task(self._look(seen))
        before, began = self._archived().accounted, time.monotonic()
        offered = await _offer(lanes, self._day, seconds)
        took_s = time.monotonic() - began
        seen.archived_per_s = (self._archived().accounted - before) / took_s
        seen.offered_per_s = offered / took_s
        await eventually(self.is_level, within_s=SETTLED_WITHIN_S)
        self._is_over = True
        await looking
        entries: list[tuple[str, dict[str, str]]] = await self._client.xrange(self._key)
        facts = [position for position, _ in entries]
        told = [json.loads(entry.text)["position"] for entry in self._ledger.day_entries(self._day)]
        kept = [position for position in told if not position.startswith("own:")]  # that the keeper began is no fact
        counted = Counter(kept)
        seen.facts = len(facts)
        seen.lost = sum(position not in counted for position in facts)
        seen.doubled = sum(times - 1 for times in counted.values())
        seen.disordered = sum(one != other for one, other in zip(facts, kept, strict=False))
        seen.is_whole = verify(self._ledger).is_whole
        return seen

    async def _look(self, seen: Archived) -> None:
        while not self._is_over:
            # The ledger first: what is added between the two looks counts as behind.
            archived = await asyncio.to_thread(self._archived)
            pipe = self._client.pipeline()
            pipe.xlen(self._key)
            pipe.xrange(self._key, f"({archived.position}", count=1)
            pipe.time()
            count, following, (second, micros) = await pipe.execute()
            seen.behind_max = max(seen.behind_max, count - archived.accounted)
            if following:
                since = int(following[0][0].partition("-")[0]) / 1000
                seen.lag_max_s = max(seen.lag_max_s, second + micros / 1e6 - since)
            await asyncio.sleep(LOOK_EVERY_S)

    def _archived(self) -> Stream:
        return self._ledger.streams().get(self._day, Stream())


async def _offer(lanes: Lanes, day: str, seconds: float) -> int:
    """So many numbers a second, each hand at its own moments; gives how many were given."""
    began, count = time.monotonic(), int(seconds * OFFERED_PER_S)

    async def give(hand: int) -> None:
        for n in range(hand, count, HANDS):
            await asyncio.sleep(began + n / OFFERED_PER_S - time.monotonic())
            await lanes.do(Stamp(day, "bench", secrets.token_urlsafe(16)), Issue(CERTIFICATES, "kiosk"))

    await asyncio.gather(*(give(hand) for hand in range(HANDS)))
    return count
