"""What `next` costs inside the store, with a hundred and with a hundred thousand people waiting.

Two offices in one Valkey (AOF always), pressed in turn, so that both meet the same machine. The store's own slow log
says how long each call took in it: microseconds, the wire and the disk left out.
"""

import asyncio
import secrets
from dataclasses import dataclass
from statistics import median
from typing import Any

from redis.asyncio import Redis

from config.embedded import EmbeddedValkey
from config.processes import Workshop
from hub.desk.lane import Counter, Lane, Office
from hub.desk.order import first_rank
from hub.desk.requests import Issue, Next, Stamp
from hub.store import library
from hub.store.connection import connect
from hub.store.keys import Keys
from hub.store.lanes import Lanes

FEW, MANY = 100, 100_000
WARM = 20  # calls of each before it is measured
PAGE = 5_000


@dataclass(frozen=True)
class Cost:
    """Microseconds in the store, for each call of `next`."""

    few: list[int]
    many: list[int]

    @property
    def ratio(self) -> float:
        return median(self.many) / median(self.few)

    @property
    def p99_ms(self) -> float:
        """Of both together."""
        sorted_us = sorted([*self.few, *self.many])
        return sorted_us[int(len(sorted_us) * 0.99)] / 1000


def next_costs(calls: int) -> Cost:
    with Workshop() as folder, EmbeddedValkey(folder / "valkey") as store:
        return asyncio.run(_measure(store, calls))


async def _measure(store: EmbeddedValkey, calls: int) -> Cost:
    client: Any = connect(store.url, answer_seconds=60)
    await library.install(client)
    offices = [await _office_with(client, waiting) for waiting in (FEW, MANY)]
    await client.config_set("slowlog-log-slower-than", 0)
    await client.config_set("slowlog-max-len", 8)
    costs: list[list[int]] = [[], []]
    current: list[int | None] = [None, None]
    for turn in range(WARM + calls):
        for place, office in enumerate(offices):
            current[place] = await office.next(current[place])
            cost = await _last_call(client)
            if turn >= WARM:
                costs[place].append(cost)
            await office.issue()  # as many wait as before
    await client.aclose()
    return Cost(*costs)


@dataclass(frozen=True)
class _Line:
    lanes: Lanes
    day: str

    async def next(self, current: int | None) -> int:
        answer = await self.lanes.do(self._stamp(), Next("1", current))
        assert answer.arrival is not None
        return answer.arrival

    async def issue(self) -> None:
        await self.lanes.do(self._stamp(), Issue("all", "kiosk"))

    def _stamp(self) -> Stamp:
        return Stamp(self.day, "bench", secrets.token_urlsafe(16))


async def _office_with(client: Redis, waiting: int) -> _Line:
    """An office where so many wait. They are laid down as `issue` leaves them, without asking it a hundred thousand
    times.
    """
    office = Office(
        f"bench-{waiting}", "計測", (Lane("all", "すべて", "", 1, 9_999_999),), (Counter("1", "1", ("all",)),)
    )
    lanes, keys = Lanes(client, office), Keys(office.key)
    day = await lanes.open_day()
    for begin in range(1, waiting + 1, PAGE):
        pipe: Any = client.pipeline(transaction=False)
        for arrival in range(begin, min(begin + PAGE, waiting + 1)):
            told = {"number": arrival, "lane": "all", "state": "waiting", "source": "kiosk", "secret": "", "calls": 0}
            pipe.hset(keys.ticket(day, arrival), mapping={**told, "issued_at": 0, "priority": ""})
            pipe.zadd(keys.waiting(day, "all"), {str(arrival): first_rank(arrival)})
            pipe.hset(keys.numbers(day), str(arrival), arrival)
        pipe.hset(keys.tally(day), mapping={"arrival": begin + PAGE - 1, "issued:all": begin + PAGE - 1})
        await pipe.execute()
    tally: Any = client.hset(keys.tally(day), mapping={"arrival": waiting, "issued:all": waiting})
    await tally
    return _Line(lanes, day)


async def _last_call(client: Any) -> int:
    """Microseconds of the latest `desk_next` in the store."""
    for entry in await client.slowlog_get(8):
        command = entry["command"]
        words = command if isinstance(command, str) else command.decode()
        if words.startswith("FCALL desk_next_"):
            return int(entry["duration"])
    raise AssertionError("the slow log does not show the call")
