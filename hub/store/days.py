"""The days whose facts are still in the store, as their archiver reads them; and what he tells the hubs of himself.

Nothing here decides that facts may go: `delete` is asked for by who has seen that they are kept elsewhere.
"""

from dataclasses import dataclass
from typing import Any

import redis.exceptions
from redis.asyncio import Redis

from hub.desk.facts import Fact, UnreadableFact, from_fields
from hub.desk.lane import Office
from hub.store.calling import answered, damage
from hub.store.keys import Keys

PAGE = 1000
TOLD_SECONDS = 60  # an archiver that has told nothing for so long is not there


@dataclass(frozen=True, slots=True)
class DayList:
    """`opened`: day → real second, for every day in the store. `open_day`: '' before there is one. `now`: real ms."""

    opened: dict[str, int]
    open_day: str
    now: int


@dataclass(frozen=True, slots=True)
class Look:
    """One moment of a day's stream. `added`: entries it ever had; `present`: those it has, up to `last`.

    `has_after`: the entry that was asked about is there. `facts`: what follows it, at most a page, and nothing behind
    an entry that is no fact of ours; `following`: the position of the first that follows, fact or not; '' for none.
    """

    added: int
    present: int
    last: str
    has_after: bool
    facts: list[tuple[str, Fact]]
    following: str = ""

    @property
    def is_unreadable(self) -> bool:
        """What follows begins with no fact of ours."""
        return bool(self.following) and not self.facts


@dataclass(frozen=True, slots=True)
class Lag:
    """How far the archive is behind. `is_told` False: no archiver has said anything for a minute."""

    is_told: bool = True
    behind: int = 0
    seconds: float = 0.0
    why: str = ""


class Days:
    """One office's days. Everything may raise StoreAway or StoreDamaged."""

    def __init__(self, client: Redis, office: Office) -> None:
        self._client: Any = client
        self._keys = Keys(office.key)

    async def list(self) -> DayList:
        pipe = self._client.pipeline(transaction=True)
        pipe.zrange(self._keys.days(), 0, -1, withscores=True)
        pipe.hget(self._keys.day(), "day")
        pipe.time()
        days, open_day, (seconds, micros) = await answered(pipe.execute())
        return DayList(
            {day: int(opened) for day, opened in days}, open_day or "", int(seconds) * 1000 + int(micros) // 1000
        )

    async def look(self, day: str, after: str, *, page: int = PAGE) -> Look | None:
        """What follows the position `after` ('': the beginning); None where the day has no stream."""
        key = self._keys.facts(day)
        pipe = self._client.pipeline(transaction=True)
        pipe.xinfo_stream(key)
        pipe.xrange(key, after or "0-1", after or "0-1")
        pipe.xrange(key, f"({after}" if after else "-", "+", count=page)
        info, at_place, entries = await answered(pipe.execute(raise_on_error=False))
        for reply in (info, at_place, entries):
            if isinstance(reply, redis.exceptions.ResponseError):
                if "no such key" in str(reply):
                    return None
                raise damage(reply) from reply
        facts: list[tuple[str, Fact]] = []
        for position, fields in entries:
            try:
                facts.append((position, from_fields(fields)))
            except UnreadableFact:
                break
        added, present = int(info["entries-added"]), int(info["length"])
        following = entries[0][0] if entries else ""
        return Look(added, present, info["last-generated-id"], bool(at_place), facts, following)

    async def count(self, day: str, after: str, until: str) -> int:
        """How many entries stand behind `after` and not behind `until`. Reads them all: for the rare case."""
        count, key = 0, self._keys.facts(day)
        while True:
            entries = await answered(self._client.xrange(key, f"({after}" if after else "-", until, count=PAGE))
            count += len(entries)
            if len(entries) < PAGE:
                return count
            after = entries[-1][0]

    async def delete(self, day: str) -> None:
        """The facts of a day, and the day from the list. The same again changes nothing."""
        pipe = self._client.pipeline(transaction=True)
        pipe.unlink(self._keys.facts(day))
        pipe.zrem(self._keys.days(), day)
        await answered(pipe.execute())

    async def tell(self, behind: int, lag_ms: int, why: str) -> None:
        """For the hubs' `/metrics` and `/ready`."""
        pipe = self._client.pipeline(transaction=True)
        pipe.hset(self._keys.archive(), mapping={"behind": behind, "lag_ms": lag_ms, "why": why})
        pipe.expire(self._keys.archive(), TOLD_SECONDS)
        await answered(pipe.execute())

    async def lag(self) -> Lag:
        told = await answered(self._client.hgetall(self._keys.archive()))
        if not told:
            return Lag(is_told=False)
        return Lag(True, int(told["behind"]), int(told["lag_ms"]) / 1000, told["why"])
