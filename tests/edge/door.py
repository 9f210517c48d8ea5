"""The inside of an office without a desk: its pages and forms, a time that stands still, and who comes by what."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from argon2 import PasswordHasher
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from hub.desk import facts
from hub.edge.access import Access, Principal
from hub.edge.administration import Administration
from hub.edge.auditing import Auditing
from hub.edge.explanations import Explanations
from hub.edge.guards import Guard
from hub.edge.hashing import Hashing
from hub.edge.headers import SecurityHeaders
from hub.edge.staff import Staff
from hub.fanout.relay import Relay
from hub.fanout.world import World
from hub.ledger.devices import Asking, Devices
from hub.ledger.journal import Author
from hub.ledger.log import Log
from hub.ledger.operations import Ledger
from hub.ledger.past_days import PastDays
from hub.ledger.people import People
from hub.ledger.refused import RefusedActs
from hub.wire.roles import Act, Role
from tests.fanout.memory import MemoryStore
from tests.web.site import OFFICE
from web.auditing import AuditPages
from web.fairness import FairnessPages
from web.staff import StaffPages

HERE = "http://127.0.0.1:8001"
OWN = {"origin": HERE, "sec-fetch-site": "same-origin"}
BY = Author("cli")
DAY = "2026-04-01"
PASSWORD = "correct horse battery"
FAST = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
NOW_MS = 1_795_478_400_000  # 9:00 on 2026-11-24 in Tokyo

PAGES = {
    "/desk": Act.OPEN_DESK,
    "/admin": Act.SEE_ADMIN,
    "/admin/people": Act.SEE_PEOPLE,
    "/admin/people?name=victim": Act.SEE_PEOPLE,
    "/admin/devices": Act.SEE_DEVICES,
    "/admin/overview": Act.SEE_OVERVIEW,
    "/audit": Act.SEE_OPERATIONS,
    "/audit/fairness": Act.SEE_FAIRNESS,
    "/audit/fairness.json?day=2026-11-24": Act.SEE_FAIRNESS,
    "/desk/why?number=A101": Act.OPEN_DESK,
    "/audit/contacts": Act.SEE_OPERATIONS,
    "/audit/contacts?day=2026-11-24": Act.SEE_OPERATIONS,
    "/audit/contacts/ledger.zip": Act.SEE_OPERATIONS,
    "/audit/contacts/certificate?month=2026-11&issued=2026-12-01&issuer=a&addressee=b": Act.SEE_OPERATIONS,
    "/audit?day=2026-11-24&who=staff%3Avictim&type=SignedIn&before=4": Act.SEE_OPERATIONS,
}
ROLE = {"shown": "別の名前", "role": "counter", "designated": DAY, "trained": DAY}
FORMS = {
    "/admin/people/add": (Act.CHANGE_PEOPLE, {"name": "fresh", **ROLE}),
    "/admin/people/change": (Act.CHANGE_PEOPLE, {"name": "victim", **ROLE}),
    "/admin/people/reset": (Act.CHANGE_PEOPLE, {"name": "victim"}),
    "/admin/people/end": (Act.CHANGE_PEOPLE, {"name": "victim"}),
    "/admin/people/restore": (Act.CHANGE_PEOPLE, {"name": "gone"}),
    "/admin/people/unlock": (Act.UNLOCK_PEOPLE, {"name": "victim"}),
    "/admin/people/sign-out": (Act.UNLOCK_PEOPLE, {"name": "victim"}),
    "/admin/devices/let-in": (Act.CHANGE_DEVICES, {"code": "CODE", "place": "lobby"}),
    "/admin/devices/revoke": (Act.CHANGE_DEVICES, {"device": "DEVICE"}),
}


@dataclass
class Time:
    ms: int = NOW_MS

    def now_ms(self) -> int:
        return self.ms

    def seconds(self) -> float:
        return self.ms / 1000


@dataclass
class Door:
    """The inside of an office without a desk: who comes by what."""

    ledger: Ledger
    time: Time = field(default_factory=Time)
    is_secure: bool = False
    visitors: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        self.people = People(self.ledger, hasher=FAST, now_ms=self.time.now_ms)
        self.devices = Devices(self.ledger, self.time.now_ms)
        pages = StaffPages(OFFICE)
        staff = Staff(
            self.people,
            Access(
                self.people,
                self.devices,
                RefusedActs(self.ledger, self.time.now_ms),
                monotonic=self.time.seconds,
            ),
            Hashing(),
            pages,
            Guard(by_loopback_only=True),
            is_secure=self.is_secure,
            monotonic=self.time.seconds,
        )
        administration = Administration(
            staff,
            self.people,
            self.devices,
            Log(self.ledger),
            pages,
            now_ms=self.time.now_ms,
            monotonic=self.time.seconds,
        )

        async def live(request: Request, viewer: Principal) -> PlainTextResponse:
            return PlainTextResponse(viewer.name)

        auditing = Auditing(staff, self.ledger, self.people, AuditPages(OFFICE), now_ms=self.time.now_ms)
        pages_and_forms = Starlette(
            routes=[
                *staff.routes(),
                *administration.routes(),
                *Explanations(staff, quiet_relay(), PastDays(self.ledger), FairnessPages(OFFICE)).routes(),
                *auditing.routes(),
                Route("/desk", staff.page(Act.OPEN_DESK, live), methods=["GET"]),
                Route("/admin/overview", staff.page(Act.SEE_OVERVIEW, live), methods=["GET"]),
            ]
        )
        self.app = SecurityHeaders(pages_and_forms)

    def browser(self) -> TestClient:
        """What it leaves under way in the hub is done before the story ends."""
        return self.visitors.enter_context(TestClient(self.app, base_url=HERE, follow_redirects=False))

    def add(self, name: str, role: Role, *, must_change: bool = False) -> str:
        """An account and its password."""
        given = self.people.add(name, f"{name} さん", role, DAY, DAY, BY)
        if must_change:
            return given
        self.people.change_password(self.people.sign_in(name, given).token, given, PASSWORD)
        return PASSWORD

    def signed_in(self, role: Role, name: str = "") -> TestClient:
        name = name or f"x-{role.replace('_', '-')}"
        if all(person.name != name for person in self.people.list()):
            self.add(name, role)
        browser = self.browser()
        assert sign_in(browser, name).status_code == 303
        return browser

    def asking(self) -> Asking:
        return self.devices.ask(Role.WALL, "lobby", "1")

    def log(self) -> list[str]:
        return [entry.type for entry in Log(self.ledger).page().entries]


def quiet_relay() -> Relay:
    """Of an office where one number was given today."""
    store = MemoryStore(OFFICE)
    relay = Relay(store, OFFICE)
    relay.world = World("epoch", "2026-11-24", OFFICE)
    about: dict[str, Any] = {"at": NOW_MS, "who": "keeper", "request": ""}
    relay.world.learn((1, 0), facts.DayOpened(day="2026-11-24", **about))
    lane = OFFICE.lanes[0].key
    first = facts.TicketIssued(arrival=1, number="A101", lane=lane, rank=1 << 20, source="kiosk", **about)
    relay.world.learn((1, 1), first)
    relay.is_away = False
    return relay


def sign_in(browser: TestClient, name: str, password: str = PASSWORD, then: str = "") -> httpx2.Response:
    return browser.post("/sign-in", data={"name": name, "password": password, "next": then}, headers=OWN)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.db", "ward")
    ledger.prepare()
    yield ledger
    ledger.close()


@pytest.fixture
def door(ledger: Ledger) -> Iterator[Door]:
    door = Door(ledger)
    with door.visitors:
        yield door
