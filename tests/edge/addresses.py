"""A hub that takes addresses of residents, the host of their keys, and a browser that gives one."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from redis.asyncio import Redis

from config.asgi import hub_running
from config.embedded import EmbeddedValkey
from hub.desk.lane import Office, Purpose
from hub.desk.notices import Carrier
from hub.store.connection import connect
from hub.store.contacts import Contacts
from hub.store.keys import Keys
from hub.store.sealing import Contact, PublicKey, open_sealed
from tests.doors import shared_ledger
from tests.edge.earnest import is_ready
from tests.edge.hubs import Served, served
from tests.edge.test_residents import Browser, new_id
from tests.fanout.days import OFFICE

PURPOSE = Purpose("1", "順番が近づいたことをお知らせするためだけに使います。")
ADDRESS = "taro..y@docomo.example"


@dataclass
class KeyHost:
    """What the key host and the store know: keys are published here, and sealed contacts opened."""

    client: Redis
    office: Office
    private: X25519PrivateKey

    @property
    def contacts(self) -> Contacts:
        return Contacts(self.client, self.office)

    async def publish(self) -> None:
        public = PublicKey(secrets.token_hex(8), self.private.public_key().public_bytes_raw())
        await self.contacts.publish(await self.contacts.today(), public)

    async def kept(self) -> dict[str, Contact]:
        """Subscription → contact, of all that are in the store."""
        names = [name async for name in self.client.scan_iter(match=Keys(self.office.key).contact("*"))]
        found = {}
        for name in names:
            subscription = name.rpartition(":")[2]
            sealed = await self.contacts.sealed(subscription)
            assert sealed is not None
            found[subscription] = open_sealed(sealed, self.private, subscription)
        return found

    async def everything(self) -> str:
        """All that the store holds of the office."""
        held = []
        async for name in self.client.scan_iter(match=f"{{{self.office.key}}}:*"):
            kind = await self.client.type(name)
            held.append(name)
            if kind == "hash":
                held.append(str(await self.client.hgetall(name)))
            elif kind == "stream":
                held.append(str(await self.client.xrange(name)))
            elif kind == "zset":
                held.append(str(await self.client.zrange(name, 0, -1)))
            else:
                held.append(str(await self.client.get(name)))
        return "\n".join(held)


@pytest.fixture
def office(office_name: str) -> Office:
    return replace(OFFICE, key=office_name, purpose=PURPOSE)


@pytest.fixture
async def host(office: Office, valkey_server: EmbeddedValkey) -> AsyncIterator[KeyHost]:
    client = connect(valkey_server.url)
    yield KeyHost(client, office, X25519PrivateKey.generate())
    await client.aclose()


@asynccontextmanager
async def hub_with(office: Office, url: str, *offers: Carrier) -> AsyncIterator[Served]:
    running = hub_running(office, redis_url=url, ledger_url=shared_ledger(), offers=offers)
    async with running as apps, served(apps) as hub:
        await is_ready(hub)
        yield hub


@pytest.fixture
async def browser(office: Office, host: KeyHost, valkey_server: EmbeddedValkey) -> AsyncIterator[Browser]:
    await host.publish()
    async with hub_with(office, valkey_server.url, Carrier.EMAIL) as hub:
        browser = Browser(hub)
        async with browser.client:
            yield browser


def wish(secret: str, **changes: Any) -> dict[str, Any]:
    body = {"id": new_id(), "secret": secret, "address": ADDRESS, "ahead": 3, "purpose": PURPOSE.mark, "consent": True}
    return {**body, **changes}


def form_of(told: dict[str, Any], **changes: str) -> dict[str, str]:
    proof = {"id": new_id(), "number": told["number"], "code": told["code"]}
    return {**proof, "address": ADDRESS, "ahead": "3", "purpose": PURPOSE.mark, "consent": "on", **changes}
