"""What a certificate of erasure states of a period, taken from the chain alone: the same chain gives the same words.

Nothing here knows the day of issue or who signs; both come in where a paper is made of it.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from hub.ledger.connection import transaction
from hub.ledger.erasures import KEY, VERIFIED, Erasures, Handled, count_by
from hub.ledger.journal import tokyo_day
from hub.ledger.operations import Ledger
from hub.ledger.tables import OPERATIONS
from hub.ledger.verifying import verify

FORMAT = "junban-certificate-1"


@dataclass(frozen=True, slots=True)
class KeyOfADate:
    """`destroyed_ms`, `verified_ms`: real ms; None: not yet. `contacts`: given on that date."""

    date: str
    key: str
    contacts: int
    destroyed_ms: int | None
    verified_ms: int | None


@dataclass(frozen=True, slots=True)
class Certified:
    """`counts`: carrier, ending, how many. `first`, `last`: seq and hash of the period's own entries; `is_whole`: what
    a walk over the whole chain found. `left`: contacts that are not erased, `unproved`: erased and not verified.
    """

    office: str
    first_day: str
    last_day: str
    counts: tuple[tuple[str, str, int], ...]
    keys: tuple[KeyOfADate, ...]
    left: int
    unproved: int
    methods: tuple[str, ...]
    first: tuple[int, str]
    last: tuple[int, str]
    is_whole: bool

    @property
    def contacts(self) -> int:
        return sum(count for _, _, count in self.counts)

    def as_fields(self) -> dict[str, Any]:
        return {"format": FORMAT, **asdict(self)}


def certify(ledger: Ledger, first_day: str, last_day: str) -> Certified:
    """Business days, YYYY-MM-DD, both included. Raises LedgerUnusable."""
    handled = Erasures(ledger).handled(first_day, last_day, chained_alone=True)
    counts = tuple((carrier, ending, count) for (carrier, ending), count in count_by(handled).items())
    methods = {one.method for one in handled if one.method} | set(_methods(ledger, handled))
    first, last = _ends(ledger, first_day, last_day)
    return Certified(
        office=ledger.office,
        first_day=first_day,
        last_day=last_day,
        counts=counts,
        keys=tuple(_keys(ledger, handled)),
        left=sum(one.erased_ms is None for one in handled),
        unproved=sum(one.erased_ms is not None and one.verified_ms is None for one in handled),
        methods=tuple(sorted(methods)),
        first=first,
        last=last,
        is_whole=verify(ledger).is_whole,
    )


def _keys(ledger: Ledger, handled: list[Handled]) -> list[KeyOfADate]:
    """One for each date on which a contact was given."""
    of_date: dict[str, list[Handled]] = {}
    for one in handled:
        of_date.setdefault(tokyo_day(one.given_ms), []).append(one)
    destroyed = {fields["date"]: (fields["key"], at) for at, fields in _noted(ledger, KEY)}
    found = []
    for day, mine in sorted(of_date.items()):
        key, at = destroyed.get(day, ("", None))
        proofs = [one.verified_ms for one in mine]
        known = [moment for moment in proofs if moment is not None]
        found.append(KeyOfADate(day, key, len(mine), at, max(known) if len(known) == len(proofs) else None))
    return found


def _methods(ledger: Ledger, handled: list[Handled]) -> list[str]:
    proved = {one.verified_ms for one in handled}
    return [fields["method"] for at, fields in _noted(ledger, VERIFIED) if at in proved]


def _noted(ledger: Ledger, kind: str) -> list[tuple[int, dict[str, Any]]]:
    with transaction(ledger.engine, writes=False) as connection:
        rows = connection.execute(
            sa.select(OPERATIONS.c.at, OPERATIONS.c.fields)
            .where(OPERATIONS.c.office == ledger.office, OPERATIONS.c.type == kind)
            .order_by(OPERATIONS.c.seq)
        )
        return [(row.at, json.loads(row.fields)) for row in rows]


def _ends(ledger: Ledger, first_day: str, last_day: str) -> tuple[tuple[int, str], tuple[int, str]]:
    """(seq, hash) of the first and the last entry of these days; (0, '') where there is none."""
    with transaction(ledger.engine, writes=False) as connection:
        mine = sa.select(OPERATIONS.c.seq, OPERATIONS.c.hash).where(
            OPERATIONS.c.office == ledger.office, OPERATIONS.c.day >= first_day, OPERATIONS.c.day <= last_day
        )
        first = connection.execute(mine.order_by(OPERATIONS.c.seq).limit(1)).one_or_none()
        last = connection.execute(mine.order_by(OPERATIONS.c.seq.desc()).limit(1)).one_or_none()
    return (first.seq, first.hash) if first else (0, ""), (last.seq, last.hash) if last else (0, "")
