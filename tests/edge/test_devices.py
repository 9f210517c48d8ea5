"""A screen shows its code until somebody types it; a machine asks, waits, comes in, and turns its token each day."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from hub.edge.access import DEVICE_COOKIE
from hub.edge.devices import ASKS, Gate
from hub.edge.guards import Guard
from hub.ledger.connection import sqlite_url
from hub.ledger.devices import CODE_MS, TURN_MS, WAITING, Devices
from hub.ledger.journal import Author
from hub.ledger.operations import Ledger
from hub.wire.roles import Role
from tests.web.site import OFFICE
from web.enrolment import EnrolmentPages
from web.pages import screen_of

HERE = "http://127.0.0.1:8001"
OWN = {"origin": HERE, "sec-fetch-site": "same-origin"}
SATO = Author("staff:sato")
KIOSK = {"role": "kiosk", "place": "entrance", "version": "1.0"}


@dataclass
class Time:
    ms: int = 1_795_478_400_000  # 9:00 on 2026-11-24 in Tokyo

    def now_ms(self) -> int:
        return self.ms

    def seconds(self) -> float:
        return self.ms / 1000


@dataclass
class House:
    """The inside of an office that has walls, the machine of a counter, and no staff."""

    ledger: Ledger
    is_practice: bool = False
    is_secure: bool = False
    time: Time = field(default_factory=Time)
    visitors: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        self.devices = Devices(self.ledger, self.time.now_ms)
        gate = Gate(
            self.devices,
            EnrolmentPages(OFFICE),
            Guard(by_loopback_only=True),
            version="1.0",
            is_secure=self.is_secure,
            lets_all_in=self.is_practice,
            monotonic=self.time.seconds,
        )

        async def wall(request: Request) -> Response:
            return PlainTextResponse(f"the wall {request.path_params['screen']}")

        async def machine(request: Request) -> Response:
            return EnrolmentPages(OFFICE).desk(counter_of(request))

        async def desk(request: Request) -> Response:
            return PlainTextResponse(str(await gate.place(request, Role.DESK)))

        def counter_of(request: Request) -> str:
            if request.query_params.get("counter") != "1":
                raise HTTPException(404)
            return "1"

        self.app = Starlette(
            routes=[
                *gate.routes(),
                Route("/wall/{screen}", gate.page(Role.WALL, screen_of, wall)),
                Route("/desk-device", gate.page(Role.DESK, counter_of, machine)),
                Route("/desk", desk),
            ]
        )

    def browser(self) -> TestClient:
        return self.visitors.enter_context(TestClient(self.app, base_url=HERE, follow_redirects=False))

    def let_in(self, page: httpx2.Response) -> str:
        """Type the code of a page; gives the id of the device."""
        return self.devices.let_in(code_in(page.text), "", SATO).id


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    book = Ledger(sqlite_url(tmp_path / "ledger.sqlite"), OFFICE.key)
    book.prepare()
    yield book
    book.close()


@pytest.fixture
def house(ledger: Ledger) -> Iterator[House]:
    made = House(ledger)
    with made.visitors:
        yield made


def code_in(html: str) -> str:
    found = re.search(r'class="code"[^>]*>([0-9A-Z]{4}-[0-9A-Z]{4})<', html)
    assert found, html
    return found[1]


def state(browser: TestClient, **headers: str) -> httpx2.Response:
    return browser.post("/device/state", json={}, headers=headers or OWN)


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def test_a_wall_shows_the_same_code_until_it_is_let_in(house: House) -> None:
    browser = house.browser()
    assert state(browser).json() == {"state": "unknown"}
    first = browser.get("/wall/hall")
    assert first.status_code == 200
    assert "この番号表示モニターは、まだ登録されていません" in first.text
    assert code_in(browser.get("/wall/hall").text) == code_in(first.text)
    assert state(browser).json()["state"] == "waiting"
    house.let_in(first)
    assert state(browser).json() == {"state": "in", "place": "hall"}
    assert browser.get("/wall/hall").text == "the wall hall"
    assert [one.version for one in house.devices.list()] == ["1.0"]


def test_the_cookie_is_for_the_browser_alone_and_the_page_never_holds_the_token(house: House) -> None:
    browser = house.browser()
    page = browser.get("/wall/hall")
    flags = page.headers["set-cookie"].lower()
    assert "httponly" in flags
    assert "samesite=strict" in flags
    assert "path=/" in flags
    assert "secure" not in flags
    assert browser.cookies[DEVICE_COOKIE] not in page.text + state(browser).text


def test_behind_https_the_cookie_goes_by_nothing_else(ledger: Ledger) -> None:
    made = House(ledger, is_secure=True)
    with made.visitors:
        assert "; Secure" in made.browser().get("/wall/hall").headers["set-cookie"]


def test_another_browser_shows_another_code_and_is_not_let_in_with_it(house: House) -> None:
    one, other = house.browser(), house.browser()
    first, second = one.get("/wall/hall"), other.get("/wall/hall")
    assert code_in(first.text) != code_in(second.text)
    house.let_in(first)
    assert code_in(other.get("/wall/hall").text) == code_in(second.text)


def test_a_code_that_is_over_gives_way_to_a_new_one(house: House) -> None:
    browser = house.browser()
    first = browser.get("/wall/hall")
    house.time.ms += CODE_MS
    assert state(browser).json() == {"state": "unknown"}
    assert code_in(browser.get("/wall/hall").text) != code_in(first.text)


def test_a_wall_that_is_put_out_shows_a_code_again(house: House) -> None:
    browser = house.browser()
    device = house.let_in(browser.get("/wall/hall"))
    house.devices.revoke(device, SATO)
    assert state(browser).json() == {"state": "unknown"}
    assert house.let_in(browser.get("/wall/hall")) != device


def test_a_wall_is_not_taken_elsewhere_unasked(house: House) -> None:
    browser = house.browser()
    house.let_in(browser.get("/wall/hall"))
    for path in ("/wall/entrance", "/desk-device?counter=1"):
        page = browser.get(path)
        assert page.status_code == 409
        assert 'href="/wall/hall"' in page.text
        assert "set-cookie" not in page.headers
    assert browser.get("/wall/hall").text == "the wall hall"


def test_a_machine_of_a_counter_opens_that_counter(house: House) -> None:
    browser = house.browser()
    assert browser.get("/desk").text == "None"
    assert browser.get("/desk-device?counter=99").status_code == 404
    house.let_in(browser.get("/desk-device?counter=1"))
    assert "登録済みです" in browser.get("/desk-device?counter=1").text
    assert browser.get("/desk").text == "1"


def test_a_wall_turns_its_token_each_day_of_use(house: House) -> None:
    browser = house.browser()
    house.let_in(browser.get("/wall/hall"))
    old = browser.cookies[DEVICE_COOKIE]
    assert "set-cookie" not in browser.get("/wall/hall").headers
    house.time.ms += TURN_MS
    assert browser.get("/wall/hall").text == "the wall hall"
    assert browser.cookies[DEVICE_COOKIE] != old
    assert browser.get("/wall/hall").text == "the wall hall"
    assert house.devices.find(old) is None


def test_in_practice_every_screen_is_let_in_as_it_comes(ledger: Ledger) -> None:
    made = House(ledger, is_practice=True)
    with made.visitors:
        for path, text in (("/wall/hall", "the wall hall"), ("/desk-device?counter=1", "登録済みです")):
            browser = made.browser()
            page = browser.get(path)
            assert (page.status_code, page.headers["location"]) == (303, path)
            assert text in browser.get(path).text
        machine = made.browser()
        told = machine.post("/device/ask", json=KIOSK).json()
        assert made.devices.find(told["token"]) is None, "a machine is no screen: somebody types its code"


def test_pages_that_come_too_often_are_told_to_wait(house: House) -> None:
    for _ in range(ASKS):
        assert house.browser().get("/wall/hall").status_code == 200
    page = house.browser().get("/wall/hall")
    assert page.status_code == 503
    assert "10 分ほど待ってから" in page.text
    assert 'http-equiv="refresh"' in page.text
    house.time.ms += 60_000
    assert house.browser().get("/wall/hall").status_code == 200


def test_a_machine_asks_waits_and_is_in(house: House) -> None:
    program = house.browser()
    told = program.post("/device/ask", json=KIOSK).json()
    assert told.keys() == {"token", "code", "until"}
    assert told["until"] == house.time.ms + CODE_MS
    assert state(program, **bearer(told["token"])).json() == {"state": "waiting", "until": told["until"]}
    house.devices.let_in(told["code"], "", SATO)
    assert state(program, **bearer(told["token"])).json() == {"state": "in", "place": "entrance"}
    assert state(program, **bearer("x" * 43)).json() == {"state": "unknown"}
    assert state(program, **bearer("short")).json() == {"state": "unknown"}


def test_a_machine_turns_its_token_and_the_old_one_holds_until_the_new_one_is_used(house: House) -> None:
    program = house.browser()
    told = program.post("/device/ask", json=KIOSK).json()

    def turn(token: str) -> httpx2.Response:
        return program.post("/device/turn", json={}, headers=bearer(token))

    assert turn(told["token"]).status_code == 403
    house.devices.let_in(told["code"], "", SATO)
    assert turn(told["token"]).json() == {"token": None}
    house.time.ms += TURN_MS
    fresh = turn(told["token"]).json()["token"]
    assert fresh
    assert state(program, **bearer(told["token"])).json()["state"] == "in"
    assert state(program, **bearer(fresh)).json()["state"] == "in"
    assert state(program, **bearer(told["token"])).json() == {"state": "unknown"}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"role": "counter", "place": "1"},
        {"role": "kiosk", "place": "Entrance"},
        {**KIOSK, "more": 1},
        {**KIOSK, "version": "x y"},
    ],
)
def test_what_is_no_machine_is_refused(house: House, body: dict[str, object]) -> None:
    answer = house.browser().post("/device/ask", json=body)
    assert (answer.status_code, answer.json()["refusal"]["code"]) == (400, "BadMessage")


def test_machines_that_flood_are_told_to_wait_and_fill_no_table(house: House) -> None:
    program = house.browser()
    outcomes = [program.post("/device/ask", json=KIOSK).status_code for _ in range(ASKS + 5)]
    assert outcomes == [200] * ASKS + [503] * 5
    for _ in range(5):
        house.time.ms += 60_000
        outcomes += [program.post("/device/ask", json=KIOSK).status_code for _ in range(ASKS)]
    assert outcomes.count(200) == WAITING
    assert len(house.devices.waiting()) == WAITING


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:9999"])
def test_pages_of_others_ask_nothing(house: House, origin: str) -> None:
    browser = house.browser()
    browser.get("/wall/hall")
    for path in ("/device/ask", "/device/state"):
        answer = browser.post(path, json=KIOSK if path == "/device/ask" else {}, headers={"origin": origin})
        assert (answer.status_code, answer.json()["refusal"]["code"]) == (403, "ForeignPage")
    assert browser.post("/device/state", json={}).status_code == 403
    assert browser.post("/device/ask", json=KIOSK, headers=OWN).status_code == 403
