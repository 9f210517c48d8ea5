"""Who comes into a hub of the tests: a ledger of accounts and devices, and what each of them sends along."""

import atexit
import functools
import json
import re
import shutil
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from argon2 import PasswordHasher

from hub.edge.access import DEVICE_COOKIE, SESSION_COOKIE
from hub.ledger.connection import sqlite_url, transaction
from hub.ledger.devices import Devices
from hub.ledger.journal import Author
from hub.ledger.operations import Ledger
from hub.ledger.people import People
from hub.ledger.refused import RefusedActs
from hub.ledger.tables import JOURNAL
from hub.wire.roles import Role

if TYPE_CHECKING:
    from playwright._impl._api_structures import SetCookieParam

BY = Author("cli")
DATE = "2026-04-01"  # of designation and training, long ago
PASSWORD = "correct horse battery"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # nobody guesses here
PLACE = re.compile(r"[a-z0-9_-]{1,32}", re.ASCII)  # as `Key` on the wire
ROLES = {"/ws/wall/": Role.WALL, "/ws/desk": Role.COUNTER, "/ws/kiosk": Role.KIOSK}


@functools.cache
def shared_ledger() -> str:
    """The URL of one ledger for this run of the tests; each office in it is a story's own."""
    folder = tempfile.mkdtemp(prefix="junban-tests-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return sqlite_url(Path(folder) / "ledger.sqlite")


def real_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass
class Doors:
    """One office's people and devices. A role's account is its own name; they are made when they first come."""

    office: str
    url: str = field(default_factory=shared_ledger)
    _sessions: dict[Role, str] = field(default_factory=dict)
    _devices: dict[tuple[Role, str], tuple[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.url, self.office)
        self.ledger.prepare()
        self.people = People(self.ledger, hasher=CHEAP, now_ms=real_ms)
        self.devices = Devices(self.ledger, real_ms)
        self.refused_acts = RefusedActs(self.ledger, real_ms)

    def close(self) -> None:
        self.ledger.close()

    def session(self, role: Role = Role.COUNTER) -> str:
        """The token of who is signed in in this role."""
        if role not in self._sessions:
            name = name_of(role)
            if all(person.name != name for person in self.people.list()):
                given = self.people.add(name, f"{name} さん", role, DATE, DATE, BY)
                token = self.people.sign_in(name, given).token
                self._sessions[role] = self.people.change_password(token, given, PASSWORD)
            else:
                self._sessions[role] = self.people.sign_in(name, PASSWORD).token
        return self._sessions[role]

    def device(self, role: Role, place: str = "1") -> str:
        """The token of a device of this role at this place."""
        return self._enrolled(role, place)[0]

    def device_id(self, role: Role, place: str = "1") -> str:
        return self._enrolled(role, place)[1]

    def headers(self, path: str, origin: str) -> dict[str, str]:
        """What a client sends along to open this socket; nothing to those that are open to all, or that are none."""
        role = next((role for start, role in ROLES.items() if path.partition("?")[0].startswith(start)), None)
        place = place_in(path)
        return {} if role is None or not PLACE.fullmatch(place) else self.headers_of(role, origin, place)

    def headers_of(self, role: Role, origin: str, place: str = "1") -> dict[str, str]:
        if role in (Role.WALL, Role.KIOSK, Role.DESK):
            return {"Authorization": f"Bearer {self.device(role, place)}"}
        return {"Cookie": f"{SESSION_COOKIE}={self.session(role)}", "Origin": origin}

    def cookie(self, base: str, path: str) -> "SetCookieParam":
        """For a browser that opens this page of `base`."""
        is_wall = path.startswith("/wall/")
        who = Role.MANAGER if path == "/admin/overview" else Role.COUNTER
        value = self.device(Role.WALL, place_in(path)) if is_wall else self.session(who)
        name = DEVICE_COOKIE if is_wall else SESSION_COOKIE
        return {"name": name, "value": value, "url": base, "httpOnly": True, "sameSite": "Strict"}

    def noted(self, kind: str) -> list[tuple[str, dict[str, str]]]:
        """(who, what) of each entry of this kind that waits for the archiver."""
        with transaction(self.ledger.engine, writes=False) as connection:
            mine = (JOURNAL.c.office == self.office) & (JOURNAL.c.type == kind)
            return [(row.who, json.loads(row.fields)) for row in connection.execute(JOURNAL.select().where(mine))]

    def _enrolled(self, role: Role, place: str) -> tuple[str, str]:
        if (role, place) not in self._devices:
            asking = self.devices.ask(role, place, "test")
            self._devices[role, place] = asking.token, self.devices.let_in(asking.code, place, BY).id
        return self._devices[role, place]


def name_of(role: Role) -> str:
    return f"x-{role.replace('_', '-')}"


def place_in(path: str) -> str:
    """The screen that a wall's page or socket names; any other device stands at place 1."""
    before, _, screen = path.partition("?")[0].partition("wall/")
    return screen if before in ("/", "/ws/") and screen else "1"
