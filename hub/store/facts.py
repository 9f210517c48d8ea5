"""The stream of a day's facts, read from the first to the newest and then as they come.

One reader a hub, on one connection of its own that is never renewed behind its back. It says which run of the store it
reads (`epoch`): after a restart or a change of server positions are not to be trusted, and every picture begins anew.
"""

from typing import Any

import redis.exceptions
from redis.asyncio import Redis

from hub.desk.facts import Fact, from_fields
from hub.desk.refusals import StoreAway
from hub.store.calling import damage
from hub.store.connection import ANSWER_SECONDS, connect
from hub.store.keys import Keys
from hub.store.lanes import Lanes

PAGE = 1000  # facts a read: some 200 kB, a few milliseconds of the store's time
LONGEST_WAIT_MS = 2000
RUN_ID_DIGITS = 12  # of 40 hexadecimal digits: enough that two runs of one day never agree by chance


class FactStream:
    """The facts of one office. `begin` first; after any StoreAway `begin` again, and compare the epoch."""

    def __init__(self, url: str, lanes: Lanes) -> None:
        self._lanes = lanes
        self._keys = Keys(lanes.office.key)
        self._url = url
        self._client: Redis | None = None

    async def begin(self) -> tuple[str, str]:
        """Connect; give (epoch, open day), opening today if it is due. Raises StoreAway."""
        await self.close()
        day = await self._lanes.open_day()
        client = connect(self._url, answer_seconds=ANSWER_SECONDS + LONGEST_WAIT_MS / 1000, one_connection=True)
        self._client = client
        try:
            server: dict[str, Any] = await client.info("server")
        except (redis.exceptions.RedisError, OSError) as error:
            await self.close()
            raise StoreAway from error
        return f"{day}.{str(server['run_id'])[:RUN_ID_DIGITS]}", day

    async def read(self, day: str, after: tuple[int, int], wait_ms: int) -> list[tuple[int, int, Fact]]:
        """Facts behind the place `after` as (ms, seq, fact), at most PAGE; waits up to `wait_ms` for the first.

        Raises StoreAway when the connection broke, StoreDamaged for a key that is no stream, UnreadableFact for an
        entry that is no fact of ours.
        """
        if self._client is None:
            raise StoreAway
        key = self._keys.facts(day)
        try:
            reply: Any = await self._client.xread(
                {key: f"{after[0]}-{after[1]}"}, count=PAGE, block=max(1, min(wait_ms, LONGEST_WAIT_MS))
            )
        except redis.exceptions.ResponseError as error:
            await self.close()
            raise damage(error) from error
        except (redis.exceptions.RedisError, OSError) as error:
            await self.close()
            raise StoreAway from error
        told = []
        for _, entries in reply.items() if isinstance(reply, dict) else reply or ():
            for place, fields in entries:
                ms, _, seq = place.partition("-")
                told.append((int(ms), int(seq), from_fields(fields)))
        return told

    async def now(self) -> int:
        """Office time in epoch milliseconds. Raises StoreAway."""
        return (await self._lanes.day_now())[0]

    async def close(self) -> None:
        if self._client is not None:
            client, self._client = self._client, None
            await client.aclose()
