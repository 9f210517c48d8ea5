"""Who took a number from home says that he is here: to staff, or to the machine with his code."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest

from tests.eventually import eventually
from tests.journeys.accessible import assert_accessible
from tests.journeys.conftest import Open
from tests.journeys.looking import sees, text
from tests.journeys.test_a_ticket import is_at, take
from tests.journeys.test_kiosk import BUTTON, becomes_ready, goes_back, kiosk_running, open_touch_screen, state
from tests.journeys.ward import Ward, ward_running

if TYPE_CHECKING:
    from playwright.async_api import Page

COUNTERS = "1番窓口・2番窓口"


@pytest.fixture
async def ward(tmp_path: Path) -> AsyncIterator[Ward]:
    async with ward_running(tmp_path, checks_in=True) as ward:
        yield ward


async def from_home(ward: Ward, open_page: Open) -> "tuple[Page, str]":
    """The telephone, and the code that stands on it."""
    phone = await open_page(f"{ward.public}/")
    await take(phone)
    await is_at(phone, "expected")
    return phone, await text(phone, "#code")


async def type_on_glass(screen: "Page", number: str, code: str) -> None:
    await screen.wait_for_selector("#keypad:not([hidden])")
    for letters in (number, re.sub("-", "", code)):
        for letter in letters:
            await screen.locator("#keys").get_by_role("button", name=letter, exact=True).click()
        await screen.click("#enter")


async def test_staff_check_a_number_in_by_keyboard(ward: Ward, open_page: Open) -> None:
    phone, _ = await from_home(ward, open_page)
    desk = await open_page(f"{ward.inside}/desk?counter=1", ward.doors)
    await ward.issue()
    await sees(desk, "#coming", "A102")
    await desk.keyboard.press("i")
    await desk.keyboard.type("a101")
    await desk.keyboard.press("Enter")
    await sees(desk, "#news", "A101 の来庁を受け付けました", "次の方です")
    await sees(desk, "#coming", "A101", "A102")
    await is_at(phone, "waiting")
    await desk.keyboard.press("i")
    await desk.keyboard.type("A101")
    await desk.keyboard.press("Enter")
    await sees(desk, "#refusal", "A101：すでに順番をお待ちです。")


@pytest.mark.parametrize("language", ["ja", "en"])
async def test_the_machine_checks_in_by_number_and_code(
    ward: Ward, open_page: Open, tmp_path: Path, language: str
) -> None:
    await ward.issue()
    phone, code = await from_home(ward, open_page)
    slips = tmp_path / "slips"
    with kiosk_running(ward, tmp_path, "--out", str(slips)) as (address, _):
        screen = await open_touch_screen(open_page, address)
        if language == "en":
            await screen.click("#language")
        await screen.click("#from-home")
        await screen.wait_for_selector("#keypad:not([hidden])")
        await assert_accessible(screen)
        await type_on_glass(screen, "A102", "00000000")
        await sees(screen, "#about", {"ja": "確認コードの組み合わせ", "en": "do not match any number"}[language])
        await assert_accessible(screen)
        await screen.click("#from-home")
        await screen.fill("#typed-number", "")
        await screen.fill("#typed-code", "")
        await screen.focus("#typed-number")
        await type_on_glass(screen, "A102", code)
        await sees(screen, "#number", "A102")
        await sees(screen, "#about", "証明", "1", COUNTERS if language == "ja" else "1番窓口, 2番窓口")
        await assert_accessible(screen)
        await is_at(phone, "waiting")
        assert await screen.evaluate("document.documentElement.scrollHeight <= innerHeight")
        await goes_back(screen)
        await sees(screen, BUTTON, "2")
        assert await screen.input_value("#typed-number") == await screen.input_value("#typed-code") == ""
    assert not slips.exists(), "nothing was printed"


async def test_only_what_the_keypad_sends_is_taken_and_only_while_it_is_open(ward: Ward, tmp_path: Path) -> None:
    with kiosk_running(ward, tmp_path) as (address, _):
        await becomes_ready(address)
        typed = {"number": "A101", "code": "00000000"}
        async with httpx2.AsyncClient(base_url=address, trust_env=False) as client:
            assert (await client.post("/check-in", json=typed)).status_code == 409
            assert (await client.post("/from-home")).status_code == 204
            for wrong in ({}, {**typed, "more": 1}, {**typed, "code": 1}, {**typed, "code": "0" * 33}):
                assert (await client.post("/check-in", json=wrong)).status_code == 400
            assert (await client.post("/check-in", json={**typed, "code": "0" * 300})).status_code == 413
            assert (await client.post("/check-in", json=typed)).status_code == 204

        async def is_refused() -> bool:
            return (await state(address))["why"] == "NotYours"

        await eventually(is_refused)


async def test_a_keypad_that_was_left_with_the_hub_away_takes_nothing(
    ward: Ward, open_page: Open, tmp_path: Path
) -> None:
    _, code = await from_home(ward, open_page)
    with kiosk_running(ward, tmp_path) as (address, _):
        screen = await open_touch_screen(open_page, address)
        await screen.click("#from-home")
        ward.store.kill()
        await screen.wait_for_selector("#stale:not([hidden])")
        await screen.fill("#typed-number", "A101")
        await screen.fill("#typed-code", code)
        assert await screen.locator("#enter").is_disabled()
        ward.store.start()

        async def enabled() -> bool:
            return await screen.locator("#enter").is_enabled()

        await eventually(enabled)
        await screen.click("#enter")
        await sees(screen, "#about", "証明の順番に入りました")
        assert (await state(address))["state"] == "checked_in"
