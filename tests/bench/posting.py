"""Notices while worker, hub and store are killed in turn with SIGKILL: who was told, how often, and how soon.

Every process is real; the mail provider alone stands outside of the killing, in this process. What was due is reckoned
afterwards from the day's facts alone, what arrived from the provider's own book: neither trusts the driver.
"""

import asyncio
import contextlib
import hashlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config.practice.inbox import Inbox, receiving
from config.processes import Workshop
from hub.desk.facts import ContactGiven, Fact, TicketCalled, from_fields
from hub.desk.notices import Carrier, NoticeState, Trigger, notice_id
from hub.desk.picture import Picture
from hub.desk.ticket import State
from hub.store.connection import connect
from hub.store.keys import Keys
from tests.chaos.office import SENDER, OfficeOfProcesses
from tests.eventually import eventually

AHEAD = 2  # what each wishes: told when two are before him
WAITING = 6  # so many wait whenever somebody is called
PRESS_EVERY_S = 0.25
KILL_EVERY_S = 2.5
RESTART_AFTER_S = 0.1
READY_WITHIN_S = 60.0
SETTLED_WITHIN_S = 120.0  # longer than the lease of what was being sent when its worker was killed


@dataclass
class Posted:
    """What one run came to. `waits_s`: from the move that made a near notice due to the provider's yes, in order."""

    kills: int
    due: int
    arrived: Counter[str] = field(default_factory=Counter)  # notice → how often
    states: dict[str, NoticeState] = field(default_factory=dict)
    waits_s: list[float] = field(default_factory=list)
    late: int = 0

    @property
    def lost(self) -> int:
        """Due, not arrived, and nobody said that it could not be known or was too late."""
        excused = (NoticeState.UNCERTAIN, NoticeState.LAPSED)
        return sum(not self.arrived[notice] and state not in excused for notice, state in self.states.items())

    @property
    def doubled(self) -> int:
        return sum(times - 1 for times in self.arrived.values() if times > 1)

    def in_state(self, state: NoticeState) -> int:
        return sum(present is state for present in self.states.values())

    def wait_s(self, share: float) -> float:
        """The wait that this share did not exceed; infinite where nothing arrived."""
        return (
            self.waits_s[min(len(self.waits_s) - 1, int(share * len(self.waits_s)))] if self.waits_s else float("inf")
        )


class Book(Inbox):
    """Every mail of the run by its Message-ID, with the moment of the provider's yes (epoch seconds)."""

    def __init__(self) -> None:
        super().__init__()
        self.arrivals: list[tuple[str, float]] = []

    def put(self, to: Sequence[str], content: bytes) -> None:
        super().put(to, content)
        self.arrivals.append((self.mails[0].message_id, time.time()))


def post(seconds: float) -> Posted:
    """Main thread only: it starts processes. Raises RuntimeError or AssertionError where the office does not work."""
    with Workshop() as folder:
        return asyncio.run(_post(folder, seconds))


async def _post(folder: Path, seconds: float) -> Posted:
    book = Book()
    async with contextlib.AsyncExitStack() as opened:
        smtp_port = await opened.enter_async_context(receiving(book))
        office = PostOffice(folder, smtp_port)
        opened.callback(office.stop)
        office.start()
        await eventually(office.takes_contacts, within_s=READY_WITHIN_S)
        kills, working = 0, asyncio.create_task(office.day())
        try:
            until = time.monotonic() + seconds
            while time.monotonic() < until and not working.done():
                await asyncio.wait({working}, timeout=KILL_EVERY_S)
                office.kill(("worker", "hub", "store")[kills % 3])
                kills += 1
                await asyncio.sleep(RESTART_AFTER_S)
                office.start()
        finally:
            office.is_over = True
        await asyncio.wait_for(working, READY_WITHIN_S)
        await eventually(office.is_settled, within_s=SETTLED_WITHIN_S)
        return await office.reckon(kills, book)


class PostOffice(OfficeOfProcesses):
    """The one clerk who presses, those who wait for it, and what is known afterwards."""

    def __init__(self, folder: Path, smtp_port: int) -> None:
        super().__init__(folder, smtp_port)
        self._waiting = 0

    async def takes_contacts(self) -> bool:
        await self.arrive()
        return self._waiting > 0

    async def day(self) -> None:
        """Residents arrive and leave their addresses; the clerk calls one after the other, until it is over."""
        current: int | None = None
        while not self.is_over:
            while self._waiting < WAITING and not self.is_over:
                await self.arrive()
            answer = await self.press_next(current)
            if answer is not None:
                current = answer.arrival
                self._waiting -= 1
            await asyncio.sleep(PRESS_EVERY_S)

    async def arrive(self) -> None:
        taken = await self.take_number()
        if taken is None:
            return
        arrival, secret = taken
        if await self.leave_address(secret, f"r{arrival}@residents.example", AHEAD):
            self._waiting += 1

    @contextlib.asynccontextmanager
    async def _reading(self) -> AsyncIterator[tuple[Any, Keys, str]]:
        keys, client = Keys(self.office.key), connect(self.store.url)
        reading: Any = client
        try:
            yield reading, keys, str(await reading.hget(keys.day(), "day"))
        finally:
            await client.aclose()

    async def states(self) -> dict[str, NoticeState]:
        async with self._reading() as (client, keys, day):
            told: dict[str, str] = await client.hgetall(keys.notices(day))
            return {notice: NoticeState(text.partition("\x1f")[0]) for notice, text in told.items()}

    async def is_settled(self) -> bool:
        """Nothing is due or in anybody's hands."""
        async with self._reading() as (client, keys, day):
            return not await client.exists(keys.due(day, Carrier.EMAIL))

    async def reckon(self, kills: int, book: Book) -> Posted:
        async with self._reading() as (client, keys, day):
            facts = [from_fields(entry) for _, entry in await client.xrange(keys.facts(day))]
        due, called = due_by_facts(facts)
        arrived = Counter(message_id for message_id, _ in book.arrivals)
        moments = dict(reversed(book.arrivals))  # of a mail that came twice, the first counts
        states = await self.states()
        posted = Posted(kills, len(due))
        for notice, (at, ticket) in due.items():
            message_id = message_id_of(notice)
            posted.arrived[notice] = arrived.pop(message_id, 0)
            posted.states[notice] = states.get(notice, NoticeState.PENDING)
            if posted.arrived[notice] and notice.endswith(Trigger.NEAR):
                posted.waits_s.append(moments[message_id] - at / 1000)
                posted.late += moments[message_id] > called.get(ticket, 1 << 62) / 1000
        posted.waits_s.sort()
        if arrived or states.keys() != due.keys():
            raise RuntimeError(f"notices that were never due: {len(arrived)} mails, {states.keys() ^ due.keys()}")
        return posted


def due_by_facts(facts: Sequence[Fact]) -> tuple[dict[str, tuple[int, int]], dict[int, int]]:
    """Notice → when it became due (ms) and whose it is; ticket → when it was called. From the facts alone."""
    picture, wishes = Picture(), dict[int, ContactGiven]()
    due: dict[str, tuple[int, int]] = {}
    called: dict[int, int] = {}
    for fact in facts:
        picture.apply(fact)
        if isinstance(fact, ContactGiven):
            wishes[fact.arrival] = fact
            due[notice_id(fact.subscription, Trigger.REGISTERED)] = fact.at, fact.arrival
        elif isinstance(fact, TicketCalled):
            called.setdefault(fact.arrival, fact.at)
            wishes.pop(fact.arrival, None)
        for arrival, wish in list(wishes.items()):
            ticket = picture.tickets[arrival]
            if ticket.state is State.WAITING and picture.ahead(ticket) <= wish.ahead:
                due[notice_id(wish.subscription, Trigger.NEAR)] = fact.at, arrival
                del wishes[arrival]
    return due, called


def message_id_of(notice: str) -> str:
    return f"<{hashlib.sha256(notice.encode()).hexdigest()[:32]}@{SENDER.rpartition('@')[2]}>"
