"""The facts of a day as the ledger keeps them: what is needed to explain it, long after its stream was deleted.

Reads only. What was withheld from the ledger (`kept.WITHHELD`) is missing here too, and so is what a gap swallowed.
"""

import json

import sqlalchemy as sa

from hub.desk.facts import Fact, UnreadableFact, from_fields
from hub.ledger.connection import transaction
from hub.ledger.kept import KEPT
from hub.ledger.operations import Ledger
from hub.ledger.tables import OPERATIONS


class PastDays:
    """Blocking. Everything may raise LedgerUnusable."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def facts(self, day: str) -> list[Fact]:
        """In their order; none: that day is not there, or nothing of it was archived yet."""
        with transaction(self._ledger.engine, writes=False) as connection:
            rows = connection.execute(
                sa.select(OPERATIONS)
                .where(OPERATIONS.c.office == self._ledger.office, OPERATIONS.c.day == day)
                .where(OPERATIONS.c.type.in_(KEPT))
                .order_by(OPERATIONS.c.seq)
            ).all()
        return [fact for row in rows if (fact := _fact(row)) is not None]


def _fact(row: sa.Row[tuple[object, ...]]) -> Fact | None:
    flat = {name: str(value) for name, value in json.loads(str(row.fields)).items()}
    flat |= {name: str(row._mapping[name]) for name in ("type", "at", "who", "request", "day")}
    try:
        return from_fields(flat)
    except UnreadableFact:
        return None  # an older release kept less of it
