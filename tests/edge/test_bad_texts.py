"""Whatever text or shape comes in from a resident is refused with a sentence or shown as text, and leaves nothing."""

import json
import re
from typing import Any

import httpx2
import pytest
from structlog.testing import capture_logs

from hub.store.keys import Keys
from hub.wire.codes import digest_of
from hub.wire.tickets import BODY_BYTES
from tests.edge.addresses import ADDRESS, KeyHost, browser, form_of, host, office, wish
from tests.edge.test_residents import Browser, code_in, new_id
from tests.fanout.days import CERTIFICATES

__all__ = ["browser", "host", "office"]

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        ({"address": "taro@example.jp, x@example.jp"}, "BadAddress", "一つだけ入れてください"),
        ({"address": ""}, "BadAddress", "一つだけ入れてください"),
        ({"consent": False}, "NoConsent", "同意の欄に印を付けて"),
        ({"purpose": "1/00000000"}, "PurposeChanged", "説明が新しくなりました"),
        ({"purpose": "1"}, "PurposeChanged", "説明が新しくなりました"),
        ({"ahead": 0}, "BadMessage", "形式が正しくありません"),
        ({"ahead": 21}, "BadMessage", "形式が正しくありません"),
        ({"ahead": 2**53 + 1}, "BadMessage", "形式が正しくありません"),
        ({"ahead": 2.5}, "BadMessage", "形式が正しくありません"),
        ({"more": 1}, "BadMessage", "形式が正しくありません"),
        ({"address": None}, "BadMessage", "形式が正しくありません"),
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
