"""The archiver: every fact of every day goes into the ledger once and in order; then, and only then, the stream may go.

It works from what the store and the ledger say, never from memory: killed at any moment, the next one goes on. Facts
that were cut from a stream before they came here are no secret: the gap becomes an entry of its own.
"""

import asyncio
from pathlib import Path
from typing import Protocol

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.desk.facts import DayClosed, DayOpened, Fact
from hub.desk.refusals import Refusal
from hub.ledger.heads import Head, HeadDiffers, write_head
from hub.ledger.kept import NotKept, kept_of
from hub.ledger.operations import Entry, Gap, Stream, entry_text
from hub.store.days import DayList, Look

_log = structlog.get_logger("workers.archive")

PAGES_A_TURN = 8  # then the journal, the heads and the word to the hubs have their turn again
SETTLED_S = 3600  # hubs have moved on to the next day within seconds; a clerk's screen may have slept
BEHIND_S = 60.0  # an archiver that works is behind by a second
DIFFERS = "a day differs from the ledger"
ANEW = "a day of the ledger differs from its signed head"
UNREADABLE = "a fact cannot be read or kept"


class DaysKept(Protocol):
    """The store's days. Everything may raise a Refusal."""

    async def list(self) -> DayList: ...
    async def look(self, day: str, after: str, *, page: int = ...) -> Look | None: ...
    async def count(self, day: str, after: str, until: str) -> int: ...
    async def delete(self, day: str) -> None: ...
    async def tell(self, behind: int, lag_ms: int, why: str) -> None: ...


class Book(Protocol):
    """The ledger: blocking; may raise LedgerUnusable, and `append` NotKept."""

    office: str

    def prepare(self) -> None: ...
    def streams(self) -> dict[str, Stream]: ...
    def chain_journal(self) -> int: ...
    def append(
        self,
        day: str,
        seen: Stream,
        facts: list[tuple[str, Fact]],
        *,
        gap: Gap | None,
        accounted: int,
        removed: int,
        is_last: bool,
        at: int,
    ) -> Stream: ...
    def day_entries(self, day: str) -> list[Entry]: ...
    def heads_due(self) -> list[tuple[str, int, str, int]]: ...
    def keep_head(self, day: str, seq: int, hash: str, count: int, signature: str) -> None: ...


class Archiver:
    """`turn` is a duty of the keeper. `heads`: the folder that is handed over; `key`: what signs them."""

    def __init__(
        self, days: DaysKept, book: Book, heads: Path, key: Ed25519PrivateKey, *, settled_s: float = SETTLED_S
    ) -> None:
        self._days, self._book = days, book
        self._heads, self._key = heads, key
        self._settled_s = settled_s
        self._is_prepared = False
        self._streams: dict[str, Stream] = {}  # as last seen, for telling how far behind when the ledger is away
        self._unreadable: set[str] = set()  # days that wait at a fact which this release cannot keep
        self._differing: set[str] = set()  # told already, and looked at again at the next start only
        self._anew: set[str] = set()  # likewise, and looked at again at each turn
        self._is_behind = False

    async def turn(self) -> None:
        """Archive what there is, sign what is over, delete what is kept. Raises what its parts raise."""
        try:
            if not self._is_prepared:
                await asyncio.to_thread(self._book.prepare)
                self._is_prepared = True
            await self._chain_journal()
            await self._archive()
            await asyncio.to_thread(self._sign)
            await self._delete()
        except Exception as error:
            await self._tell(type(error).__name__)
            raise
        found = ((UNREADABLE, self._unreadable), (ANEW, self._anew), (DIFFERS, self._differing))
        await self._tell(next((why for why, days in found if days), ""))

    async def _chain_journal(self) -> None:
        """Before all that needs the store: what people did is in the ledger already."""
        for _ in range(PAGES_A_TURN):
            if not await asyncio.to_thread(self._book.chain_journal):
                return

    async def _archive(self) -> None:
        listed = await self._days.list()
        streams = await self._read_streams()
        left = PAGES_A_TURN
        for day in _in_order(listed, streams):
            stream = streams.get(day, Stream())
            while left and stream.last_seq is None:
                left -= 1
                before = stream
                stream = self._streams[day] = await self._archive_page(day, before, listed)
                if stream == before:
                    break
            if not left:
                return

    async def _read_streams(self) -> dict[str, Stream]:
        self._streams = await asyncio.to_thread(self._book.streams)
        return self._streams

    async def _archive_page(self, day: str, seen: Stream, listed: DayList) -> Stream:
        """The next facts of a day; gives how far it is then, `seen` where there is nothing to add."""
        look = await self._days.look(day, seen.position)
        is_past = bool(listed.open_day) and day < listed.open_day
        gap: Gap | None
        if look is None:
            if not is_past:  # the next press makes it anew, and is behind a gap then
                return seen
            gap = Gap(seen.position, "", "")
            _log.error("facts lost before they were archived", day=day)
            return await self._add(day, seen, [], listed, gap=gap, is_last=True)
        if look.is_unreadable:
            self._stop_at(day, look.following)
            return seen
        gap, accounted = await self._judge(day, seen, look)
        is_over = is_past and not look.facts and (gap is not None or bool(seen.position))
        if not look.facts and gap is None and not is_over:
            return seen
        if gap is not None:
            _log.error("facts lost before they were archived", day=day, missing=gap.missing or "unknown")
        if is_over:  # and its end is not there
            gap = gap or Gap(seen.position, "", "")
            _log.error("the end of a day is missing", day=day)
        try:
            stream = await self._add(
                day,
                seen,
                look.facts,
                listed,
                gap=gap,
                accounted=accounted + len(look.facts),
                removed=look.added - look.present,
                is_last=is_over or (bool(look.facts) and isinstance(look.facts[-1][1], DayClosed)),
            )
        except NotKept:
            self._stop_at(day, look.following)
            return seen
        self._unreadable.discard(day)
        return stream

    def _stop_at(self, day: str, position: str) -> None:
        """Skipping it would be a loss that nobody sees: the day waits for a release that knows it, the others go on."""
        if day not in self._unreadable:
            self._unreadable.add(day)
            _log.error(UNREADABLE, day=day, position=position)

    async def _add(
        self,
        day: str,
        seen: Stream,
        facts: list[tuple[str, Fact]],
        listed: DayList,
        *,
        gap: Gap | None,
        is_last: bool,
        accounted: int = 0,
        removed: int = 0,
    ) -> Stream:
        def add() -> Stream:
            return self._book.append(
                day, seen, facts, gap=gap, accounted=accounted, removed=removed, is_last=is_last, at=listed.now
            )

        return await asyncio.to_thread(add)

    async def _judge(self, day: str, seen: Stream, look: Look) -> tuple[Gap | None, int]:
        """Whether facts behind `seen` are gone; and how many entries of this stream are accounted for up to there."""
        is_there = look.has_after if seen.position else _begins(look)
        if is_there and look.added - look.present == seen.removed:
            return None, seen.accounted
        held = await self._days.count(day, seen.position, look.last)
        missing = look.added - seen.accounted - held
        first = look.facts[0][0] if look.facts else ""
        is_other = not is_there and (missing < 0 or look.added == look.present)
        if is_other and not held:
            return None, seen.accounted  # an older stream came back: what it says next is behind the gap
        if not is_other and missing <= 0:
            return None, look.added - held  # only what was archived has been cut
        return Gap(seen.position, first, "" if is_other else str(missing)), look.added - held

    def _sign(self) -> None:
        anew: set[str] = set()
        for day, seq, last_hash, count in self._book.heads_due():
            head = Head(self._book.office, day, seq, last_hash, count)
            try:
                signature = write_head(self._heads, head, self._key)
            except HeadDiffers:
                anew.add(day)
                if day not in self._anew:
                    _log.error(ANEW, day=day, seq=seq)
                continue
            self._book.keep_head(day, seq, last_hash, count, signature.hex())
            _log.info("head signed", day=day, seq=seq, hash=last_hash)
        self._anew = anew

    async def _delete(self) -> None:
        listed = await self._days.list()
        for day in sorted(listed.opened):
            later = [opened for other, opened in listed.opened.items() if other > day]
            if day >= listed.open_day or not later or listed.now / 1000 - min(later) < self._settled_s:
                continue
            if day in self._differing or self._streams.get(day, Stream()).last_seq is None:
                continue
            if await self._is_kept(day):
                await self._days.delete(day)
                _log.info("facts deleted from the store", day=day)
            else:
                self._differing.add(day)
                _log.error(DIFFERS, day=day)

    async def _is_kept(self, day: str) -> bool:
        """Whether each fact of the stream is an entry of the ledger, word for word."""
        entries = {entry.position: entry for entry in await asyncio.to_thread(self._book.day_entries, day)}
        after = ""
        while (look := await self._days.look(day, after)) is not None and look.following:
            for position, fact in look.facts:
                entry = entries.get(position)
                if entry is None:
                    return False
                if entry.text != entry_text(entry.seq, day, position, type(fact).__name__, kept_of(fact)):
                    return False
                after = position
            if not look.facts:
                return False
        return True

    async def _tell(self, why: str) -> None:
        """How far behind: for the hubs, and once for the log."""
        try:
            behind, lag_ms = await self._lag()
            await self._days.tell(behind, lag_ms, why)
        except Refusal:
            return  # the store is away, and everybody says so
        is_behind = lag_ms > BEHIND_S * 1000
        if is_behind and not self._is_behind:
            _log.error("the archive is behind", facts=behind, seconds=lag_ms // 1000)
        elif self._is_behind and not is_behind:
            _log.info("the archive has caught up")
        self._is_behind = is_behind

    async def _lag(self) -> tuple[int, int]:
        """Facts that are not archived, and the real age of the oldest in ms; where the ledger is away, as last seen."""
        listed = await self._days.list()
        behind, oldest = 0, listed.now
        for day in listed.opened:
            stream = self._streams.get(day, Stream())
            look = await self._days.look(day, stream.position, page=1) if stream.last_seq is None else None
            if look is not None and look.following:
                behind += max(1, look.added - stream.accounted)
                oldest = min(oldest, int(look.following.partition("-")[0]))
        return behind, max(0, listed.now - oldest)


def _in_order(listed: DayList, streams: dict[str, Stream]) -> list[str]:
    """Every day that may have facts to archive, the oldest first."""
    unfinished = {day for day, stream in streams.items() if stream.last_seq is None}
    return sorted(set(listed.opened) | unfinished | ({listed.open_day} if listed.open_day else set()))


def _begins(look: Look) -> bool:
    """Whether the stream is there from its first fact, which every day has."""
    return look.added == look.present and (not look.facts or isinstance(look.facts[0][1], DayOpened))
