"""An office with tickets, wishes and keys on a real store, and what the tests of notices ask of it."""

import hashlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from hub.desk.notices import Carrier, NoticeState, Trigger
from hub.desk.requests import Issue, Next, Stamp, Wish
from hub.store import library
from hub.store.connection import connect
from hub.store.contacts import Contacts
from hub.store.keys import Keys
from hub.store.lanes import Lanes, SealedContact
from hub.store.outbox import Outbox
from hub.store.sealing import Contact, seal
from tests.model.desks import CERTIFICATES, small_office
from workers.keys import KeyHost

MASTER = bytes(range(32))
EMAIL = Carrier.EMAIL


class Ward:
    """The open day is today by the store's clock, as contacts want it."""

    def __init__(self, url: str, client: Redis, office: str, folder: Path) -> None:
        self.url = url
        self.client = client
        self.office = small_office(office)
        self.folder = folder
        self.lanes = Lanes(client, self.office)
        self.outbox = Outbox(client, self.office)
        self.contacts = Contacts(client, self.office)
        self.keys = KeyHost(folder, MASTER)
        self.names = Keys(office)
        self.day = ""

    async def open(self) -> None:
        await library.install(self.client)
        self.day = await self.lanes.open_day()
        today = await self.contacts.today()
        await self.contacts.publish(today, self.keys.ensure(today))

    def stamp(self) -> Stamp:
        return Stamp(self.day, "test", secrets.token_urlsafe(16))

    async def take(self) -> int:
        """A number; gives its arrival."""
        taken = await self.lanes.do(self.stamp(), Issue(CERTIFICATES, "kiosk"))
        assert taken.arrival is not None
        return taken.arrival

    async def call(self) -> None:
        """Counter 2 finishes whom it has, and calls the next."""
        current = await self.client.hget(self.names.at_counter(self.day), "2")
        await self.lanes.do(self.stamp(), Next("2", int(current) if current else None))

    async def wish(self, ticket: int, to: str, ahead: int = 1) -> str:
        """Gives the subscription."""
        subscription, token = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
        sealed = seal(Contact(to, token), await self.contacts.public_key(), subscription)
        stop = hashlib.sha256(token.encode()).hexdigest()
        wish = Wish(ticket, EMAIL, ahead, "2026-11-1", subscription)
        await self.lanes.do(self.stamp(), wish, SealedContact(sealed, stop))
        return subscription

    async def states(self, ticket: int) -> dict[Trigger, NoticeState]:
        (wished,) = await self.lanes.notices_of(self.day, ticket)
        return dict(wished.notices)

    async def due(self) -> int:
        return await self.outbox.count_due(self.day, EMAIL)

    async def let_leases_end(self) -> None:
        """Whatever is under way may be looked at now."""
        client: Any = self.client
        key = self.names.due(self.day, EMAIL)
        for notice in await client.zrange(key, 0, -1):
            await client.zadd(key, {notice: 0.0}, xx=True)


@asynccontextmanager
async def ward(url: str, office: str, folder: Path) -> AsyncIterator[Ward]:
    client = connect(url)
    made = Ward(url, client, office, folder)
    await made.open()
    try:
        yield made
    finally:
        await client.aclose()
