"""The people and devices of a practice office, made before its hub starts, and the file that says how they get in.

Never in an office in earnest: a folder without the mark of practice is refused. Nothing is printed from here.
"""

import os
import secrets
from collections.abc import Sequence
from pathlib import Path

import msgspec
from argon2 import PasswordHasher
from msgspec import Struct

from config.now import now_ms
from config.office_folder import PRACTICE_MARK, WrongFolder
from hub.desk.refusals import Refusal
from hub.ledger.devices import Devices
from hub.ledger.journal import Author, tokyo_day
from hub.ledger.operations import Ledger
from hub.ledger.people import People
from hub.wire.roles import Role

FILE = "credentials.json"
BY = Author("cli")
# (account, what its button says): one for each role.
PEOPLE: dict[Role, tuple[str, str]] = {
    Role.COUNTER: ("renshu-madoguchi", "練習 窓口担当"),
    Role.MANAGER: ("renshu-sekininsha", "練習 窓口責任者"),
    Role.AD_DESK: ("renshu-koukoku", "練習 広告担当"),
    Role.OPERATOR: ("renshu-unyo", "練習 運用担当者"),
    Role.AUDITOR: ("renshu-kansa", "練習 監査担当"),
}
WALLS = ("1", "2")
KIOSKS = ("renshu-1", "renshu-2")  # of the simulated day; a machine that can be touched has a token of its own
LETTERS = "abcdefghjkmnpqrstvwxyz23456789"  # none that looks like another: somebody may type them
# A password of 78 random bits is not found by trying, so a slow hash of it would only slow the start of an office.
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class PracticePerson(Struct, frozen=True):
    name: str
    password: str
    role: Role


class PracticeDevice(Struct, frozen=True):
    role: Role
    place: str
    token: str


class CredentialsUnreadable(RuntimeError):
    """One sentence: where the file is found."""


class Credentials(Struct, frozen=True):
    """What the file holds, by the names that it has there."""

    people: Sequence[PracticePerson] = ()
    devices: Sequence[PracticeDevice] = ()

    def person(self, role: Role) -> PracticePerson | None:
        return next((person for person in self.people if person.role is role), None)

    def tokens(self, role: Role) -> dict[str, str]:
        """Place → token of the devices of this role, in their order."""
        return {device.place: device.token for device in self.devices if device.role is role}

    @property
    def for_the_door(self) -> list[tuple[str, str, str]]:
        """(account, password, label) for the buttons of the sign-in page."""
        return [(person.name, person.password, PEOPLE[person.role][1]) for person in self.people]


def read_credentials(path: Path) -> Credentials:
    """Raises CredentialsUnreadable."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Credentials)
    except (OSError, msgspec.DecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "練習用の利用者のファイルではありません"
        raise CredentialsUnreadable(
            f"{path} を読めません（{why}）。junban up --practice --data DIR の DIR/{FILE} を指定してください。"
        ) from None


class PracticePass:
    """The credentials of one practice office in `folder`: those of the file that still hold, the rest made anew."""

    def __init__(self, folder: Path, ledger: Ledger) -> None:
        """Raises WrongFolder."""
        if not (folder / PRACTICE_MARK).exists():
            raise WrongFolder(f"{folder} は練習用のデータではないので、練習用の利用者を作りません。")
        self.path = folder / FILE
        self._people = People(ledger, hasher=QUICK, now_ms=now_ms)
        self._devices = Devices(ledger, now_ms)
        self._ledger = ledger

    def make(self) -> Credentials:
        """Raises LedgerUnusable, OSError."""
        self._ledger.prepare()
        try:
            kept = read_credentials(self.path)
        except CredentialsUnreadable:
            kept = Credentials()
        made = Credentials(
            [self._person(role, kept.person(role)) for role in PEOPLE],
            [
                PracticeDevice(role, place, self._token(role, place, kept.tokens(role).get(place)))
                for role, places in ((Role.WALL, WALLS), (Role.KIOSK, KIOSKS))
                for place in places
            ],
        )
        if made != kept:
            write_secretly(self.path, msgspec.json.format(msgspec.json.encode(made)) + b"\n")
        return made

    def kiosk_token(self, place: str) -> str:
        """The token of a fresh ticket machine."""
        return self._token(Role.KIOSK, place, None)

    def _person(self, role: Role, kept: PracticePerson | None) -> PracticePerson:
        name, shown = PEOPLE[role]
        if kept and kept.name == name and self._signs_in(kept):
            return kept
        today = tokyo_day(now_ms())
        present = next((person for person in self._people.list() if person.name == name), None)
        if present is None:
            given = self._people.add(name, shown, role, today, today, BY)
        else:  # somebody has practised with it
            if present.ended_at:
                self._people.restore(name, BY)
            self._people.change(name, shown=shown, role=role, designated=today, trained=today, by=BY)
            given = self._people.reset_password(name, BY)
            self._people.unlock(name, BY)
        chosen = new_password()
        token = self._people.change_password(self._people.sign_in(name, given).token, given, chosen)
        self._people.sign_out(token)
        return PracticePerson(name, chosen, role)

    def _signs_in(self, person: PracticePerson) -> bool:
        """As its role, without a password to be changed first."""
        try:
            signed_in = self._people.sign_in(person.name, person.password)
        except Refusal:
            return False
        self._people.sign_out(signed_in.token)
        return signed_in.person.role is person.role and not signed_in.person.must_change

    def _token(self, role: Role, place: str, kept: str | None) -> str:
        device = self._devices.find(kept) if kept else None
        if kept and device and (device.role, device.place) == (role, place):
            return kept
        asking = self._devices.ask(role, place, "practice")
        self._devices.let_in(asking.code, place, BY)
        return asking.token


def new_password() -> str:
    """Four groups of four."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(4))


def write_secretly(path: Path, content: bytes) -> None:
    """Whole or not at all, and for this user's eyes. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    making = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with open(os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    making.replace(path)
