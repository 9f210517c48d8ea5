"""Screens and machines: how one asks to be let in, is known again by its token, and is put out.

Kept are hashes of tokens and codes only; a token is told once, to the device. Each change and its note are written in
one transaction. Everything blocks, and raises LedgerAway while the ledger cannot be used.
"""

import hashlib
import re
import secrets
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from hub.desk.refusals import BadMessage, CodeTries, LedgerAway, UnknownCode, UnknownDevice
from hub.ledger.connection import LedgerUnusable, transaction
from hub.ledger.journal import Author, note
from hub.ledger.operations import Ledger
from hub.ledger.tables import DEVICES, ENROLMENTS
from hub.wire import codes
from hub.wire.roles import DEVICES as ROLES
from hub.wire.roles import Role

CODE_MS = 10 * 60_000  # from the screen to the desk of whoever types it, and not until tomorrow
WAITING = 50  # at once: all machines of an office on the day it is set up; a flood fills no table
TURN_MS = 24 * 3_600_000  # a token copied from a backup is of no use a day later
TURN_AGAIN_MS = 60_000  # a page opened twice at once must not be given two tokens, of which the first holds no more
SEEN_MS = 60_000  # "is it there?" is asked by the day; not every look is a write
VERSION = re.compile(r"[A-Za-z0-9._+-]{0,32}", re.ASCII)
PLACE = re.compile(r"[a-z0-9_-]{1,32}", re.ASCII)
_ID_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"  # read out on the telephone


@dataclass(frozen=True, slots=True)
class Asking:
    """What a device is told once: its token, and the code that it shows until `until_ms` (real)."""

    token: str
    code: str
    until_ms: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A device that shows a code, as it says of itself."""

    role: Role
    place: str
    version: str
    until: int


@dataclass(frozen=True, slots=True)
class Device:
    """`ended_at` 0: let in. Moments in real ms."""

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
        self._ledger, self._office, self._now_ms = ledger, ledger.office, now_ms

    def ask(self, role: Role, place: str, version: str) -> Asking:
        """A device comes and wants in. Raises CodeTries where too many wait; BadMessage for no device or no place."""
        if role not in ROLES or not PLACE.fullmatch(place) or not VERSION.fullmatch(version):
            raise BadMessage
        with self._writing() as connection:
            self._ledger.locked(connection)  # one after the other: what is counted here is true until it is written
            now = self._now_ms()
            self._sweep(connection, now)
            living = set(
                connection.execute(sa.select(ENROLMENTS.c.code).where(_here(ENROLMENTS, self._office))).scalars()
            )
            if len(living) >= WAITING:
                raise CodeTries
            token = secrets.token_urlsafe(32)
            while _digest(codes.device_code_of(token)) in living:
                token = secrets.token_urlsafe(32)
            code = codes.device_code_of(token)
            connection.execute(
                sa.insert(ENROLMENTS).values(
                    token=_digest(token),
                    office=self._office,
                    code=_digest(code),
                    role=str(role),
                    place=place,
                    version=version,
                    until=now + CODE_MS,
                )
            )
            return Asking(token, codes.shown_code(code), now + CODE_MS)

    def waiting(self) -> list[Waiting]:
        """Who waits, the next to give up first; never a code."""
        with self._reading() as connection:
            living = sa.select(ENROLMENTS).where(_here(ENROLMENTS, self._office), ENROLMENTS.c.until > self._now_ms())
            return [_waiting(row) for row in connection.execute(living.order_by(ENROLMENTS.c.until))]

    def asked(self, token: str) -> Waiting | None:
        """What the device with this token asked for; None: it does not wait (any more)."""
        with self._reading() as connection:
            row = connection.execute(
                sa.select(ENROLMENTS).where(
                    _here(ENROLMENTS, self._office),
                    ENROLMENTS.c.token == _digest(token),
                    ENROLMENTS.c.until > self._now_ms(),
                )
            ).one_or_none()
        return None if row is None else _waiting(row)

    def is_waiting(self, token: str) -> int | None:
        """Until when (real ms) the code of this token holds; None: it does not wait."""
        asked = self.asked(token)
        return None if asked is None else asked.until

    def let_in(self, code: str, place: str, by: Author) -> Device:
        """`code` as somebody typed it; `place` '' leaves what the device said. Raises UnknownCode; BadMessage."""
        read = codes.read_code(code)
        if place and not PLACE.fullmatch(place):
            raise BadMessage
        if read is None or not self._is_shown(read):  # who guesses holds up nobody who writes
            raise UnknownCode
        with self._writing() as connection:
            self._ledger.locked(connection)
            now = self._now_ms()
            self._sweep(connection, now)
            shown = _here(ENROLMENTS, self._office) & (ENROLMENTS.c.code == _digest(read))
            row = connection.execute(sa.select(ENROLMENTS).where(shown)).one_or_none()
            if row is None:
                raise UnknownCode
            connection.execute(sa.delete(ENROLMENTS).where(ENROLMENTS.c.token == row.token))
            device = Device(
                id=self._new_id(connection, row.role),
                role=Role(row.role),
                place=place or row.place,
                made_at=now,
                seen_at=now,
                version=row.version,
                ended_at=0,
                turned_at=now,
            )
            connection.execute(
                sa.insert(DEVICES).values(
                    office=self._office,
                    id=device.id,
                    role=row.role,
                    place=device.place,
                    token=row.token,
                    next_token="",
                    turned_at=now,
                    made_at=now,
                    seen_at=now,
                    version=row.version,
                    ended_at=0,
                )
            )
            told = {"device": device.id, "role": row.role, "place": device.place}
            note(connection, self._office, "DeviceEnrolled", now, by, told)
            return device

    def find(self, token: str, *, version: str = "") -> Device | None:
        """Whose token this is. The first use of the next token makes it the only one. None: nobody's who is let in."""
        digest, now = _digest(token), self._now_ms()
        with self._reading() as connection:
            row = self._row(connection, digest)
        if row is None:
            return None
        is_next = row.next_token == digest
        version = version if version and VERSION.fullmatch(version) else row.version
        if not is_next and version == row.version and now - row.seen_at < SEEN_MS:
            return _device(row)
        with self._writing() as connection:
            seen = {"seen_at": now, "version": version}
            one = _here(DEVICES, self._office) & (DEVICES.c.id == row.id) & (DEVICES.c.ended_at == 0)
            turned = {"token": digest, "next_token": "", "turned_at": now}
            if connection.execute(
                sa.update(DEVICES).where(one, DEVICES.c.next_token == digest).values(**turned, **seen)
            ).rowcount:
                note(connection, self._office, "DeviceRotated", now, Author(f"device:{row.id}"), {"device": row.id})
            else:
                connection.execute(sa.update(DEVICES).where(one, DEVICES.c.token == digest).values(**seen))
            now_known = self._row(connection, digest)
        return None if now_known is None else _device(now_known)

    def turn(self, token: str) -> str | None:
        """Another token for the device with this one, if it is older than a day. This one holds until that is used.

        Where the answer is lost, the device asks again a minute later and is given another.
        """
        digest = _digest(token)
        with self._reading() as connection:
            row = self._row(connection, digest)
        if row is None or row.token != digest or self._now_ms() - row.turned_at < TURN_MS:
            return None
        fresh = secrets.token_urlsafe(32)
        with self._writing() as connection:
            now = self._now_ms()
            due = (DEVICES.c.token == digest) & (DEVICES.c.ended_at == 0) & (DEVICES.c.turned_at <= now - TURN_MS)
            given = connection.execute(
                sa.update(DEVICES)
                .where(_here(DEVICES, self._office), due)
                .values(next_token=_digest(fresh), turned_at=now - TURN_MS + TURN_AGAIN_MS)
            )
            return fresh if given.rowcount else None

    def alive(self, ids: Collection[str]) -> set[str]:
        """Which of these are still let in."""
        with self._reading() as connection:
            living = sa.select(DEVICES.c.id).where(_here(DEVICES, self._office), DEVICES.c.ended_at == 0)
            return set(connection.execute(living).scalars()) & set(ids)

    def places(self, role: Role) -> set[str]:
        """Where a device of this role is let in."""
        with self._reading() as connection:
            living = sa.select(DEVICES.c.place).where(_here(DEVICES, self._office), DEVICES.c.ended_at == 0)
            return set(connection.execute(living.where(DEVICES.c.role == str(role))).scalars())

    def list(self) -> list[Device]:
        """All there were, the first let in first."""
        with self._reading() as connection:
            rows = sa.select(DEVICES).where(_here(DEVICES, self._office)).order_by(DEVICES.c.made_at, DEVICES.c.id)
            return [_device(row) for row in connection.execute(rows)]

    def revoke(self, id: str, by: Author) -> None:
        """Put out for good; once more changes nothing. Raises UnknownDevice."""
        with self._writing() as connection:
            now = self._now_ms()
            one = _here(DEVICES, self._office) & (DEVICES.c.id == id)
            if connection.execute(sa.select(DEVICES.c.id).where(one)).one_or_none() is None:
                raise UnknownDevice
            ended = sa.update(DEVICES).where(one, DEVICES.c.ended_at == 0).values(ended_at=now, next_token="")
            if connection.execute(ended).rowcount:
                note(connection, self._office, "DeviceRevoked", now, by, {"device": id})

    def _is_shown(self, code: str) -> bool:
        with self._reading() as connection:
            shown = sa.select(ENROLMENTS.c.token).where(
                _here(ENROLMENTS, self._office), ENROLMENTS.c.code == _digest(code)
            )
            return connection.execute(shown).one_or_none() is not None

    def _sweep(self, connection: sa.Connection, now: int) -> None:
        """Forget those whose code holds no more; their codes may be shown again."""
        over = sa.delete(ENROLMENTS).where(_here(ENROLMENTS, self._office), ENROLMENTS.c.until <= now)
        connection.execute(over)

    def _row(self, connection: sa.Connection, digest: str) -> sa.Row[tuple[object, ...]] | None:
        held = sa.or_(DEVICES.c.token == digest, DEVICES.c.next_token == digest)
        return connection.execute(
            sa.select(DEVICES).where(_here(DEVICES, self._office), DEVICES.c.ended_at == 0, held)
        ).one_or_none()

    def _new_id(self, connection: sa.Connection, role: str) -> str:
        while True:
            id = f"{role}-{''.join(secrets.choice(_ID_LETTERS) for _ in range(6))}"
            one = sa.select(DEVICES.c.id).where(_here(DEVICES, self._office), DEVICES.c.id == id)
            if connection.execute(one).one_or_none() is None:
                return id

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with _in_reach(), transaction(self._ledger.engine, writes=False) as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with _in_reach(), transaction(self._ledger.engine, writes=True) as connection:
            yield connection


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _here(table: sa.Table, office: str) -> sa.ColumnElement[bool]:
    return table.c.office == office


def _waiting(row: sa.Row[tuple[object, ...]]) -> Waiting:
    return Waiting(Role(row.role), row.place, row.version, row.until)


def _device(row: sa.Row[tuple[object, ...]]) -> Device:
    return Device(row.id, Role(row.role), row.place, row.made_at, row.seen_at, row.version, row.ended_at, row.turned_at)


@contextmanager
def _in_reach() -> Iterator[None]:
    try:
        yield
    except LedgerUnusable:
        raise LedgerAway from None  # what the database said is the operator's, not the asker's
