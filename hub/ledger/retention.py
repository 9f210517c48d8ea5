"""The end of a segment's years: its entries go, and an entry says how many they were and what their last hash was.

What survives is an allow-list: the fields of `SegmentClosed` (`hub.ledger.kept.OWN`) and the signed heads.
"""

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from hub.ledger.connection import transaction
from hub.ledger.journal import Author
from hub.ledger.kept import SEGMENT, kept_of_stamp
from hub.ledger.operations import Ledger
from hub.ledger.tables import OPERATIONS, STREAMS
from hub.ledger.verifying import verify


class NotWhole(Exception):
    """The chain was touched: nothing of it is closed, for it may be evidence."""


@dataclass(frozen=True, slots=True)
class Segment:
    first: int
    last: int
    first_day: str
    last_day: str
    count: int


def kept_from(today: str, years: int) -> str:
    """The first day whose entries are still kept."""
    day = date.fromisoformat(today)
    try:
        return day.replace(year=day.year - years).isoformat()
    except ValueError:  # 29 February
        return day.replace(year=day.year - years, day=28).isoformat()


def close_before(ledger: Ledger, day: str, *, today: str, at: int, by: Author) -> Segment | None:
    """Close everything that lies wholly before `day`; None where there is nothing. Raises NotWhole."""
    if not verify(ledger, [head[:3] for head in ledger.heads()]).is_whole:
        raise NotWhole
    entry = OPERATIONS.c
    with transaction(ledger.engine, writes=True) as connection:
        end = ledger.locked(connection)
        first_kept = connection.execute(
            sa.select(sa.func.min(entry.seq)).where(entry.office == ledger.office, entry.day >= day)
        ).scalar()
        last = end[0] if first_kept is None else first_kept - 1
        gone = sa.and_(entry.office == ledger.office, entry.seq <= last)
        row = connection.execute(
            sa.select(sa.func.min(entry.seq), sa.func.min(entry.day), sa.func.max(entry.day), sa.func.count()).where(
                gone
            )
        ).one()
        if not row[3]:
            return None
        segment = Segment(row[0], last, row[1], row[2], row[3])
        last_hash = connection.execute(
            sa.select(entry.hash).where(entry.office == ledger.office, entry.seq == last)
        ).scalar_one()
        told: dict[str, int | str] = {"first": segment.first, "last": last, "count": segment.count}
        told |= {"first_day": segment.first_day, "last_day": segment.last_day, "last_hash": last_hash}
        stamp = kept_of_stamp(at, by.who, by.request)
        ledger.add(connection, end, [(today, f"segment:{last}", SEGMENT, {**stamp, **told})])
        connection.execute(sa.delete(OPERATIONS).where(gone))
        connection.execute(
            sa.delete(STREAMS).where(STREAMS.c.office == ledger.office, STREAMS.c.day < day, STREAMS.c.last_seq <= last)
        )
    return segment
