"""Drives a practice office through one day, through the public protocol only: kiosks, staff, and screens that listen.

It puts the parts together and ends them in order; what a customer does is in `hub.forecast.day`, what staff does in
`staff`, and whether it was a good day in `checks`.
"""

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from time import monotonic, process_time
from typing import Any, Protocol
from urllib.parse import urlsplit

from websockets.exceptions import WebSocketException

from config.practice.asking import Asker, NoReply
from config.practice.browser import Browser, Unanswered
from config.practice.checks import judge
from config.practice.clock import DAY, OfficeClock, as_clock
from config.practice.contacts import Residents
from config.practice.credentials import Credentials
from config.practice.entering import DevicePass, NotLetIn, Pass, StaffPass
from config.practice.floor import Floor, Tally
from config.practice.kiosk import arrivals
from config.practice.letters import Letters
from config.practice.listeners import Listener, ScreenEnd, compare_all
from config.practice.recording import History, Recording
from config.practice.retelling import Findings
from config.practice.screens import Wall
from config.practice.slips import Slips
from config.practice.sockets import JOINED_WITHIN_S, NOBODY, NotWanted, fresh_snapshot
from config.practice.staff import Clerk, InformationDesk, Start
from config.practice.staffing import staff, unserved
from hub.forecast.day import Chance, Customer, Figures
from hub.forecast.day_file import missing_lanes
from hub.wire.messages import CounterState, Snapshot
from hub.wire.roles import Role

EARLY_SECONDS = 300  # the clock starts five minutes before the first customer
BOARDS = DESKS = 2  # walls and ticket machines: as many as have credentials
ANSWERED_WITHIN_S = 10.0
PROGRESS_EVERY_S = 0.5

Progress = Callable[[float, Tally, int], None]  # office second, tally, customers


class Place(Protocol):
    """A practice office: base URLs of its inside listener and of its mail inbox (empty: it has none); who gets in."""

    @property
    def inside(self) -> str: ...

    @property
    def inbox(self) -> str: ...

    @property
    def credentials(self) -> Credentials: ...


class UnfitDay(Exception):
    """This office cannot have this day; one sentence. Nothing has been started."""


class DayFailed(Exception):
    """The day could not be driven to its end; one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to drive. `has_lunch`: counters are left at noon. `is_shared`: others may take numbers meanwhile."""

    customers: Sequence[Customer]
    figures: Figures
    speed: float
    has_lunch: bool
    is_shared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How the day went, and what it cost this process. `repeats`: requests sent again; `joins`: of all listeners.

    `contacts_left_out`: customers who would have left a contact, had there been an inbox to read, or a carrier.
    """

    day: str
    findings: Findings
    screens: Sequence[ScreenEnd]
    repeats: int
    joins: int
    seconds: float
    cpu_seconds: float
    contacts_left_out: int = 0

    @property
    def screens_equal(self) -> int:
        return sum(not screen.why for screen in self.screens)

    @property
    def is_good(self) -> bool:
        return self.findings.is_good and bool(self.screens) and self.screens_equal == len(self.screens)


async def drive(place: Place, plan: Plan, chance: Chance, progress: Progress = lambda *_: None) -> Outcome:
    """One day at a practice office. Without an inbox nobody leaves a contact.

    `chance` is for delays, and for how many people ahead somebody wishes. Raises UnfitDay and DayFailed.
    """
    entries = Entries.of(place.inside, place.credentials)
    try:
        await entries.sign_in()
        return await _drive(place, plan, chance, progress, entries)
    except NotLetIn as error:
        raise DayFailed(str(error)) from error
    finally:
        await entries.sign_out()


async def _drive(place: Place, plan: Plan, chance: Chance, progress: Progress, entries: "Entries") -> Outcome:
    began, cpu = monotonic(), process_time()
    hub = place.inside
    sockets = "ws" + hub.rstrip("/").removeprefix("http")
    office = await _look(f"{sockets}/ws/desk", entries.information)
    _refuse_unfit(plan, office)
    letters = await _open(place.inbox, chance) if place.inbox else None
    start = max(0, plan.customers[0].arrived_at - EARLY_SECONDS) // 60 * 60
    day = await asyncio.to_thread(set_clock, hub, start, plan.speed)
    clock = OfficeClock(start, plan.speed)
    residents = Residents(Browser(hub, chance), letters, clock, day, chance) if letters else None
    floor = Floor(plan.customers, clock, day)
    drivers = _Day(hub, sockets, entries, plan, chance, office.counters, floor, Recording(day), residents)
    try:
        screens = await drivers.run([lane.lane for lane in office.lanes], progress)
    except* (NoReply, NotLetIn, NotWanted, Unanswered) as failures:
        raise DayFailed(_first_sentence(failures)) from failures
    return Outcome(
        day=day,
        findings=judge(drivers.history()),
        screens=screens,
        repeats=sum(asker.repeats for asker in drivers.askers)
        + (residents.repeats if residents else 0)
        + (drivers.slips.repeats if drivers.slips else 0),
        joins=sum(listener.joins for listener in drivers.listeners),
        seconds=monotonic() - began,
        cpu_seconds=process_time() - cpu,
        contacts_left_out=sum(
            customer.contact is not None and not (residents and residents.wants(customer))
            for customer in plan.customers
        ),
    )


@dataclass(frozen=True, slots=True)
class Entries:
    """How everybody of the day gets in: `counters` share one session, the information desk and screens another."""

    counters: StaffPass
    information: StaffPass
    walls: dict[str, DevicePass]  # by their screen
    kiosks: Sequence[DevicePass]

    @classmethod
    def of(cls, hub: str, credentials: Credentials) -> "Entries":
        """Raises DayFailed where somebody is lacking."""
        people = [credentials.person(role) for role in (Role.COUNTER, Role.MANAGER)]
        walls, kiosks = (
            {place: DevicePass(role, place, token) for place, token in credentials.tokens(role).items()}
            for role in (Role.WALL, Role.KIOSK)
        )
        if not (people[0] and people[1] and walls and kiosks):
            raise DayFailed("練習用の利用者か機器が足りません。その窓口課の credentials.json を指定してください。")
        return cls(StaffPass(hub, people[0]), StaffPass(hub, people[1]), walls, list(kiosks.values()))

    async def sign_in(self) -> None:
        await asyncio.gather(self.counters.sign_in(), self.information.sign_in())

    async def sign_out(self) -> None:
        await asyncio.gather(self.counters.sign_out(), self.information.sign_out())


class _Day:
    def __init__(
        self,
        hub: str,
        sockets: str,
        entries: Entries,
        plan: Plan,
        chance: Chance,
        counters: Sequence[CounterState],
        floor: Floor,
        recording: Recording,
        residents: Residents | None,
    ) -> None:
        self.askers: list[Asker] = []
        self.listeners: list[Listener] = []
        self.slips: Slips | None = None
        self._hub, self._sockets, self._entries = hub, sockets, entries
        self._plan, self._chance = plan, chance
        self._counters = counters
        self._floor, self._recording = floor, recording
        self._residents = residents

    async def run(self, lanes: Sequence[str], progress: Progress) -> list[ScreenEnd]:
        """Listeners first and last; kiosks and staff in between."""
        async with asyncio.TaskGroup() as group:
            watching = _Crew(group)
            self._listen(lanes, watching)
            await self._joined()
            if self._residents:
                await self._residents.read_purposes()
                watching.start(self._residents.letters.stay())
            async with asyncio.TaskGroup() as inner:
                working = _Crew(inner)
                self._open(working)
                working.start(self._close_at_midnight())
                working.start(self._tell(progress))
                await self._floor.everybody_left.wait()
                if self._residents:
                    await self._residents.settle()
                working.stop()
            progress(self._floor.clock.now, self._floor.tally, len(self._plan.customers))
            if self._residents:
                await self._residents.look_back()
            screens = await compare_all(self.listeners, self._chance)
            watching.stop()
        return screens

    def history(self) -> History:
        contradictions = [said for asker in self.askers for said in asker.contradictions]
        residents = self._residents
        if residents and residents.letters.unseen:
            contradictions.append(f"受信箱のお知らせ {residents.letters.unseen} 通を読む前に、古いものから消えました")
        return History(
            counters={counter.counter: counter.lanes for counter in self._counters},
            weights={
                counter.counter: dict(zip(counter.lanes, counter.weights, strict=True))
                for counter in self._counters
                if counter.weights
            },
            facts=self._recording.facts,
            photographs=self._recording.photographs,
            answers=self._recording.answers,
            visitors=self._floor.visitors(),
            is_closed=self._floor.is_closed,
            is_shared=self._plan.is_shared,
            contradictions=[*self._recording.contradictions, *contradictions, *self._floor.complaints],
            contacts=residents.contacts() if residents else (),
            letters=residents.dated_letters() if residents else (),
        )

    def _listen(self, lanes: Sequence[str], crew: "_Crew") -> None:
        entries = self._entries
        told: list[tuple[str, Pass]] = [(f"lanes/{lane}", NOBODY) for lane in lanes]
        told += [("desk", entries.information)] * DESKS
        self.listeners += [Listener(f"{self._sockets}/ws/board", self._chance) for _ in range(BOARDS)]
        for screen, device in entries.walls.items():
            self.listeners.append(Wall(f"{self._sockets}/ws/wall/{screen}", self._chance, entry=device))
        for path, entry in told:
            address = f"{self._sockets}/ws/{path}"
            self.listeners.append(Listener(address, self._chance, [self._recording.hear], entry))
        self.listeners[-1].news.append(self._floor.look)
        for listener in self.listeners:
            crew.start(listener.stay())

    async def _joined(self) -> None:
        """Until every listener sees the fresh day."""
        try:
            async with asyncio.timeout(JOINED_WITHIN_S):
                for listener in self.listeners:
                    await listener.sees(self._floor.day)
        except TimeoutError:
            raise NotWanted(f"{JOINED_WITHIN_S:.0f} 秒待っても新しい日の画面が届きません。") from None

    def _open(self, crew: "_Crew") -> None:
        """Kiosks, the information desk and the counters."""
        figures, customers = self._plan.figures, self._plan.customers
        entries = self._entries
        machines = [self._asker("kiosk", entry) for entry in entries.kiosks]
        moves = figures.moves
        information = InformationDesk(
            self._asker("desk", entries.information), self._floor, crew.start, moves, self._chance
        )
        slips = self.slips = Slips(
            Browser(self._hub, self._chance), information.asker, self._floor, moves, self._chance
        )
        wanted = set(_wanted(customers))
        wanted |= {self._floor.deliveries[lane] for lane in wanted & self._floor.deliveries.keys()}
        is_peak = figures.is_peak(len(customers))
        posts = staff(self._counters, wanted, figures, is_peak=is_peak, has_lunch=self._plan.has_lunch)
        clerks = [
            Clerk(post, self._asker("desk", entries.counters), self._floor, information, figures, self._chance)
            for post in posts
        ]
        for asker in self.askers:
            crew.start(asker.stay())
        for clerk in clerks:
            crew.start(clerk.work())
        crew.start(self._let_in(machines, information, slips, crew.start))

    async def _let_in(
        self, machines: Sequence[Asker], information: InformationDesk, slips: Slips, start: Start
    ) -> None:
        """Everybody; then nobody more, where the office is ours alone."""
        await arrivals(machines, information, self._residents, slips, self._floor, start)
        if not self._plan.is_shared:
            await information.close(sorted(set(_wanted(self._plan.customers))))

    def _asker(self, path: str, entry: Pass) -> Asker:
        asker = Asker(f"{self._sockets}/ws/{path}", self._chance, self._recording.answered, entry)
        self.askers.append(asker)
        return asker

    async def _close_at_midnight(self) -> None:
        await self._floor.clock.until(DAY)
        self._floor.close()

    async def _tell(self, progress: Progress) -> None:
        while True:
            progress(self._floor.clock.now, self._floor.tally, len(self._plan.customers))
            await asyncio.sleep(PROGRESS_EVERY_S)


class _Crew:
    """Tasks that are stopped together; a task that fails ends the whole group."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def stop(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()


def set_clock(hub: str, start: int, speed: float) -> str:
    """Begin a fresh practice day at that second; gives its date. Raises DayFailed. Blocks: run it beside the loop."""
    address = urlsplit(hub)
    kind = HTTPSConnection if address.scheme == "https" else HTTPConnection
    connection = kind(address.netloc, timeout=ANSWERED_WITHIN_S)
    body = json.dumps({"start": as_clock(start), "speed": speed})
    try:
        connection.request("POST", f"{address.path.rstrip('/')}/practice/clock", body)
        response = connection.getresponse()
        said = response.read()
        day = json.loads(said).get("day") if response.status == 200 else None
    except (OSError, HTTPException, ValueError, AttributeError) as error:
        raise DayFailed(f"{hub} の時計を動かせません: {error!r}") from error
    finally:
        connection.close()
    if not isinstance(day, str):
        why = "練習用の窓口課ではないようです" if response.status == 404 else said[:200].decode(errors="replace")
        raise DayFailed(f"{hub} の時計を動かせません（{response.status}）: {why}")
    return day


async def _look(desk: str, entry: Pass) -> Snapshot:
    try:
        return await fresh_snapshot(desk, entry.headers)
    except (OSError, WebSocketException) as error:
        raise DayFailed(
            f"{desk} につながりません。窓口課が動いているか、アドレスを確かめてください: {error}"
        ) from error


async def _open(inbox: str, chance: Chance) -> Letters:
    letters = Letters(Browser(inbox, chance))
    if not await letters.open():
        raise DayFailed(f"{inbox} にメールの受信箱がありません。--inbox のアドレスを確かめてください。")
    return letters


def _refuse_unfit(plan: Plan, office: Snapshot) -> None:
    lanes = [lane.lane for lane in office.lanes]
    if missing := missing_lanes(_wanted(plan.customers), lanes):
        raise UnfitDay(missing)
    if any(customer.priority > len(office.priorities) for customer in plan.customers):
        raise UnfitDay(
            f"この窓口課の優先の区分は {len(office.priorities)} つです。priority はその番号で書いてください。"
        )
    if alone := unserved(office.counters, _wanted(plan.customers)):
        raise UnfitDay(f"どの窓口も扱っていない業務があります: {', '.join(alone)}")


def _wanted(customers: Sequence[Customer]) -> list[str]:
    return [lane for customer in customers for lane in (customer.lane, customer.transfer_to) if lane is not None]


def _first_sentence(failures: BaseExceptionGroup[BaseException]) -> str:
    first: BaseException = failures
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return str(first)
