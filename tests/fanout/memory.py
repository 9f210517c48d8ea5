"""The rules of the desk with a stream in memory: a store for stories without Redis. It can go away."""

import asyncio
import secrets

from hub.desk.desk import Desk
from hub.desk.facts import DayClosed, DayOpened, Fact
from hub.desk.lane import Office
from hub.desk.refusals import StoreAway
from hub.desk.requests import Answer, Request, Stamp
from hub.fanout.feed import Place

FIRST_DAY, NEXT_DAY = "2026-11-24", "2026-11-25"
NOON = 1_795_489_200_000  # of the first day, epoch milliseconds


class MemoryStore:
    """Teller and source of facts in one. `run` is a run of the store; office time goes one second a fact."""

    def __init__(self, office: Office) -> None:
        self.desk = Desk(office)
        self.run = "run1"
        self.is_up = True
        self.begun = 0
        self.refused = 0  # how often it was asked while it was away
        self.at = NOON
        self.streams: dict[str, list[tuple[int, int, Fact | Exception]]] = {}
        self._news = asyncio.Event()

    # As the desk -----------------------------------------------------------------------------------------------------

    async def do(self, stamp: Stamp, request: Request) -> Answer:
        self._require_up()
        self.at += 1000
        answer, told = self.desk.do(stamp, request, self.at)
        self.append(stamp.day, *told)
        return answer

    async def ask(self, request: Request, who: str = "desk") -> Answer:
        return await self.do(Stamp(self.desk.picture.day or "", who, secrets.token_urlsafe(16)), request)

    async def open_day(self, day: str = FIRST_DAY) -> str:
        self._require_up()
        self.at += 1000
        for fact in self.desk.open_day(day, self.at):
            self.append(fact.day if isinstance(fact, DayOpened | DayClosed) else day, fact)
        return self.desk.picture.day or ""

    def append(self, day: str, *facts: Fact | Exception) -> None:
        """Facts of one request share the millisecond and count on in it. An exception: an unreadable entry."""
        stream = self.streams.setdefault(day, [])
        stream += [(self.at, seq, fact) for seq, fact in enumerate(facts)]
        news, self._news = self._news, asyncio.Event()
        news.set()

    # As the source of facts ------------------------------------------------------------------------------------------

    async def begin(self) -> tuple[str, str]:
        self._require_up()
        self.begun += 1
        day = self.desk.picture.day
        if day is None:
            raise StoreAway
        return f"{day}.{self.run}", day

    async def read(self, day: str, after: Place, wait_ms: int) -> list[tuple[int, int, Fact]]:
        told: list[tuple[int, int, Fact]] = []
        try:
            async with asyncio.timeout(wait_ms / 1000):
                while not self._behind(day, after):
                    await self._news.wait()
        except TimeoutError:
            await asyncio.sleep(0)
        self._require_up()
        for ms, seq, fact in self._behind(day, after):
            if isinstance(fact, Exception):
                raise fact
            told.append((ms, seq, fact))
        return told

    async def now(self) -> int:
        self._require_up()
        return self.at

    # As the world around it ------------------------------------------------------------------------------------------

    def go_away(self) -> None:
        """Connections break at once."""
        self.is_up = False
        news, self._news = self._news, asyncio.Event()
        news.set()

    def come_back(self, run: str | None = None) -> None:
        """The same run after a broken network, another one after a restart of the store."""
        self.is_up, self.run = True, run or self.run

    def _behind(self, day: str, after: Place) -> list[tuple[int, int, Fact | Exception]]:
        self._require_up()
        return [entry for entry in self.streams.get(day, []) if entry[:2] > after]

    def _require_up(self) -> None:
        if not self.is_up:
            self.refused += 1
            raise StoreAway
