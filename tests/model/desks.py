"""Four desks behind one face, so that a story is written once. Office time stands still until a story moves it."""

import secrets
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from fakeredis import FakeAsyncRedis
from redis.asyncio import Redis

from hub.desk.desk import Desk
from hub.desk.facts import Fact, from_fields
from hub.desk.lane import Absence, Counter, Lane, Office, Priority, PushBacks, Reason
from hub.desk.notices import Carrier, NoticeState
from hub.desk.picture import Picture
from hub.desk.requests import Answer, Request, Stamp, Wish
from hub.store import library
from hub.store.connection import connect
from hub.store.contacts import Contacts
from hub.store.keys import Keys
from hub.store.lanes import Lanes, SealedContact
from hub.store.sealing import PublicKey

CERTIFICATES, MOVES, DELIVERY = "certificates", "moves", "delivery"
DAY = "2026-11-24"
NOON = 1_795_489_200_000  # of that day, epoch milliseconds
KEY = PublicKey("0123456789abcdef", bytes(32))  # nothing is sealed here; the store looks at the id alone


def small_office(key: str = "ward", *, last: int = 199) -> Office:
    """Two lanes and one where both deliver. Counter 1 serves the two, 2 the first, 3 the second, 4 both, the first
    three times as often; 5 delivers. Every third may have priority, every second where staff says so.

    Once called a number may be absent at once, for it is midday for ever; it may come back within half an hour.
    """
    return Office(
        key=key,
        name="さくら区役所 戸籍住民課",
        lanes=(
            Lane(CERTIFICATES, "証明", "A", 101, last, delivery=DELIVERY),
            Lane(MOVES, "住民異動", "B", 401, 499, delivery=DELIVERY),
            Lane(DELIVERY, "交付", "C", 701, 799),
        ),
        counters=(
            Counter("1", "1番窓口", (CERTIFICATES, MOVES)),
            Counter("2", "2番窓口", (CERTIFICATES,)),
            Counter("3", "3番窓口", (MOVES,)),
            Counter("4", "4番窓口", (CERTIFICATES, MOVES), (3, 1)),
            Counter("5", "交付窓口", (DELIVERY,)),
        ),
        return_after=2,
        priorities=(
            Priority("care", "優先", 3, frozenset({"kiosk", "desk"})),
            Priority("urgent", "至急", 2, frozenset({"desk"})),
        ),
        pause_reasons=(Reason("system", "システム障害"), Reason("crowded", "混雑")),
        reasons=(Reason("health", "体調がすぐれない"), Reason("paper", "書類の不足が解消した")),
        absence=Absence(missed_minutes=30),
        push_backs=PushBacks(times=2, places=3),
    )


class TimelessDesk(ABC):
    """A desk whose clock stands at noon until `pass_time`: what it tells must be equal over all implementations."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.begin(DAY)

    async def ask(self, request: Request, *, who: str = "desk", id: str | None = None, day: str = DAY) -> Answer:
        return await self._do(Stamp(day, who, id or secrets.token_urlsafe(16)), request)

    def move_to(self, office: Office) -> None:
        """The office file was edited while the day goes on."""
        self.office = office

    @property
    def now(self) -> int:
        """Office time in epoch milliseconds."""
        return int(self._now.timestamp() * 1000)

    def begin(self, day: str) -> None:
        self._now = datetime.fromisoformat(f"{day}T12:00:00+09:00")

    async def pass_time(self, seconds: int) -> None:
        self._now += timedelta(seconds=seconds)

    @abstractmethod
    async def owed(self) -> set[str]:
        """Every notice that was due today."""

    @abstractmethod
    async def open_day(self, day: str = DAY) -> str:
        """Office time stands still at noon of that day."""

    @abstractmethod
    async def _do(self, stamp: Stamp, request: Request) -> Answer: ...

    @abstractmethod
    async def facts(self) -> list[Fact]: ...

    @abstractmethod
    async def picture(self) -> Picture: ...


def noon(day: str) -> int:
    """Epoch milliseconds of noon in Tokyo."""
    return int(datetime.fromisoformat(f"{day}T12:00:00+09:00").timestamp() * 1000)


class RulesDesk(TimelessDesk):
    def __init__(self, office: Office) -> None:
        super().__init__(office)
        self.desk = Desk(office)
        self.told: list[Fact] = []

    async def open_day(self, day: str = DAY) -> str:
        self.begin(day)
        opened = self.desk.open_day(day, self.now)
        self.told = opened[-1:] or self.told  # a new day's stream begins with DayOpened
        return self.desk.picture.day or ""

    async def _do(self, stamp: Stamp, request: Request) -> Answer:
        self.desk.office = self.office
        answer, told = self.desk.do(stamp, request, self.now)
        self.told += told
        return answer

    async def owed(self) -> set[str]:
        return self.desk.owed

    async def facts(self) -> list[Fact]:
        return list(self.told)

    async def picture(self) -> Picture:
        copy = Picture(self.desk.picture.day)
        for fact in await self.facts():
            copy.apply(fact)
        return copy


class StoreDesk(TimelessDesk):
    def __init__(self, office: Office, client: Redis) -> None:
        super().__init__(office)
        self.client = client
        self.lanes = Lanes(client, office)
        self.keys = Keys(office.key)

    async def open_day(self, day: str = DAY) -> str:
        """Let the office's clock stand at noon of that day."""
        self.begin(day)
        await set_clock(self.client, self.keys, self._now.isoformat())
        return await self.lanes.open_day()

    async def pass_time(self, seconds: int) -> None:
        await super().pass_time(seconds)
        await set_clock(self.client, self.keys, self._now.isoformat())

    async def _do(self, stamp: Stamp, request: Request) -> Answer:
        self.lanes.office = self.office
        contact = SealedContact(f"{KEY.id}:sealed", "0" * 64) if isinstance(request, Wish) else None
        return await self.lanes.do(stamp, request, contact)

    async def owed(self) -> set[str]:
        return await self.owed_on((await self.lanes.day_now())[2])

    async def owed_on(self, day: str) -> set[str]:
        """The same of the open day, in one go for those who look after every step."""
        async with self.client.pipeline() as opened:
            pipe: Any = opened
            for carrier in Carrier:
                pipe.zrange(self.keys.due(day, carrier), 0, -1)
            pipe.hgetall(self.keys.notices(day))
            *due, owed = await pipe.execute()
        unsent = {notice for notice, text in owed.items() if not text.startswith(NoticeState.LAPSED)}
        assert {one for ones in due for one in ones} == unsent, "nobody takes any in hand here: what is owed is due"
        return set(owed)

    async def facts(self) -> list[Fact]:
        return [fact for _, fact in await self.facts_of((await self.lanes.day_now())[2])]

    async def facts_of(self, day: str, after: str = "") -> list[tuple[str, Fact]]:
        """Positions and facts of a day, only those behind that position if one is given."""
        client: Any = self.client
        entries = await client.xrange(self.keys.facts(day), f"({after}" if after else "-")
        return [(position, from_fields(fields)) for position, fields in entries]

    async def picture(self) -> Picture:
        return await self.lanes.picture((await self.lanes.day_now())[2])


async def set_clock(client: Redis, keys: Keys, moment: str, speed: float = 0.0) -> None:
    """Let office time be that moment (ISO 8601 with its zone), running at `speed` from now on."""
    office = int(datetime.fromisoformat(moment).timestamp() * 1000)
    seconds, micros = await client.time()
    fields: dict[Any, Any] = {
        "start_real": seconds * 1000 + micros // 1000,
        "start_office": office,
        "speed": repr(speed),
    }
    await client.hset(keys.clock(), mapping=fields)


@asynccontextmanager
async def store_desk(office: Office, url: str | None) -> AsyncIterator[StoreDesk]:
    """A desk on a real server, or on fakeredis where no URL is given."""
    client = connect(url) if url else FakeAsyncRedis(decode_responses=True)
    await library.install(client)
    contacts = Contacts(client, office)
    await contacts.publish(await contacts.today(), KEY)
    yield StoreDesk(office, client)
    await client.aclose()
