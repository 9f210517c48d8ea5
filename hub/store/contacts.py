"""Sealed contacts and the public keys they are sealed with. Nothing here can open one, and nothing here sees one open.

Dates are real ones, in Tokyo, by the store's clock: a practice clock moves the office's day and no erasure.
"""

import secrets
from datetime import datetime
from typing import Any

from redis.asyncio import Redis

from hub.desk.lane import Office
from hub.desk.notices import Carrier, Ending
from hub.desk.refusals import NoContact, NoticesClosed, UnknownTicket
from hub.desk.requests import Stamp, Stop
from hub.store.calling import US, answered
from hub.store.keys import Keys
from hub.store.lanes import TOKYO, Lanes
from hub.store.sealing import PublicKey

WHO = "keeper"
DESTROYED_AFTER_S = 600  # midnight's last moves and clocks a little apart have their ten minutes


class Contacts:
    """One office's contacts. Everything raises StoreAway or StoreDamaged where the store fails."""

    def __init__(self, client: Redis, office: Office) -> None:
        self._client: Any = client
        self._keys = Keys(office.key)
        self._lanes = Lanes(client, office)

    async def today(self) -> str:
        """The real date in Tokyo, YYYY-MM-DD."""
        seconds, _ = await answered(self._client.time())
        return datetime.fromtimestamp(seconds, TOKYO).date().isoformat()

    async def kept_from(self) -> str:
        """The earliest date whose key may still exist: at 00:10 of the day after it must be destroyed."""
        seconds, _ = await answered(self._client.time())
        return datetime.fromtimestamp(seconds - DESTROYED_AFTER_S, TOKYO).date().isoformat()

    async def publish(self, date: str, key: PublicKey) -> None:
        """From now on contacts of that date are sealed with this key. For the key host alone."""
        await answered(self._client.hset(self._keys.public_keys(), date, f"{key.id}{US}{key.raw.hex()}"))

    async def published(self) -> dict[str, PublicKey]:
        """Date → key."""
        found: dict[str, str] = await answered(self._client.hgetall(self._keys.public_keys()))
        return {date: _key(text) for date, text in found.items()}

    async def withdraw(self, date: str) -> None:
        """The key of that date is gone. For the key host alone."""
        await answered(self._client.hdel(self._keys.public_keys(), date))

    async def public_key(self) -> PublicKey:
        """Today's. Raises NoticesClosed where nobody has published one."""
        text = await answered(self._client.hget(self._keys.public_keys(), await self.today()))
        if text is None:
            raise NoticesClosed
        return _key(text)

    async def sealed(self, subscription: str) -> str | None:
        """The sealed contact, None once it is gone. Raises NoticesClosed while an erasure is overdue."""
        pipe = self._client.pipeline(transaction=False)
        pipe.get(self._keys.contact(subscription))
        pipe.time()
        for key in (self._keys.erasures(), self._keys.traces()):
            pipe.zrange(key, 0, 0, withscores=True)
        found, (seconds, _), *firsts = await answered(pipe.execute())
        if any(first and first[0][1] <= seconds * 1000 for first in firsts):
            raise NoticesClosed
        sealed: str | None = found
        return sealed

    async def erase(self, day: str, subscription: str, ticket: int, carrier: Carrier, ending: Ending) -> None:
        """Erase this one contact now; nothing happens where it is gone already. Raises StaleDay too."""
        try:
            stamp = Stamp(day, WHO, secrets.token_urlsafe(16))
            await self._lanes.do(stamp, Stop(ticket, carrier, ending, subscription))
        except (NoContact, UnknownTicket):
            return


def _key(text: str) -> PublicKey:
    key_id, _, raw = text.partition(US)
    return PublicKey(key_id, bytes.fromhex(raw))
