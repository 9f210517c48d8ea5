"""What a report counts in a period: operations by kind, versions of the accepted text, and audits held."""

import json
from collections import Counter
from datetime import date

import sqlalchemy as sa

from hub.desk.refusals import WrongAuditDate
from hub.ledger.connection import transaction
from hub.ledger.erasures import GIVEN, USED
from hub.ledger.journal import Author, note
from hub.ledger.operations import Ledger
from hub.ledger.tables import JOURNAL, OPERATIONS

HELD = "AuditHeld"
KINDS = ("on_site", "documents")
RESULTS = ("sound", "to_mend")
FISCAL_YEAR_BEGINS = (4, 1)


class Audits:
    """One office's. Blocking. Everything may raise LedgerUnusable."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def held(self) -> list[tuple[str, str, str]]:
        """(date, kind, result), the oldest first; those among them that wait to be chained."""
        found = []
        with transaction(self._ledger.engine, writes=False) as connection:
            for table in (OPERATIONS, JOURNAL):
                mine = sa.select(table.c.fields).where(table.c.office == self._ledger.office, table.c.type == HELD)
                for (fields,) in connection.execute(mine):
                    told = json.loads(fields)
                    found.append((str(told["held"]), str(told["kind"]), str(told["result"])))
        return sorted(found)

    def add(self, held: str, kind: str, result: str, by: Author, at: int, today: str) -> None:
        """Raises WrongAuditDate for a day that is none or is still to come."""
        try:
            is_day = date.fromisoformat(held).isoformat() == held
        except ValueError:
            is_day = False
        if not is_day or held > today:
            raise WrongAuditDate
        with transaction(self._ledger.engine, writes=True) as connection:
            note(connection, self._ledger.office, HELD, at, by, {"held": held, "kind": kind, "result": result})

    def is_owed(self, today: str) -> bool:
        """None was held in the fiscal year of that day (April to March)."""
        return not any(held >= fiscal_year_of(today) for held, _, _ in self.held())

    def operations(self, first_day: str, last_day: str) -> dict[str, int]:
        """Kind of entry → how many on these days."""
        with transaction(self._ledger.engine, writes=False) as connection:
            rows = connection.execute(
                sa.select(OPERATIONS.c.type, sa.func.count())
                .where(*self._of(first_day, last_day))
                .group_by(OPERATIONS.c.type)
                .order_by(OPERATIONS.c.type)
            )
            return {row[0]: row[1] for row in rows}

    def uses(self, first_day: str, last_day: str) -> dict[tuple[str, str], int]:
        """(carrier, outcome) → how often a message was sent, or that was tried, on these days."""
        counts: Counter[tuple[str, str]] = Counter()
        with transaction(self._ledger.engine, writes=False) as connection:
            mine = sa.select(OPERATIONS.c.fields).where(OPERATIONS.c.type == USED, *self._of(first_day, last_day))
            for (fields,) in connection.execute(mine):
                told = json.loads(fields)
                counts[str(told["carrier"]), str(told["outcome"])] += 1
        return dict(sorted(counts.items()))

    def purposes(self, first_day: str, last_day: str) -> tuple[str, ...]:
        """Versions of the text that was accepted."""
        with transaction(self._ledger.engine, writes=False) as connection:
            rows = connection.execute(
                sa.select(OPERATIONS.c.fields).where(*self._of(first_day, last_day), OPERATIONS.c.type == GIVEN)
            )
            return tuple(sorted({str(json.loads(fields)["purpose"]) for (fields,) in rows}))

    def _of(self, first_day: str, last_day: str) -> tuple[sa.ColumnElement[bool], ...]:
        office = OPERATIONS.c.office == self._ledger.office
        return office, OPERATIONS.c.day >= first_day, OPERATIONS.c.day <= last_day


def fiscal_year_of(day: str) -> str:
    """Its first day."""
    moment = date.fromisoformat(day)
    year = moment.year if (moment.month, moment.day) >= FISCAL_YEAR_BEGINS else moment.year - 1
    return date(year, *FISCAL_YEAR_BEGINS).isoformat()
