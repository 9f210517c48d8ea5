"""A hub whose office tells by every carrier, with stand-ins for them, and its workers in this process."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from redis.asyncio import Redis
from starlette.types import ASGIApp

from config.asgi import hub_running
from config.embedded import EmbeddedValkey
from config.practice.line_stand_in import LineStandIn
from config.practice.phone_stand_in import PhoneStandIn
from config.residents import LineChannel
from hub.desk.lane import Office, Purpose
from hub.desk.notices import Carrier
from hub.desk.requests import Next, Stamp
from hub.store.connection import connect
from hub.store.contacts import Contacts
from hub.store.keys import Keys
from hub.store.lanes import Lanes
from hub.store.links import Links
from hub.store.outbox import Outbox
from hub.store.sealing import Contact, PublicKey, open_sealed
from hub.wire.tickets import Told
from tests.doors import Doors, shared_ledger
from tests.edge.earnest import is_ready
from tests.edge.hubs import Served, served
from tests.edge.test_residents import Browser, new_id
from tests.fanout.days import OFFICE
from tests.workers.described import check_stand_ins
from tests.workers.stand_ins import serving
from workers.answering import answer_all
from workers.carriers.line import LineCarrier
from workers.carriers.phone import PhoneCarrier
from workers.carriers.sending import Sender
from workers.carriers.server import LineServer, PhoneServer
from workers.drain import Drain

TOKEN, SECRET = "token-of-a-channel", "secret-of-a-channel"
NOW = datetime(2026, 11, 24, 9, 30, tzinfo=timezone(timedelta(hours=9)))
LINE_PURPOSE = Purpose("1", "順番が近づいたことを、LINEでお知らせするためだけに使います。")
PHONE_PURPOSE = Purpose("1", "順番が近づいたことを、電話でお知らせするためだけに使います。")
USER = "U" + "7" * 32


def telling(office: Office) -> Office:
    return replace(office, line_purpose=LINE_PURPOSE, phone_purpose=PHONE_PURPOSE)


@dataclass
class Ward:
    """One hub, and everybody whom it reaches. The test is its key host."""

    office: Office
    client: Redis
    private: X25519PrivateKey
    hub: Served
    apps: tuple[ASGIApp, ASGIApp]
    line: LineStandIn
    phone: PhoneStandIn
    line_carrier: LineCarrier
    phone_carrier: PhoneCarrier
    public_url: str
    passed: list[Carrier]

    @property
    def keys(self) -> Keys:
        return Keys(self.office.key)

    @property
    def lanes(self) -> Lanes:
        return Lanes(self.client, self.office)

    async def day(self) -> str:
        return (await self.lanes.day_now())[2]

    def open(self, sealed: str, subscription: str) -> Contact:
        """As the key host does."""
        return open_sealed(sealed, self.private, subscription)

    async def kept(self) -> list[Contact]:
        """Every contact that is in the store."""
        contacts, found = Contacts(self.client, self.office), []
        async for name in self.client.scan_iter(match=self.keys.contact("*")):
            subscription = str(name).rpartition(":")[2]
            sealed = await contacts.sealed(subscription)
            if sealed:
                found.append(self.open(sealed, subscription))
        return found

    async def send(self, carrier: Carrier) -> None:
        """What a worker does at a wake-up."""

        async def passed(to: Carrier) -> None:
            self.passed.append(to)

        senders: dict[Carrier, Sender] = {Carrier.LINE: self.line_carrier, Carrier.PHONE: self.phone_carrier}
        await Drain(
            carrier,
            self.office,
            Outbox(self.client, self.office),
            Contacts(self.client, self.office),
            self,
            [senders[carrier]],
            public_url=self.public_url,
            now=lambda: NOW,
            on_due=passed,
        ).run()
        if carrier is Carrier.LINE:
            await answer_all(Links(self.client, self.office), self.line_carrier)

    async def call(self, counter: str = "1") -> None:
        current = await self.client.hget(self.keys.at_counter(await self.day()), counter)
        stamp = Stamp(await self.day(), "desk", new_id())
        await self.lanes.do(stamp, Next(counter, int(current) if current else None))

    async def agree(self, browser: Browser, secret: str, **changes: Any) -> str:
        """Agree to LINE on the page; gives the code."""
        answer = await browser.post("/t/line", **agreement(secret, **changes))
        assert answer.status_code == 200, answer.text
        told = msgspec.json.decode(answer.content, type=Told)
        assert not isinstance(told.link, msgspec.UnsetType)
        return told.link.code


def agreement(secret: str, **changes: Any) -> dict[str, Any]:
    body = {"id": new_id(), "secret": secret, "ahead": 3, "purpose": LINE_PURPOSE.mark, "consent": True}
    return {**body, **changes}


def phone_wish(secret: str, **changes: Any) -> dict[str, Any]:
    body = {
        "id": secrets.token_urlsafe(16),
        "secret": secret,
        "telephone": "090-1234-5678",
        "ahead": 3,
        "purpose": PHONE_PURPOSE.mark,
        "consent": True,
    }
    return {**body, **changes}


@asynccontextmanager
async def ward_told(
    office: Office,
    url: str,
    *,
    practice: bool = False,
    offers: Sequence[Carrier] = (Carrier.LINE, Carrier.PHONE),
) -> AsyncIterator[Ward]:
    """`url`: of the store; `practice`: as many wishes in a minute as there may be in an hour."""
    office = telling(office)
    async with AsyncExitStack() as opened:
        client = connect(url)
        opened.push_async_callback(client.aclose)
        private = X25519PrivateKey.generate()
        contacts = Contacts(client, office)
        public = PublicKey(secrets.token_hex(8), private.public_key().public_bytes_raw())
        await contacts.publish(await contacts.today(), public)
        line, phone = LineStandIn(TOKEN, SECRET), PhoneStandIn("practice", "token")
        carriers_url = await opened.enter_async_context(serving([*line.routes(), *phone.routes()]))
        running = hub_running(
            office,
            redis_url=url,
            ledger_url=shared_ledger(),
            practice=practice,
            offers=offers,
            line=LineChannel(SECRET, "@practice"),
        )
        apps = await opened.enter_async_context(running)
        doors = opened.enter_context(closing(Doors(office.key)))
        hub = await opened.enter_async_context(served(apps, doors=doors))
        await is_ready(hub)
        public_url = hub.page("", is_inside=False)
        line.webhook_url = f"{public_url}/line/webhook"
        by_line = LineCarrier(LineServer(carriers_url, TOKEN), office.key)
        opened.push_async_callback(by_line.close)
        by_phone = PhoneCarrier(PhoneServer(carriers_url, "practice", "token", "+815000000000"))
        opened.push_async_callback(by_phone.close)
        yield Ward(office, client, private, hub, apps, line, phone, by_line, by_phone, public_url, [])
        check_stand_ins(line, phone)


@asynccontextmanager
async def at_work(ward: Ward, *carriers: Carrier) -> AsyncIterator[None]:
    """The workers of these carriers, for as long as the story takes. They are asked to end, and not cut off."""
    is_over = asyncio.Event()

    async def work() -> None:
        while not is_over.is_set():
            for carrier in carriers:
                await ward.send(carrier)
            await asyncio.sleep(0.05)

    working = asyncio.create_task(work())
    try:
        yield
    finally:
        is_over.set()
        await working


@pytest.fixture
async def ward(office_name: str, valkey_server: EmbeddedValkey) -> AsyncIterator[Ward]:
    async with ward_told(replace(OFFICE, key=office_name), valkey_server.url) as ward:
        yield ward


@pytest.fixture
async def browser(ward: Ward) -> AsyncIterator[Browser]:
    browser = Browser(ward.hub)
    async with browser.client:
        yield browser
