"""What became of each contact, by the random id of its subscription: given, used, erased, verified. Never the contact
itself.

Contacts that are given and used, and those erased before their day is over, come into the chain as facts. What the
eraser does on the day after is noted here, in the journal, and chained like everything else: each contact once, however
often the eraser is killed and begins anew.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from hub.ledger.connection import transaction
from hub.ledger.journal import TOKYO, Author, note, tokyo_day
from hub.ledger.operations import Ledger
from hub.ledger.tables import JOURNAL, OPERATIONS

GIVEN, USED, STOPPED = "ContactGiven", "ContactUsed", "ContactErased"
KEY, GONE, VERIFIED = "KeyDestroyed", "ContactDestroyed", "ErasureVerified"
DAY_AFTER = "day_after"  # the ending of a contact that nobody erased before its day was over
BY = Author("keeper")
_WATCHED = (GIVEN, STOPPED, KEY, GONE, VERIFIED)
_HANDLING = (GIVEN, USED, STOPPED, GONE, VERIFIED)


@dataclass(frozen=True, slots=True)
class Given:
    """A contact of which no end is known. `given_ms`: real; `day`: the business day."""

    subscription: str
    carrier: str
    day: str
    given_ms: int

    @property
    def date(self) -> str:
        """The real date in Tokyo, whose key it was sealed with."""
        return tokyo_day(self.given_ms)


@dataclass(frozen=True, slots=True)
class Use:
    """A message was sent to a contact, or that was tried. `outcome`: state of its notice after it. `at_ms`: real."""

    at_ms: int
    trigger: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Handled:
    """All that the ledger knows of one contact. Times are real ms, None: not yet; texts are '' then."""

    subscription: str
    carrier: str
    day: str
    given_ms: int
    number: str = ""
    erased_ms: int | None = None
    ending: str = ""
    method: str = ""
    key: str = ""
    verified_ms: int | None = None
    uses: tuple[Use, ...] = ()


class Erasures:
    """One office's. Blocking. Everything may raise LedgerUnusable. It remembers how far it has read, and nothing else
    that the chain does not say.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._seq = 0
        self._open: dict[str, Given] = {}
        self._keys: dict[str, str] = {}  # date → id of its destroyed key

    def open(self) -> list[Given]:
        """Contacts of which no end is known, the oldest first."""
        with transaction(self._ledger.engine, writes=False) as connection:
            self._follow(connection)
        return sorted(self._open.values(), key=lambda given: given.given_ms)

    def keys(self) -> dict[str, str]:
        """Date → id of its key, of those that are noted as destroyed; as of the last look at the chain."""
        return dict(self._keys)

    def key_destroyed(self, date: str, key: str, at: int) -> None:
        with transaction(self._ledger.engine, writes=True) as connection:
            self._follow(connection)
            if date not in self._keys:
                note(connection, self._ledger.office, KEY, at, BY, {"date": date, "key": key})
                self._keys[date] = key

    def gone(self, contacts: Collection[Given], method: str, at: int, *, ending: str = DAY_AFTER) -> int:
        """Their day is over and they are erased; gives how many of them nobody had noted before."""
        with transaction(self._ledger.engine, writes=True) as connection:
            self._follow(connection)
            mine = [given for given in contacts if given.subscription in self._open]
            for given in mine:
                told = {"subscription": given.subscription, "carrier": given.carrier, "given": given.date}
                told |= {"ending": ending, "method": method, "key": self._keys.get(given.date, "")}
                note(connection, self._ledger.office, GONE, at, BY, told)
        for given in mine:
            self._open.pop(given.subscription, None)
        return len(mine)

    def verified(self, until_ms: int, method: str, contacts: int, files: int, at: int) -> None:
        """Of everything that was erased until then no file that was looked through has a trace."""
        moment = datetime.fromtimestamp(until_ms // 1000, UTC).replace(microsecond=until_ms % 1000 * 1000)
        until = moment.astimezone(TOKYO).isoformat(timespec="milliseconds")
        told = {"verified_until": until, "method": method, "contacts": str(contacts), "files": str(files)}
        with transaction(self._ledger.engine, writes=True) as connection:
            note(connection, self._ledger.office, VERIFIED, at, BY, told)

    def handled(self, first_day: str, last_day: str, *, chained_alone: bool = False) -> list[Handled]:
        """Every contact that was given on these business days (YYYY-MM-DD, both included), in the order of giving.

        `chained_alone`: what a certificate may say, because anybody can verify it.
        """
        found: dict[str, dict[str, Any]] = {}
        proofs: list[tuple[int, int]] = []
        arrivals: dict[str, tuple[str, int]] = {}
        uses: dict[str, list[Use]] = {}
        with transaction(self._ledger.engine, writes=False) as connection:
            for kind, day, moment, fields in self._told(
                connection, 0, first_day, kinds=_HANDLING, chained_alone=chained_alone
            ):
                subscription = fields.get("subscription", "")
                if kind == GIVEN and first_day <= day <= last_day:
                    arrivals[subscription] = day, int(fields["arrival"])
                    found[subscription] = {"day": day, "given_ms": moment, "carrier": fields["carrier"]}
                elif kind == USED:
                    use = Use(moment, fields["trigger"], fields["outcome"])
                    uses.setdefault(subscription, []).append(use)
                elif kind in (STOPPED, GONE) and "ending" not in found.get(subscription, {"ending": ""}):
                    end = {name: fields.get(name, "") for name in ("ending", "method", "key")}
                    found[subscription] |= {"erased_ms": moment, **end}
                elif kind == VERIFIED:
                    proofs.append((_ms(fields["verified_until"]), moment))
            numbers = self._numbers(connection, first_day, last_day)
        return [
            Handled(
                subscription,
                **told,
                number=numbers.get(arrivals[subscription], ""),
                verified_ms=_proved(told.get("erased_ms"), proofs),
                uses=tuple(uses.get(subscription, ())),
            )
            for subscription, told in found.items()
        ]

    def _numbers(self, connection: sa.Connection, first_day: str, last_day: str) -> dict[tuple[str, int], str]:
        """(day, arrival) → the number that was given."""
        rows = connection.execute(
            sa.select(OPERATIONS.c.day, OPERATIONS.c.fields).where(
                OPERATIONS.c.office == self._ledger.office,
                OPERATIONS.c.type.in_(("TicketIssued", "TicketExpected")),
                OPERATIONS.c.day >= first_day,
                OPERATIONS.c.day <= last_day,
            )
        )
        return {(row.day, told["arrival"]): told["number"] for row in rows for told in [json.loads(row.fields)]}

    def _follow(self, connection: sa.Connection) -> None:
        end = connection.execute(
            sa.select(sa.func.max(OPERATIONS.c.seq)).where(OPERATIONS.c.office == self._ledger.office)
        ).scalar_one()
        for kind, day, moment, fields in self._told(connection, self._seq):
            match kind:
                case "ContactGiven":
                    given = Given(str(fields["subscription"]), str(fields["carrier"]), day, moment)
                    self._open[given.subscription] = given
                case "ContactErased" | "ContactDestroyed":
                    self._open.pop(str(fields["subscription"]), None)
                case "KeyDestroyed":
                    self._keys[str(fields["date"])] = str(fields["key"])
                case _:
                    pass
        self._seq = end or 0

    def _told(
        self,
        connection: sa.Connection,
        after: int,
        since_day: str = "",
        *,
        kinds: Sequence[str] = _WATCHED,
        chained_alone: bool = False,
    ) -> Iterator[tuple[str, str, int, dict[str, Any]]]:
        """(type, day, real ms, fields): the chain, then what waits in the journal to be chained."""
        chained = sa.select(OPERATIONS).where(
            OPERATIONS.c.office == self._ledger.office,
            OPERATIONS.c.seq > after,
            OPERATIONS.c.type.in_(kinds),
            sa.or_(OPERATIONS.c.type.not_in((GIVEN, USED)), OPERATIONS.c.day >= since_day),
        )
        for row in connection.execute(chained.order_by(OPERATIONS.c.seq)):
            position, _, _ = row.position.partition("-")
            yield row.type, row.day, int(position) if position.isdigit() else row.at, json.loads(row.fields)
        if chained_alone:
            return
        noted = sa.select(JOURNAL).where(JOURNAL.c.office == self._ledger.office, JOURNAL.c.type.in_(kinds))
        for row in connection.execute(noted.order_by(JOURNAL.c.id)):
            yield row.type, tokyo_day(row.at), row.at, json.loads(row.fields)


def count_by(handled: Sequence[Handled]) -> dict[tuple[str, str], int]:
    """(carrier, ending) → how many; ending '' for those that are there still."""
    counts: dict[tuple[str, str], int] = {}
    for one in handled:
        counts[one.carrier, one.ending] = counts.get((one.carrier, one.ending), 0) + 1
    return dict(sorted(counts.items()))


def _proved(erased_ms: int | None, proofs: Sequence[tuple[int, int]]) -> int | None:
    """The moment of the first proof that reaches so far."""
    if erased_ms is None:
        return None
    return min((moment for until, moment in proofs if until >= erased_ms), default=None)


def _ms(moment: str) -> int:
    try:
        return round(datetime.fromisoformat(moment).timestamp() * 1000)
    except ValueError:
        return 0  # withheld: it proves nothing
