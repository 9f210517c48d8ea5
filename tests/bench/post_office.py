"""An office that posts: residents who leave contacts, a clerk who calls them in turn, and what was due by the facts.

Its processes come out of a nursery, and each of its sockets is held until the hub at its other end is killed.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import aiohttp
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as connect_socket
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from config.office_file import PRACTICE_OFFICE
from config.practice.line_stand_in import LineStandIn
from hub.desk.facts import ContactErased, ContactGiven, Fact, TicketCalled, from_fields
from hub.desk.notices import Carrier, NoticeState, Trigger, notice_id
from hub.desk.picture import Picture
from hub.desk.ticket import State
from hub.store.connection import connect
from hub.store.keys import Keys
from hub.wire import messages as wire
from tests.bench.nursery import Fledgling, Nursery
from tests.chaos.office import ANSWER_S, LANE, PAUSE_S, OfficeOfProcesses, replied, request_id

AHEAD = 2  # what each wishes: told when two are before him
COUNTERS = 120  # so that whoever was called stays so until he was told
WAITING = 9  # so many wait whenever somebody is called: three for each carrier
CALLS = 3  # of each ticket: with the confirmation and "near" it makes five notices
READS_WITHIN_S = 60.0  # a whole day's facts, on a machine that has much else to do
AT_ONCE = 6  # who leave their contacts side by side

Due = dict[str, tuple[int, int, Carrier]]  # notice → when (ms), whose, by which carrier


class PostOffice(OfficeOfProcesses):
    """The clerks who press, those who wait for it, and what is known afterwards. `kills`: whom, and when."""

    def __init__(
        self,
        folder: Path,
        smtp_port: int,
        carriers_url: str,
        line: LineStandIn,
        nursery: Nursery,
        *,
        clerks: int,
        press_every_s: float,
    ) -> None:
        super().__init__(folder, smtp_port, carriers_url, office=_office_of_a_day_that_no_ward_has_seen(folder))
        self.kills: list[tuple[str, float]] = []
        self._nursery, self._clerks, self._press_every_s = nursery, clerks, press_every_s
        self._sockets: dict[str, ClientConnection] = {}
        self._doors_of: dict[str, asyncio.Lock] = {}
        counters = [counter.key for counter in self.office.counters if LANE in counter.lanes]
        self._current: dict[str, int | None] = dict.fromkeys(counters)
        self._counters = cycle(counters)
        self._calls: Counter[int] = Counter()
        self.given = 0  # tickets with a contact
        self._waiting = 0
        self._line = line
        line.webhook_url = f"http://127.0.0.1:{self.port}/line/webhook"

    def spawn(self, name: str, words: list[str], environment: Mapping[str, str]) -> Fledgling:
        return self._nursery.start(words, environment, self.folder / f"{name}.log")

    def kill(self, name: str) -> None:
        super().kill(name)
        self.kills.append((name, time.time()))

    async def takes_contacts(self) -> bool:
        await self.arrive()
        return self._waiting > 0

    async def day(self) -> None:
        """Residents arrive and leave their contacts; clerks call one after the other, until it is over."""
        await asyncio.gather(*(self._part_of_a_day() for _ in range(self._clerks)))

    async def _part_of_a_day(self) -> None:
        while not self.is_over:
            await asyncio.gather(self.serve(), self.fill(WAITING), asyncio.sleep(self._press_every_s))

    async def fill(self, waiting: int) -> None:
        """Until so many wait."""
        while self._waiting < waiting and not self.is_over:
            await asyncio.gather(*(self.arrive() for _ in range(min(AT_ONCE, waiting - self._waiting))))

    async def serve(self) -> None:
        """At each counter in turn: who was called CALLS times leaves, who was not is held and called once more."""
        counter = next(self._counters)
        current = self._current[counter]
        if current is None or self._calls[current] >= CALLS:
            await self.press(counter)
            return
        await self.ask("/ws/desk", wire.Hold(request_id(), counter, current))
        await self.ask("/ws/desk", wire.Call(request_id(), counter, current, None))
        self._calls[current] += 1

    async def press(self, counter: str = "") -> None:
        """Call the next at this counter, or at each in turn: so long somebody stays called."""
        counter = counter or next(self._counters)
        answer = await self.press_next(self._current[counter], counter)
        if answer is not None:
            self._current[counter] = answer.arrival
            self._waiting -= 1
            if answer.arrival is not None:
                self._calls[answer.arrival] = 1

    async def ask(self, path: str, request: Any) -> wire.AnswerBody | None:
        """As its elder does, on a socket that is held."""
        async with self._doors_of.setdefault(path, asyncio.Lock()):
            while not self.is_over:
                with contextlib.suppress(OSError, TimeoutError, ConnectionClosed, InvalidHandshake):
                    try:
                        async with asyncio.timeout(ANSWER_S):
                            reply = await replied(await self._socket(path), request)
                    except BaseException:
                        self._hang_up(path)
                        raise
                    if isinstance(reply.answer, wire.AnswerBody):
                        return reply.answer
                    if isinstance(reply.refusal, wire.RefusalBody) and not reply.refusal.again:
                        raise RuntimeError(f"{request} was refused: {reply.refusal}")
                await asyncio.sleep(PAUSE_S)
        return None

    def stop(self) -> None:
        for path in list(self._sockets):
            self._hang_up(path)
        super().stop()

    async def _socket(self, path: str) -> ClientConnection:
        if path not in self._sockets:
            socket, page = (f"{kind}://127.0.0.1:{self.inside_port}" for kind in ("ws", "http"))
            self._sockets[path] = await connect_socket(
                socket + path, additional_headers=self.doors.headers(path, page), proxy=None, compression=None
            )
        return self._sockets[path]

    def _hang_up(self, path: str) -> None:
        if socket := self._sockets.pop(path, None):
            socket.transport.abort()

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
        self.given += is_left

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
        keys, client = Keys(self.office.key), connect(self.store.url, answer_seconds=READS_WITHIN_S)
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

    async def told(self) -> tuple[Due, dict[int, int], dict[str, str]]:
        """What was due, when each ticket was called, and what the telephone's callbacks mean."""
        async with self._reading() as (client, keys, day):
            facts = [from_fields(entry) for _, entry in await client.xrange(keys.facts(day))]
            callbacks: dict[str, str] = await client.hgetall(keys.callbacks(day))
        return *due_by_facts(facts), callbacks


def _office_of_a_day_that_no_ward_has_seen(folder: Path) -> Path:
    """The practice office with numbers enough, and many counters for the one lane."""
    text = PRACTICE_OFFICE.read_text(encoding="utf-8").replace("last = 2999", "last = 99999")
    for number in range(COUNTERS):
        text += f'\n[[counters]]\nkey = "x{number}"\nname = "{number}"\nlanes = ["{LANE}"]\n'
    path = folder / "office.toml"
    path.write_text(text, "utf-8")
    return path


def due_by_facts(facts: Sequence[Fact]) -> tuple[Due, dict[int, int]]:
    """Notice → when it became due (ms), whose it is, by which carrier; ticket → when it was called. From facts alone.

    Each ticket has one contact here, and is moved to no other place: it is near once.
    """
    picture, wishes, near = Picture(), dict[int, ContactGiven](), dict[int, ContactGiven]()
    due, calls = Due(), Counter[int]()
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
                calls[fact.arrival] += 1
                notice = notice_id(wish.subscription, Trigger.NOW, calls[fact.arrival])
                due[notice] = fact.at, fact.arrival, Carrier(wish.carrier)
        for arrival, wish in list(near.items()):
            ticket = picture.tickets[arrival]
            if ticket.state is State.WAITING and picture.ahead(ticket) <= wish.ahead:
                due[notice_id(wish.subscription, Trigger.NEAR)] = fact.at, arrival, Carrier(wish.carrier)
                del near[arrival]
    return due, called
