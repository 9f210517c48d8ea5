"""Screens and machines: how one is let in, is known again, and is put out. A change and its journal entry are one.

A device makes nothing up: it is given a random token and shows a code; whoever stands before it types the code on the
page for devices. Here stand hashes of both. Everything blocks and may raise LedgerAway; times are real ms.
"""

import hashlib
import secrets
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from hub.desk.refusals import BadMessage, CodeTries, LedgerAway, UnknownCode, UnknownDevice
from hub.ledger.connection import LedgerUnusable, transaction
from hub.ledger.journal import Author, note
from hub.ledger.kept import SHAPES
from hub.ledger.operations import Ledger
from hub.ledger.tables import DEVICES, ENROLMENTS
from hub.wire import codes
from hub.wire.roles import DEVICES as ROLES
from hub.wire.roles import Role

MINUTE = 60_000
CODE_MS = 10 * MINUTE
TURN_MS = 24 * 60 * MINUTE  # a token is replaced each day of use
SEEN_EVERY_MS = MINUTE
WAITING = 50  # at once; a ward has some forty screens and machines altogether
VERSION = 32  # characters
_ID_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
_ID_LENGTH = 6


@dataclass(frozen=True, slots=True)
class Asking:
    """What a device that asked is given: `token` to keep, `code` (ABCD-EFGH) to show until `until_ms`."""

    token: str
    code: str
    until_ms: int


@dataclass(frozen=True, slots=True)
class Waiting:
    role: Role
    place: str
    version: str
    until: int


@dataclass(frozen=True, slots=True)
class Device:
    """`place`: a wall's screen, a desk's counter, a kiosk's own key. `ended_at`: 0 while it is let in."""

    id: str
    role: Role
    place: str
    made_at: int
    seen_at: int
    version: str
    ended_at: int
    turned_at: int


class Devices:
    """One office's."""

    def __init__(self, ledger: Ledger, now_ms: Callable[[], int]) -> None:
        self._engine, self._office, self._now_ms = ledger.engine, ledger.office, now_ms

    # Being let in ----------------------------------------------------------------------------------------------------

    def ask(self, role: Role, place: str, version: str) -> Asking:
        """Raises BadMessage, and CodeTries where too many wait already."""
        if role not in ROLES or SHAPES["place"].fullmatch(place) is None:
            raise BadMessage
        now, token = self._now_ms(), secrets.token_urlsafe(32)
        with self._open(writes=True) as connection:
            own = ENROLMENTS.c.office == self._office
            connection.execute(sa.delete(ENROLMENTS).where(own, ENROLMENTS.c.until <= now))
            shown = set(connection.execute(sa.select(ENROLMENTS.c.code).where(own)).scalars())
            if len(shown) >= WAITING:
                raise CodeTries
            code = _fresh_code()
            while _hash(code) in shown:
                code = _fresh_code()
            connection.execute(
                sa.insert(ENROLMENTS).values(
                    token=_hash(token),
                    office=self._office,
                    code=_hash(code),
                    role=str(role),
                    place=place,
                    version=_version(version),
                    until=now + CODE_MS,
                )
            )
        return Asking(token, f"{code[:4]}-{code[4:]}", now + CODE_MS)

    def waiting(self) -> "list[Waiting]":
        """Who shows a code at the moment, the latest first."""
        with self._open(writes=False) as connection:
            rows = connection.execute(
                sa.select(ENROLMENTS)
                .where(ENROLMENTS.c.office == self._office, ENROLMENTS.c.until > self._now_ms())
                .order_by(ENROLMENTS.c.until.desc())
            )
            return [Waiting(Role(row.role), row.place, row.version, row.until) for row in rows]

    def is_waiting(self, token: str) -> int | None:
        """Until when (ms) the code of this token holds; None where nobody waits with it."""
        with self._open(writes=False) as connection:
            until: int | None = connection.execute(
                sa.select(ENROLMENTS.c.until).where(
                    ENROLMENTS.c.token == _hash(token),
                    ENROLMENTS.c.office == self._office,
                    ENROLMENTS.c.until > self._now_ms(),
                )
            ).scalar_one_or_none()
        return until

    def let_in(self, code: str, place: str, by: Author) -> Device:
        """The device that shows this code, at that place; once. Raises UnknownCode, BadMessage."""
        read, now = codes.read_code(code), self._now_ms()
        if SHAPES["place"].fullmatch(place) is None:
            raise BadMessage
        if read is None:
            raise UnknownCode
        with self._open(writes=True) as connection:
            row = connection.execute(
                sa.delete(ENROLMENTS)
                .where(ENROLMENTS.c.office == self._office, ENROLMENTS.c.code == _hash(read), ENROLMENTS.c.until > now)
                .returning(ENROLMENTS)
            ).one_or_none()
            if row is None:
                raise UnknownCode
            return self._let_in(connection, row, place, by)

    def let_in_by_token(self, token: str, by: Author) -> Device | None:
        """The device that holds this token, where it says it is. For an office of practice, which has nobody to ask."""
        with self._open(writes=True) as connection:
            row = connection.execute(
                sa.delete(ENROLMENTS)
                .where(ENROLMENTS.c.office == self._office, ENROLMENTS.c.token == _hash(token))
                .returning(ENROLMENTS)
            ).one_or_none()
            return None if row is None else self._let_in(connection, row, row.place, by)

    # Being known -----------------------------------------------------------------------------------------------------

    def find(self, token: str, *, version: str = "") -> Device | None:
        """Whose token this is; None where it is nobody's any more. Who uses a new one has left the old one behind."""
        now, hashed = self._now_ms(), _hash(token)
        with self._open(writes=False) as connection:
            row = connection.execute(self._holder(hashed)).one_or_none()
        if row is None:
            return None
        fresh: dict[str, object] = {}
        if row.next_token == hashed:
            fresh = {"token": hashed, "next_token": "", "turned_at": now}
        if now - row.seen_at >= SEEN_EVERY_MS or (version and _version(version) != row.version):
            fresh |= {"seen_at": now, "version": _version(version) or row.version}
        if fresh:
            with self._open(writes=True) as connection:
                # Only as it was seen: a turn of the token meanwhile is not undone.
                as_seen = (DEVICES.c.token == row.token, DEVICES.c.next_token == row.next_token)
                connection.execute(sa.update(DEVICES).where(*self._own(row.id), *as_seen).values(**fresh))
                if "token" in fresh:
                    self._note(connection, "DeviceRotated", Author(f"device:{row.id}"), device=row.id)
                row = connection.execute(self._holder(hashed)).one_or_none()
        return None if row is None else _device(row)

    def turn(self, token: str) -> str | None:
        """A new token for who has had his for a day, else None. The old one holds until the new one is used."""
        now, hashed, fresh = self._now_ms(), _hash(token), secrets.token_urlsafe(32)
        with self._open(writes=True) as connection:
            due = (DEVICES.c.token == hashed, DEVICES.c.ended_at == 0, DEVICES.c.turned_at <= now - TURN_MS)
            turned = connection.execute(
                sa.update(DEVICES).where(DEVICES.c.office == self._office, *due).values(next_token=_hash(fresh))
            )
        return fresh if turned.rowcount else None

    def alive(self, ids: Collection[str]) -> set[str]:
        """Which of these are still let in."""
        with self._open(writes=False) as connection:
            held = sa.select(DEVICES.c.id).where(
                DEVICES.c.office == self._office, DEVICES.c.id.in_(list(ids)), DEVICES.c.ended_at == 0
            )
            return set(connection.execute(held).scalars())

    def list(self) -> "list[Device]":
        """All that ever were, those let in first, then by role and place."""
        with self._open(writes=False) as connection:
            rows = connection.execute(sa.select(DEVICES).where(DEVICES.c.office == self._office))
            devices = [_device(row) for row in rows]
        return sorted(devices, key=lambda one: (one.ended_at > 0, one.role, one.place, one.id))

    def revoke(self, id: str, by: Author) -> None:
        """Raises UnknownDevice."""
        with self._open(writes=True) as connection:
            row = connection.execute(sa.select(DEVICES).where(*self._own(id)).with_for_update()).one_or_none()
            if row is None:
                raise UnknownDevice
            if not row.ended_at:
                connection.execute(sa.update(DEVICES).where(*self._own(id)).values(ended_at=self._now_ms()))
                self._note(connection, "DeviceRevoked", by, device=id)

    # In one transaction ----------------------------------------------------------------------------------------------

    @contextmanager
    def _open(self, *, writes: bool) -> Iterator[sa.Connection]:
        try:
            with transaction(self._engine, writes=writes) as connection:
                yield connection
        except LedgerUnusable as error:
            raise LedgerAway from error

    def _let_in(self, connection: sa.Connection, row: sa.Row[Any], place: str, by: Author) -> Device:
        now = self._now_ms()
        id = f"{row.role}-{''.join(secrets.choice(_ID_LETTERS) for _ in range(_ID_LENGTH))}"
        device = Device(id, Role(row.role), place, now, now, row.version, 0, now)
        connection.execute(
            sa.insert(DEVICES).values(
                office=self._office,
                id=id,
                role=row.role,
                place=place,
                token=row.token,
                next_token="",
                turned_at=now,
                made_at=now,
                seen_at=now,
                version=row.version,
                ended_at=0,
            )
        )
        self._note(connection, "DeviceEnrolled", by, device=id, role=row.role, place=place)
        return device

    def _holder(self, hashed: str) -> "sa.Select[Any]":
        is_its = sa.or_(DEVICES.c.token == hashed, DEVICES.c.next_token == hashed)
        return sa.select(DEVICES).where(DEVICES.c.office == self._office, is_its, DEVICES.c.ended_at == 0)

    def _own(self, id: str) -> tuple[sa.ColumnElement[bool], ...]:
        return DEVICES.c.office == self._office, DEVICES.c.id == id

    def _note(self, connection: sa.Connection, kind: str, by: Author, **told: str) -> None:
        note(connection, self._office, kind, self._now_ms(), by, told)


def _device(row: sa.Row[Any]) -> Device:
    return Device(
        id=row.id,
        role=Role(row.role),
        place=row.place,
        made_at=row.made_at,
        seen_at=row.seen_at,
        version=row.version,
        ended_at=row.ended_at,
        turned_at=row.turned_at,
    )


def _fresh_code() -> str:
    """Forty bits: eight characters that nobody misreads."""
    return codes.code_of(secrets.token_hex(32))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _version(text: str) -> str:
    return "".join(one for one in text if one.isalnum() or one in ".-+")[:VERSION]
