"""Twenty counters press everything at random for a peak day, while answers are lost and the hub is killed.

One Valkey, one hub process on a practice clock, a ticket machine and twenty clerks who each do what comes to mind,
mostly something that fits. A wire swallows every fifth reply of the store, a clerk every fifth of the hub; every
fifteen seconds the hub is killed with SIGKILL. `judging.py` reads afterwards what the facts tell of it.
"""

import asyncio
import random
import secrets
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from config.embedded import EmbeddedValkey
from config.office_file import read_office
from config.processes import Child, Workshop, start
from hub.desk.facts import Fact, from_fields
from hub.desk.lane import Office
from hub.ledger.connection import sqlite_url
from hub.store.connection import connect
from hub.store.keys import Keys
from hub.store.lanes import Lanes
from hub.wire import messages as m
from hub.wire.codec import encode, read_frame
from tests.bench.pressing import COUNTERS, LOST_EVERY, Address
from tests.chaos.proxy import LossyWire
from tests.doors import Doors
from tests.eventually import eventually
from tests.ports import free_ports

KEY = "everything"
TICKETS = 1_480
DAY_S = 8.5 * 3600 / 240  # in which a peak day's numbers are given: 240 times as fast as in life
CLOCK = 60.0  # of the office; slower, so that a machine which has much to do does not come to midnight
KILL_EVERY_S = 15.0
LIVES_S = 5.0  # at least, once it is up
UP_WITHIN_S = 60.0

OFFICE = """
key = "everything"
name = "計測"
absent_after_calls = 1
absent_after_seconds = 20
missed_minutes = 30
push_back_times = 2
web_open = "00:00"
web_close = "24:00"
reasons = [{ key = "unwell", name = "体調" }, { key = "mistake", name = "行き違い" }]
pause_reasons = [{ key = "crowded", name = "混雑" }]
priorities = [{ key = "care", name = "優先", every = 3, given_by = ["desk", "kiosk"] }]
lanes = [
  { key = "certificates", name = "証明", prefix = "A", first = 1001, last = 9999, delivery = "delivery" },
  { key = "moves", name = "異動", prefix = "B", first = 1001, last = 9999, step = 2, delivery = "delivery" },
  { key = "seal", name = "印鑑", prefix = "C", first = 1001, last = 9999 },
  { key = "delivery", name = "交付", prefix = "D", first = 1001, last = 9999, gives_numbers = false },
]
""" + "".join(
    f'[[counters]]\nkey = "{number}"\nname = "{number}番窓口"\n{lanes}\n'
    for number, lanes in (
        (
            number,
            (
                'lanes = ["certificates", "seal"]\nweights = { certificates = 3 }',
                'lanes = ["moves", "certificates"]',
                'lanes = ["moves", "seal", "delivery"]\nweights = { moves = 4, delivery = 2 }',
                'lanes = ["delivery", "certificates"]',
            )[number % 4],
        )
        for number in range(1, COUNTERS + 1)
    )
)


@dataclass
class Told:
    """`answers`: what each request id was told in the end, where that was no refusal. `differing`: told two things."""

    office: Office
    facts: list[Fact] = field(default_factory=list)
    answers: dict[str, tuple[m.DeskRequest, m.AnswerBody]] = field(default_factory=dict)
    differing: int = 0
    refused: int = 0
    lost_replies: int = 0
    kills: int = 0


def press_everything(tickets: int = TICKETS, seed: int = 1480) -> Told:
    with Workshop() as folder:
        (folder / "office.toml").write_text(OFFICE, encoding="utf-8")
        with EmbeddedValkey(folder / "valkey") as store:
            return asyncio.run(_day(folder, store, tickets, random.Random(seed)))


async def _day(folder: Path, store: EmbeddedValkey, tickets: int, chance: random.Random) -> Told:
    told = Told(read_office(folder / "office.toml"))
    client = connect(store.url, answer_seconds=60)
    wire = LossyWire(store.socket_path, LOST_EVERY)
    async with wire.open(folder / "wire") as url:
        hub = _Hub(folder, url)
        try:
            await hub.comes_up()
            day = await Lanes(client, told.office).start_practice_day(8 * 3600 + 30 * 60, CLOCK)
            office = _Floor(told, hub, chance)
            killing = asyncio.create_task(hub.be_killed(told))
            await office.day(tickets)
            killing.cancel()
            await asyncio.wait({killing})
        finally:
            hub.stop()
    told.lost_replies += wire.lost
    for _, entry in await client.xrange(Keys(KEY).facts(day)) or []:
        told.facts.append(from_fields(entry))  # type: ignore[arg-type]  # texts, as the client decodes them
    await client.aclose()
    return told


class _Hub:
    """One hub process that is killed and comes back at the same address."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder, self._url = folder, url
        self._public, self._inside = free_ports(2)
        self._ledger = sqlite_url(folder / "ledger.sqlite")
        origin = f"http://127.0.0.1:{self._inside}"
        with closing(Doors(KEY, self._ledger)) as doors:
            kiosk, desk = (doors.headers(path, origin) for path in ("/ws/kiosk", "/ws/desk"))
        self.kiosk = Address(f"ws://127.0.0.1:{self._inside}/ws/kiosk", kiosk)
        self.desk = Address(f"ws://127.0.0.1:{self._inside}/ws/desk", desk)
        self._child = self._start()

    async def comes_up(self) -> None:
        await eventually(self._is_up, within_s=UP_WITHIN_S)

    async def be_killed(self, told: Told) -> None:
        while True:
            await asyncio.sleep(KILL_EVERY_S - LIVES_S)
            await self.comes_up()
            await asyncio.sleep(LIVES_S)
            self._child.kill()
            told.kills += 1
            self._child = self._start()

    def stop(self) -> None:
        self._child.stop()

    def _start(self) -> Child:
        environment = {
            "JUNBAN_REDIS_URL": self._url,
            "JUNBAN_LEDGER_URL": self._ledger,
            "JUNBAN_OFFICE": str(self._folder / "office.toml"),
            "JUNBAN_PORT": str(self._public),
            "JUNBAN_INSIDE_PORT": str(self._inside),
        }
        with (self._folder / "hub.log").open("ab") as log:
            command = [sys.executable, "-m", "config.cli", "hub", "--practice"]
            return start(command, name="the hub", environment=environment, stdout=log, stderr=log)

    async def _is_up(self) -> bool:
        try:
            async with self.desk.dial() as socket:
                return b'"snapshot"' in await socket.recv(decode=False)
        except (OSError, InvalidHandshake, ConnectionClosed):
            return False


class _Line:
    """One asker's socket: it asks until there is an answer, however often the hub dies or the answer is thrown away."""

    def __init__(self, address: Address, told: Told) -> None:
        self._address, self._told = address, told
        self._socket: ClientConnection | None = None
        self._asked = 0

    async def ask(self, request: m.DeskRequest) -> m.AnswerBody | m.RefusalBody:
        """A refusal that asks to try again is followed; any other is given back."""
        self._asked += 1
        first = await self._insist(request)
        if self._asked % LOST_EVERY == 0:
            self._told.lost_replies += 1
            await self.leave()
            again = await self._insist(request)
            # A refusal is not kept: what was refused first may be possible a moment later.
            if isinstance(first, m.AnswerBody):
                self._told.differing += again != first
            else:
                first = again
        if isinstance(first, m.AnswerBody):
            self._told.answers[request.id] = (request, first)
        else:
            self._told.refused += 1
        return first

    async def leave(self) -> None:
        if self._socket is not None:
            await self._socket.close()
            self._socket = None

    async def _insist(self, request: m.DeskRequest) -> m.AnswerBody | m.RefusalBody:
        while True:
            try:
                if self._socket is None:
                    self._socket = await self._address.dial()
                await self._socket.send(encode(request), text=True)
                async with asyncio.timeout(10):
                    reply = await self._reply(self._socket, request.id)
            except (OSError, InvalidHandshake, ConnectionClosed):
                self._socket = None
                await asyncio.sleep(0.2)
                continue
            if isinstance(reply.answer, m.AnswerBody):
                return reply.answer
            if isinstance(reply.refusal, m.RefusalBody) and not reply.refusal.again:
                return reply.refusal
            await asyncio.sleep(0.1)

    async def _reply(self, socket: ClientConnection, request_id: str) -> m.Reply:
        while True:
            frame = read_frame(await socket.recv(decode=False))
            if isinstance(frame, m.Reply) and frame.id == request_id:
                return frame


class _Floor:
    """Everybody in the office. `known`: arrivals that were given; what a clerk believes of them may be wrong."""

    def __init__(self, told: Told, hub: _Hub, chance: random.Random) -> None:
        self._told, self._hub, self._chance = told, hub, chance
        self._known: list[int] = []
        self._aside: list[int] = []  # absent, held, or with the back office
        self._is_over = False

    async def day(self, tickets: int) -> None:
        clerks = [asyncio.create_task(self._clerk(counter.key)) for counter in self._told.office.counters]
        async with self._line(self._hub.kiosk) as kiosk:
            lanes = [lane.key for lane in self._told.office.lanes if lane.gives_numbers]
            began = asyncio.get_running_loop().time()
            for given in range(tickets):
                due = began + DAY_S * given / tickets
                await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
                priority = {"priority": "care"} if self._chance.random() < 0.1 else {}
                while True:  # a paused lane gives no number
                    answer = await kiosk.ask(m.Issue(new_id(), self._chance.choice(lanes), **priority))
                    if isinstance(answer, m.AnswerBody):
                        break
                    await asyncio.sleep(0.2)
                self._known.append(answer.arrival or 0)
        self._is_over = True
        await asyncio.gather(*clerks)
        # Whom a last press of one clerk sent to a counter that had finished.
        await asyncio.gather(*(self._clerk(counter.key) for counter in self._told.office.counters))

    @asynccontextmanager
    async def _line(self, address: Address) -> AsyncIterator[_Line]:
        line = _Line(address, self._told)
        try:
            yield line
        finally:
            await line.leave()

    async def _clerk(self, counter: str) -> None:
        """Whatever comes to mind until nobody is left, and then `next` until nobody waits."""
        current: int | None = None
        async with self._line(self._hub.desk) as line:
            while True:
                is_last = self._is_over
                request = self._resume_or_next(counter, current) if is_last else self._anything(counter, current)
                answer = await line.ask(request)
                if isinstance(answer, m.RefusalBody):
                    if answer.code == "NotCurrent" and answer.details["counter"] == counter:
                        current = int(answer.details["current"] or 0) or None  # somebody else has cancelled it
                else:
                    current = self._after(request, answer, current)
                    if is_last and isinstance(request, m.Next) and answer.arrival is None:
                        return
                await asyncio.sleep(0 if is_last else self._chance.uniform(0.1, 0.5))

    def _after(self, request: m.DeskRequest, answer: m.AnswerBody, current: int | None) -> int | None:
        """What the counter has now."""
        match request:
            case m.Next() | m.Call():
                return answer.arrival
            case m.MarkAbsent() | m.Hold() | m.Review():
                self._aside.append(request.ticket)
                return None
            case m.Done() | m.TakeBack():
                return None
            case m.Cancel() | m.Transfer() if request.ticket == current:
                return None
            case _:
                return current

    def _resume_or_next(self, counter: str, current: int | None) -> m.DeskRequest:
        if self._chance.random() < 0.2:
            return m.Resume(new_id(), self._chance.choice(self._told.office.lanes).key)
        return m.Next(new_id(), counter, current)

    def _anything(self, counter: str, current: int | None) -> m.DeskRequest:
        chance, lanes = self._chance, [lane.key for lane in self._told.office.lanes]
        mine = current if current is not None and chance.random() < 0.9 else self._any(self._known)
        some, lane = self._any(self._known), chance.choice(lanes)
        at_counter: list[Callable[[], m.DeskRequest]] = [
            lambda: m.Recall(new_id(), counter, mine),
            lambda: m.MarkAbsent(new_id(), counter, mine),
            lambda: m.Hold(new_id(), counter, mine),
            lambda: m.Review(new_id(), counter, mine),
            lambda: m.TakeBack(new_id(), counter, mine),
            lambda: m.Done(new_id(), counter, mine),
            lambda: m.Transfer(new_id(), mine, lane, chance.choice(["", "", counter])),
        ]
        elsewhere: list[Callable[[], m.DeskRequest]] = [
            lambda: m.Call(new_id(), counter, some, current, chance.choice(["unwell", "mistake", ""])),
            lambda: m.Call(new_id(), counter, self._any(self._aside), current),
            lambda: m.Return(new_id(), self._any(self._aside)),
            lambda: m.Ready(new_id(), self._any(self._aside)),
            lambda: m.Lapse(new_id(), self._any(self._aside)),
            lambda: m.Reissue(new_id(), some, secrets.token_hex(32)),
            lambda: m.Issue(new_id(), lane, priority="care"),
            lambda: m.Pause(new_id(), lane, "crowded"),
            lambda: m.Resume(new_id(), lane),
            lambda: m.Resume(new_id(), lane),
            lambda: m.Cancel(new_id(), some),
        ]
        if chance.random() < 0.6:
            return m.Next(new_id(), counter, current)
        return chance.choice(at_counter if chance.random() < 0.6 else elsewhere)()

    def _any(self, arrivals: list[int]) -> int:
        """Of late, mostly: what was long ago has ended."""
        return self._chance.choice(arrivals[-60:]) if arrivals else 1


def new_id() -> str:
    return secrets.token_urlsafe(16)
