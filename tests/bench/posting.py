"""Notices by three carriers while workers, hub, store and keeper are killed in turn: who was told, how often, how soon.

Every process of the office is real; the carriers alone stand outside of the killing, in this process. What was due is
reckoned afterwards from the day's facts alone, what arrived from the carriers' own books: neither trusts the driver.
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

import aiohttp

from config.practice.conduct import Conduct
from config.practice.inbox import Conduct as MailConduct
from config.practice.inbox import Inbox, receiving
from config.practice.line_stand_in import LineStandIn, Spoken
from config.practice.phone_stand_in import PhoneStandIn, Told
from config.processes import Workshop
from hub.desk.facts import ContactErased, ContactGiven, Fact, TicketCalled, from_fields
from hub.desk.notices import Carrier, NoticeState, Trigger, notice_id
from hub.desk.picture import Picture
from hub.desk.ticket import State
from hub.store.connection import connect
from hub.store.keys import Keys
from tests.chaos.office import (
    LINE_SECRET,
    LINE_TOKEN,
    PHONE_ACCOUNT,
    PHONE_TOKEN,
    SENDER,
    OfficeOfProcesses,
)
from tests.eventually import eventually
from tests.workers.stand_ins import serving
from workers.carriers.line import retry_key

AHEAD = 2  # what each wishes: told when two are before him
WAITING = 9  # so many wait whenever somebody is called: three for each carrier
PRESS_EVERY_S = 0.25
KILL_EVERY_S = 2.5
RESTART_AFTER_S = 0.1
READY_WITHIN_S = 120.0
SETTLED_WITHIN_S = 240.0  # longer than the lease of what was being sent when its worker was killed, and its retries
VICTIMS = ("worker", "worker-line", "worker-phone", "hub", "store", "keeper")
MAIL_CONDUCTS = {
    Conduct.REFUSE: MailConduct.REFUSE,
    Conduct.TAKE_SILENTLY: MailConduct.CUT_AFTER_DOT,
    Conduct.TAKE_AND_FAIL: MailConduct.CUT_AFTER_DOT,
    Conduct.BUSY: MailConduct.DEFER,
    Conduct.AWAY: MailConduct.DEFER,
}


@dataclass
class Posted:
    """What one run came to. `waits_s`: from the move that made a near notice due to the carrier's yes, in order."""

    kills: int
    due: int
    of_carrier: dict[str, Carrier] = field(default_factory=dict)  # notice →
    arrived: Counter[str] = field(default_factory=Counter)  # notice → how often
    states: dict[str, NoticeState] = field(default_factory=dict)
    waits_s: list[float] = field(default_factory=list)
    late: int = 0

    @property
    def lost(self) -> list[str]:
        """Due, not arrived, and nobody said that it could not be known, never will be, or was too late."""
        excused = (NoticeState.UNCERTAIN, NoticeState.LAPSED, NoticeState.REFUSED)
        return [one for one, state in self.states.items() if not self.arrived[one] and state not in excused]

    def doubled(self, *triggers: Trigger, carrier: Carrier | None = None) -> int:
        """Copies beyond the first, by mail and telephone or by this carrier."""
        return sum(
            times - 1
            for notice, times in self.arrived.items()
            if times > 1
            and (not triggers or trigger_of(notice) in triggers)
            and (self.of_carrier[notice] is carrier if carrier else self.of_carrier[notice] is not Carrier.LINE)
        )

    def in_state(self, state: NoticeState) -> int:
        return sum(present is state for present in self.states.values())

    def of(self, carrier: Carrier) -> int:
        return sum(one is carrier for one in self.of_carrier.values())

    def wait_s(self, share: float) -> float:
        """The wait that this share did not exceed; infinite where nothing arrived."""
        waits = self.waits_s
        return waits[min(len(waits) - 1, int(share * len(waits)))] if waits else float("inf")


class Book(Inbox):
    """Everything that any carrier took, under the carrier's own name for it, with the moment (epoch seconds)."""

    def __init__(self) -> None:
        super().__init__()
        self.arrivals: list[tuple[str, float]] = []

    def put(self, to: Sequence[str], content: bytes) -> None:
        super().put(to, content)
        self.arrivals.append((self.mails[0].message_id, time.time()))

    def said(self, spoken: Spoken) -> None:
        if spoken.key:
            self.arrivals.append((spoken.key, time.time()))

    def told(self, told: Told) -> None:
        token = told.heard_url.rpartition("/")[2]
        self.arrivals.append((hashlib.sha256(token.encode()).hexdigest(), time.time()))


class Moods:
    """Carriers at their worst: for a while they take nothing at all, for a while they are too busy, and else each try
    ends well, is refused, is taken without an answer or is taken with a 500.
    """

    def __init__(self, seconds: float) -> None:
        self._begun, self._seconds = time.monotonic(), seconds
        self._tries: Counter[str] = Counter()

    def __call__(self, to: str) -> Conduct:
        self._tries[to] += 1
        share = (time.monotonic() - self._begun) / self._seconds
        if 0.3 <= share < 0.5:
            return Conduct.AWAY
        if 0.6 <= share < 0.7:
            return Conduct.BUSY
        chance = hashlib.sha256(f"{to} {self._tries[to]}".encode()).digest()[0] / 256
        bad = (Conduct.REFUSE, Conduct.TAKE_SILENTLY, Conduct.TAKE_AND_FAIL)
        return bad[int(chance * 10)] if chance < 0.3 else Conduct.TAKE


def post(seconds: float, *, kills: bool = True, faults: bool = False) -> Posted:
    """Main thread only: it starts processes. Raises RuntimeError or AssertionError where the office does not work."""
    with Workshop() as folder:
        return asyncio.run(_post(folder, seconds, kills=kills, faults=faults))


async def _post(folder: Path, seconds: float, *, kills: bool, faults: bool) -> Posted:
    book = Book()
    line = LineStandIn(LINE_TOKEN, LINE_SECRET, quota=None, on_said=book.said)
    phone = PhoneStandIn(PHONE_ACCOUNT, PHONE_TOKEN, on_told=book.told)
    moods: Moods | None = None

    def mail_mood(to: str) -> MailConduct:
        return MailConduct.TAKE if moods is None else MAIL_CONDUCTS.get(moods(to), MailConduct.TAKE)

    async with contextlib.AsyncExitStack() as opened:
        smtp_port = await opened.enter_async_context(receiving(book, policy=mail_mood))
        carriers_url = await opened.enter_async_context(serving([*line.routes(), *phone.routes()]))
        office = PostOffice(folder, smtp_port, carriers_url, line)
        opened.callback(office.stop)
        office.start()
        await eventually(office.takes_contacts, within_s=READY_WITHIN_S)
        if faults:
            moods = Moods(seconds)
            line.policy = phone.policy = moods
        done, working = 0, asyncio.create_task(office.day())
        try:
            until = time.monotonic() + seconds
            while time.monotonic() < until and not working.done():
                await asyncio.wait({working}, timeout=KILL_EVERY_S)
                if kills:
                    office.kill(VICTIMS[done % len(VICTIMS)])
                    done += 1
                    await asyncio.sleep(RESTART_AFTER_S)
                    office.start()
        finally:
            office.is_over = True
        await asyncio.wait_for(working, READY_WITHIN_S)
        await eventually(office.is_settled, within_s=SETTLED_WITHIN_S)
        return await office.reckon(done, book)


class PostOffice(OfficeOfProcesses):
    """The one clerk who presses, those who wait for it, and what is known afterwards."""

    def __init__(self, folder: Path, smtp_port: int, carriers_url: str, line: LineStandIn) -> None:
        super().__init__(folder, smtp_port, carriers_url)
        self._waiting = 0
        self._line = line
        line.webhook_url = f"http://127.0.0.1:{self.port}/line/webhook"

    async def takes_contacts(self) -> bool:
        await self.arrive()
        return self._waiting > 0

    async def day(self) -> None:
        """Residents arrive and leave their contacts; the clerk calls one after the other, until it is over."""
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
        match arrival % 3:
            case 0:
                is_left = await self.leave_address(secret, f"r{arrival}@residents.example", AHEAD)
            case 1:
                is_left = await self.leave_telephone(secret, f"090{10_000_000 + arrival}", AHEAD)
            case _:
                is_left = await self._link(secret, f"U{arrival:032x}")
        self._waiting += is_left

    async def _link(self, secret: str, user: str) -> bool:
        code = await self.agree_to_line(secret, AHEAD)
        if code is None:
            return False
        event = self._line.event(user, "message", message={"id": "1", "type": "text", "text": code})
        while not self.is_over:  # LINE tells again until it is heard
            with contextlib.suppress(aiohttp.ClientError, OSError):
                if await self._line.tell(event) == 200:
                    return True
            await asyncio.sleep(0.05)
        return False

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
            return not await client.exists(*(keys.due(day, carrier) for carrier in Carrier))

    async def reckon(self, kills: int, book: Book) -> Posted:
        async with self._reading() as (client, keys, day):
            facts = [from_fields(entry) for _, entry in await client.xrange(keys.facts(day))]
            callbacks: dict[str, str] = await client.hgetall(keys.callbacks(day))
        due, called = due_by_facts(facts)
        names = self._names(due, callbacks)
        states = await self.states()
        posted = Posted(kills, len(due), {notice: carrier for notice, (_, _, carrier) in due.items()})
        moments: dict[str, float] = {}
        for name, moment in book.arrivals:
            notice = names.get(name, f"a stranger's {name}")
            posted.arrived[notice] += 1
            moments.setdefault(notice, moment)  # of what came twice, the first counts
        for notice, (at, ticket, _) in due.items():
            posted.states[notice] = states.get(notice, NoticeState.PENDING)
            if posted.arrived[notice] and notice.endswith(Trigger.NEAR):
                posted.waits_s.append(moments[notice] - at / 1000)
                posted.late += moments[notice] > called.get(ticket, 1 << 62) / 1000
        posted.waits_s.sort()
        if posted.arrived.keys() - due.keys() or states.keys() != due.keys():
            raise RuntimeError(f"never due: {posted.arrived.keys() - due.keys()}, {states.keys() ^ due.keys()}")
        return posted

    def _names(self, due: dict[str, tuple[int, int, Carrier]], callbacks: dict[str, str]) -> dict[str, str]:
        """What a carrier calls a notice → the notice."""
        names = dict(callbacks)
        for notice, (_, _, carrier) in due.items():
            if carrier is Carrier.EMAIL:
                names[message_id_of(notice)] = notice
            elif carrier is Carrier.LINE:
                names[retry_key(self.office.key, notice)] = notice
        return names


def due_by_facts(facts: Sequence[Fact]) -> tuple[dict[str, tuple[int, int, Carrier]], dict[int, int]]:
    """Notice → when it became due (ms), whose it is, by which carrier; ticket → when it was called. From facts alone.

    Each ticket has one contact here, and is called once.
    """
    picture, wishes, near = Picture(), dict[int, ContactGiven](), dict[int, ContactGiven]()
    due: dict[str, tuple[int, int, Carrier]] = {}
    called: dict[int, int] = {}
    for fact in facts:
        picture.apply(fact)
        if isinstance(fact, ContactGiven):
            wishes[fact.arrival] = near[fact.arrival] = fact
            due[notice_id(fact.subscription, Trigger.REGISTERED)] = fact.at, fact.arrival, Carrier(fact.carrier)
        elif isinstance(fact, ContactErased):  # a carrier that refuses somebody for ever has told him nothing more
            wishes.pop(fact.arrival, None)
            near.pop(fact.arrival, None)
        elif isinstance(fact, TicketCalled):
            called.setdefault(fact.arrival, fact.at)
            near.pop(fact.arrival, None)
            if wish := wishes.get(fact.arrival):
                due[notice_id(wish.subscription, Trigger.NOW)] = fact.at, fact.arrival, Carrier(wish.carrier)
        for arrival, wish in list(near.items()):
            ticket = picture.tickets[arrival]
            if ticket.state is State.WAITING and picture.ahead(ticket) <= wish.ahead:
                due[notice_id(wish.subscription, Trigger.NEAR)] = fact.at, arrival, Carrier(wish.carrier)
                del near[arrival]
    return due, called


def trigger_of(notice: str) -> Trigger:
    return Trigger(notice.partition(":")[2].partition(".")[0])


def message_id_of(notice: str) -> str:
    return f"<{hashlib.sha256(notice.encode()).hexdigest()[:32]}@{SENDER.rpartition('@')[2]}>"
