"""Designated handlers: who they are, how they come in, and who is in. A change and its journal entry are one.

A session is a random token that only its browser holds; here stands its hash. Sessions end by themselves: half an hour
without use, or twelve hours after they were made. Everything blocks and may raise LedgerAway; times are real ms.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from argon2 import PasswordHasher

from hub.desk.refusals import (
    LastOperator,
    LedgerAway,
    NameTaken,
    NotDesignated,
    NotSignedIn,
    PasswordWeak,
    SignInLocked,
    SignInWrong,
    UnknownPerson,
    WrongName,
)
from hub.ledger.connection import LedgerUnusable, transaction
from hub.ledger.journal import Author, note, tokyo_day
from hub.ledger.operations import Ledger
from hub.ledger.passwords import Passwords, normal, one_time_password, refuse_weak
from hub.ledger.person import Person, checked, is_name, person_of
from hub.ledger.sessions import IDLE_MS, LONGEST_MS, MINUTE, USED_EVERY_MS, Session, Sessions, hash_of, holds, is_over
from hub.ledger.tables import PEOPLE, SESSIONS
from hub.wire.roles import Role

__all__ = ["IDLE_MS", "LONGEST_MS", "MINUTE", "USED_EVERY_MS", "People", "Person", "Session", "SignedIn"]

WRONG_TRIES = 5  # in a row; then every further one costs a wait
FIRST_LOCK_MS, LONGEST_LOCK_MS = MINUTE, 15 * MINUTE  # doubling: some hundred tries a day, of 2 ** 60 passwords


@dataclass(frozen=True, slots=True)
class SignedIn:
    token: str
    person: Person


class People:
    """One office's. `hasher`: for tests that try ten thousand passwords."""

    def __init__(self, ledger: Ledger, *, hasher: PasswordHasher | None = None, now_ms: Callable[[], int]) -> None:
        self._engine, self._office, self._now_ms = ledger.engine, ledger.office, now_ms
        self._passwords, self._sessions = Passwords(hasher), Sessions(ledger.office)

    def list(self) -> "list[Person]":
        """All who ever were, by account."""
        with self._open(writes=False) as connection:
            rows = connection.execute(sa.select(PEOPLE).where(PEOPLE.c.office == self._office).order_by(PEOPLE.c.name))
            return [person_of(row) for row in rows]

    def is_empty(self) -> bool:
        with self._open(writes=False) as connection:
            query = sa.select(PEOPLE.c.name).where(PEOPLE.c.office == self._office).limit(1)
            return connection.execute(query).first() is None

    def is_known(self, name: str) -> bool:
        """Whether there is, or was, such an account: for who counts tries, never for an answer."""
        with self._open(writes=False) as connection:
            return self._row(connection, name) is not None

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
                now = self._now_ms()
                self._sessions.sweep(connection, now)
                token = self._sessions.begin(connection, name, now)
                self._note(connection, "SignedIn", Author(f"staff:{name}"), name=name, role=str(person.role))
        if refusal is not None:
            raise refusal
        return SignedIn(token, person)

    def session(self, token: str, *, is_used: bool) -> Session | None:
        """Who holds this token; None where it is nobody's any more. `is_used`: he does something, and it lasts."""
        now, hashed = self._now_ms(), hash_of(token)
        with self._open(writes=False) as connection:
            row = connection.execute(self._sessions.living().where(SESSIONS.c.token == hashed)).one_or_none()
        if row is None:
            return None
        person = person_of(row)
        if not holds(row, person, now):
            return None
        is_written = True
        if is_used and now - row.seen_at >= USED_EVERY_MS:
            try:
                self.used({hashed: 0})
            except LedgerAway:  # a full disk: who is in can be read, and goes on
                is_written = False
        return Session(hashed, person, row.made_at, row.made_at + LONGEST_MS, is_written)

    def used(self, ages_ms: Mapping[str, int]) -> None:
        """These sessions were used so long ago, when it could not be written. What has ended meanwhile stays ended."""
        now = self._now_ms()
        with self._open(writes=True) as connection:
            for hashed, age_ms in ages_ms.items():
                self._sessions.use(connection, hashed, now - age_ms)

    def alive(self, hashes: Collection[str]) -> set[str]:
        """Which of these sessions hold. What is over is put away."""
        now = self._now_ms()
        with self._open(writes=False) as connection:
            rows = connection.execute(self._sessions.living().where(SESSIONS.c.token.in_(list(hashes)))).all()
        if any(is_over(row, now) for row in rows):
            with self._open(writes=True) as connection:
                self._sessions.sweep(connection, now)
        return {row.token for row in rows if holds(row, person_of(row), now)}

    def sign_out(self, token: str, why: str = "signed_out") -> None:
        with self._open(writes=True) as connection:
            self._sessions.end(connection, hash_of(token), self._now_ms(), why)

    def end_sessions(self, name: str, by: Author, why: str) -> int:
        """Everywhere. Raises UnknownPerson."""
        with self._open(writes=True) as connection:
            self._locked(connection, name)
            return self._sessions.end_of(connection, name, self._now_ms(), by, why)

    def change_password(self, token: str, old: str, new: str) -> str:
        """Ends all his sessions and gives the token of a new one. Raises NotSignedIn, SignInWrong, SignInLocked,
        PasswordWeak.
        """
        session = self.session(token, is_used=True)
        if session is None:
            raise NotSignedIn
        name = session.person.name
        refuse_weak(new, name)  # before the old one is looked at: no answer tells in passing that it was right
        if normal(new) == normal(old):
            raise PasswordWeak
        with self._open(writes=False) as connection:
            row = self._row(connection, name)
        if row is None or row.locked_until > self._now_ms():
            raise SignInLocked
        is_right = self._passwords.is_right(row.password, old)
        made = self._passwords.hash(new) if is_right else ""
        by, fresh, now = Author(f"staff:{name}"), "", self._now_ms()
        with self._open(writes=True) as connection:
            _, refusal = self._judge(connection, row, is_right=is_right)
            if refusal is None and not self._sessions.is_there(connection, session.hash):
                refusal = NotSignedIn()  # somebody has put him out while this was computed
            if refusal is None:
                self._set(connection, name, password=made, must_change=0)
                self._note(connection, "PasswordChanged", by, name=name)
                self._sessions.end_of(connection, name, now, by, "password_changed")
                fresh = self._sessions.begin(connection, name, now)
        if refusal is not None:
            raise refusal
        return fresh

    # Handlers --------------------------------------------------------------------------------------------------------

    def add(self, name: str, shown: str, role: Role, designated: str, trained: str, by: Author) -> str:
        """Gives the password for the first sign-in. Raises WrongName, WrongShown, WrongDates, NameTaken."""
        if not is_name(name):
            raise WrongName
        told = checked(shown, role, designated, trained, self._today())
        password = one_time_password()
        made = self._passwords.hash(password)
        with self._open(writes=True) as connection:
            if self._row(connection, name) is not None:
                raise NameTaken
            fresh = {"password": made, "must_change": 1, "wrong": 0, "locked_until": 0, "ended_at": 0}
            try:
                connection.execute(sa.insert(PEOPLE).values(office=self._office, name=name, **told, **fresh))
            except sa.exc.IntegrityError:
                raise NameTaken from None  # by somebody who was a moment earlier
            self._note(
                connection, "HandlerAdded", by, name=name, role=str(role), designated=designated, trained=trained
            )
        return password

    def change(self, name: str, *, shown: str, role: Role, designated: str, trained: str, by: Author) -> None:
        """Another role, or no access, ends the sessions. Raises UnknownPerson, LastOperator, and what `add` does."""
        told = checked(shown, role, designated, trained, self._today())
        with self._open(writes=True) as connection:
            person = person_of(self._locked(connection, name, and_operators=True))
            self._set(connection, name, **told)
            self._keep_an_operator(connection, person)
            self._note(
                connection, "HandlerChanged", by, name=name, role=str(role), designated=designated, trained=trained
            )
            if role is not person.role:
                self._sessions.end_of(connection, name, self._now_ms(), by, "role_changed")
            elif not (designated and trained):
                self._sessions.end_of(connection, name, self._now_ms(), by, "not_designated")

    def end(self, name: str, by: Author) -> None:
        """The account is closed; the record stays. Raises UnknownPerson, LastOperator."""
        with self._open(writes=True) as connection:
            person = person_of(self._locked(connection, name, and_operators=True))
            if person.ended_at:
                return
            self._set(connection, name, ended_at=self._now_ms())
            self._keep_an_operator(connection, person)
            self._note(connection, "HandlerEnded", by, name=name)
            self._sessions.end_of(connection, name, self._now_ms(), by, "ended")

    def restore(self, name: str, by: Author) -> None:
        with self._open(writes=True) as connection:
            if not person_of(self._locked(connection, name)).ended_at:
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
            self._sessions.end_of(connection, name, self._now_ms(), by, "password_reset")
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
        person, by = person_of(row), Author(f"staff:{row.name}")
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

    def _keep_an_operator(self, connection: sa.Connection, before: Person) -> None:
        """Raises LastOperator, and nothing was changed. The operators are locked."""
        today = self._today()
        if before.role is not Role.OPERATOR or not before.has_access(today):
            return
        rows = connection.execute(
            sa.select(PEOPLE).where(PEOPLE.c.office == self._office, PEOPLE.c.role == str(Role.OPERATOR))
        )
        if not any(person_of(row).has_access(today) for row in rows):
            raise LastOperator

    def _row(self, connection: sa.Connection, name: str) -> sa.Row[Any] | None:
        if not is_name(name):
            return None  # what somebody typed never reaches the database or what it says
        return connection.execute(
            sa.select(PEOPLE).where(PEOPLE.c.office == self._office, PEOPLE.c.name == name)
        ).one_or_none()

    def _locked(self, connection: sa.Connection, name: str, *, and_operators: bool = False) -> sa.Row[Any]:
        """Nobody else changes him until this transaction is over. Raises UnknownPerson.

        `and_operators`: nor any operator, so that of the last two not each ends in the belief that the other stays.
        """
        if not is_name(name):
            raise UnknownPerson
        wanted = PEOPLE.c.name == name
        if and_operators:
            wanted = sa.or_(wanted, PEOPLE.c.role == str(Role.OPERATOR))
        rows = connection.execute(
            sa.select(PEOPLE)
            .where(PEOPLE.c.office == self._office, wanted)
            .order_by(PEOPLE.c.name)  # in one order: nobody waits for somebody who waits for him
            .with_for_update()
        ).all()
        row = next((row for row in rows if row.name == name), None)
        if row is None:
            raise UnknownPerson
        return row

    def _today(self) -> str:
        return tokyo_day(self._now_ms())

    def _set(self, connection: sa.Connection, name: str, **values: object) -> None:
        own = (PEOPLE.c.office == self._office, PEOPLE.c.name == name)
        connection.execute(sa.update(PEOPLE).where(*own).values(**values))

    def _note(self, connection: sa.Connection, kind: str, by: Author, **told: str) -> None:
        note(connection, self._office, kind, self._now_ms(), by, told)
