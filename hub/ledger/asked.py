"""Erasing one ticket's contact at once, asked for beside the desk: who asked, of which number, and what came of it.

Both are entries of the chain. Here alone they meet: who asks reaches the ledger, who erases reaches ledger and store.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from hub.ledger.connection import transaction
from hub.ledger.journal import Author, note
from hub.ledger.operations import Ledger
from hub.ledger.tables import JOURNAL, OPERATIONS

ASKED, ANSWERED = "ErasureAsked", "ErasureAnswered"
BY = Author("keeper")
READ_BACK = 1000  # entries at a first look: what was asked before them has waited for too long already


@dataclass(frozen=True, slots=True)
class Ask:
    """`at`: real ms of who asked."""

    request: str
    number: str
    who: str
    at: int


@dataclass(frozen=True, slots=True)
class Answer:
    """`day`: the business day on which it was looked for; `contacts`: how many were erased, 0: there was none."""

    day: str
    contacts: int


class Asks:
    """One office's. Blocking. Everything may raise LedgerUnusable. It remembers how far it has read."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._seq: int | None = None
        self._open: dict[str, Ask] = {}
        self._answers: dict[str, Answer] = {}

    def ask(self, number: str, by: Author, at: int) -> str:
        """Gives the id of the request, by which the answer is found."""
        with transaction(self._ledger.engine, writes=True) as connection:
            note(connection, self._ledger.office, ASKED, at, by, {"number": number})
        return by.request

    def open(self) -> list[Ask]:
        """What nobody has answered, the oldest first."""
        self._follow()
        return sorted(self._open.values(), key=lambda ask: ask.at)

    def answer(self, ask: Ask, told: Answer, at: int) -> None:
        fields = {"number": ask.number, "date": told.day, "contacts": str(told.contacts)}
        with transaction(self._ledger.engine, writes=True) as connection:
            note(connection, self._ledger.office, ANSWERED, at, Author(BY.who, ask.request), fields)
        self._open.pop(ask.request, None)

    def answer_to(self, request: str) -> Answer | None:
        """None: nobody has answered yet."""
        self._follow()
        return self._answers.get(request)

    def _follow(self) -> None:
        with transaction(self._ledger.engine, writes=False) as connection:
            end = connection.execute(
                sa.select(sa.func.max(OPERATIONS.c.seq)).where(OPERATIONS.c.office == self._ledger.office)
            ).scalar_one()
            after = max(0, (end or 0) - READ_BACK) if self._seq is None else self._seq
            for kind, ask, fields in self._told(connection, after):
                if kind == ASKED:
                    self._open[ask.request] = ask
                else:
                    self._open.pop(ask.request, None)
                    count = fields.get("contacts", "")
                    self._answers[ask.request] = Answer(fields.get("date", ""), int(count) if count.isdigit() else 0)
            self._seq = end or 0

    def _told(self, connection: sa.Connection, after: int) -> Iterator[tuple[str, Ask, dict[str, str]]]:
        """(type, what was asked, fields): the chain, then what waits in the journal to be chained."""
        is_new = (OPERATIONS.c.office == self._ledger.office, OPERATIONS.c.seq > after)
        is_waiting = (JOURNAL.c.office == self._ledger.office,)
        for table, which, order in ((OPERATIONS, is_new, OPERATIONS.c.seq), (JOURNAL, is_waiting, JOURNAL.c.id)):
            mine = sa.select(table).where(*which, table.c.type.in_((ASKED, ANSWERED))).order_by(order)
            for row in connection.execute(mine):
                fields = json.loads(row.fields)
                yield row.type, Ask(row.request, fields.get("number", ""), row.who, row.at), fields
