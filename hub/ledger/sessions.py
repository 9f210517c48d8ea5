"""Who is in: rows of hashes, which end by themselves half an hour after their last use or twelve hours after the first.

A token is told once, to the browser that holds it. Everything here happens in the caller's transaction; times are real
ms.
"""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from hub.ledger.journal import Author, note, tokyo_day
from hub.ledger.person import Person
from hub.ledger.tables import PEOPLE, SESSIONS

MINUTE = 60_000
IDLE_MS = 30 * MINUTE
LONGEST_MS = 12 * 60 * MINUTE
USED_EVERY_MS = MINUTE  # how exactly it is written when somebody was last there


@dataclass(frozen=True, slots=True)
class Session:
    """`until`: when it ends at the latest. `is_written` False: it was used, and the ledger takes no writing."""

    hash: str
    person: Person
    made_at: int
    until: int
    is_written: bool = True


class Sessions:
    """One office's."""

    def __init__(self, office: str) -> None:
        self._office = office

    def begin(self, connection: sa.Connection, name: str, now: int) -> str:
        """Gives the token."""
        token = secrets.token_urlsafe(32)
        made = {"token": hash_of(token), "made_at": now, "seen_at": now}
        connection.execute(sa.insert(SESSIONS).values(office=self._office, name=name, **made))
        return token

    def living(self) -> "sa.Select[Any]":
        """Every session that nobody has ended, with its person: who asks looks whether it still `holds`."""
        its = sa.and_(PEOPLE.c.office == SESSIONS.c.office, PEOPLE.c.name == SESSIONS.c.name)
        told = (SESSIONS.c.token, SESSIONS.c.made_at, SESSIONS.c.seen_at)
        return sa.select(PEOPLE, *told).join_from(SESSIONS, PEOPLE, its).where(SESSIONS.c.office == self._office)

    def is_there(self, connection: sa.Connection, hashed: str) -> bool:
        """Whether nobody has ended it meanwhile."""
        one = sa.select(SESSIONS.c.token).where(SESSIONS.c.token == hashed, SESSIONS.c.office == self._office)
        return connection.execute(one).first() is not None

    def use(self, connection: sa.Connection, hashed: str, now: int) -> None:
        connection.execute(sa.update(SESSIONS).where(SESSIONS.c.token == hashed).values(seen_at=now))

    def end(self, connection: sa.Connection, hashed: str, now: int, why: str) -> None:
        gone = sa.delete(SESSIONS).where(SESSIONS.c.token == hashed, SESSIONS.c.office == self._office)
        name = connection.execute(gone.returning(SESSIONS.c.name)).scalar_one_or_none()
        if name is not None:
            told = {"name": name, "why": why}
            note(connection, self._office, "SignedOut", now, Author(f"staff:{name}"), told)

    def end_of(self, connection: sa.Connection, name: str, now: int, by: Author, why: str) -> int:
        """All of a handler's; noted where there was one."""
        gone = sa.delete(SESSIONS).where(SESSIONS.c.office == self._office, SESSIONS.c.name == name)
        count = connection.execute(gone).rowcount
        if count:
            note(connection, self._office, "SessionsEnded", now, by, {"name": name, "why": why})
        return count

    def sweep(self, connection: sa.Connection, now: int) -> None:
        """Put away what is over, and say why."""
        for over, why in (
            (SESSIONS.c.made_at <= now - LONGEST_MS, "twelve_hours"),
            (SESSIONS.c.seen_at <= now - IDLE_MS, "idle"),
        ):
            gone = sa.delete(SESSIONS).where(SESSIONS.c.office == self._office, over).returning(SESSIONS.c.name)
            for name in connection.execute(gone).scalars().all():
                note(connection, self._office, "SignedOut", now, Author("hub"), {"name": name, "why": why})


def is_over(row: sa.Row[Any], now: int) -> bool:
    return bool(now >= row.made_at + LONGEST_MS or now >= row.seen_at + IDLE_MS)


def holds(row: sa.Row[Any], person: Person, now: int) -> bool:
    return not is_over(row, now) and person.has_access(tokyo_day(now))


def hash_of(token: str) -> str:
    """SHA-256, hexadecimal. A token has 256 bits of chance: nothing slower is needed."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
