"""A resident agrees on the page, sends the code in the chat, is told, and takes it back. A telephone likewise."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from config.embedded import EmbeddedValkey
from hub.desk.notices import Carrier
from tests.edge.told import USER, Ward, at_work, ward_told
from tests.fanout.days import OFFICE
from tests.journeys.conftest import Open
from tests.journeys.looking import sees, text

if TYPE_CHECKING:
    from playwright.async_api import Page

PHONE = {"width": 320, "height": 700}


@pytest.fixture
async def ward(office_name: str, valkey_server: EmbeddedValkey) -> AsyncIterator[Ward]:
    async with (
        ward_told(replace(OFFICE, key=office_name), valkey_server.url) as ward,
        at_work(ward, Carrier.LINE, Carrier.PHONE),
    ):
        yield ward


async def _takes_a_number(page: "Page") -> None:
    await page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    await page.locator("form[data-lane=certificates] button").click()
    await page.wait_for_url("**/t#*")
    await sees(page, "#own", "お待ちください")


async def test_consent_code_linked_told_and_stopped(ward: Ward, open_page: Open) -> None:
    page = await open_page(ward.hub.page("/", is_inside=False))
    await _takes_a_number(page)
    await page.get_by_text("LINEでのお知らせを希望する").click()
    await sees(page, "#line-form", "LINEでお知らせするためだけに使います")
    await page.select_option("#line-minutes", "10")
    await page.check("#line-consent")
    await page.get_by_role("button", name="コードを表示する").click()
    await sees(page, "#line-code", "@practice", "10 分以内")
    code = await text(page, "#line-code-text")
    assert await page.get_attribute("#line-chat", "href") == f"https://line.me/R/oaMessage/%40practice/?{code}"
    assert await ward.kept() == []

    assert await ward.line.write(USER, code) == 200
    await sees(
        page, "#line-states", "LINEで確認のお知らせをお送りしました", "順番が近づいたお知らせを、LINEでお送りしました"
    )
    await sees(page, "#line-sent", "登録の確認: お送りしました", "順番が近づいたお知らせ: お送りしました")
    assert not await page.is_visible("#line-code")
    await ward.call()
    await sees(page, "#line-sent", "お呼び出しのお知らせ: お送りしました")

    await page.click("#line-stop-form button")
    await sees(page, "#line-states", "お知らせをやめ、LINEのユーザーIDを消しました")
    assert await ward.kept() == [], "it was gone before the page said so: there is no while in between"
    assert USER not in await page.content()


async def test_a_message_leads_this_browser_to_its_own_number(ward: Ward, open_page: Open) -> None:
    page = await open_page(ward.hub.page("/", is_inside=False))
    await _takes_a_number(page)
    number = await text(page, "#number")
    await page.goto(ward.hub.page("/n?openExternalBrowser=1", is_inside=False))
    await page.wait_for_url("**/t#*")
    await sees(page, "#own", number)
    stranger = await open_page(ward.hub.page("/n?openExternalBrowser=1", is_inside=False))
    await sees(stranger, "main", "番号の画面", "窓口の混雑状況")
    assert number not in await stranger.content()


async def test_a_telephone_number_is_left_and_shown_back(ward: Ward, open_page: Open) -> None:
    page = await open_page(ward.hub.page("/", is_inside=False))
    await _takes_a_number(page)
    await page.get_by_text("電話でのお知らせを希望する").click()
    await page.fill("#phone-telephone", "0120-123-456")
    await page.check("#phone-consent")
    await page.locator("#phone-form button").click()
    await sees(page, "#phone-form .refusal", "0120、0570 などの番号にはお知らせできません")
    await page.fill("#phone-telephone", "０３ー１２３４ー５６７８")
    await page.locator("#phone-form button").click()
    await sees(page, "#phone-states", "03-1234-5678", "電話に確認のお知らせをお送りしました")
    assert [one.is_call for one in ward.phone.told] == [True, True], "a fixed line is called"
    await page.click("#phone-stop-form button")
    await sees(page, "#phone-states", "電話番号を消しました")
    assert await ward.kept() == []
