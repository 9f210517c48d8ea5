"""What a resident asks about notices: an address is understood, sealed, stopped, and told to nobody else."""

import asyncio
import hmac
import json
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from redis.asyncio import Redis
from starlette.applications import Starlette
from structlog.testing import capture_logs

from config.asgi import hub_running
from config.embedded import EmbeddedValkey
from hub.desk.lane import Office, Purpose
from hub.desk.notices import Carrier
from hub.edge.guards import Guard
from hub.edge.notices import Notices
from hub.edge.reception import Reception
from hub.edge.wishes import WISHES, Wishes
from hub.fanout.relay import Relay
from hub.store.connection import connect
from hub.store.contacts import Contacts
from hub.store.facts import FactStream
from hub.store.keys import Keys
from hub.store.lanes import Lanes
from hub.store.sealing import Contact, PublicKey, open_sealed
from hub.wire.codes import digest_of
from hub.wire.tickets import BODY_BYTES
from tests.doors import shared_ledger
from tests.edge.earnest import is_ready
from tests.edge.hubs import Served, served
from tests.edge.test_residents import Browser, code_in, new_id
from tests.eventually import eventually
from tests.fanout.days import CERTIFICATES, OFFICE
from web.tickets import ResidentPages

pytestmark = pytest.mark.anyio

PURPOSE = Purpose("1", "順番が近づいたことをお知らせするためだけに使います。")
ADDRESS = "taro..y@docomo.example"


@dataclass
class KeyHost:
    """What the key host and the store know: keys are published here, and sealed contacts opened."""

    client: Redis
    office: Office
    private: X25519PrivateKey

    @property
    def contacts(self) -> Contacts:
        return Contacts(self.client, self.office)

    async def publish(self) -> None:
        public = PublicKey(secrets.token_hex(8), self.private.public_key().public_bytes_raw())
        await self.contacts.publish(await self.contacts.today(), public)

    async def kept(self) -> dict[str, Contact]:
        """Subscription → contact, of all that are in the store."""
        names = [name async for name in self.client.scan_iter(match=Keys(self.office.key).contact("*"))]
        found = {}
        for name in names:
            subscription = name.rpartition(":")[2]
            sealed = await self.contacts.sealed(subscription)
            assert sealed is not None
            found[subscription] = open_sealed(sealed, self.private, subscription)
        return found

    async def everything(self) -> str:
        """All that the store holds of the office."""
        held = []
        async for name in self.client.scan_iter(match=f"{{{self.office.key}}}:*"):
            kind = await self.client.type(name)
            held.append(name)
            if kind == "hash":
                held.append(str(await self.client.hgetall(name)))
            elif kind == "stream":
                held.append(str(await self.client.xrange(name)))
            elif kind == "zset":
                held.append(str(await self.client.zrange(name, 0, -1)))
            else:
                held.append(str(await self.client.get(name)))
        return "\n".join(held)


@pytest.fixture
def office(office_name: str) -> Office:
    return replace(OFFICE, key=office_name, purpose=PURPOSE)


@pytest.fixture
async def host(office: Office, valkey_server: EmbeddedValkey) -> AsyncIterator[KeyHost]:
    client = connect(valkey_server.url)
    yield KeyHost(client, office, X25519PrivateKey.generate())
    await client.aclose()


@asynccontextmanager
async def hub_with(office: Office, url: str, *offers: Carrier) -> AsyncIterator[Served]:
    running = hub_running(office, redis_url=url, ledger_url=shared_ledger(), offers=offers)
    async with running as apps, served(apps) as hub:
        await is_ready(hub)
        yield hub


@pytest.fixture
async def browser(office: Office, host: KeyHost, valkey_server: EmbeddedValkey) -> AsyncIterator[Browser]:
    await host.publish()
    async with hub_with(office, valkey_server.url, Carrier.EMAIL) as hub:
        browser = Browser(hub)
        async with browser.client:
            yield browser


def wish(secret: str, **changes: Any) -> dict[str, Any]:
    body = {"id": new_id(), "secret": secret, "address": ADDRESS, "ahead": 3, "purpose": PURPOSE.mark, "consent": True}
    return {**body, **changes}


def form_of(told: dict[str, Any], **changes: str) -> dict[str, str]:
    proof = {"id": new_id(), "number": told["number"], "code": told["code"]}
    return {**proof, "address": ADDRESS, "ahead": "3", "purpose": PURPOSE.mark, "consent": "on", **changes}


async def test_an_address_is_sealed_and_told_back_once(browser: Browser, host: KeyHost) -> None:
    secret, _ = await browser.take()
    answer = await browser.post("/t/notice", **wish(secret, address='"taro..y"@docomo.example ', ahead=5))
    told = answer.json()
    assert told["to"] == ADDRESS
    # The first of the lane has nobody ahead: both messages are due.
    (notice,) = told["notices"]
    assert [(sent.pop("at") > 0, sent) for sent in notice["sent"]] == [
        (True, {"about": "registered", "state": "pending"}),
        (True, {"about": "near", "state": "pending"}),
    ]
    assert {name: value for name, value in notice.items() if name != "sent"} == {
        "carrier": "email",
        "ahead": 5,
        "registered": "pending",
        "near": "pending",
        "ended": "",
        "minutes": 0,
    }
    assert answer.headers["cache-control"] == "no-store"
    ((subscription, contact),) = (await host.kept()).items()
    assert contact.to == ADDRESS
    assert re.fullmatch(r"[0-9a-f]{32}", subscription)
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", contact.stop)
    found = (await browser.post("/t/find", secret=secret)).json()
    assert found["notices"][0]["carrier"] == notice["carrier"]
    assert "to" not in found
    held = await host.everything()
    assert PURPOSE.mark in held
    for said in (ADDRESS, "docomo", contact.stop, digest_of(ADDRESS)):
        assert said not in held


async def test_the_same_request_twice_is_one_address_and_another_address_is_another_request(
    browser: Browser, host: KeyHost
) -> None:
    secret, _ = await browser.take()
    wanted = wish(secret)
    for _ in range(2):
        assert (await browser.post("/t/notice", **wanted)).json()["to"] == ADDRESS
    first = await host.kept()
    assert len(first) == 1
    other = await browser.post("/t/notice", **{**wanted, "address": "hanako@example.jp"})
    assert other.json()["to"] == "hanako@example.jp"
    second = await host.kept()
    assert [contact.to for contact in second.values()] == ["hanako@example.jp"]
    assert not set(first) & set(second)


async def test_nothing_kept_lets_a_guessed_address_be_tried(browser: Browser, host: KeyHost) -> None:
    """Even where a program says one id for everything: it is the key of what tells two addresses apart."""
    id_ = new_id()
    secret, _ = await browser.take(id_=id_)
    for address in (ADDRESS, "hanako@example.jp"):
        await browser.post("/t/notice", **wish(secret, id=id_, address=address))
    for path in ("/t/stop", "/t/cancel"):
        assert (await browser.post(path, id=id_, secret=secret)).status_code == 200
    held = await host.everything()
    assert id_ not in held
    assert hmac.new(id_.encode(), ADDRESS.encode(), "sha256").hexdigest() not in held


async def test_stopping_erases_at_once_and_twice_is_the_same(browser: Browser, host: KeyHost) -> None:
    secret, told = await browser.take()
    assert (await browser.post("/t/stop", id=new_id(), secret=secret)).json()["notices"] == []
    await browser.post("/t/notice", **wish(secret))
    await browser.post("/t/cancel", id=new_id(), secret=secret)  # whatever has become of the ticket
    for _ in range(2):
        answer = await browser.post("/t/stop", id=new_id(), secret=secret)
        assert [notice["ended"] for notice in answer.json()["notices"]] == ["resident"]
        assert await host.kept() == {}
    assert code_in(await browser.post("/t/notice", **wish(secret))) == "TicketEnded"
    assert await host.kept() == {}
    assert told["number"]


async def test_the_link_of_a_message_asks_first_and_says_the_same_to_everybody(browser: Browser, host: KeyHost) -> None:
    secret, _ = await browser.take()
    await browser.post("/t/notice", **wish(secret))
    ((_, contact),) = (await host.kept()).items()
    tokens = [new_id(), "x", "%00" * 22, "%F0%9F%98%80", contact.stop]
    asked = [await browser.client.get(f"/stop/{token}") for token in tokens]
    assert len(await host.kept()) == 1
    assert {page.status_code for page in asked} == {200}
    assert len({page.content for page in asked}) == 1
    assert asked[0].text.count("<button>") == 1
    done = [await browser.client.post(f"/stop/{token}") for token in tokens]
    assert {page.status_code for page in done} == {200}
    assert len({page.content for page in done}) == 1
    assert len({tuple(sorted(page.headers)) for page in [*asked, *done]}) == 1
    assert contact.stop not in asked[0].text + done[0].text
    assert await host.kept() == {}
    told = (await browser.post("/t/find", secret=secret)).json()
    assert [notice["ended"] for notice in told["notices"]] == ["resident"]


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""])
async def test_a_mail_program_stops_by_one_click(browser: Browser, host: KeyHost, kind: str) -> None:
    secret, _ = await browser.take()
    await browser.post("/t/notice", **wish(secret))
    ((_, contact),) = (await host.kept()).items()
    answer = await browser.client.post(
        f"/stop/{contact.stop}",
        content=b"List-Unsubscribe=One-Click",
        headers={"Content-Type": kind, "Origin": "https://mail.example.com"},
    )
    assert answer.status_code == 200
    assert await host.kept() == {}


async def test_a_link_of_an_address_that_was_replaced_erases_nothing(browser: Browser, host: KeyHost) -> None:
    secret, _ = await browser.take()
    await browser.post("/t/notice", **wish(secret))
    ((_, first),) = (await host.kept()).items()
    await browser.post("/t/notice", **wish(secret, address="hanako@example.jp"))
    assert (await browser.client.post(f"/stop/{first.stop}")).status_code == 200
    assert [contact.to for contact in (await host.kept()).values()] == ["hanako@example.jp"]


async def test_by_plain_forms_an_address_is_given_shown_back_and_stopped(browser: Browser, host: KeyHost) -> None:
    _, told = await browser.take()
    page = await browser.send("/t/notice", **form_of(told, address="ｔａｒｏ＠example.jp"))
    assert page.status_code == 200
    assert "taro@example.jp に確認のメールをお送りします。" in page.text
    assert [contact.to for contact in (await host.kept()).values()] == ["taro@example.jp"]
    page = await browser.send("/t/find", number=told["number"], code=told["code"])
    assert "taro@" not in page.text
    page = await browser.send("/t/stop", id=new_id(), number=told["number"], code=told["code"])
    assert re.search(r'data-notice="stopped"><', page.text)
    assert await host.kept() == {}


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        ({"address": "taro@example.jp, x@example.jp"}, "BadAddress", "一つだけ入れてください"),
        ({"address": ""}, "BadAddress", "一つだけ入れてください"),
        ({"consent": False}, "NoConsent", "同意の欄に印を付けて"),
        ({"purpose": "1/00000000"}, "PurposeChanged", "説明が新しくなりました"),
        ({"purpose": "1"}, "PurposeChanged", "説明が新しくなりました"),
        ({"ahead": 0}, "BadMessage", "形が正しくありません"),
        ({"ahead": 21}, "BadMessage", "形が正しくありません"),
        ({"ahead": 2**53 + 1}, "BadMessage", "形が正しくありません"),
        ({"ahead": 2.5}, "BadMessage", "形が正しくありません"),
        ({"more": 1}, "BadMessage", "形が正しくありません"),
        ({"address": None}, "BadMessage", "形が正しくありません"),
    ],
)
async def test_what_is_not_taken_is_refused_with_a_sentence_and_nothing_is_kept(
    browser: Browser, host: KeyHost, changes: dict[str, Any], code: str, says: str
) -> None:
    secret, told = await browser.take()
    answer = await browser.post("/t/notice", **wish(secret, **changes))
    assert (code_in(answer), says in answer.text) == (code, True)
    assert 400 <= answer.status_code < 500
    fields = {name: str(value) for name, value in changes.items() if value is not None}
    page = await browser.send("/t/notice", **form_of(told, **fields)) if fields else answer
    assert says in page.text
    assert page.status_code == answer.status_code
    if fields and code != "BadMessage":
        assert 'data-ticket="waiting"' in page.text
        assert "open" in page.text.split('<details id="notice-part"')[1].split(">")[0]
    assert await host.kept() == {}


async def test_another_shows_nothing_and_leaves_nothing(browser: Browser, host: KeyHost) -> None:
    _, told = await browser.take()
    for proof in ({"secret": new_id()}, {"secret": None, "number": told["number"], "code": "00000000"}):
        assert code_in(await browser.post("/t/notice", **(wish("") | proof))) == "NotYours"
        assert code_in(await browser.post("/t/stop", id=new_id(), **proof)) == "NotYours"
    assert await host.kept() == {}


async def test_addresses_of_a_ticket_are_few(browser: Browser, host: KeyHost) -> None:
    secret, _ = await browser.take()
    for count in range(WISHES):
        assert code_in(await browser.post("/t/notice", **wish(secret, address=f"t{count}@example.jp"))) == "ok"
    answer = await browser.post("/t/notice", **wish(secret, address="more@example.jp"))
    assert (answer.status_code, code_in(answer)) == (503, "TooManyWishes")
    assert [contact.to for contact in (await host.kept()).values()] == [f"t{WISHES - 1}@example.jp"]
    assert code_in(await browser.post("/t/stop", id=new_id(), secret=secret)) == "ok"


async def test_without_a_key_or_a_way_to_send_no_address_is_taken_and_numbers_go_on(
    office: Office, host: KeyHost, valkey_server: EmbeddedValkey
) -> None:
    for key, offers in ((False, (Carrier.EMAIL,)), (True, ())):
        if key:
            await host.publish()
        async with hub_with(office, valkey_server.url, *offers) as hub:
            browser = Browser(hub)
            async with browser.client:
                secret, _ = await browser.take()
                for _ in range(WISHES + 1):  # and trying again is not what it says in the end
                    answer = await browser.post("/t/notice", **wish(secret))
                    assert (answer.status_code, code_in(answer)) == (503, "NoticesClosed")
                page = await browser.client.get("/t")
                assert ("notice-form" in page.text) == bool(offers)
    assert await host.kept() == {}


class AtMidnight:
    """The store's contacts; after the first look at the key another takes its place, before that one is used."""

    def __init__(self, host: KeyHost) -> None:
        self._host = host
        self.seen: list[PublicKey] = []

    async def public_key(self) -> PublicKey:
        self.seen.append(await self._host.contacts.public_key())
        if len(self.seen) == 1:
            await self._host.publish()
        return self.seen[-1]


async def test_a_key_that_is_of_yesterday_by_now_is_taken_anew_once(
    browser: Browser, office: Office, host: KeyHost, valkey_server: EmbeddedValkey
) -> None:
    secret, _ = await browser.take()
    lanes, contacts = Lanes(host.client, office), AtMidnight(host)
    source = FactStream(valkey_server.url, lanes)
    relay = Relay(source, office)
    reception = Reception(relay, lanes, ResidentPages(relay.present, office))
    notices = Notices(reception, Wishes(reception, contacts, (Carrier.EMAIL,)))
    app = Starlette(routes=notices.routes(Guard()))
    tail = asyncio.create_task(relay.run())
    try:
        await eventually(lambda: relay.present() is not None)
        async with served((app, app)) as hub:
            other = Browser(hub)
            async with other.client:
                assert code_in(await other.post("/t/notice", **wish(secret))) == "ok"
    finally:
        tail.cancel()
        await asyncio.gather(tail, return_exceptions=True)
        await source.close()
    assert len({key.id for key in contacts.seen}) == 2
    assert [contact.to for contact in (await host.kept()).values()] == [ADDRESS]


NASTY = [
    "taro@example.jp\r\nBcc: x@evil.jp",
    "a\nb",
    "a\x00b",
    "a\u2028b",
    "\u202e321A\u202c",
    "\u2066a\u2069",
    "\u200fa",
    "x" * 10_000,
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{7654321*7}}",
    "__proto__",
]
PATHS = ["/tickets", "/t/find", "/t/cancel", "/t/notice", "/t/stop"]


def sound(path: str) -> dict[str, Any]:
    """A body that is refused for nobody having the ticket at most; each field in turn is made nasty."""
    if path == "/tickets":
        return {"id": new_id(), "lane": CERTIFICATES, "secret": digest_of(new_id())}
    proof = {"number": "A101", "code": "00000000"}
    if path == "/t/find":
        return proof
    if path == "/t/notice":
        return {**wish(new_id()), "secret": None, **proof}
    return {"id": new_id(), **proof}


async def refused(browser: Browser, path: str, body: bytes, kind: str) -> httpx2.Response:
    with capture_logs() as logs:
        answer = await browser.client.post(path, content=body, headers={"Content-Type": kind})
    assert 400 <= answer.status_code < 500, (path, body[:200], answer.status_code)
    assert logs == []
    assert "x-evil" not in answer.headers
    return answer


@pytest.mark.parametrize("path", PATHS)
async def test_whatever_text_comes_in_is_refused_or_shown_as_text(browser: Browser, host: KeyHost, path: str) -> None:
    before = await host.everything()
    for field in sound(path):
        for nasty in NASTY:
            body = {name: value for name, value in sound(path).items() if value is not None} | {field: nasty}
            await refused(browser, path, json.dumps(body).encode(), "application/json")
            await refused(browser, path, json.dumps(body, ensure_ascii=False).encode(), "application/json")
            fields = {name: "on" if value is True else str(value) for name, value in body.items()}
            form = str(httpx2.QueryParams(fields)).encode()
            page = await refused(browser, path, form, "application/x-www-form-urlencoded")
            assert "<script>alert" not in page.text
            assert "<img" not in page.text
            assert "53580247" not in re.sub(r'value="[^"]*"', "", page.text)
            assert not set("\u202e\u2066\u200f\u2028\x00") & set(page.text)
    assert await host.everything() == before


@pytest.mark.parametrize("path", PATHS)
async def test_whatever_shape_comes_in_is_refused(browser: Browser, host: KeyHost, path: str) -> None:
    before = await host.everything()
    for field, value in sound(path).items():
        one = json.dumps({field: value})[1:-1]
        whole = json.dumps({name: said for name, said in sound(path).items() if name != field})[1:-1]
        rest = f"{whole}," if whole else ""
        for said in (
            f'"{field}":"\\ud800"',
            f'"{field}":"\\udfff\\ud800"',
            f'"{field}":{"[" * 1000}{"]" * 1000}',
            f'"{field}":' + '{"a":' * 500 + "1" + "}" * 500,
            f'"{field}":9007199254740993',
            f'"{field}":1e400',
            f'"{field}":' + "9" * 3000,
            f"{one},{one}",
            f'{one},"__proto__":{{"secret":"x"}}',
            f'{one},"constructor":1',
        ):
            await refused(browser, path, f"{{{rest}{said}}}".encode(), "application/json")
        text = f"{field}={value}".encode()
        for form in (
            text + b"&" + text,
            text + b"&__proto__=1",
            f"{field}=%ED%A0%80".encode(),
            f"{field}=%FF".encode(),
        ):
            await refused(browser, path, form, "application/x-www-form-urlencoded")
    for raw in (b"\xff\xfe{\x00}\x00", b"\xef\xbb\xbf{}", b"NaN", b"[]", b"null", b"{}" * 2, b" " * (BODY_BYTES + 1)):
        await refused(browser, path, raw, "application/json")
    assert await host.everything() == before


async def test_a_fault_of_ours_is_told_without_the_token_or_the_address(browser: Browser, host: KeyHost) -> None:
    """The log names the path of the route, never the one that was asked."""
    secret, told = await browser.take()
    keys, token = Keys(host.office.key), new_id()
    await host.client.hset(keys.stops(told["day"]), digest_of(token), "not what we write")
    await host.client.hset(keys.public_keys(), await host.contacts.today(), "nor this")
    with capture_logs() as logs:
        assert (await browser.client.post(f"/stop/{token}")).status_code == 500
        assert (await browser.post("/t/notice", **wish(secret))).status_code == 500
    assert [line["path"] for line in logs] == ["/stop", "/t/notice"]
    assert token not in str(logs)
    assert ADDRESS not in str(logs)
