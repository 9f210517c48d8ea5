"""LINE: without consent on the page no user id is kept; what is written there is read for a code and forgotten."""

import hashlib
import hmac
import re
import secrets
from base64 import b64encode
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from structlog.testing import capture_logs

from config.embedded import EmbeddedValkey
from hub.desk.facts import ContactErased, ContactGiven, from_fields
from hub.desk.notices import Carrier, NoticeState, Trigger
from hub.edge.line import WEBHOOK_BYTES, WRONG_CODES
from hub.store.sealing import Language
from tests.edge.test_residents import Browser, code_in
from tests.edge.told import LINE_PURPOSE, USER, Ward, agreement, browser, phone_wish, ward, ward_told
from tests.eventually import eventually
from tests.fanout.days import OFFICE
from workers.wording import ANSWER, COME_NOW, LOOK

__all__ = ["browser", "ward"]
pytestmark = pytest.mark.anyio

OTHER = "U" + "8" * 32


async def facts_of(ward: Ward, *kinds: type) -> list[Any]:
    entries: Any = await ward.client.xrange(ward.keys.facts(await ward.day()))
    return [fact for fact in (from_fields(fields) for _, fields in entries) if isinstance(fact, kinds)]


async def notices(browser: Browser, secret: str) -> dict[str, Any]:
    told = (await browser.post("/t/find", secret=secret)).json()
    found: dict[str, Any] = next((one for one in told["notices"] if one["carrier"] == "line"), {})
    return found


async def test_from_the_consent_to_the_two_messages(ward: Ward, browser: Browser) -> None:
    secret, _ = await browser.take()
    code = await ward.agree(browser, secret)
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}", code)
    assert await ward.kept() == []
    assert await ward.line.follow(USER) == 200
    assert await ward.line.write(USER, f" {code.lower()} ") == 200
    (contact,) = await ward.kept()
    assert (contact.to, contact.language) == (USER, Language.JAPANESE)
    (given,) = await facts_of(ward, ContactGiven)
    assert (given.carrier, given.ahead, given.purpose) == ("line", 3, LINE_PURPOSE.mark)
    await ward.send(Carrier.LINE)
    await ward.call()
    await ward.send(Carrier.LINE)
    url = f"{ward.public_url}/n?openExternalBrowser=1"
    look, come = f"{LOOK[Language.JAPANESE]}\n{url}", f"{COME_NOW[Language.JAPANESE]}\n{url}"
    heard = [spoken.text for spoken in ward.line.said if spoken.is_ours and spoken.key]
    assert heard == [look, look, come], "registered, near, now"
    told = await notices(browser, secret)
    assert [(sent["about"], sent["state"]) for sent in told["sent"]] == [
        ("registered", "accepted"),
        ("near", "accepted"),
        ("now", "accepted"),
    ]


async def test_asking_again_gives_the_same_code_and_it_is_good_once(ward: Ward, browser: Browser) -> None:
    secret, _ = await browser.take()
    body = agreement(secret, language="en")
    answers = [await browser.post("/t/line", **body) for _ in range(2)]
    codes = {answer.json()["link"]["code"] for answer in answers}
    (code,) = codes
    assert await ward.line.write(USER, code) == 200
    assert await ward.line.write(OTHER, code) == 200
    (contact,) = await ward.kept()
    assert (contact.to, contact.language) == (USER, Language.ENGLISH)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"consent": False}, "NoConsent"),
        ({"purpose": "1/00000000"}, "PurposeChanged"),
        ({"ahead": 0}, "BadMessage"),
        ({"minutes": 31}, "BadMessage"),
        ({"language": "xx"}, "BadMessage"),
    ],
)
async def test_without_consent_there_is_no_code(
    ward: Ward, browser: Browser, changes: dict[str, Any], code: str
) -> None:
    secret, _ = await browser.take()
    assert code_in(await browser.post("/t/line", **agreement(secret, **changes))) == code
    assert not [name async for name in ward.client.scan_iter(match=ward.keys.link("*"))]


async def test_a_plain_form_shows_the_code_on_the_page(ward: Ward, browser: Browser) -> None:
    _, told = await browser.take()
    fields = {"id": "i" * 22, "number": told["number"], "code": told["code"], "ahead": "3", "minutes": "10"}
    page = await browser.send("/t/line", **fields, language="ja", purpose=LINE_PURPOSE.mark, consent="on")
    found = re.search(r'id="line-code-text">([0-9A-Z]{4}-[0-9A-Z]{4})<', page.text)
    assert found
    assert await ward.line.write(USER, found[1]) == 200
    assert [contact.to for contact in await ward.kept()] == [USER]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([], 401),
        ([""], 401),
        (["x" * 44], 401),
        ([b64encode(b"0" * 32).decode()], 401),
        (["\u00e9"], 401),
        (["own", "own"], 401),
        (["own"], 200),
    ],
    ids=["none", "empty", "short", "another", "not ascii", "twice", "own"],
)
async def test_only_what_line_has_signed_is_read(ward: Ward, browser: Browser, headers: list[str], status: int) -> None:
    secret, _ = await browser.take()
    code = await ward.agree(browser, secret)
    event = ward.line.event(USER, "message", message={"id": "1", "type": "text", "text": code})
    body, own = ward.line.signed(event)
    sent = [(b"x-line-signature", text.replace("own", own).encode("latin-1")) for text in headers]
    answer = await browser.client.post("/line/webhook", content=body, headers=httpx2.Headers(sent))
    assert answer.status_code == status
    assert len(await ward.kept()) == (status == 200)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b'{"events":' + b"[" * 1000 + b"]" * 1000 + b"}", 400),
        (b'{"events":[{"type":"message"}]}', 400),
        (b'{"events":[],"destination":"U"}', 200),
        (b'{"events":[{"type":"dance","webhookEventId":"1","source":{"type":"user","userId":"U"}}]}', 200),
        (b" " * (WEBHOOK_BYTES + 1), 413),
    ],
)
async def test_a_body_that_is_none_of_lines_is_refused(ward: Ward, browser: Browser, body: bytes, status: int) -> None:
    signature = b64encode(hmac.new(ward.line.secret.encode(), body, hashlib.sha256).digest()).decode()
    answer = await browser.client.post("/line/webhook", content=body, headers={"x-line-signature": signature})
    assert answer.status_code == status


async def test_who_writes_anything_else_is_answered_the_same_and_it_stands_nowhere(
    ward: Ward, browser: Browser
) -> None:
    words = f"私の名前は{secrets.token_hex(8)}です"
    with capture_logs() as lines:
        assert await ward.line.write(USER, words) == 200
        await ward.send(Carrier.LINE)
    assert [spoken.text for spoken in ward.line.said if spoken.is_ours] == [ANSWER]
    everything = []
    async for name in ward.client.scan_iter(match=f"{{{ward.office.key}}}:*"):
        everything.append(repr((name, await ward.client.dump(name))))
    for hidden in (words, USER):
        assert hidden not in repr(lines) + "".join(everything)
        assert hidden.encode() not in b"".join([part.encode() for part in everything])


async def test_an_event_that_is_told_again_is_nothing_new(ward: Ward) -> None:
    event = ward.line.event(USER, "message", message={"id": "1", "type": "text", "text": "?"})
    again = {**event, "deliveryContext": {"isRedelivery": True}}
    for told in (event, event, again):
        assert await ward.line.tell(told) == 200
    assert await ward.line.tell(event, again) == 200
    await ward.send(Carrier.LINE)
    assert len([spoken for spoken in ward.line.said if spoken.is_ours]) == 1


async def test_who_blocks_the_account_is_forgotten_at_once_with_all_his_tickets(ward: Ward, browser: Browser) -> None:
    secrets_ = []
    for lane in ("certificates", "moves"):
        secret, _ = await browser.take(lane)
        assert await ward.line.write(USER, await ward.agree(browser, secret)) == 200
        secrets_.append(secret)
    stranger = Browser(ward.hub)  # with a cookie of its own
    async with stranger.client:
        other, _ = await stranger.take()
    assert await ward.line.write(OTHER, await ward.agree(browser, other)) == 200
    assert len(await ward.kept()) == 3
    assert await ward.line.block(USER) == 200
    assert [contact.to for contact in await ward.kept()] == [OTHER]
    assert {fact.ending for fact in await facts_of(ward, ContactErased)} == {"block"}
    for secret in secrets_:
        assert (await notices(browser, secret))["ended"] == "block"


async def test_who_blocks_the_account_is_not_bound_by_what_he_wrote_before(ward: Ward, browser: Browser) -> None:
    secret, _ = await browser.take()
    code = await ward.agree(browser, secret)
    wrote = ward.line.event(USER, "message", message={"id": "1", "type": "text", "text": code})
    left = ward.line.event(USER, "unfollow") | {"timestamp": wrote["timestamp"] + 1}
    came_again = ward.line.event(USER, "message", message={"id": "2", "type": "text", "text": code})
    assert await ward.line.tell(left) == 200
    assert await ward.line.tell(wrote) == 200
    assert await ward.kept() == []
    assert await ward.line.tell(came_again | {"timestamp": wrote["timestamp"] + 2}) == 200
    assert [contact.to for contact in await ward.kept()] == [USER]


async def test_who_blocks_the_account_is_heard_whatever_was_told_before_him(ward: Ward, browser: Browser) -> None:
    secret, _ = await browser.take()
    assert await ward.line.write(USER, await ward.agree(browser, secret)) == 200
    stranger = Browser(ward.hub)
    async with stranger.client:
        other, _ = await stranger.take()
        code = await ward.agree(stranger, other)
    keys: Any = await ward.client.hgetall(ward.keys.public_keys())
    await ward.client.delete(ward.keys.public_keys())  # no contact can be taken now
    wrote = ward.line.event(OTHER, "message", message={"id": "1", "type": "text", "text": code})
    assert await ward.line.tell(wrote, ward.line.event(USER, "unfollow")) == 503
    assert await ward.kept() == []
    await ward.client.hset(ward.keys.public_keys(), mapping=keys)
    assert await ward.line.tell(wrote) == 200, "it is told again"
    assert [contact.to for contact in await ward.kept()] == [OTHER]


async def test_who_blocks_the_account_is_heard_behind_the_longest_texts(ward: Ward, browser: Browser) -> None:
    secret, _ = await browser.take()
    assert await ward.line.write(USER, await ward.agree(browser, secret)) == 200
    text = {"type": "text", "text": "あ" * 5000}
    wrote = [ward.line.event(OTHER, "message", message={"id": str(number), **text}) for number in range(3)]
    assert await ward.line.tell(*wrote, ward.line.event(USER, "unfollow")) == 200
    assert await ward.kept() == []


async def test_stop_on_the_page_erases_the_user_id_at_once(ward: Ward, browser: Browser) -> None:
    secret, _ = await browser.take()
    assert await ward.line.write(USER, await ward.agree(browser, secret)) == 200
    await browser.post("/t/stop", id="s" * 22, secret=secret, carrier="line")
    assert await ward.kept() == []


async def test_who_guesses_codes_is_not_heard_any_more(ward: Ward, browser: Browser) -> None:
    secret, _ = await browser.take()
    code = await ward.agree(browser, secret)
    for _ in range(WRONG_CODES):
        assert await ward.line.write(OTHER, "0000-0000") == 200
    assert await ward.line.write(OTHER, code) == 200
    assert await ward.kept() == []
    assert await ward.line.write(USER, code) == 200
    assert [contact.to for contact in await ward.kept()] == [USER]


async def test_a_code_is_of_no_use_after_its_ten_minutes(ward: Ward, browser: Browser) -> None:
    secret, _ = await browser.take()
    code = await ward.agree(browser, secret)
    (name,) = [name async for name in ward.client.scan_iter(match=ward.keys.link("*"))]
    assert 0 < await ward.client.pttl(name) <= 600_000
    await ward.client.delete(name)
    assert await ward.line.write(USER, code) == 200
    assert await ward.kept() == []


async def test_a_month_that_is_used_up_is_told_by_telephone(ward: Ward, browser: Browser) -> None:
    secret, _ = await browser.take()
    assert await ward.line.write(USER, await ward.agree(browser, secret)) == 200
    answer = await browser.post("/t/phone", **phone_wish(secret))
    assert answer.status_code == 200, answer.text
    ward.line.quota = 0
    await ward.send(Carrier.LINE)
    assert ward.passed == [Carrier.PHONE]
    await ward.send(Carrier.PHONE)
    told = (await browser.post("/t/find", secret=secret)).json()["notices"]
    states = {one["carrier"]: {sent["about"]: sent["state"] for sent in one["sent"]} for one in told}
    assert states["line"][Trigger.NEAR] == NoticeState.LAPSED
    assert states["phone"] == {"registered": "accepted", "near": "accepted"}
    assert [one.text for one in ward.phone.told][-1].endswith("まもなく順番です。窓口の近くでお待ちください。")


async def test_a_crawler_reads_the_same_for_a_thousand_tickets(ward: Ward, browser: Browser) -> None:
    """What LINE's servers fetch: always the same address, and whatever is added to it the same answer."""
    crawler = {"User-Agent": "facebookexternalhit/1.1;line-poker/1.0"}
    secret, _ = await browser.take()
    answers = set()
    for number in range(1000):
        if number == 500:
            await ward.call()
        told = f"&t={secret}" if number == 501 else f"&t={number}" if number else ""
        answer = await browser.client.get(f"/n?openExternalBrowser=1{told}", headers=crawler)
        answers.add((answer.status_code, answer.content))
    assert len(answers) == 1
    ((status, page),) = answers
    assert status == 200
    assert b"<title>" in page
    assert b"og:" not in page


async def test_a_store_that_is_away_is_told_to_line_so_that_it_tells_again(office_name: str, tmp_path: Any) -> None:
    with EmbeddedValkey(tmp_path / "valkey") as server:
        async with ward_told(replace(OFFICE, key=office_name), server.url) as ward:
            browser = Browser(ward.hub)
            async with browser.client:
                secret, _ = await browser.take()
                code = await ward.agree(browser, secret)
                event = ward.line.event(USER, "message", message={"id": "1", "type": "text", "text": code})
                server.kill()
                assert await ward.line.tell(event) == 503
                server.start()

                async def is_heard() -> bool:
                    return await ward.line.tell(event) == 200

                await eventually(is_heard)
                assert [contact.to for contact in await ward.kept()] == [USER]
