"""What the eraser does inside the store: what is due, gone at its hour, and no trace of it in the server's own files.

Nothing here can open a contact. It works from the two lists of the key book: `erasures`, what must go and when, and
`traces`, what is gone from memory and may still stand in a file.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import redis.exceptions
from redis.asyncio import Redis

from hub.desk.lane import Office
from hub.desk.refusals import StoreAway
from hub.store.calling import Functions, answered, told_in
from hub.store.keys import EXPIRES_AFTER_MS, NET_MS, Keys

ERASED_AFTER_MS = 600_000  # from midnight: last moves, and clocks a little apart
VERIFIED_AFTER_MS = 50 * 60_000  # from the hour of erasure: 01:00
NET_SET_MS = 2 * 3_600_000  # before the hour of erasure: nobody waits any more, and an eraser may be gone by midnight
AT_ONCE = 500  # contacts a call: a millisecond of the store
TOLD_SECONDS = 60  # an eraser that has told nothing for so long is not there
PAUSE_S = 0.02
REWRITE_WITHIN_S = 600.0  # of a store of gigabytes on a slow disk


class RewriteFailed(Exception):
    """The server could not write its file anew. Trying again helps once there is space."""

    def __init__(self) -> None:
        super().__init__("ストアのファイルを書き直せません。空き容量を確かめてください。")


@dataclass(frozen=True, slots=True)
class Told:
    """What an eraser says of itself. `is_told` False: none has said anything for a minute. `late_s`: of the oldest.
    `where`: which place it cannot look through.
    """

    is_told: bool = True
    overdue: int = 0
    late_s: float = 0.0
    why: str = ""
    verified_ms: int = 0
    where: str = ""


@dataclass(frozen=True, slots=True)
class Server:
    """Its process. `keeps_snapshots`: beside what it appends."""

    run_id: str
    keeps_snapshots: bool
    appends: bool
    evicts: bool = False
    replicas: int = 0

    @property
    def is_fit(self) -> bool:
        """It neither throws contacts away nor keeps them elsewhere."""
        return not self.evicts and not self.replicas


class Erasing:
    """One office's. Everything may raise StoreAway or StoreDamaged."""

    def __init__(self, client: Redis, office: Office) -> None:
        self._client: Any = client
        self._functions = Functions(client.execute_command, again=client.execute_command)
        self._keys = Keys(office.key)

    async def now_ms(self) -> int:
        """Real time by the store's clock."""
        seconds, micros = await answered(self._client.time())
        return int(seconds) * 1000 + int(micros) // 1000

    async def due(self, until_ms: int, limit: int = AT_ONCE) -> list[str]:
        """Subscriptions whose hour of erasure is past at that moment, the longest overdue first."""
        return await self._first(self._keys.erasures(), until_ms, limit)

    async def erase(self, subscriptions: Sequence[str], until_ms: int) -> int:
        """Erase those whose hour is past at that moment; gives how many there were."""
        keys = [self._keys.erasures(), self._keys.traces(), self._keys.owners()]
        keys += map(self._keys.contact, subscriptions)
        words = [str(until_ms), str(VERIFIED_AFTER_MS), *subscriptions]
        return int(told_in(await self._functions.call("contact_erase_v1", keys, words))["count"])

    async def set_net(self, until_ms: int) -> None:
        """Those whose hour comes by then expire an hour after it, whether anybody erases them or not."""
        listed = self._keys.erasures()
        found = await answered(self._client.zrange(listed, "-inf", until_ms, byscore=True, withscores=True))
        pipe = self._client.pipeline(transaction=False)
        for subscription, hour in found:
            pipe.pexpireat(self._keys.contact(subscription), int(hour) + NET_MS, lt=True)
        if found:
            await answered(pipe.execute())

    async def kept(self, subscriptions: Sequence[str]) -> set[str]:
        """Those of them that have a contact."""
        pipe = self._client.pipeline(transaction=False)
        for subscription in subscriptions:
            pipe.exists(self._keys.contact(subscription))
        found = await answered(pipe.execute()) if subscriptions else []
        return {one for one, there in zip(subscriptions, found, strict=True) if there}

    async def plant(self, subscription: str, sealed: str, erase_ms: int) -> None:
        """A contact of nobody, to be looked for afterwards. Listed first, so that it is never kept unlisted."""
        pipe = self._client.pipeline(transaction=True)
        pipe.zadd(self._keys.erasures(), {subscription: erase_ms})
        pipe.set(self._keys.contact(subscription), sealed, pxat=erase_ms + EXPIRES_AFTER_MS)
        await answered(pipe.execute())

    async def unlisted(self) -> list[str]:
        """Subscriptions with a contact that the list of what must go does not name: a restored backup may bring it."""
        found, prefix, cursor = [], self._keys.contact(""), 0
        while True:
            cursor, names = await answered(self._client.scan(cursor, match=f"{_literal(prefix)}*", count=1000))
            mine = [name.removeprefix(prefix) for name in names]
            hours = await answered(self._client.zmscore(self._keys.erasures(), mine)) if mine else []
            found += [one for one, hour in zip(mine, hours, strict=True) if hour is None]
            if not cursor:
                return found

    async def list_overdue(self, subscriptions: Collection[str], erase_ms: int) -> None:
        """From now on these are in the list of what must go."""
        await answered(self._client.zadd(self._keys.erasures(), dict.fromkeys(subscriptions, erase_ms)))

    async def traces(self, until_ms: int) -> list[str]:
        """Subscriptions of which the files must have no trace at that moment."""
        return await self._first(self._keys.traces(), until_ms, -1)

    async def trace(self, subscriptions: Sequence[str], until_ms: int) -> None:
        """By then the files must have no trace of them; whoever is in that list already stays as he is."""
        await answered(self._client.zadd(self._keys.traces(), dict.fromkeys(subscriptions, until_ms), nx=True))

    async def hurry(self) -> None:
        """The files are to be written anew at the next turn, not within the hour: somebody waits for it."""
        waiting = await self.traces(1 << 52)
        if waiting:
            soon = await self.now_ms() + VERIFIED_AFTER_MS
            await answered(self._client.zadd(self._keys.traces(), dict.fromkeys(waiting, soon), lt=True))

    async def forget(self, subscriptions: Sequence[str]) -> None:
        """No file has a trace of them."""
        for start in range(0, len(subscriptions), AT_ONCE):
            await answered(self._client.zrem(self._keys.traces(), *subscriptions[start : start + AT_ONCE]))

    async def late(self, now_ms: int) -> tuple[int, int]:
        """How many contacts and traces should be gone by then, and since how many ms the oldest."""
        count, oldest = 0, now_ms
        for key in (self._keys.erasures(), self._keys.traces()):
            count += await answered(self._client.zcount(key, "-inf", now_ms))
            first = await answered(self._client.zrange(key, 0, 0, withscores=True))
            oldest = min([oldest, *(int(score) for _, score in first)])
        return count, now_ms - oldest

    async def server(self) -> Server:
        info = await answered(self._client.info())
        saves = await answered(self._client.config_get("save"))
        return Server(
            str(info["run_id"]),
            bool(saves.get("save")),
            str(info.get("aof_enabled", "1")) == "1",
            str(info.get("maxmemory_policy", "noeviction")) != "noeviction",
            int(info.get("connected_slaves", 0)),
        )

    async def rewrite(self) -> None:
        """The server's files written anew, without what is gone; returns when it is done. Raises RewriteFailed."""
        server = await self.server()
        if server.appends:
            await self._begin("BGREWRITEAOF", "aof_rewrite_in_progress")
            await self._until_done("aof_rewrite_in_progress", "aof_rewrite_scheduled", "aof_last_bgrewrite_status")
        if server.keeps_snapshots:
            await self._begin("BGSAVE", "rdb_bgsave_in_progress")
            await self._until_done("rdb_bgsave_in_progress", "rdb_bgsave_in_progress", "rdb_last_bgsave_status")

    async def restart(self) -> None:
        """End the server in order; whoever looks after it starts it again."""
        try:
            await self._client.execute_command("SHUTDOWN", "NOSAVE")
        except (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError, OSError):
            return  # that is how it answers
        except redis.exceptions.ResponseError as error:
            raise RewriteFailed from error

    async def tell(self, told: Told) -> None:
        pipe = self._client.pipeline(transaction=True)
        fields: dict[str, int | float | str] = {"overdue": told.overdue, "late_s": told.late_s, "why": told.why}
        fields |= {"verified": told.verified_ms, "where": told.where}
        pipe.hset(self._keys.erasing(), mapping=fields)
        pipe.expire(self._keys.erasing(), TOLD_SECONDS)
        await answered(pipe.execute())

    async def told(self) -> Told:
        fields = await answered(self._client.hgetall(self._keys.erasing()))
        if not fields:
            return Told(is_told=False)
        overdue, late_s, verified_ms = int(fields["overdue"]), float(fields["late_s"]), int(fields["verified"])
        return Told(True, overdue, late_s, fields["why"], verified_ms, fields.get("where", ""))

    async def told_while_owed(self) -> Told:
        """The same where no contact is taken: an eraser that says nothing is missed for what is there still."""
        told = await self.told()
        if told.is_told or await answered(self._client.exists(self._keys.erasures(), self._keys.traces())):
            return told
        return Told()

    async def _first(self, key: str, until_ms: int, limit: int) -> list[str]:
        found: list[str] = await answered(self._client.zrange(key, "-inf", until_ms, byscore=True, offset=0, num=limit))
        return found

    async def _begin(self, command: str, busy: str) -> None:
        """One that is under way began before what we wiped out was gone: it is waited for, and another begun."""
        await self._until(lambda info: not int(info[busy]))
        try:
            await self._client.execute_command(command)
        except redis.exceptions.ConnectionError as error:
            raise StoreAway from error
        except redis.exceptions.ResponseError as error:
            raise RewriteFailed from error

    async def _until_done(self, busy: str, scheduled: str, status: str) -> None:
        info = await self._until(lambda info: not int(info[busy]) and not int(info[scheduled]))
        if info[status] != "ok":
            raise RewriteFailed

    async def _until(self, is_so: Any) -> dict[str, Any]:
        async with asyncio.timeout(REWRITE_WITHIN_S):
            while True:
                info: dict[str, Any] = await answered(self._client.info("persistence"))
                if is_so(info):
                    return info
                await asyncio.sleep(PAUSE_S)


def _literal(text: str) -> str:
    """As a pattern that means itself."""
    return "".join(f"\\{letter}" if letter in "\\*?[]^-{}" else letter for letter in text)
