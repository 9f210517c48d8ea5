"""The tail: reads the day's facts, keeps the world of this hub, and tells every listener. It never skips a fact.

    begin ──> replay from the day's first fact ──> live: each fact to the mailboxes of its topics, beats in between
      ^                                              │
      ├── day closed: begin again, snapshot to all <─┤
      └── store away: `away` to all at once, pause <─┘   back in the same epoch: go on; in another: snapshot to all

A fact that cannot be read or does not fit means that this hub is wrong about the world: it says away and builds anew.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NoReturn, Protocol

import structlog

from hub.desk.facts import Fact, UnreadableFact
from hub.desk.lane import Office
from hub.desk.picture import DoesNotFit
from hub.desk.refusals import Refusal, StaleDay, TryAgain
from hub.desk.ticket import Ticket
from hub.fanout import topics
from hub.fanout.crowd import Crowd, Line, OneByOne
from hub.fanout.feed import Place
from hub.fanout.joining import AWAY, first_frames, join
from hub.fanout.mailbox import Frame, Mailbox
from hub.fanout.registry import Pace, Registry
from hub.fanout.world import World
from hub.wire.messages import Snapshot
from hub.wire.position import Position

_log = structlog.get_logger("hub.fanout.relay")

LIVE_BELOW = 200  # facts a read: whoever gets fewer has caught up; what is left to read is a matter of milliseconds
TELL_BELOW = (
    200  # after an outage, so many facts are told one by one; more would overrun mailboxes, so a snapshot goes out
)
AT_ONCE = 100  # facts told before the writers get their turn: a fifth of a mailbox


class FactSource(Protocol):
    """Where facts come from: the store's FactStream in earnest. Everything may raise a Refusal: the store is away."""

    async def begin(self) -> tuple[str, str]:
        """(epoch, day), ready to be read from the day's first fact."""

    async def read(self, day: str, after: Place, wait_ms: int) -> list[tuple[int, int, Fact]]:
        """What follows `after` as (ms, seq, fact); waits up to `wait_ms` for the first. Also raises UnreadableFact."""

    async def now(self) -> int:
        """Office time, epoch milliseconds."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often things happen, in seconds of this machine."""

    beats_s: Mapping[Pace, float] = field(default_factory=lambda: {Pace.WALL: 10.0, Pace.TAB: 25.0})
    look_s: float = 1.0  # how old office time may be in a beat for one who joins, and how long a read may wait
    first_pause_s: float = 0.05  # after the store was lost; doubled up to the longest
    longest_pause_s: float = 1.0  # a restarted store is noticed within a second


class Relay:
    """One office's tail and its listeners. Run it once; join at any time.

    For the meters: `facts` relayed, `outages` begun, `last_read` (monotonic seconds of the last answered read).
    """

    def __init__(
        self,
        source: FactSource,
        office: Office,
        registry: Registry | None = None,
        rhythm: Rhythm | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.office = office
        self.registry = registry or Registry()
        self.world: World | None = None
        self.is_away = True  # until the first replay is done
        self.facts = 0
        self.outages = 0
        self.last_read: float | None = None
        self._away_s = 0.0
        self._source = source
        self._rhythm = rhythm or Rhythm()
        self._monotonic = monotonic
        self._away_since: float | None = monotonic()
        self._is_spoilt = False  # the world was wrong about something: build it anew whatever the epoch
        self._logged: set[type[Exception]] = set()  # failures of the present outage that the log knows
        self._pause_s = self._rhythm.first_pause_s
        self._next_look = 0.0
        self._next_beat = dict.fromkeys(Pace, 0.0)
        self._moved = asyncio.Event()

    # For listeners and pages ---------------------------------------------------------------------------------------

    def join(self, topic: str, pace: Pace, after: Position | None = None) -> Mailbox:
        return join(self.registry, self._sound(), is_away=self.is_away, topic=topic, pace=pace, after=after)

    def crowd(self, topic: str, pace: Pace, framed: Callable[[str], bytes], together: Callable[[], OneByOne]) -> Crowd:
        """Those who only listen; `admit` lets one more in."""
        return self.registry.crowd(topic, pace, lambda: self._first(topic, None), framed, together)

    def admit(self, line: Line, crowd: Crowd, topic: str, after: Position | None = None) -> None:
        """As `join`, for a connection that was handed over to this crowd."""
        crowd.admit(line, self._first(topic, after))

    @property
    def day(self) -> str | None:
        """The business day of the present picture; None before the first."""
        return self.world.day if self.world else None

    def present(self) -> Snapshot | None:
        """The board as it stands, `at` the latest office time known; None while nobody can know how it stands."""
        if self.world is None or self.is_away:
            return None
        return self.world.present(topics.BOARD)

    async def ticket(self, arrival: int) -> tuple[Ticket, int] | None:
        """A ticket that the store has given, and the people ahead of it; None while nobody can know.

        Waits until the fact has come here, which takes milliseconds: the asker bounds it.
        """
        while self.world and not self.is_away:
            ticket = self.world.picture.tickets.get(arrival)
            if ticket is not None:
                return ticket, self.world.picture.ahead(ticket)
            await self._moved.wait()
        return None

    def arrival_of(self, number: str) -> int | None:
        """The ticket that has this number today; None for one that was not given, as far as it is known here."""
        return self.world.picture.numbers.get(number) if self.world else None

    def called_at(self, arrival: int) -> int | None:
        """When a ticket's latest call was made (office ms), as far as it is known here."""
        return self.world.chronicle.called_at(arrival) if self.world else None

    def away_s(self) -> tuple[float, float]:
        """Seconds without the store: of the present outage (0: none), and altogether."""
        present = 0.0 if self._away_since is None else self._monotonic() - self._away_since
        return present, self._away_s + present

    async def reach(self, position: Position) -> None:
        """Wait until this hub has come as far as `position`; at once if it has, or if the position is of another epoch.

        For one who comes from a hub that was faster: a snapshot from before would show him the same calls twice.
        """
        while self.world and self.world.epoch == position.epoch and self.world.place < position.place:
            await self._moved.wait()

    # The tail ------------------------------------------------------------------------------------------------------

    async def run(self) -> NoReturn:
        """Follow the facts for ever. Ends only by cancellation."""
        while True:
            try:
                await self._follow()
                continue  # the day was closed: the next one begins at once
            except TryAgain as refusal:
                if self._is_news(refusal):
                    _log.warning("store away", code=refusal.code)
            except Refusal as refusal:
                if self._is_news(refusal):
                    _log.error("store refuses", code=refusal.code, why=str(refusal))
            except (UnreadableFact, DoesNotFit) as error:
                self._is_spoilt = True
                if self._is_news(error):
                    _log.error("fact does not fit", why=str(error), day=self.day)
            except Exception as error:
                self._is_spoilt = True
                if self._is_news(error):
                    _log.exception("tail failed", day=self.day)
            self._leave()
            await asyncio.sleep(self._pause_s)
            self._pause_s = min(self._pause_s * 2, self._rhythm.longest_pause_s)

    async def _follow(self) -> None:
        """From one begin to the end of the day. Raises what the source raises, UnreadableFact and DoesNotFit."""
        epoch, day = await self._source.begin()
        world = await self._resume(epoch) or await self._replay(World(epoch, day, self.office))
        while not world.is_closed:
            now = self._monotonic()
            if now >= self._next_look:
                await self._look(world, now)
            wait_s = max(0.0, self._next_look - now)
            await self._tell(world, await self._read(world, wait_s))

    async def _read(self, world: World, wait_s: float) -> list[tuple[int, int, Fact]]:
        told = await self._source.read(world.day, world.place, int(wait_s * 1000))
        self.last_read = self._monotonic()
        return told

    async def _resume(self, epoch: str) -> World | None:
        """In the same epoch: tell what happened meanwhile, then that nothing was missed. None: build anew."""
        world = self.world
        if world is None or world.epoch != epoch or self._is_spoilt:
            return None
        if world.is_closed:
            raise StaleDay(day=world.day)  # the next day is not open yet
        told = await self._read(world, 0)
        if len(told) >= TELL_BELOW:
            return None
        at = await self._source.now()
        await self._tell(world, told)
        self._come_back(world, at)
        return world

    async def _replay(self, world: World) -> World:
        """A new world: bring it up to date without telling anybody, then let listeners forget what they knew."""
        count = LIVE_BELOW
        while count >= LIVE_BELOW:
            told = await self._read(world, 0)
            for ms, seq, fact in told:
                world.learn((ms, seq), fact)
            count = len(told)
            await asyncio.sleep(0)  # sockets are served meanwhile
        if world.is_closed:
            raise StaleDay(day=world.day)  # it was closed since begin
        at = await self._source.now()
        self.world, self._is_spoilt = world, False
        for topic in self.registry.topics():
            self.registry.tell(topic, world.snapshot(topic))
        self._come_back(world, at)
        return world

    async def _tell(self, world: World, told: list[tuple[int, int, Fact]]) -> None:
        for count, (ms, seq, fact) in enumerate(told, start=1):
            for topic, frame in world.learn((ms, seq), fact):
                self.registry.tell(topic, frame)
            self.facts += 1
            if count % AT_ONCE == 0:
                await asyncio.sleep(0)  # every writer empties its mailbox
        if told:
            self._wake()

    async def _look(self, world: World, now: float) -> None:
        """Ask for office time, and send the beats that are due: what was read so far is the present state."""
        world.at = max(world.at, await self._source.now())
        due = [pace for pace in Pace if now >= self._next_beat[pace]]
        for pace in due:
            self._next_beat[pace] = now + self._rhythm.beats_s[pace]
        for topic in self.registry.topics() if due else ():
            self.registry.tell(topic, world.beat(topic), due)
        self._next_look = min(now + self._rhythm.look_s, *self._next_beat.values())

    # Between one state and the other: no await below this line -----------------------------------------------------

    def _come_back(self, world: World, at: int) -> None:
        """The store answers and everybody has been told everything."""
        present, self._away_s = self.away_s()
        if self._logged:
            _log.info("store back", away_s=round(present, 1), day=world.day)
            self._logged.clear()
        self.is_away, self._away_since, self._pause_s = False, None, self._rhythm.first_pause_s
        world.at = max(world.at, at)
        for topic in self.registry.topics():
            self.registry.tell(topic, world.beat(topic))
        now = self._monotonic()
        self._next_beat = {pace: now + self._rhythm.beats_s[pace] for pace in Pace}
        self._next_look = min(now + self._rhythm.look_s, *self._next_beat.values())
        self._wake()

    def _leave(self) -> None:
        """The store is away: say so, once an outage."""
        if self.is_away:
            return
        self.is_away, self._away_since = True, self._monotonic()
        self.outages += 1
        for topic in self.registry.topics():
            self.registry.tell(topic, AWAY)

    def _is_news(self, error: Exception) -> bool:
        """Whether the log has yet to hear of this kind of failure in this outage: it is tried again every second."""
        is_news = type(error) not in self._logged
        self._logged.add(type(error))
        return is_news

    def _sound(self) -> World | None:
        return None if self._is_spoilt else self.world

    def _first(self, topic: str, after: Position | None) -> list[Frame]:
        return first_frames(self._sound(), is_away=self.is_away, topic=topic, after=after)

    def _wake(self) -> None:
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()
