"""The operations log as an auditor reads it: page by page, the newest first. Reads only, and proves nothing.

What was noted and is not in the chain yet stands before the chain's entries and has no number there.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from hub.ledger.connection import transaction
from hub.ledger.operations import Ledger, own_position
from hub.ledger.tables import JOURNAL, OPERATIONS

TOKYO = ZoneInfo("Asia/Tokyo")
PAGE = 100
MOST_UNCHAINED = 100  # the archiver empties the journal within seconds; while it stands, the newest say that it does


@dataclass(frozen=True, slots=True)
class Logged:
    """One entry. `seq`: its place in the chain, None while it waits for one; `at` in ms, office time where a fact."""

    seq: int | None
    type: str
    at: int
    who: str
    request: str
    fields: Mapping[str, int | str]


@dataclass(frozen=True, slots=True)
class LogPage:
    """`before_seq`: where the next, older page begins; None: this was the last. `unchained`: how many wait in all."""

    entries: tuple[Logged, ...]
    before_seq: int | None
    unchained: int


class Log:
    """Blocking. Everything may raise LedgerUnusable."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def page(
        self,
        day: str | None = None,
        who: str | None = None,
        kind: str | None = None,
        before_seq: int | None = None,
        limit: int = PAGE,
    ) -> LogPage:
        """At most `limit` of the chain. `day`: YYYY-MM-DD, the business day of a fact and the date in Tokyo of a note;
        raises ValueError for one that is none. `who`: one author, or all of a kind (`cli`: whoever typed a command).
        What waits for the chain comes with the first page only.
        """
        span = _span(day) if day else None
        with transaction(self._ledger.engine, writes=False) as connection:
            waiting, count = [], 0
            if before_seq is None:
                where = self._where(JOURNAL, who, kind)
                if span:
                    where += [JOURNAL.c.at >= span[0], JOURNAL.c.at < span[1]]
                waiting = list(
                    connection.execute(
                        sa.select(JOURNAL).where(*where).order_by(JOURNAL.c.id.desc()).limit(MOST_UNCHAINED)
                    )
                )
                count = len(waiting)
                if count == MOST_UNCHAINED:
                    counted = sa.select(sa.func.count()).select_from(JOURNAL).where(*where)
                    count = connection.execute(counted).scalar_one()
            # Last: what the archiver has moved meanwhile is found twice, and never not at all.
            chained = connection.execute(
                sa.select(OPERATIONS)
                .where(*self._where(OPERATIONS, who, kind))
                .where(*([OPERATIONS.c.day == day] if day else []))
                .where(*([OPERATIONS.c.seq < before_seq] if before_seq is not None else []))
                .order_by(OPERATIONS.c.seq.desc())
                .limit(limit + 1)
            ).all()
        moved = {row.position for row in chained}
        still = [row for row in waiting if own_position(row.id) not in moved]
        count -= len(waiting) - len(still)
        entries = [_logged(row, None) for row in still] + [_logged(row, row.seq) for row in chained[:limit]]
        return LogPage(tuple(entries), chained[limit - 1].seq if len(chained) > limit else None, count)

    def _where(self, table: sa.Table, who: str | None, kind: str | None) -> list[sa.ColumnElement[bool]]:
        where = [table.c.office == self._ledger.office]
        if who:
            where.append(sa.or_(table.c.who == who, table.c.who.startswith(f"{who}:", autoescape=True)))
        if kind:
            where.append(table.c.type == kind)
        return where


def _logged(row: sa.Row[Any], seq: int | None) -> Logged:
    return Logged(seq, row.type, row.at, row.who, row.request, json.loads(row.fields))


def _span(day: str) -> tuple[int, int]:
    """First ms of a date in Tokyo, and of the next."""
    first = datetime.combine(date.fromisoformat(day), datetime.min.time(), TOKYO)
    return round(first.timestamp() * 1000), round((first + timedelta(days=1)).timestamp() * 1000)
