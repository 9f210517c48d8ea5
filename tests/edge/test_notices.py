"""What a resident asks about notices: an address is understood, sealed, stopped, and told to nobody else."""

import asyncio
import hmac
import re

import pytest
from starlette.applications import Starlette

from config.embedded import EmbeddedValkey
from hub.desk.lane import Office
from hub.desk.notices import Carrier
from hub.edge.guards import Guard
from hub.edge.notices import Notices
from hub.edge.reception import Reception
from hub.edge.wishes import WISHES, Wishes
from hub.fanout.relay import Relay
from hub.store.facts import FactStream
from hub.store.lanes import Lanes
from hub.store.sealing import PublicKey
from hub.wire.codes import digest_of
from tests.edge.addresses import ADDRESS, PURPOSE, KeyHost, browser, form_of, host, hub_with, office, wish
from tests.edge.hubs import served
from tests.edge.test_residents import Browser, code_in, new_id
from tests.eventually import eventually
from web.tickets import ResidentPages

__all__ = ["browser", "host", "office"]

pytestmark = pytest.mark.anyio


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
