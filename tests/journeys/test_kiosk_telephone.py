"""A resident without a smartphone takes a number at the machine, dials there, and the telephone tells."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from config.embedded import EmbeddedValkey
from hub.desk.notices import Carrier
from hub.store.sealing import By, Language
from kiosk_client.kiosk import State
from tests.edge.told import PHONE_PURPOSE, Ward, at_work, ward_told
from tests.eventually import eventually
from tests.fanout.days import OFFICE
from tests.journeys.conftest import Open
from tests.journeys.looking import sees, text
from tests.journeys.test_kiosk import BUTTON, kiosk_running, open_touch_screen, state, touch
from tests.journeys.ward import Ward as Offices

if TYPE_CHECKING:
    from playwright.async_api import Page

MOBILE, FIXED = "09012345678", "0312345678"


@pytest.fixture
async def ward(office_name: str, valkey_server: EmbeddedValkey) -> AsyncIterator[Ward]:
    async with (
        ward_told(replace(OFFICE, key=office_name), valkey_server.url) as ward,
        at_work(ward, Carrier.PHONE),
    ):
        yield ward


@pytest.fixture
async def machine(
    ward: Ward, valkey_server: EmbeddedValkey, tmp_path: Path
) -> AsyncIterator[tuple[str, Callable[[], Awaitable[None]]]]:
    """Its address, and one resident more who takes a number at another."""
    offices = Offices(valkey_server, ward.public_url, ward.hub.page(""), ward.hub.doors)

    async def one_more() -> None:
        await offices.issue()

    with kiosk_running(offices, tmp_path, "--data", str(tmp_path / "machine")) as (address, _):
        yield address, one_more


async def fits(screen: "Page") -> bool:
    """Nothing lies under the head or the foot of the screen, or beyond its edges."""
    return bool(
        await screen.evaluate(
            """() => {
              const room = document.querySelector("main").getBoundingClientRect();
              const shown = [...document.querySelectorAll("main *")].filter((each) => each.checkVisibility());
              return shown.map((each) => each.getBoundingClientRect()).every(
                ({ top, bottom, left, right }) =>
                  top >= room.top && bottom <= room.bottom && left >= 0 && right <= innerWidth,
              );
            }"""
        )
    )


async def comes_to_the_keypad(screen: "Page") -> None:
    await screen.click(BUTTON)
    await sees(screen, "#about", "番号札をお取りください")
    await screen.click("#by-phone")
    await sees(screen, "#purpose", PHONE_PURPOSE.text, f"説明の版 {PHONE_PURPOSE.version}")
    for _ in range(2):  # in English, and back
        assert await fits(screen)
        await screen.click("#language")
    await screen.click("#agree")
    await sees(screen, "#title", "電話番号を入れてください")


async def dial(screen: "Page", figures: str) -> None:
    for figure in figures:
        await screen.locator("#digits button", has_text=figure).first.click()


async def test_a_number_is_dialled_read_back_and_told_three_calls_later(
    ward: Ward, machine: tuple[str, Callable[[], Awaitable[None]]], open_page: Open, tmp_path: Path
) -> None:
    address, one_more = machine
    for _ in range(6):
        await one_more()
    screen = await open_touch_screen(open_page, address)
    await comes_to_the_keypad(screen)
    await dial(screen, "0901234567")
    await screen.get_by_role("button", name="１文字消す").last.click()
    assert await text(screen, "#dialled") == "090 1234 56"
    assert await screen.locator("#dial-enter").is_disabled(), "no number is as short"
    await dial(screen, "78")
    assert await fits(screen)
    await screen.click("#dial-enter")
    await sees(screen, "#number", "090-1234-5678")
    assert await fits(screen)
    assert await ward.kept() == [], "nobody has said yet that it is the right one"
    await screen.click("#sms")
    await sees(screen, "#title", "登録しました")
    assert "090" not in await screen.content()
    assert (await state(address))["telephone"] is None
    (contact,) = await ward.kept()
    assert (contact.to, contact.by, contact.language) == ("+819012345678", By.SMS, Language.JAPANESE)
    await eventually(lambda: len(ward.phone.told) == 1)
    assert "受け付けました" in ward.phone.told[0].text

    for calls in range(3):
        assert len(ward.phone.told) == 1, f"not yet after {calls} calls"
        await ward.call()
    await eventually(lambda: len(ward.phone.told) == 2)
    assert "まもなく順番です" in ward.phone.told[1].text
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"1234-5678" not in written
    assert b"12345678" not in written


async def test_a_fixed_line_is_called_in_the_language_of_the_screen(
    ward: Ward, machine: tuple[str, Callable[[], Awaitable[None]]], open_page: Open
) -> None:
    screen = await open_touch_screen(open_page, machine[0])
    await comes_to_the_keypad(screen)
    await screen.click("#language")
    await dial(screen, "0120123456")
    await screen.click("#dial-enter")
    await sees(screen, "#about", "cannot notify numbers such as 0120")
    await screen.click("#dial-again")
    assert await text(screen, "#dialled") == ""
    await dial(screen, FIXED)
    await screen.click("#dial-enter")
    await sees(screen, "#number", "03-1234-5678")
    assert not await screen.locator("#sms").is_visible(), "it can only be called"
    await screen.click("#voice")
    await sees(screen, "#title", "You will be told")
    (contact,) = await ward.kept()
    assert (contact.to, contact.by, contact.language) == ("+81312345678", By.VOICE, Language.ENGLISH)
    await eventually(lambda: [told.is_call for told in ward.phone.told][:1] == [True])


async def test_whoever_walks_away_leaves_nothing_for_the_next_one(
    ward: Ward, machine: tuple[str, Callable[[], Awaitable[None]]], open_page: Open
) -> None:
    address = machine[0]
    screen = await open_touch_screen(open_page, address)
    await comes_to_the_keypad(screen)
    await dial(screen, MOBILE)
    await screen.click("#dial-enter")
    await sees(screen, "#number", "090-1234-5678")
    await screen.click("#back")
    await sees(screen, "#title", "ご用件を選んでください")
    assert "1234" not in await screen.content()
    assert await ward.kept() == []
    shown = await state(address)
    assert (shown["state"], shown["telephone"], shown["purpose"]) == (State.CHOOSING, None, None)
    assert await touch(address, "/by-phone") == 409, "the ticket is not here any more"
