"""Who may come in, see and change what: a session by cookie, our own pages only, the table of roles cell by cell."""

import re
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
from hub.edge.access import SESSION_COOKIE, Access, Principal
from hub.edge.administration import WRONG_CODES, Administration
from hub.edge.auditing import Auditing
from hub.edge.explanations import Explanations
from hub.edge.forms import own_path
from hub.edge.guards import Guard
from hub.edge.hashing import Hashing
from hub.edge.staff import SIGN_INS, STRANGERS, Staff, home_of
from hub.fanout.relay import Relay
from hub.fanout.world import World
from hub.ledger.devices import Asking, Devices
from hub.ledger.journal import Author
from hub.ledger.log import Log
from hub.ledger.operations import Ledger
from hub.ledger.past_days import PastDays
from hub.ledger.people import People
from hub.ledger.refused import RefusedActs
from hub.wire.roles import MAY, PEOPLE, Act, Role, may
from tests.eventually import eventually
from tests.fanout.memory import MemoryStore
from tests.web.site import OFFICE
from web.auditing import AuditPages
from web.fairness import FairnessPages
from web.staff import NEWS, StaffPages

HERE = "http://127.0.0.1:8001"
OWN = {"origin": HERE, "sec-fetch-site": "same-origin"}
BY = Author("cli")
DAY = "2026-04-01"
PASSWORD = "correct horse battery"
FAST = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
NOW_MS = 1_795_478_400_000  # 9:00 on 2026-11-24 in Tokyo


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
        self.app = Starlette(
            routes=[
                *staff.routes(),
                *administration.routes(),
                *Explanations(staff, quiet_relay(), PastDays(self.ledger), FairnessPages(OFFICE)).routes(),
                *auditing.routes(),
                Route("/desk", staff.page(Act.OPEN_DESK, live), methods=["GET"]),
                Route("/admin/overview", staff.page(Act.SEE_OVERVIEW, live), methods=["GET"]),
            ]
        )

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


# ---------------------------------------------------------------------------------------------------------- the table

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
OVER_HTTP = {*PAGES.values(), *(act for act, _ in FORMS.values()), Act.SEE_FAIRNESS}  # that one: test_explained.py


def test_every_act_of_the_table_is_tried_here_or_belongs_to_a_socket() -> None:
    assert {
        act for act in Act if not act.startswith(("open wall", "open kiosk", "desk ", "wall ", "kiosk "))
    } == OVER_HTTP


@pytest.mark.parametrize("role", PEOPLE)
async def test_a_role_sees_the_pages_of_its_row_and_no_other(door: Door, role: Role) -> None:
    door.add("victim", Role.COUNTER)
    browser = door.signed_in(role)
    seen = {path: browser.get(path).status_code for path in PAGES}
    assert seen == {path: 200 if may(role, act) else 403 for path, act in PAGES.items()}
    refused = len({act for act in PAGES.values() if not may(role, act)})
    await eventually(lambda: door.log().count("ActRefused") == refused)  # once a minute for each act


@pytest.mark.parametrize("role", PEOPLE)
@pytest.mark.parametrize("path", FORMS)
async def test_a_role_changes_what_its_row_says_and_nothing_else(door: Door, role: Role, path: str) -> None:
    door.add("victim", Role.COUNTER)
    door.add("gone", Role.COUNTER)
    door.add("keeps", Role.OPERATOR)
    door.people.end("gone", BY)
    browser = door.signed_in(role)
    act, fields = FORMS[path]
    waiting = door.asking()
    device = door.devices.let_in(waiting.code, "lobby", BY)
    marks = {"CODE": door.asking().code, "DEVICE": device.id}
    before, logged = state(door), len(door.log())
    answer = browser.post(path, data={name: marks.get(text, text) for name, text in fields.items()}, headers=OWN)
    if may(role, act):
        assert answer.status_code == (200 if path.endswith(("add", "reset")) else 303), answer.text
        assert len(door.log()) > logged
    else:
        assert answer.status_code == 403
        assert state(door)[:-1] == before[:-1]
        await eventually(lambda: "ActRefused" in door.log())


def state(door: Door) -> tuple[object, ...]:
    return door.people.list(), [one.ended_at for one in door.devices.list()], len(door.log())


@pytest.mark.parametrize("path", PAGES)
def test_who_is_not_signed_in_is_asked_to_and_comes_back(door: Door, path: str) -> None:
    door.add("sato", Role.OPERATOR)
    answer = door.browser().get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in?next=/")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", [*FORMS, "/password"])
def test_a_form_without_a_session_changes_nothing(door: Door, path: str) -> None:
    door.add("victim", Role.COUNTER)
    before = door.people.list()
    answer = door.browser().post(path, data={"name": "victim", **ROLE}, headers=OWN)
    assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/sign-in")
    assert door.people.list() == before


@pytest.mark.parametrize("path", [*FORMS, "/sign-out"])
def test_the_address_of_a_form_loaded_anew_leads_to_its_page(door: Door, path: str) -> None:
    answer = door.signed_in(Role.OPERATOR).get(path)
    assert answer.status_code == 303
    assert path.startswith(answer.headers["location"]) or answer.headers["location"] == "/sign-in"


# ------------------------------------------------------------------------------------------- pages of somebody else

FOREIGN = {
    "another host": {"origin": "http://evil.test"},
    "another port": {"origin": "http://127.0.0.1:9999"},
    "null": {"origin": "null"},
    "no origin": {},
    "no origin, told same": {"sec-fetch-site": "same-origin"},
    "cross-site": {"origin": HERE, "sec-fetch-site": "cross-site"},
    "same-site": {"origin": HERE, "sec-fetch-site": "same-site"},
    "typed": {"origin": HERE, "sec-fetch-site": "none"},
}


@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN)
def test_a_form_of_another_page_is_refused(door: Door, headers: dict[str, str]) -> None:
    browser = door.signed_in(Role.OPERATOR)
    door.add("victim", Role.COUNTER)
    before = state(door)
    fields = {"name": "victim", "password": PASSWORD, "old": PASSWORD, "new": "x" * 20, "again": "x" * 20, **ROLE}
    for path in [*FORMS, "/sign-in", "/sign-out", "/password", "/session/here"]:
        assert browser.post(path, data=fields, headers=headers).status_code == 403, path
        assert state(door) == before, path
    assert browser.get("/admin").status_code == 200, "still signed in"


def test_an_origin_named_twice_is_refused(door: Door) -> None:
    browser = door.signed_in(Role.OPERATOR)
    headers = [("origin", HERE), ("origin", HERE), ("content-type", "application/x-www-form-urlencoded")]
    assert browser.post("/sign-out", content=b"", headers=headers).status_code == 403


@pytest.mark.parametrize(
    "where",
    ["//evil.test", "/\\evil.test", "https://evil.test", "\\\\evil.test", "javascript:alert(1)", "/\t/evil.test",
     " //evil.test", "evil.test", "/a//evil.test", "/%0d%0aSet-Cookie:a", "/\r\nx:y", "/sign-out", "/" + "a" * 300],
)  # fmt: skip
def test_nobody_is_sent_elsewhere_after_signing_in(door: Door, where: str) -> None:
    door.add("sato", Role.OPERATOR)
    answer = sign_in(door.browser(), "sato", then=where)
    assert answer.headers["location"] == "/admin"
    assert own_path(where) == ""


def test_a_way_of_our_own_is_kept_through_a_wrong_password(door: Door) -> None:
    door.add("sato", Role.COUNTER)
    browser = door.browser()
    assert 'value="/desk?counter=2"' in browser.get("/sign-in?next=/desk%3Fcounter%3D2").text
    wrong = sign_in(browser, "sato", "not this one", "/desk?counter=2")
    assert 'value="/desk?counter=2"' in wrong.text
    assert sign_in(browser, "sato", then="/desk?counter=2").headers["location"] == "/desk?counter=2"


@pytest.mark.parametrize(
    ("role", "where"),
    [(Role.COUNTER, "/desk"), (Role.MANAGER, "/desk"), (Role.OPERATOR, "/admin"), (Role.AUDITOR, "/admin")],
)
def test_who_comes_by_the_desks_address_lands_where_the_role_begins(door: Door, role: Role, where: str) -> None:
    door.add("sato", role)
    browser = door.browser()
    assert sign_in(browser, "sato", then="/desk").headers["location"] == where
    assert browser.get("/sign-in?next=/desk").headers["location"] == where


# ------------------------------------------------------------------------------------------------------ the session


def test_a_session_is_a_cookie_that_scripts_and_other_sites_do_not_get(ledger: Ledger) -> None:
    for is_secure in (False, True):
        door = Door(ledger, is_secure=is_secure)
        name = f"sato{is_secure:d}"
        door.add(name, Role.OPERATOR)
        with door.visitors:
            told = sign_in(door.browser(), name).headers["set-cookie"]
        first, *flags = told.split("; ")
        assert re.fullmatch(rf"{SESSION_COOKIE}=[A-Za-z0-9_-]{{43}}", first)
        assert {flag.lower() for flag in flags} == {
            "httponly", "samesite=strict", "path=/", *(["secure"] if is_secure else []),
        }  # fmt: skip


def test_a_sign_in_always_gives_a_new_token_and_ends_the_one_that_was_brought(door: Door) -> None:
    browser = door.signed_in(Role.OPERATOR)
    first = browser.cookies[SESSION_COOKIE]
    assert sign_in(browser, "x-operator").status_code == 303
    assert browser.cookies[SESSION_COOKIE] != first
    old = door.browser()
    old.cookies.set(SESSION_COOKIE, first)
    assert old.get("/admin").status_code == 303

    planted = door.browser()
    planted.cookies.set(SESSION_COOKIE, "A" * 43)
    answer = sign_in(planted, "x-operator")
    assert "A" * 43 not in answer.headers["set-cookie"]
    thief = door.browser()
    thief.cookies.set(SESSION_COOKIE, "A" * 43)
    assert thief.get("/admin").status_code == 303


def test_a_sign_out_ends_the_session_and_takes_the_cookie(door: Door) -> None:
    browser = door.signed_in(Role.OPERATOR)
    token = browser.cookies[SESSION_COOKIE]
    answer = browser.post("/sign-out", data={}, headers={**OWN, "content-type": "application/x-www-form-urlencoded"})
    assert answer.headers["location"] == "/sign-in?done=out"
    assert SESSION_COOKIE not in browser.cookies
    assert "サインアウトしました" in browser.get("/sign-in?done=out").text
    browser.cookies.set(SESSION_COOKIE, token)
    assert browser.get("/admin").status_code == 303
    assert door.log()[0] == "SignedOut"


def test_who_is_signed_in_does_not_sign_in_again(door: Door) -> None:
    for role in PEOPLE:
        answer = door.signed_in(role).get("/sign-in")
        assert (answer.status_code, answer.headers["location"]) == (303, home_of(role))


def test_a_desk_that_is_used_stays_and_one_that_is_not_is_out(door: Door) -> None:
    browser = door.signed_in(Role.COUNTER)
    for _ in range(3):
        door.time.ms += 29 * 60_000
        assert browser.post("/session/here", headers=OWN).status_code == 204
    door.time.ms += 31 * 60_000
    assert browser.post("/session/here", headers=OWN).status_code == 401
    assert browser.get("/desk").status_code == 303


# ----------------------------------------------------------------------------------------------------- the password


def test_a_given_password_opens_nothing_but_its_own_change(door: Door) -> None:
    given = door.add("mori", Role.OPERATOR, must_change=True)
    browser = door.browser()
    assert sign_in(browser, "mori", given, "/audit").headers["location"] == "/password"
    for path in PAGES:
        assert browser.get(path).headers["location"] == "/password"
    for path, (_, fields) in FORMS.items():
        assert browser.post(path, data=fields, headers=OWN).headers["location"] == "/password"
    assert [person.name for person in door.people.list()] == ["mori"]
    assert "はじめの一回だけ" in browser.get("/password").text

    before = browser.cookies[SESSION_COOKIE]
    told = {"old": given, "new": PASSWORD, "again": PASSWORD}
    assert browser.post("/password", data=told, headers=OWN).status_code == 303
    assert browser.cookies[SESSION_COOKIE] != before
    assert browser.get("/admin").status_code == 200


def test_a_given_password_lets_one_sign_out(door: Door) -> None:
    given = door.add("mori", Role.OPERATOR, must_change=True)
    browser = door.browser()
    sign_in(browser, "mori", given)
    answer = browser.post("/sign-out", data={"x": ""}, headers=OWN)
    assert answer.headers["location"] == "/sign-in?done=out"


@pytest.mark.parametrize(
    ("told", "says"),
    [
        (
            {"old": "wrong wrong wrong", "new": "a long new sentence", "again": "a long new sentence"},
            "いまのパスワード",
        ),
        ({"old": PASSWORD, "new": "a long new sentence", "again": "another long line"}, "2 回とも同じ"),
        ({"old": PASSWORD, "new": "short", "again": "short"}, "12 文字以上"),
        ({"old": PASSWORD, "new": PASSWORD, "again": PASSWORD}, "パスワード"),
    ],
)
def test_a_password_that_is_refused_is_said_why_and_never_shown(door: Door, told: dict[str, str], says: str) -> None:
    browser = door.signed_in(Role.COUNTER)
    answer = browser.post("/password", data=told, headers=OWN)
    assert answer.status_code in (400, 403)
    assert says in re.findall(r'role="alert">(.*?)<', answer.text)[0]
    assert not any(secret in answer.text for secret in told.values())


def test_changing_the_password_ends_the_other_sessions(door: Door) -> None:
    here, there = door.signed_in(Role.COUNTER), door.signed_in(Role.COUNTER)
    told = {"old": PASSWORD, "new": "a long new sentence", "again": "a long new sentence"}
    assert here.post("/password", data=told, headers=OWN).status_code == 303
    assert here.get("/desk").status_code == 200
    assert there.get("/desk").status_code == 303


# -------------------------------------------------------------------------------------------------------- signing in


def test_a_wrong_sign_in_does_not_say_what_was_wrong(door: Door) -> None:
    door.add("sato", Role.OPERATOR)
    answers = [sign_in(door.browser(), name, "no such password") for name in ("sato", "nobody")]
    texts = {re.sub("sato|nobody", "NAME", answer.text) for answer in answers}
    assert len(texts) == 1
    assert "no such password" not in texts.pop()
    assert all("set-cookie" not in answer.headers for answer in answers)


def test_a_name_may_be_typed_wide_or_with_capitals(door: Door) -> None:
    door.add("sato", Role.OPERATOR)
    for typed in ("Sato", "ｓａｔｏ", " sato "):
        assert sign_in(door.browser(), typed).status_code == 303


def test_what_cannot_be_seen_is_not_shown_again(door: Door) -> None:
    door.add("sato", Role.OPERATOR)
    assert "\u202e" not in sign_in(door.browser(), "\u202esato", "no").text


def test_a_locked_account_says_so(door: Door) -> None:
    door.add("sato", Role.OPERATOR)
    for _ in range(5):
        sign_in(door.browser(), "sato", "no such password")
    answer = sign_in(door.browser(), "sato")
    assert answer.status_code == 503
    assert "15 分ほど待つか" in answer.text


def test_who_guesses_keeps_nobody_else_out(door: Door) -> None:
    """At one account, at many that there are not, and both at once: all within a minute."""
    for name in ("sato", "ito"):
        door.add(name, Role.OPERATOR)
    thief = door.browser()
    answers = [sign_in(thief, "sato", f"guess number {count}") for count in range(SIGN_INS + 20)]
    assert [answer.status_code for answer in answers[:5]] == [403] * 5
    assert {answer.status_code for answer in answers[5:]} == {503}
    assert "混み合っています" in answers[-1].text
    strangers = {sign_in(thief, f"nobody-{count}", "no").status_code for count in range(STRANGERS + 20)}
    assert strangers == {403}, "no answer says which of the two was wrong"
    assert sign_in(door.browser(), "ito").status_code == 303
    door.time.ms += 60_000
    assert sign_in(door.browser(), "sato").status_code == 303, "the first lock-out is a minute"


def test_an_account_is_let_in_so_often_a_minute(door: Door) -> None:
    door.add("sato", Role.COUNTER)
    assert {sign_in(door.browser(), "sato").status_code for _ in range(SIGN_INS)} == {303}
    assert "混み合っています" in sign_in(door.browser(), "sato").text
    door.time.ms += 60_000
    assert sign_in(door.browser(), "sato").status_code == 303


def test_without_any_account_the_page_says_how_to_make_the_first(door: Door) -> None:
    assert "junban user add" in door.browser().get("/sign-in").text
    door.add("sato", Role.OPERATOR)
    assert "junban user add" not in door.browser().get("/sign-in").text


def test_a_body_without_end_or_of_another_kind_is_refused(door: Door) -> None:
    browser = door.browser()
    kind = {"content-type": "application/x-www-form-urlencoded"}
    for body, headers in (
        (b"name=" + b"a" * 20_000, kind),
        (b"name=a&name=b", kind),
        (b"name=%ff", kind),
        (b"&".join(b"a%d=1" % i for i in range(20)), kind),
        (b'{"name":"a"}', {"content-type": "application/json"}),
        (b"name=a", {"content-type": "text/plain"}),
    ):
        assert browser.post("/sign-in", content=body, headers={**OWN, **headers}).status_code == 400


# ---------------------------------------------------------------------------------------------------- administration


def test_a_one_time_password_is_shown_once_and_works_once(door: Door) -> None:
    browser = door.signed_in(Role.OPERATOR)
    answer = browser.post("/admin/people/add", data={"name": "suzuki", **ROLE}, headers=OWN)
    assert answer.headers["cache-control"] == "no-store"
    given = re.findall(r'class="secret"><code>(.+?)</code>', answer.text)[0]
    assert given not in browser.get("/admin/people").text
    assert given not in browser.get("/audit").text
    assert sign_in(door.browser(), "suzuki", given).headers["location"] == "/password"


def test_what_was_typed_comes_back_with_the_refusal(door: Door) -> None:
    browser = door.signed_in(Role.OPERATOR)
    typed = {"name": "x-operator", "shown": "佐藤 <次郎>", "role": "auditor", "designated": DAY, "trained": ""}
    answer = browser.post("/admin/people/add", data=typed, headers=OWN)
    assert answer.status_code == 409
    assert "別の利用者名を付けてください" in answer.text
    assert 'value="佐藤 &lt;次郎&gt;"' in answer.text
    assert re.search(r'value="auditor" required checked', answer.text)


def test_a_refused_change_stays_with_its_person(door: Door) -> None:
    browser = door.signed_in(Role.OPERATOR)
    fields = {"name": "x-operator", **ROLE}
    answer = browser.post("/admin/people/change", data=fields, headers=OWN)
    assert answer.status_code == 409
    assert "先に別の運用担当者を登録" in answer.text
    assert 'value="別の名前"' in answer.text
    assert browser.post("/admin/people/end", data={"name": "../x"}, headers=OWN).status_code == 409
    assert browser.get("/admin/people?name=nobody").status_code == 409


def test_every_done_thing_has_its_sentence(door: Door) -> None:
    browser = door.signed_in(Role.OPERATOR)
    door.add("victim", Role.COUNTER)
    for path, what in (("end", "ended"), ("restore", "restored"), ("sign-out", "signed-out"), ("unlock", "unlocked")):
        answer = browser.post(f"/admin/people/{path}", data={"name": "victim"}, headers=OWN)
        assert answer.headers["location"] == f"/admin/people?done={what}"
        assert NEWS[what] in browser.get(answer.headers["location"]).text


def test_codes_of_devices_cannot_be_guessed(door: Door) -> None:
    browser = door.signed_in(Role.MANAGER)
    code = door.asking().code
    for _ in range(WRONG_CODES):
        answer = browser.post("/admin/devices/let-in", data={"code": "0000-0000", "place": ""}, headers=OWN)
        assert answer.status_code == 409
        assert 'value="0000-0000"' in answer.text
    right = {"code": code, "place": "lobby"}
    assert browser.post("/admin/devices/let-in", data=right, headers=OWN).status_code == 503
    other = door.signed_in(Role.OPERATOR)
    assert other.post("/admin/devices/let-in", data=right, headers=OWN).status_code == 303
    assert [device.place for device in door.devices.list()] == ["lobby"]


def test_the_log_is_read_by_day_person_and_kind(door: Door) -> None:
    browser = door.signed_in(Role.OPERATOR)
    door.signed_in(Role.COUNTER)
    whole = browser.get("/audit").text
    assert whole.count("記録中") >= 2
    assert "x-operator さん（運用担当者）" in whole
    own = browser.get("/audit", params={"who": "staff:x-counter", "type": "SignedIn"}).text
    table = own.partition("<tbody>")[2]
    assert "x-counter さん" in table
    assert "x-operator" not in table
    assert "この条件に合う記録はありません" in browser.get("/audit?day=2020-01-01").text
    for wrong in ("day=yesterday", "day=20261124", "day=2026-W48-2", "who=<b>", "type=%27", "before=-1", "before=abc"):
        assert browser.get(f"/audit?{wrong}").status_code == 400


def test_the_table_knows_no_other_page() -> None:
    assert set(MAY) == set(Act)
