"""An office on a real store whose days come and go, and its archiver."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from redis.asyncio import Redis

from hub.desk.facts import from_fields
from hub.desk.requests import Issue, Next
from hub.ledger.kept import GAP, kept_of
from hub.ledger.operations import Ledger, Stream
from hub.store.days import Days
from tests.model.desks import CERTIFICATES, DAY, StoreDesk, small_office, store_desk
from workers.archive import Archiver

KEY = Ed25519PrivateKey.generate()


class ArchivedOffice:
    """`turn` is one of its archiver; nothing waits until hubs have settled in the next day."""

    def __init__(self, desk: StoreDesk, ledger: Ledger, folder: Path) -> None:
        self.desk, self.ledger, self.folder = desk, ledger, folder
        self.client: Any = desk.client
        self.days = Days(desk.client, desk.office)
        self._current: dict[str, int | None] = {}  # whom counter 2 has
        self.archiver = self.another_archiver()

    def another_archiver(self, *, settled_s: float = 0.0, ledger: Ledger | None = None) -> Archiver:
        return Archiver(self.days, ledger or self.ledger, self.folder / "heads", KEY, settled_s=settled_s)

    async def turn(self) -> None:
        await self.archiver.turn()

    async def work(self, count: int, *, day: str = DAY) -> None:
        """So many numbers are given and called."""
        for _ in range(count):
            await self.desk.ask(Issue(CERTIFICATES, "kiosk"), day=day)
            called = await self.desk.ask(Next("2", self._current.get(day)), day=day)
            self._current[day] = called.arrival

    async def stream(self, day: str = DAY) -> list[tuple[str, dict[str, str]]]:
        entries: list[tuple[str, dict[str, str]]] = await self.client.xrange(self.desk.keys.facts(day))
        return entries

    def entries(self, day: str = DAY) -> list[dict[str, Any]]:
        return [json.loads(entry.text) for entry in self.ledger.day_entries(day)]

    def positions(self, day: str = DAY) -> list[str]:
        """Of facts alone, in the order of the chain."""
        return [entry["position"] for entry in self.entries(day) if entry["position"][0].isdigit()]

    def archived_to(self, day: str = DAY) -> str:
        """The position in the day's stream up to which the ledger has it."""
        return self.ledger.streams().get(day, Stream()).position

    def gaps(self, day: str = DAY) -> list[dict[str, str]]:
        return [entry["fields"] for entry in self.entries(day) if entry["type"] == GAP]

    def holds(self, facts: list[tuple[str, dict[str, str]]], day: str = DAY) -> bool:
        """Whether each of these facts is an entry, once, in order, and with what it told."""
        told = [entry for entry in self.entries(day) if entry["position"][0].isdigit()]
        wanted = [{**kept_of(from_fields(fields)), "position": position} for position, fields in facts]
        seen = [
            {**entry["fields"], **{name: entry[name] for name in ("at", "who", "request", "position")}}
            for entry in told
        ]
        return seen == wanted


def later(days: int, day: str = DAY) -> str:
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


@asynccontextmanager
async def archived_office(url: str, name: str, ledger: Ledger, folder: Path) -> AsyncIterator[ArchivedOffice]:
    async with store_desk(small_office(name, last=9999), url) as desk:
        await desk.open_day()
        yield ArchivedOffice(desk, ledger, folder)


async def trim(client: Redis, key: str, positions: list[str]) -> None:
    """Cut entries out of a stream, as somebody with the store could."""
    await client.xdel(key, *positions)
