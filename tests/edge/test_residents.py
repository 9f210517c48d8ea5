"""What a resident asks about his own ticket: each answer, each refusal, and that another's ticket stays another's."""

import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import pytest
from msgspec import UNSET

from config.embedded import EmbeddedValkey
from hub.desk.hours import Hours, SpecialDay
from hub.desk.lane import Office, PushBacks
from hub.edge.asked import COOKIE
from hub.edge.reception import WRONG_CODES
from hub.edge.tries import Tries
from hub.wire import messages as wire
from hub.wire.codes import code_of, digest_of
from hub.wire.tickets import BODY_BYTES
from tests.edge.earnest import hub_of, is_ready, office
from tests.edge.hubs import Served, Visitor
from tests.eventually import eventually
from tests.fanout.days import CERTIFICATES, MOVES

__all__ = ["office"]

pytestmark = pytest.mark.anyio


def new_id() -> str:
    return secrets.token_urlsafe(16)


class Browser:
    """One resident's browser: its cookies, and what it sends."""

    def __init__(self, hub: Served) -> None:
        self.hub = hub
        self.client = httpx2.AsyncClient(
            base_url=hub.page("", is_inside=False), trust_env=False, follow_redirects=False
        )

    async def post(self, path: str, **body: Any) -> httpx2.Response:
        return await self.client.post(path, json=body)

    async def send(self, path: str, **fields: str) -> httpx2.Response:
        return await self.client.post(path, data=fields)

    async def take(self, lane: str = CERTIFICATES, id_: str = "") -> tuple[str, dict[str, Any]]:
        """The secret, and what was told."""
        secret = new_id()
        answer = await self.post("/tickets", id=id_ or new_id(), lane=lane, secret=digest_of(secret))
        assert answer.status_code == 200, answer.text
        return secret, answer.json()


@asynccontextmanager
async def browsing(office: Office, server: EmbeddedValkey) -> AsyncIterator[Browser]:
    async with hub_of(office, server.url) as hub:
        await is_ready(hub)
        browser = Browser(hub)
        async with browser.client:
            yield browser


@pytest.fixture
async def browser(office: Office, valkey_server: EmbeddedValkey) -> AsyncIterator[Browser]:
    async with browsing(office, valkey_server) as browser:
        yield browser


def code_in(answer: httpx2.Response) -> str:
    return str(answer.json()["refusal"]["code"]) if answer.status_code != 200 else "ok"


async def test_a_number_taken_on_the_web_waits_and_is_found_by_secret_and_by_code(browser: Browser) -> None:
    secret, told = await browser.take()
    assert (told["number"], told["state"], told["ahead"]) == ("A101", "waiting", 0)
    assert told["code"] == code_of(digest_of(secret))
    for proof in ({"secret": secret}, {"number": " ａ101", "code": told["code"].lower()}):
        found = await browser.post("/t/find", **proof)
        assert found.json() == told
        assert found.headers["cache-control"] == "no-store"


async def test_the_cookie_is_of_the_session_and_of_this_site_alone(browser: Browser) -> None:
    answer = await browser.post("/tickets", id=new_id(), lane=MOVES, secret=digest_of(new_id()))
    words = answer.headers["set-cookie"].lower()
    assert words.startswith(f"{COOKIE}=")
    assert "httponly" in words
    assert "samesite=strict" in words
    assert "max-age" not in words
    assert "expires" not in words


async def test_a_browser_holds_one_live_number_in_each_lane(browser: Browser) -> None:
    secret, told = await browser.take()
    _, other = await browser.take(MOVES)
    assert other["number"] == "B401"
    again = await browser.post("/tickets", id=new_id(), lane=CERTIFICATES, secret=digest_of(new_id()))
    assert again.status_code == 409
    refusal = again.json()["refusal"]
    assert (refusal["code"], refusal["details"]["number"]) == ("HasNumber", told["number"])
    assert refusal["details"]["code"] == told["code"]
    assert code_in(await browser.post("/t/cancel", id=new_id(), secret=secret)) == "ok"
    assert (await browser.take())[1]["number"] == "A102"


async def test_the_same_request_twice_is_one_ticket(browser: Browser) -> None:
    wanted = {"id": new_id(), "lane": CERTIFICATES, "secret": digest_of(new_id())}
    answers = []
    for _ in range(2):
        browser.client.cookies.clear()  # the first answer was lost
        answers.append((await browser.post("/tickets", **wanted)).json())
    assert answers[0] == answers[1]
    browser.client.cookies.clear()
    assert code_in(await browser.post("/tickets", **{**wanted, "lane": MOVES})) == "OtherBody"


async def test_a_plain_form_sent_twice_is_one_ticket_and_shows_its_code(browser: Browser) -> None:
    secret = new_id()
    fields = {"id": new_id(), "lane": CERTIFICATES, "secret": secret}
    code = code_of(digest_of(secret))
    for _ in range(2):
        browser.client.cookies.clear()
        page = await browser.send("/tickets", **fields)
        assert page.status_code == 200
        assert "A101" in page.text
        assert f"{code[:4]}-{code[4:]}" in page.text
        assert secret not in page.text
    held = await browser.send("/tickets", id=new_id(), lane=CERTIFICATES, secret=new_id())
    assert "すでにお持ちです" in held.text
    assert f"{code[:4]}-{code[4:]}" in held.text


async def test_outside_the_hours_no_number_is_given(office: Office, valkey_server: EmbeddedValkey) -> None:
    async with browsing(replace(office, web_open=0, web_close=0), valkey_server) as browser:
        answer = await browser.post("/tickets", id=new_id(), lane=CERTIFICATES, secret=digest_of(new_id()))
        assert (answer.status_code, code_in(answer)) == (409, "WebClosed")
        page = await browser.send("/tickets", id=new_id(), lane=CERTIFICATES, secret=new_id())
        assert page.status_code == 409
        assert "お取りいただける時間ではありません" in page.text


async def test_a_lane_outside_its_hours_says_when_it_opens(office: Office, valkey_server: EmbeddedValkey) -> None:
    """Closed from yesterday to tomorrow, whatever day this test is run on."""
    today = datetime.now(ZoneInfo("Asia/Tokyo")).date()
    closed = tuple(SpecialDay((today + timedelta(days=days)).isoformat()) for days in (-1, 0, 1, 2))
    async with browsing(replace(office, hours=Hours((), closed)), valkey_server) as browser:
        answer = await browser.post("/tickets", id=new_id(), lane=CERTIFICATES, secret=digest_of(new_id()))
        assert (answer.status_code, code_in(answer)) == (409, "LaneClosed")
        page = await browser.send("/tickets", id=new_id(), lane=CERTIFICATES, secret=new_id())
        assert "この業務の受付時間外です。" in page.text
        assert re.search(r"次の受付は [0-9]+月[0-9]+日（[月火水木金土日]）0:00 からです。", page.text)


async def test_where_the_office_asks_for_it_a_number_from_home_is_expected(
    office: Office, valkey_server: EmbeddedValkey
) -> None:
    async with browsing(replace(office, web_check_in=True), valkey_server) as browser:
        secret, told = await browser.take()
        assert (told["state"], told["ahead"]) == ("expected", None)
        async with browser.hub.open("/ws/desk") as connection:
            staff = Visitor(connection)
            await staff.ask(wire.CheckIn(new_id(), " ａ101"))
            while not staff.replies:
                await staff.hear()

        async def waits() -> bool:
            found: dict[str, Any] = (await browser.post("/t/find", secret=secret)).json()
            return bool(found["state"] == "waiting")

        await eventually(waits)


async def test_anothers_secret_or_code_does_nothing(browser: Browser) -> None:
    secret, told = await browser.take()
    strangers: list[dict[str, Any]] = [
        {"secret": new_id()},
        {"number": told["number"], "code": "00000000"},
        {"number": told["number"], "code": "short"},
        {"number": "A999", "code": told["code"]},
        {},
    ]
    for proof in strangers:
        assert code_in(await browser.post("/t/find", **proof)) == "NotYours"
        assert code_in(await browser.post("/t/cancel", id=new_id(), **proof)) == "NotYours"
    assert (await browser.post("/t/find", secret=secret)).json() == told


async def test_wrong_codes_are_few_also_at_once_and_the_secret_still_opens(browser: Browser) -> None:
    secret, told = await browser.take()
    for _ in range(WRONG_CODES):
        await browser.post("/t/find", number=told["number"], code=told["code"])  # right ones do not count
    for count in range(WRONG_CODES + 1):
        answer = await browser.post("/t/find", number=told["number"], code=f"0000000{count}")
        assert code_in(answer) == ("NotYours" if count < WRONG_CODES else "TooManyTries")
    assert code_in(await browser.post("/t/find", number=told["number"], code=told["code"])) == "TooManyTries"
    page = await browser.send("/t/find", number=told["number"], code=told["code"])
    assert page.status_code == 503
    assert "1 分ほど待って" in page.text
    assert code_in(await browser.post("/t/find", secret=secret)) == "ok"


async def test_a_code_that_nobody_could_look_at_counts_as_no_wrong_one(office: Office, tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path) as store:
        async with browsing(office, store) as browser:
            _, told = await browser.take()
            proof = {"number": told["number"], "code": told["code"]}
            store.kill()
            for _ in range(WRONG_CODES + 1):
                assert code_in(await browser.post("/t/find", **proof)) == "StoreAway"
            store.start()

            async def is_found() -> bool:
                return code_in(await browser.post("/t/find", **proof)) == "ok"

            await eventually(is_found)


def test_tries_come_back_after_their_while() -> None:
    now = [0.0]
    tries = Tries(2, 60.0, lambda: now[0])
    assert [tries.take("A101"), tries.take("A101"), tries.take("A101"), tries.take("A102")] == [True, True, False, True]
    tries.give_back("A101")
    assert tries.take("A101")
    now[0] = 60.0
    assert tries.take("A101")
    tries.give_back("B1")


def test_tries_of_past_days_are_forgotten() -> None:
    now = [0.0]
    tries = Tries(2, 60.0, lambda: now[0])
    for day in range(100):
        now[0] = day * 60.0
        assert tries.take(f"A{day}")
        assert len(tries) <= 2


def lets_others_go_first(office: Office) -> Office:
    return replace(office, push_backs=PushBacks(times=2, places=3))


async def test_a_resident_lets_others_go_first_by_his_secret(office: Office, valkey_server: EmbeddedValkey) -> None:
    async with browsing(lets_others_go_first(office), valkey_server) as browser:
        secret, told = await browser.take()
        assert (told["push_backs"], told["places"]) == (2, 3)
        for _ in range(2):
            browser.client.cookies.clear()
            await browser.take()
        wanted = {"id": new_id(), "secret": secret, "places": 1}
        first = await browser.post("/t/later", **wanted)
        assert (first.json()["ahead"], first.json()["state"]) == (1, "waiting")
        assert (await browser.post("/t/later", **wanted)).json()["ahead"] == 1, "pressed twice it is one"
        await eventually(lambda: has_left(browser, secret, 1))
        assert code_in(await browser.post("/t/later", id=new_id(), secret=secret, places=4)) == "TooManyPlaces"
        assert (await browser.post("/t/later", id=new_id(), secret=secret, places=3)).json()["ahead"] == 2
        assert code_in(await browser.post("/t/later", id=new_id(), secret=secret, places=1)) == "PushedEnough"
        assert code_in(await browser.post("/t/later", id=new_id(), secret=new_id(), places=1)) == "NotYours"
        assert code_in(await browser.post("/t/later", id=new_id(), secret=secret, places="1")) == "BadMessage"


async def has_left(browser: Browser, secret: str, push_backs: int) -> bool:
    return bool((await browser.post("/t/find", secret=secret)).json()["push_backs"] == push_backs)


async def test_without_javascript_number_and_code_do_the_same(office: Office, valkey_server: EmbeddedValkey) -> None:
    async with browsing(lets_others_go_first(office), valkey_server) as browser:
        _, told = await browser.take()
        page = await browser.send("/t/find", number=told["number"], code=told["code"])
        assert 'action="/t/later"' in page.text
        assert "残り <b" in page.text
        proof = {"number": told["number"], "code": told["code"], "places": "2"}
        alone = await browser.send("/t/later", id=new_id(), **proof)
        assert (alone.status_code, "後ろでお待ちの方がいないため" in alone.text) == (409, True)
        browser.client.cookies.clear()
        await browser.take()
        later = await browser.send("/t/later", id=new_id(), **proof)
        assert (later.status_code, "順番を後にしました。" in later.text) == (200, True)
        assert 'id="ahead">1</b>' in later.text


async def test_a_lost_number_is_opened_by_its_new_slip_alone(office: Office, valkey_server: EmbeddedValkey) -> None:
    async with browsing(office, valkey_server) as browser:
        old, told = await browser.take()
        async with browser.hub.open("/ws/desk") as desk:
            staff = Visitor(desk)
            await staff.hear_all(2)
            new = new_id()
            await staff.ask(wire.Reissue(new_id(), told["arrival"], digest_of(new)))
            while not staff.replies:
                await staff.hear()
            (reply,) = staff.replies
        assert reply.answer is not UNSET
        assert reply.answer.code == code_of(digest_of(new)), "to be written on the slip by hand"
        for lost in ({"secret": old}, {"number": told["number"], "code": told["code"]}):
            assert code_in(await browser.post("/t/find", **lost)) == "NotYours"
        for found in ({"secret": new}, {"number": told["number"], "code": reply.answer.code}):
            assert (await browser.post("/t/find", **found)).json()["arrival"] == told["arrival"]
        _, anew = await browser.take()
        assert anew["arrival"] != told["arrival"], "and the browser that had it learns nothing of it"


async def test_a_cancelled_number_is_free_and_cancelling_it_again_is_the_same(browser: Browser) -> None:
    secret, told = await browser.take()
    wanted = {"id": new_id(), "secret": secret}
    for _ in range(2):
        assert (await browser.post("/t/cancel", **wanted)).json()["state"] == "cancelled"
    assert code_in(await browser.post("/t/cancel", id=new_id(), secret=secret)) == "WrongMove"
    _, other = await browser.take()
    page = await browser.send("/t/cancel", id=new_id(), number=other["number"], code=other["code"])
    assert re.search(r'data-ticket="cancelled"', page.text)
    assert told["number"] != other["number"]


@pytest.mark.parametrize("path", ["/tickets", "/t/find", "/t/cancel"])
async def test_a_foreign_page_is_refused_and_a_page_of_ours_is_not(browser: Browser, path: str) -> None:
    for origin in ("https://evil.example.com", "null"):
        answer = await browser.client.post(path, json={}, headers={"Origin": origin})
        assert (answer.status_code, code_in(answer)) == (403, "ForeignPage")
    ours = await browser.client.post(path, json={}, headers={"Origin": browser.hub.page("", is_inside=False)})
    assert code_in(ours) in ("BadMessage", "NotYours")
    to = await browser.client.get(path)
    assert (to.status_code, to.headers["location"]) == (303, "/t")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "application/json"),
        (b"{", "application/json"),
        (b"\xff", "application/json"),
        (b"[" * 1000, "application/json"),
        (b'{"id":"short","lane":"certificates","secret":"x"}', "application/json"),
        (b"{}" + b" " * BODY_BYTES, "application/json"),
        (b"{}", "text/plain"),
        (b"id=\xff", "application/x-www-form-urlencoded"),
        (b"&".join(b"a=1" for _ in range(9)), "application/x-www-form-urlencoded"),
        (b"lane=certificates&more=1", "application/x-www-form-urlencoded"),
    ],
)
async def test_what_is_no_request_of_ours_is_refused_with_a_sentence(browser: Browser, body: bytes, kind: str) -> None:
    answer = await browser.client.post("/tickets", content=body, headers={"Content-Type": kind})
    assert answer.status_code == 400
    assert "送信の形式が正しくありません。" in answer.text


async def test_an_unknown_lane_is_refused(browser: Browser) -> None:
    answer = await browser.post("/tickets", id=new_id(), lane="nowhere", secret=digest_of(new_id()))
    assert (answer.status_code, code_in(answer)) == (400, "UnknownLane")
