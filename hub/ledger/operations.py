"""The chain of one office's operations: how an entry is added, and how anybody finds that one was touched.

`hash = SHA-256(previous ‖ canonical entry)`; before the first entry stand 32 zero bytes and the office's key. Entries
and the place in the stream up to which they reach are written in one transaction: a fact is in the chain once.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from hub.desk.facts import Fact
from hub.ledger.connection import engine_of, is_there, migrate, transaction
from hub.ledger.journal import tokyo_day
from hub.ledger.kept import GAP, SEGMENT, Kept, canonical, kept_of, kept_of_note, kept_of_stamp
from hub.ledger.tables import CHAINS, HEADS, JOURNAL, OPERATIONS, STREAMS

PAGE = 1000  # entries read at once: a verification of years needs no memory
NOTES = 500  # of the journal in one transaction: while it lasts nobody else can write to a SQLite file
KEEPER = "keeper"
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_COLUMNS = ("day", "position", "type", "at", "who", "request")


@dataclass(frozen=True, slots=True)
class Stream:
    """How far a day's stream is in the chain. `last_seq`: of its last entry, where there can be no other."""

    position: str = ""
    accounted: int = 0
    removed: int = 0
    last_seq: int | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """Facts that were cut from the stream before they were archived. Texts: '' is what nobody can know."""

    after: str
    before: str
    missing: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One link. `text` is what was hashed after the hash of the one before."""

    seq: int
    position: str
    hash: str
    text: str


def genesis(office: str) -> bytes:
    return bytes(32) + office.encode()


def link(previous: bytes, text: str) -> str:
    """The hash of an entry, hexadecimal."""
    return hashlib.sha256(previous + text.encode()).hexdigest()


def raw(hash: object) -> bytes | None:
    """A hash as bytes; None where it is none."""
    return bytes.fromhex(hash) if isinstance(hash, str) and _HASH.fullmatch(hash) else None


def own_position(note_id: int) -> str:
    """Where an entry stands that was a note of the journal."""
    return f"own:{note_id}"


def entry_text(seq: int, day: str, position: str, kind: str, kept: Kept) -> str:
    """The canonical text of an entry; `kept` has at, who and request beside the fields."""
    told = {name: value for name, value in kept.items() if name not in _COLUMNS}
    head = {"at": kept["at"], "who": kept["who"], "request": kept["request"]}
    return canonical({"seq": seq, "day": day, "position": position, "type": kind, "fields": told, **head})


class Ledger:
    """One office's part of the ledger. Everything blocks and may raise LedgerUnusable."""

    def __init__(self, url: str, office: str) -> None:
        self.office = office
        self.engine = engine_of(url)

    @property
    def is_there(self) -> bool:
        """Opening a SQLite file that is not there would make one."""
        return is_there(self.engine)

    def prepare(self) -> None:
        migrate(self.engine)
        with transaction(self.engine, writes=True) as connection:
            if self._end(connection) is None:
                connection.execute(_insert_if_new(connection, CHAINS).values(office=self.office, seq=0, hash=""))

    def close(self) -> None:
        self.engine.dispose()

    def streams(self) -> dict[str, Stream]:
        """Every day whose facts are in the chain, wholly or in part."""
        with transaction(self.engine, writes=False) as connection:
            rows = connection.execute(sa.select(STREAMS).where(STREAMS.c.office == self.office))
            return {row.day: Stream(row.position, row.accounted, row.removed, row.last_seq) for row in rows}

    def append(
        self,
        day: str,
        seen: Stream,
        facts: Sequence[tuple[str, Fact]],
        *,
        gap: Gap | None = None,
        accounted: int,
        removed: int,
        is_last: bool = False,
        at: int = 0,
    ) -> Stream:
        """Facts of a day as (position, fact), behind the place that `seen` names; after a `gap` found at `at`.

        Gives the day's stream as it is now. Where somebody else has moved on meanwhile nothing is added. Raises NotKept
        for a fact that nobody has allowed.
        """
        entries = [(position, type(fact).__name__, kept_of(fact)) for position, fact in facts]
        if gap is not None:
            told = {"after": gap.after, "before": gap.before, "missing": gap.missing}
            place = f"gap:{gap.after}:{gap.before}:{accounted}"  # a second one before any fact follows is another
            entries.insert(0, (place, GAP, {"at": at, "who": KEEPER, "request": "", **told}))
        with transaction(self.engine, writes=True) as connection:
            end = self._locked_end(connection)
            present = self._stream(connection, day)
            if (present or Stream()) != seen:
                return present or Stream()
            last = self.add(connection, end, [(day, *entry) for entry in entries])
            position = facts[-1][0] if facts else seen.position
            stream = Stream(position, accounted, removed, last if is_last else None)
            values = {"position": position, "accounted": accounted, "removed": removed, "last_seq": stream.last_seq}
            if present is None:
                connection.execute(sa.insert(STREAMS).values(office=self.office, day=day, **values))
            else:
                connection.execute(sa.update(STREAMS).where(*self._of(STREAMS, day)).values(**values))
            return stream

    def chain_journal(self, *, most: int = NOTES) -> int:
        """Move the oldest notes of the journal into the chain, at most so many; gives how many they were."""
        with transaction(self.engine, writes=True) as connection:
            end = self._locked_end(connection)  # of two archivers the second finds nothing left
            mine = sa.select(JOURNAL).where(JOURNAL.c.office == self.office).order_by(JOURNAL.c.id).limit(most)
            notes = connection.execute(mine).all()
            entries = []
            for note in notes:
                kind, kept = kept_of_note(note.type, note.fields)
                stamp = kept_of_stamp(note.at, note.who, note.request)
                entries.append((tokyo_day(note.at), own_position(note.id), kind, {**stamp, **kept}))
            self.add(connection, end, entries)
            # By id, not up to the last: one with a smaller id may have been written just now by a slower transaction.
            connection.execute(sa.delete(JOURNAL).where(JOURNAL.c.id.in_([note.id for note in notes])))
            return len(notes)

    def add(
        self, connection: sa.Connection, end: tuple[int, str], entries: Sequence[tuple[str, str, str, Kept]]
    ) -> int:
        """Link (day, position, type, kept) to the chain whose end is locked; gives the last seq."""
        seq, previous = end
        rows = []
        for day, position, kind, kept in entries:
            seq += 1
            text = entry_text(seq, day, position, kind, kept)
            previous = link(bytes.fromhex(previous) if previous else genesis(self.office), text)
            told = canonical({name: value for name, value in kept.items() if name not in _COLUMNS})
            row = {"at": kept["at"], "who": kept["who"], "request": kept["request"], "fields": told, "hash": previous}
            rows.append({"office": self.office, "seq": seq, "day": day, "position": position, "type": kind, **row})
        if rows:
            connection.execute(sa.insert(OPERATIONS), rows)
            connection.execute(sa.update(CHAINS).where(CHAINS.c.office == self.office).values(seq=seq, hash=previous))
        return seq

    def entries(self, first: int = 0, *, day: str | None = None) -> Iterator[Entry]:
        """The chain from `first` on, page by page; only a day's entries where one is named."""
        while True:
            where = [OPERATIONS.c.office == self.office, OPERATIONS.c.seq >= first]
            if day is not None:
                where.append(OPERATIONS.c.day == day)
            with transaction(self.engine, writes=False) as connection:
                rows = connection.execute(
                    sa.select(OPERATIONS).where(*where).order_by(OPERATIONS.c.seq).limit(PAGE)
                ).all()
            for row in rows:
                yield Entry(row.seq, row.position, row.hash, _text_of(row))
            if len(rows) < PAGE:
                return
            first = rows[-1].seq + 1

    def day_entries(self, day: str) -> list[Entry]:
        return list(self.entries(day=day))

    def before(self, first: int) -> bytes | None:
        """What the hash of the entry `first` follows: genesis, or the end of a closed segment; None: nobody says."""
        if first <= 1:
            return genesis(self.office)
        closed = sa.select(OPERATIONS).where(OPERATIONS.c.office == self.office, OPERATIONS.c.type == SEGMENT)
        with transaction(self.engine, writes=False) as connection:
            for row in connection.execute(closed):
                told = json.loads(_text_of(row))["fields"]
                if isinstance(told, dict) and told.get("last") == first - 1:
                    return raw(told.get("last_hash"))
        return None

    def heads_due(self) -> list[tuple[str, int, str, int]]:
        """(day, seq, hash, count) of each day that is over and has no signed head yet."""
        each = OPERATIONS.alias()
        counted = (
            sa.select(sa.func.count())
            .select_from(each)
            .where(each.c.office == STREAMS.c.office, each.c.day == STREAMS.c.day, each.c.seq <= STREAMS.c.last_seq)
            .correlate(STREAMS)
            .scalar_subquery()
        )
        one = sa.and_(OPERATIONS.c.office == STREAMS.c.office, OPERATIONS.c.seq == STREAMS.c.last_seq)
        signed = sa.and_(HEADS.c.office == STREAMS.c.office, HEADS.c.day == STREAMS.c.day)
        with transaction(self.engine, writes=False) as connection:
            rows = connection.execute(
                sa.select(STREAMS.c.day, OPERATIONS.c.seq, OPERATIONS.c.hash, counted)
                .select_from(STREAMS.join(OPERATIONS, one).outerjoin(HEADS, signed))
                .where(STREAMS.c.office == self.office, HEADS.c.day.is_(None))
                .order_by(STREAMS.c.day)
            )
            return [(row[0], row[1], row[2], row[3]) for row in rows]

    def keep_head(self, day: str, seq: int, hash: str, count: int, signature: str) -> None:
        with transaction(self.engine, writes=True) as connection:
            connection.execute(
                _insert_if_new(connection, HEADS).values(
                    office=self.office, day=day, seq=seq, hash=hash, count=count, signature=signature
                )
            )

    def heads(self) -> list[tuple[str, int, str, int, str]]:
        """(day, seq, hash, count, signature) of every signed head, the oldest first."""
        with transaction(self.engine, writes=False) as connection:
            told = sa.select(HEADS.c.day, HEADS.c.seq, HEADS.c.hash, HEADS.c.count, HEADS.c.signature)
            rows = connection.execute(told.where(HEADS.c.office == self.office).order_by(HEADS.c.day))
            return [(row[0], row[1], row[2], row[3], row[4]) for row in rows]

    def end(self) -> tuple[int, str] | None:
        """Where the chain ends as its archiver wrote it down; None before there is one."""
        with transaction(self.engine, writes=False) as connection:
            return self._end(connection)

    def last_day(self) -> str:
        """The last business day of which there is an entry; '' before there is one."""
        with transaction(self.engine, writes=False) as connection:
            mine = OPERATIONS.c.office == self.office
            return connection.execute(sa.select(sa.func.max(OPERATIONS.c.day)).where(mine)).scalar() or ""

    def locked(self, connection: sa.Connection) -> tuple[int, str]:
        """The end of the chain, which nobody else can move until this transaction is over."""
        return self._locked_end(connection)

    def _locked_end(self, connection: sa.Connection) -> tuple[int, str]:
        row = connection.execute(
            sa.select(CHAINS.c.seq, CHAINS.c.hash).where(CHAINS.c.office == self.office).with_for_update()
        ).one()
        return row.seq, row.hash

    def _end(self, connection: sa.Connection) -> tuple[int, str] | None:
        row = connection.execute(
            sa.select(CHAINS.c.seq, CHAINS.c.hash).where(CHAINS.c.office == self.office)
        ).one_or_none()
        return None if row is None else (row.seq, row.hash)

    def _stream(self, connection: sa.Connection, day: str) -> Stream | None:
        row = connection.execute(sa.select(STREAMS).where(*self._of(STREAMS, day))).one_or_none()
        return None if row is None else Stream(row.position, row.accounted, row.removed, row.last_seq)

    def _of(self, table: sa.Table, day: str) -> tuple[sa.ColumnElement[bool], ...]:
        return table.c.office == self.office, table.c.day == day


def _text_of(row: sa.Row[tuple[object, ...]]) -> str:
    """What was hashed; of fields that nobody here has written so (other JSON, or none) something that never was."""
    own: dict[str, object] = {name: getattr(row, name) for name in ("seq", *_COLUMNS)}
    try:
        told = json.loads(row.fields)
    except ValueError:
        told = None
    return canonical({**own, "fields": told if canonical(told) == row.fields else row.fields})


def _insert_if_new(connection: sa.Connection, table: sa.Table) -> sa.Insert:
    """Both databases write it alike, SQLAlchemy does not."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as of_postgresql

        return of_postgresql(table).on_conflict_do_nothing()
    from sqlalchemy.dialects.sqlite import insert as of_sqlite

    return of_sqlite(table).on_conflict_do_nothing()
