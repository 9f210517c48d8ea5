"""Who is at the other end, and whether he still may be: people by the cookie of a session, devices by their token.

Held here: who is connected, never a token. Who has lost his place is known within EVERY_S, one look for all of them.
While the ledger is away those who are connected stay, and nobody new comes in. No log line says a name.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NoReturn, TypeVar

import structlog
from starlette.requests import HTTPConnection

from hub.desk.refusals import LedgerAway, NotAllowed
from hub.edge.tries import Tries
from hub.ledger.connection import LedgerUnusable
from hub.ledger.devices import Devices
from hub.ledger.journal import Author
from hub.ledger.people import People
from hub.ledger.refused import RefusedActs
from hub.ledger.sessions import hash_of
from hub.wire.roles import PEOPLE, Act, Role, may

_log = structlog.get_logger("hub.edge.access")

SESSION_COOKIE = "junban_session"
DEVICE_COOKIE = "junban_device"
EVERY_S = 0.5  # out within a second: half of it to the next look, the rest for the look itself
USED_EVERY_S = 30.0  # a session ends after half an hour without use: it need not know each press
NOTE_EVERY_S = 60.0  # a screen that asks again and again is one entry a minute, not the whole log
_TOKEN_LETTERS = 43  # 256 bits of base64url
_BEARER = "bearer "

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Principal:
    """`who`: as the facts say it; `name`: as a page says it; `key`: the hash of a session, the id of a device."""

    who: str
    role: Role
    name: str
    place: str
    key: str
    must_change: bool = False

    @property
    def is_person(self) -> bool:
        return self.role in PEOPLE


class Access:
    """One hub's. Everything that asks the ledger raises LedgerAway."""

    def __init__(
        self,
        people: People,
        devices: Devices,
        refused_acts: RefusedActs | None = None,
        *,
        every_s: float = EVERY_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.refusals: Counter[tuple[Role, Act]] = Counter()
        self.looks = 0  # that were finished
        self.is_away = False
        self._people, self._devices, self._refused_acts = people, devices, refused_acts
        self._every_s, self._monotonic = every_s, monotonic
        self._watched: dict[Principal, set[Callable[[], None]]] = {}
        self._used: dict[str, float] = {}  # of those who are watched
        self._unwritten: dict[str, float] = {}  # session → its last use while the ledger could not be told
        self._noted = Tries(1, NOTE_EVERY_S, monotonic)
        self._under_way: set[asyncio.Task[None]] = set()
        # A thread of its own: many who sign in at once keep all others busy, and must not keep anybody in.
        self._thread = ThreadPoolExecutor(1, "access")

    async def person(self, connection: HTTPConnection, *, is_used: bool) -> Principal | None:
        """Who is signed in; `is_used`: he does something, and his session lasts."""
        token = token_of(connection.cookies.get(SESSION_COOKIE, ""))
        if not token:
            return None
        try:
            session = await _asked(lambda: self._people.session(token, is_used=is_used))
        except LedgerAway:
            if is_used:
                self._remember(hash_of(token))
            raise
        if session is None:
            return None
        if not session.is_written:
            self._remember(session.hash)
        person = session.person
        return Principal(
            f"staff:{person.name}", person.role, person.shown, "", session.hash, must_change=person.must_change
        )

    async def device(self, connection: HTTPConnection) -> Principal | None:
        """Which device this is: a program says its token, a browser has it as a cookie."""
        token = token_of(bearer(connection) if is_program(connection) else connection.cookies.get(DEVICE_COOKIE, ""))
        if not token:
            return None
        device = await _asked(lambda: self._devices.find(token))
        if device is None:
            return None
        return Principal(f"device:{device.id}", device.role, device.id, device.place, device.id)

    def watch(self, principal: Principal, on_end: Callable[[], None]) -> Callable[[], None]:
        """`on_end` is called once, as soon as he may no longer be here; what comes back ends the watching."""
        self._watched.setdefault(principal, set()).add(on_end)

        def stop() -> None:
            watching = self._watched.get(principal, set())
            watching.discard(on_end)
            if not watching:
                self._watched.pop(principal, None)
                self._used.pop(principal.key, None)

        return stop

    def used(self, connection: HTTPConnection, principal: Principal) -> None:
        """He has done something on a connection that is watched. Nobody waits for it to be written."""
        now = self._monotonic()
        if now - self._used.get(principal.key, -USED_EVERY_S) >= USED_EVERY_S:
            self._used[principal.key] = now
            self._soon(self._use(connection, principal))

    def check(self, principal: Principal, act: Act) -> None:
        """Raises NotAllowed."""
        if not may(principal.role, act):
            raise NotAllowed

    def refused(self, principal: Principal, act: Act) -> None:
        """Counts, logs, and notes for the log of operations what he tried and might not."""
        self.refusals[principal.role, act] += 1
        _log.warning("act refused", act=str(act), role=str(principal.role))
        if self._refused_acts is not None and self._noted.take(f"{principal.who} {act}"):
            self._soon(self._note(self._refused_acts, principal, act))

    async def run(self) -> NoReturn:
        while True:
            await asyncio.sleep(self._every_s)
            try:
                await self._look()
                self._tell(is_away=False)
            except (LedgerUnusable, LedgerAway) as error:
                self._tell(is_away=True, why=str(error.__cause__ or error))
            except Exception:
                _log.exception("access not looked at")  # those who are connected stay, as while the ledger is away

    async def close(self) -> None:
        """What is under way is done to its end."""
        await asyncio.gather(*self._under_way, return_exceptions=True)
        self._thread.shutdown(wait=False)

    async def _look(self) -> None:
        seen = list(self._watched)
        people = {principal.key for principal in seen if principal.is_person}
        devices = {principal.key for principal in seen if not principal.is_person}
        if seen:
            loop, unwritten = asyncio.get_running_loop(), dict(self._unwritten)
            now = self._monotonic()
            used = {key: int((now - at) * 1000) for key, at in unwritten.items()}
            alive = await loop.run_in_executor(self._thread, self._alive, people, devices, used)
            self._unwritten = {key: at for key, at in self._unwritten.items() if unwritten.get(key) != at}
            for principal in seen:
                if principal.key not in alive:
                    for on_end in self._watched.pop(principal, set()):
                        on_end()
        self.looks += 1

    def _alive(self, people: Collection[str], devices: Collection[str], used: Mapping[str, int]) -> set[str]:
        if used:  # before anybody is judged by what could not be written
            self._people.used(used)
        # A hash has 64 letters and an id has a hyphen: they are never the same.
        return (self._people.alive(people) if people else set()) | (self._devices.alive(devices) if devices else set())

    def _tell(self, *, is_away: bool, why: str = "") -> None:
        if is_away and not self.is_away:
            _log.error("ledger away: who is connected stays, nobody new comes in", why=why)
        elif self.is_away and not is_away:
            _log.info("ledger back")
        self.is_away = is_away

    async def _use(self, connection: HTTPConnection, principal: Principal) -> None:
        if principal.is_person:
            await self.person(connection, is_used=True)
        else:
            await self.device(connection)

    def _remember(self, key: str) -> None:
        """That this session was used, until it can be written; of who is connected here alone."""
        if any(key == principal.key for principal in self._watched):
            self._unwritten[key] = self._monotonic()

    async def _note(self, refused_acts: RefusedActs, principal: Principal, act: Act) -> None:
        await _asked(lambda: refused_acts.note(Author(principal.who), principal.role, act))

    def _soon(self, doing: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(doing)
        self._under_way.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None and not isinstance(error, LedgerAway):
            _log.error("access not written", why=type(error).__name__)


def is_program(connection: HTTPConnection) -> bool:
    """A program says its token by itself; a browser sends its cookie along whatever page asks, and no such header."""
    return "authorization" in connection.headers


def bearer(connection: HTTPConnection) -> str:
    """The token of `Authorization: Bearer TOKEN`, or ''."""
    told = connection.headers.getlist("authorization")
    return told[0][len(_BEARER) :] if len(told) == 1 and told[0].lower().startswith(_BEARER) else ""


def token_of(text: str) -> str:
    """What may be a token; '' for anything else: the ledger is not asked for every junk."""
    return text if len(text) == _TOKEN_LETTERS and text.isascii() else ""


async def _asked(ask: Callable[[], _T]) -> _T:
    try:
        return await asyncio.to_thread(ask)
    except LedgerUnusable as error:
        raise LedgerAway from error
