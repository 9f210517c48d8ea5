"""Notices by three carriers while workers, hub, store and keeper are killed in turn: who was told, how often, how soon.

Every process of the office is real; the carriers alone stand outside of the killing, in this process. What was due is
reckoned afterwards from the day's facts alone, what arrived from the carriers' own books: neither trusts the driver.
"""

import asyncio
import contextlib
import hashlib
import time
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from config.practice.conduct import Conduct
from config.practice.inbox import Conduct as MailConduct
from config.practice.inbox import Inbox, receiving
from config.practice.line_stand_in import LineStandIn, Spoken
from config.practice.phone_stand_in import PhoneStandIn, Told
from config.processes import Workshop
from hub.desk.notices import Carrier, NoticeState, Trigger
from hub.store.outbox import SEND_MS
from tests.bench.nursery import Nursery
from tests.bench.post_office import Due, PostOffice
from tests.chaos.office import LINE_SECRET, LINE_TOKEN, PHONE_ACCOUNT, PHONE_TOKEN, SENDER
from tests.eventually import eventually
from tests.workers.stand_ins import serving
from workers.carriers.line import retry_key

CLERKS = 3  # who press side by side
PRESS_EVERY_S = 0.1  # of each
QUIET_EVERY_S = 0.5  # of the office whose carriers are at their worst
KILL_EVERY_S = 1.0
RESTART_AFTER_S = 0.1
RUSH_S = 10.0
READY_WITHIN_S = 120.0
SETTLED_WITHIN_S = 240.0  # longer than the lease of what was being sent when its worker was killed, and its retries
WORKERS = {Carrier.EMAIL: "worker", Carrier.LINE: "worker-line", Carrier.PHONE: "worker-phone"}
VICTIMS = (*WORKERS.values(), "hub", "store", "keeper")
MAIL_CONDUCTS = {
    Conduct.REFUSE: MailConduct.REFUSE,
    Conduct.TAKE_SILENTLY: MailConduct.CUT_AFTER_DOT,
    Conduct.TAKE_AND_FAIL: MailConduct.CUT_AFTER_DOT,
    Conduct.BUSY: MailConduct.DEFER,
    Conduct.AWAY: MailConduct.DEFER,
}


@dataclass(frozen=True, slots=True)
class Killing:
    """So many days, one after the other: a hub that was killed reads its day anew, and none is longer than any ward's.

    Each until there were so many kills and so many tickets (of five notices each), or it has taken too long.
    """

    days: int
    kills: int
    tickets: int
    notices: int  # of each carrier on all days, without which it has proved nothing
    rush: int  # tickets that are called within RUSH_S, before anybody is killed
    at_most_s: float


@dataclass(frozen=True, slots=True)
class Moods:
    """Carriers at their worst: from `away` to `back` they take nothing at all, from `busy` to `calm` they are too busy,
    and else each try ends well, is refused, is taken without an answer or is taken with a 500. Seconds since `began`.
    """

    seconds: float
    away: float
    back: float
    busy: float
    calm: float
    began: float = field(default_factory=time.monotonic)
    tries: Counter[str] = field(default_factory=Counter)

    def __call__(self, to: str) -> Conduct:
        self.tries[to] += 1
        passed = time.monotonic() - self.began
        if self.away <= passed < self.back:
            return Conduct.AWAY
        if self.busy <= passed < self.calm:
            return Conduct.BUSY
        chance = hashlib.sha256(f"{to} {self.tries[to]}".encode()).digest()[0] / 256
        bad = (Conduct.REFUSE, Conduct.TAKE_SILENTLY, Conduct.TAKE_AND_FAIL)
        return bad[int(chance * 10)] if chance < 0.3 else Conduct.TAKE


@dataclass
class Posted:
    """What one run came to. `near_s`: from the move that made a near notice due to the carrier's yes; `rush_s`: the
    same of every notice of the rush; `after_kill_s`: by carrier, from the kill of its worker (or from when it was due,
    if that was after it) to the carrier's yes. All in order. `leased`: those that a worker was just sending when it was
    killed, and that waited for its lease.
    """

    kills: int
    due: int
    of_carrier: dict[str, Carrier] = field(default_factory=dict)  # notice →
    arrived: Counter[str] = field(default_factory=Counter)  # notice → how often
    states: dict[str, NoticeState] = field(default_factory=dict)
    near_s: list[float] = field(default_factory=list)
    rush_s: list[float] = field(default_factory=list)
    after_kill_s: dict[Carrier, list[float]] = field(default_factory=dict)
    leased: Counter[Carrier] = field(default_factory=Counter)
    late_s: list[float] = field(default_factory=list)  # by how much a near notice came after the call

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


def share_of(waits: Sequence[float], share: float) -> float:
    """The wait that this share did not exceed; infinite where nothing arrived. `waits` in order."""
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


def post(killing: Killing, moods: Callable[[], Moods]) -> tuple[Posted, Posted]:
    """An office whose processes are killed, and beside it one whose carriers are at their worst. Main thread only: it
    starts processes. Raises RuntimeError or AssertionError where an office does not work.
    """

    async def killed(folder: Path, nursery: Nursery) -> Posted:
        return summed([await _post(folder / str(day), nursery, killing) for day in range(killing.days)])

    async def both(folder: Path, nursery: Nursery) -> tuple[Posted, Posted]:
        return await asyncio.gather(killed(folder, nursery), _post(folder / "badly", nursery, moods))

    with Workshop() as folder, contextlib.closing(Nursery()) as nursery:
        return asyncio.run(both(folder, nursery))


def summed(days: Sequence[Posted]) -> Posted:
    """Several days as one; no notice is of two."""
    total = Posted(0, 0)
    for day in days:
        total.kills += day.kills
        total.due += day.due
        total.of_carrier |= day.of_carrier
        total.arrived += day.arrived
        total.states |= day.states
        total.leased += day.leased
        total.late_s += day.late_s
    total.near_s = sorted(wait for day in days for wait in day.near_s)
    total.rush_s = sorted(wait for day in days for wait in day.rush_s)
    total.after_kill_s = {one: sorted(wait for day in days for wait in day.after_kill_s[one]) for one in Carrier}
    return total


async def _post(folder: Path, nursery: Nursery, work: Killing | Callable[[], Moods]) -> Posted:
    folder.mkdir()
    book, killing = Book(), work if isinstance(work, Killing) else None
    mood: Moods | None = None
    line = LineStandIn(LINE_TOKEN, LINE_SECRET, quota=None, on_said=book.said)
    phone = PhoneStandIn(PHONE_ACCOUNT, PHONE_TOKEN, on_told=book.told)

    def mail_mood(to: str) -> MailConduct:
        return MailConduct.TAKE if mood is None else MAIL_CONDUCTS.get(mood(to), MailConduct.TAKE)

    async with contextlib.AsyncExitStack() as opened:
        smtp_port = await opened.enter_async_context(receiving(book, policy=mail_mood))
        carriers_url = await opened.enter_async_context(serving([*line.routes(), *phone.routes()]))
        clerks, press_every_s = (CLERKS, PRESS_EVERY_S) if killing else (1, QUIET_EVERY_S)
        office = PostOffice(folder, smtp_port, carriers_url, line, nursery, clerks=clerks, press_every_s=press_every_s)
        opened.callback(office.stop)
        office.start()
        await eventually(office.takes_contacts, within_s=READY_WITHIN_S)
        rush = await _rush(office, killing.rush) if killing else None
        working = asyncio.create_task(office.day())
        try:
            if isinstance(work, Killing):
                await _kill(office, work, working)
            else:
                mood = line.policy = phone.policy = work()
                await asyncio.wait({working}, timeout=mood.seconds)
        finally:
            office.is_over = True
        await asyncio.wait_for(working, READY_WITHIN_S)
        await eventually(office.is_settled, within_s=SETTLED_WITHIN_S)
        return await _reckon(office, book, rush)


async def _rush(office: PostOffice, tickets: int) -> tuple[float, float]:
    """So many wait and are called within RUSH_S, each of which tells two of them; gives from when to when."""
    await office.fill(tickets)
    await eventually(office.is_settled, within_s=SETTLED_WITHIN_S)
    began = time.time()
    for number in range(tickets):
        await office.press()
        await asyncio.sleep(max(0.0, began + RUSH_S * (number + 1) / tickets - time.time()))
    ended = time.time()
    await eventually(office.is_settled, within_s=SETTLED_WITHIN_S)
    return began, ended


async def _kill(office: PostOffice, killing: Killing, working: "asyncio.Task[None]") -> None:
    until = time.monotonic() + killing.at_most_s
    while time.monotonic() < until and not working.done():
        if len(office.kills) >= killing.kills and office.given >= killing.tickets:
            return
        await asyncio.wait({working}, timeout=KILL_EVERY_S)
        office.kill(VICTIMS[len(office.kills) % len(VICTIMS)])
        await asyncio.sleep(RESTART_AFTER_S)
        office.start()


async def _reckon(office: PostOffice, book: Book, rush: tuple[float, float] | None) -> Posted:
    due, called, callbacks = await office.told()
    names = _names(office, due, callbacks)
    states = await office.states()
    posted = Posted(len(office.kills), len(due), {notice: carrier for notice, (_, _, carrier) in due.items()})
    moments: dict[str, float] = {}
    for name, moment in book.arrivals:
        notice = names.get(name, f"a stranger's {name}")
        posted.arrived[notice] += 1
        moments.setdefault(notice, moment)  # of what came twice, the first counts
    killed = {carrier: [at for name, at in office.kills if name == worker] for carrier, worker in WORKERS.items()}
    after_kill: dict[Carrier, list[float]] = defaultdict(list)
    for notice, (at, ticket, carrier) in due.items():
        posted.states[notice] = states.get(notice, NoticeState.PENDING)
        if notice not in moments:
            continue
        moment, since = moments[notice], at / 1000
        if rush and rush[0] <= since <= rush[1]:
            posted.rush_s.append(moment - since)  # there whoever is near is called within the tenth of a second
        elif trigger_of(notice) is Trigger.NEAR:
            posted.near_s.append(moment - since)
            if (by_s := moment - called.get(ticket, 1 << 62) / 1000) > 0:
                posted.late_s.append(by_s)
        if moment - since > SEND_MS / 1000:
            posted.leased[carrier] += 1
        elif (earlier := bisect_right(killed[carrier], moment)) and killed[carrier][earlier - 1] > since - KILL_EVERY_S:
            after_kill[carrier].append(moment - max(since, killed[carrier][earlier - 1]))
    posted.near_s.sort()
    posted.rush_s.sort()
    posted.after_kill_s = {carrier: sorted(after_kill[carrier]) for carrier in Carrier}
    if posted.arrived.keys() - due.keys() or states.keys() != due.keys():
        raise RuntimeError(f"never due: {posted.arrived.keys() - due.keys()}, {states.keys() ^ due.keys()}")
    return posted


def _names(office: PostOffice, due: Due, callbacks: dict[str, str]) -> dict[str, str]:
    """What a carrier calls a notice → the notice."""
    names = {token: heard.partition("\x1f")[0] for token, heard in callbacks.items()}
    for notice, (_, _, carrier) in due.items():
        if carrier is Carrier.EMAIL:
            names[message_id_of(notice)] = notice
        elif carrier is Carrier.LINE:
            names[retry_key(office.office.key, notice)] = notice
    return names


def trigger_of(notice: str) -> Trigger:
    return Trigger(notice.partition(":")[2].partition(".")[0])


def message_id_of(notice: str) -> str:
    return f"<{hashlib.sha256(notice.encode()).hexdigest()[:32]}@{SENDER.rpartition('@')[2]}>"
