"""Designated handlers: who they are, how they come in, and who is in. A change and its journal entry are one.

A session is a random token that only its browser holds; here stands its hash. Sessions end by themselves: half an hour
without use, or twelve hours after they were made. Everything blocks and may raise LedgerAway; times are real ms.
"""

import hashlib
import re
import secrets
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from argon2 import PasswordHasher

from hub.desk.refusals import (
    BadMessage,
    LastOperator,
    LedgerAway,
    NameTaken,
    NotDesignated,
    NotSignedIn,
    PasswordWeak,
    SignInLocked,
    SignInWrong,
    UnknownPerson,
    WrongDates,
    WrongName,
    WrongShown,
)
from hub.ledger.connection import LedgerUnusable, transaction
from hub.ledger.journal import Author, note, tokyo_day
from hub.ledger.kept import NAME
from hub.ledger.operations import Ledger
from hub.ledger.passwords import Passwords, one_time_password, refuse_weak
from hub.ledger.tables import PEOPLE, SESSIONS
from hub.wire.roles import PEOPLE as ROLES
from hub.wire.roles import Role

MINUTE = 60_000
IDLE_MS = 30 * MINUTE
LONGEST_MS = 12 * 60 * MINUTE
USED_EVERY_MS = MINUTE  # how exactly it is written when somebody was last there
WRONG_TRIES = 5  # in a row; then every further one costs a wait
FIRST_LOCK_MS, LONGEST_LOCK_MS = MINUTE, 15 * MINUTE  # doubling: some hundred tries a day, of 2 ** 60 passwords
SHOWN = 40  # characters of a name on a report
_NAME = re.compile(NAME, re.ASCII)


@dataclass(frozen=True, slots=True)
class Person:
    """`shown`: the handler's own name. `designated`, `trained`: YYYY-MM-DD or ''. `ended_at`: 0 while he is one."""

    name: str
    shown: str
    role: Role
    designated: str
    trained: str
    must_change: bool
    locked_until: int
    ended_at: int

    def has_access(self, today: str) -> bool:
        """Designated and trained, both by today; an account that has not ended."""
        return not self.ended_at and "" < self.designated <= today and "" < self.trained <= today


@dataclass(frozen=True, slots=True)
class SignedIn:
    token: str
    person: Person


@dataclass(frozen=True, slots=True)
class Session:
    """`until`: when it ends at the latest."""

    hash: str
    person: Person
    made_at: int
    until: int


class People:
    """One office's. `hasher`: for tests that try ten thousand passwords."""

    def __init__(self, ledger: Ledger, *, hasher: PasswordHasher | None = None, now_ms: Callable[[], int]) -> None:
        self._engine, self._office, self._now_ms = ledger.engine, ledger.office, now_ms
        self._passwords = Passwords(hasher)

    def list(self) -> "list[Person]":
        """All who ever were, by account."""
        with self._open(writes=False) as connection:
            rows = connection.execute(sa.select(PEOPLE).where(PEOPLE.c.office == self._office).order_by(PEOPLE.c.name))
            return [_person(row) for row in rows]

    def is_empty(self) -> bool:
        with self._open(writes=False) as connection:
            query = sa.select(PEOPLE.c.name).where(PEOPLE.c.office == self._office).limit(1)
            return connection.execute(query).first() is None

    # Coming in and going out -----------------------------------------------------------------------------------------

    def sign_in(self, name: str, password: str) -> SignedIn:
        """Raises SignInWrong, SignInLocked, NotDesignated. Which of the two was wrong is not told."""
        with self._open(writes=False) as connection:
            row = self._row(connection, name)
        if row is not None and row.locked_until > self._now_ms():
            raise SignInLocked
        is_right = self._passwords.is_right(row.password if row else None, password)
        if row is None:
            raise SignInWrong
        token = ""
        with self._open(writes=True) as connection:
            person, refusal = self._judge(connection, row, is_right=is_right)
            if refusal is None:
                self._sweep(connection)
                token = self._new_session(connection, name)
                self._note(connection, "SignedIn", Author(f"staff:{name}"), name=name, role=str(person.role))
        if refusal is not None:
            raise refusal
        return SignedIn(token, person)

    def session(self, token: str, *, is_used: bool) -> Session | None:
        """Who holds this token; None where it is nobody's any more. `is_used`: he does something, and it lasts."""
        now, hashed = self._now_ms(), _hash(token)
        with self._open(writes=False) as connection:
            row = connection.execute(self._living().where(SESSIONS.c.token == hashed)).one_or_none()
        if row is None:
            return None
        person = _person(row)
        if not self._holds(row, person, now):
            return None
        if is_used and now - row.seen_at >= USED_EVERY_MS:
            with self._open(writes=True) as connection:
                connection.execute(sa.update(SESSIONS).where(SESSIONS.c.token == hashed).values(seen_at=now))
        return Session(hashed, person, row.made_at, row.made_at + LONGEST_MS)

    def alive(self, hashes: Collection[str]) -> set[str]:
        """Which of these sessions hold. What is over is put away."""
        now = self._now_ms()
        with self._open(writes=False) as connection:
            rows = connection.execute(self._living().where(SESSIONS.c.token.in_(list(hashes)))).all()
        held = {row.token for row in rows if self._holds(row, _person(row), now)}
        if len(held) < len(rows):
            with self._open(writes=True) as connection:
                self._sweep(connection)
        return held

    def sign_out(self, token: str, why: str = "signed_out") -> None:
        with self._open(writes=True) as connection:
            gone = sa.delete(SESSIONS).where(SESSIONS.c.token == _hash(token), SESSIONS.c.office == self._office)
            name = connection.execute(gone.returning(SESSIONS.c.name)).scalar_one_or_none()
            if name is not None:
                self._note(connection, "SignedOut", Author(f"staff:{name}"), name=name, why=why)

    def end_sessions(self, name: str, by: Author, why: str) -> int:
        """Everywhere. Raises UnknownPerson."""
        with self._open(writes=True) as connection:
            self._locked(connection, name)
            return self._end_sessions(connection, name, by, why)

    def change_password(self, token: str, old: str, new: str) -> str:
        """Ends all his sessions and gives the token of a new one. Raises NotSignedIn, SignInWrong, SignInLocked,
        PasswordWeak.
        """
        session = self.session(token, is_used=True)
        if session is None:
            raise NotSignedIn
        name = session.person.name
        with self._open(writes=False) as connection:
            row = self._row(connection, name)
        if row is None or row.locked_until > self._now_ms():
            raise SignInLocked
        is_right = self._passwords.is_right(row.password, old)
        if is_right:
            refuse_weak(new, name)
            if self._passwords.is_right(row.password, new):
                raise PasswordWeak
        made = self._passwords.hash(new) if is_right else ""
        by, fresh = Author(f"staff:{name}"), ""
        with self._open(writes=True) as connection:
            _, refusal = self._judge(connection, row, is_right=is_right)
            if refusal is None:
                self._set(connection, name, password=made, must_change=0)
                self._note(connection, "PasswordChanged", by, name=name)
                self._end_sessions(connection, name, by, "password_changed")
                fresh = self._new_session(connection, name)
        if refusal is not None:
            raise refusal
        return fresh

    # Handlers --------------------------------------------------------------------------------------------------------

    def add(self, name: str, shown: str, role: Role, designated: str, trained: str, by: Author) -> str:
        """Gives the password for the first sign-in. Raises WrongName, WrongShown, WrongDates, NameTaken."""
        if _NAME.fullmatch(name) is None:
            raise WrongName
        told = self._checked(shown, role, designated, trained)
        password = one_time_password()
        made = self._passwords.hash(password)
        with self._open(writes=True) as connection:
            if self._row(connection, name) is not None:
                raise NameTaken
            fresh = {"password": made, "must_change": 1, "wrong": 0, "locked_until": 0, "ended_at": 0}
            connection.execute(sa.insert(PEOPLE).values(office=self._office, name=name, **told, **fresh))
            self._note(
                connection, "HandlerAdded", by, name=name, role=str(role), designated=designated, trained=trained
            )
        return password

    def change(self, name: str, *, shown: str, role: Role, designated: str, trained: str, by: Author) -> None:
        """Another role, or no access, ends the sessions. Raises UnknownPerson, LastOperator, and what `add` does."""
        told = self._checked(shown, role, designated, trained)
        with self._open(writes=True) as connection:
            person = _person(self._locked(connection, name))
            self._set(connection, name, **told)
            self._keep_an_operator(connection, person)
            self._note(
                connection, "HandlerChanged", by, name=name, role=str(role), designated=designated, trained=trained
            )
            if role is not person.role:
                self._end_sessions(connection, name, by, "role_changed")
            elif not (designated and trained):
                self._end_sessions(connection, name, by, "not_designated")

    def end(self, name: str, by: Author) -> None:
        """The account is closed; the record stays. Raises UnknownPerson, LastOperator."""
        with self._open(writes=True) as connection:
            person = _person(self._locked(connection, name))
            if person.ended_at:
                return
            self._set(connection, name, ended_at=self._now_ms())
            self._keep_an_operator(connection, person)
            self._note(connection, "HandlerEnded", by, name=name)
            self._end_sessions(connection, name, by, "ended")

    def restore(self, name: str, by: Author) -> None:
        with self._open(writes=True) as connection:
            if not _person(self._locked(connection, name)).ended_at:
                return
            self._set(connection, name, ended_at=0)
            self._note(connection, "HandlerRestored", by, name=name)

    def unlock(self, name: str, by: Author) -> None:
        with self._open(writes=True) as connection:
            self._locked(connection, name)
            self._set(connection, name, wrong=0, locked_until=0)
            self._note(connection, "AccountUnlocked", by, name=name)

    def reset_password(self, name: str, by: Author) -> str:
        """Gives a password for one sign-in; ends his sessions and a lock-out."""
        password = one_time_password()
        made = self._passwords.hash(password)
        with self._open(writes=True) as connection:
            self._locked(connection, name)
            self._set(connection, name, password=made, must_change=1, wrong=0, locked_until=0)
            self._note(connection, "PasswordReset", by, name=name)
            self._end_sessions(connection, name, by, "password_reset")
        return password

    # In one transaction ----------------------------------------------------------------------------------------------

    @contextmanager
    def _open(self, *, writes: bool) -> Iterator[sa.Connection]:
        try:
            with transaction(self._engine, writes=writes) as connection:
                yield connection
        except LedgerUnusable as error:
            raise LedgerAway from error

    def _judge(
        self, connection: sa.Connection, seen: sa.Row[Any], *, is_right: bool
    ) -> tuple[Person, Exception | None]:
        """Count a try whose password was compared with what was `seen`; the world may have moved on meanwhile."""
        now = self._now_ms()
        row = self._locked(connection, seen.name)
        person, by = _person(row), Author(f"staff:{row.name}")
        if person.locked_until > now:
            return person, SignInLocked()
        if not is_right or row.password != seen.password or person.ended_at:
            wrong = row.wrong + 1
            self._set(connection, row.name, wrong=wrong)
            self._note(connection, "SignInRefused", by, name=row.name, why="ended" if person.ended_at else "wrong")
            if wrong >= WRONG_TRIES:
                wait_ms = min(FIRST_LOCK_MS << min(wrong - WRONG_TRIES, 10), LONGEST_LOCK_MS)
                self._set(connection, row.name, locked_until=now + wait_ms)
                self._note(connection, "AccountLocked", by, name=row.name)
            return person, SignInWrong()
        self._set(connection, row.name, wrong=0, locked_until=0)
        if not person.has_access(tokyo_day(now)):
            self._note(connection, "SignInRefused", by, name=row.name, why="not_designated")
            return person, NotDesignated()
        return person, None

    def _new_session(self, connection: sa.Connection, name: str) -> str:
        token, now = secrets.token_urlsafe(32), self._now_ms()
        made = {"token": _hash(token), "made_at": now, "seen_at": now}
        connection.execute(sa.insert(SESSIONS).values(office=self._office, name=name, **made))
        return token

    def _end_sessions(self, connection: sa.Connection, name: str, by: Author, why: str) -> int:
        gone = sa.delete(SESSIONS).where(SESSIONS.c.office == self._office, SESSIONS.c.name == name)
        count = connection.execute(gone).rowcount
        if count:
            self._note(connection, "SessionsEnded", by, name=name, why=why)
        return count

    def _sweep(self, connection: sa.Connection) -> None:
        """Put away what is over, and say why."""
        now = self._now_ms()
        for over, why in (
            (SESSIONS.c.made_at <= now - LONGEST_MS, "twelve_hours"),
            (SESSIONS.c.seen_at <= now - IDLE_MS, "idle"),
        ):
            gone = sa.delete(SESSIONS).where(SESSIONS.c.office == self._office, over).returning(SESSIONS.c.name)
            for name in connection.execute(gone).scalars().all():
                self._note(connection, "SignedOut", Author("hub"), name=name, why=why)

    def _living(self) -> "sa.Select[Any]":
        its = sa.and_(PEOPLE.c.office == SESSIONS.c.office, PEOPLE.c.name == SESSIONS.c.name)
        told = (SESSIONS.c.token, SESSIONS.c.made_at, SESSIONS.c.seen_at)
        return sa.select(PEOPLE, *told).join_from(SESSIONS, PEOPLE, its).where(SESSIONS.c.office == self._office)

    def _holds(self, row: sa.Row[Any], person: Person, now: int) -> bool:
        is_in_time = now < row.made_at + LONGEST_MS and now < row.seen_at + IDLE_MS
        return is_in_time and person.has_access(tokyo_day(now))

    def _keep_an_operator(self, connection: sa.Connection, before: Person) -> None:
        """Raises LastOperator, and nothing was changed."""
        today = tokyo_day(self._now_ms())
        if before.role is not Role.OPERATOR or not before.has_access(today):
            return
        rows = connection.execute(
            sa.select(PEOPLE).where(PEOPLE.c.office == self._office, PEOPLE.c.role == str(Role.OPERATOR))
        )
        if not any(_person(row).has_access(today) for row in rows):
            raise LastOperator

    def _checked(self, shown: str, role: Role, designated: str, trained: str) -> dict[str, str]:
        if role not in ROLES:
            raise BadMessage
        shown = shown.strip()
        if not 1 <= len(shown) <= SHOWN or not shown.isprintable():
            raise WrongShown
        today = tokyo_day(self._now_ms())
        for day in (designated, trained):
            if day and (not _is_date(day) or day > today):
                raise WrongDates
        return {"shown": shown, "role": str(role), "designated": designated, "trained": trained}

    def _row(self, connection: sa.Connection, name: str) -> sa.Row[Any] | None:
        return connection.execute(
            sa.select(PEOPLE).where(PEOPLE.c.office == self._office, PEOPLE.c.name == name)
        ).one_or_none()

    def _locked(self, connection: sa.Connection, name: str) -> sa.Row[Any]:
        """Nobody else changes him until this transaction is over. Raises UnknownPerson."""
        row = connection.execute(
            sa.select(PEOPLE).where(PEOPLE.c.office == self._office, PEOPLE.c.name == name).with_for_update()
        ).one_or_none()
        if row is None:
            raise UnknownPerson
        return row

    def _set(self, connection: sa.Connection, name: str, **values: object) -> None:
        own = (PEOPLE.c.office == self._office, PEOPLE.c.name == name)
        connection.execute(sa.update(PEOPLE).where(*own).values(**values))

    def _note(self, connection: sa.Connection, kind: str, by: Author, **told: str) -> None:
        note(connection, self._office, kind, self._now_ms(), by, told)


def _person(row: sa.Row[Any]) -> Person:
    return Person(
        name=row.name,
        shown=row.shown,
        role=Role(row.role),
        designated=row.designated,
        trained=row.trained,
        must_change=bool(row.must_change),
        locked_until=row.locked_until,
        ended_at=row.ended_at,
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
