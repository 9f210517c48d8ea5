"""A resident takes a number from home and follows it to its end, with JavaScript and without."""

import asyncio
from typing import TYPE_CHECKING

from tests.eventually import eventually
from tests.journeys.conftest import Open
from tests.journeys.looking import comes_to_itself, comes_to_warn, press, sees, text
from tests.journeys.ward import Ward

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page, Route, ViewportSize

PHONE: "ViewportSize" = {"width": 320, "height": 640}


ON_ITS_SIDE: "ViewportSize" = {"width": 640, "height": 320}
IN_SIGHT = """(selector) => {
  const { top, bottom } = document.querySelector(selector).getBoundingClientRect();
  return 0 <= top && bottom <= innerHeight;
}"""


async def take(page: "Page", lane: str = "証明") -> None:
    await page.get_by_role("button", name=lane).click()
    await page.wait_for_selector("#own")


async def is_at(page: "Page", state: str) -> None:
    async def there() -> bool:
        return await page.get_attribute("body", "data-ticket") == state

    await eventually(there)


async def test_a_number_from_home_is_followed_to_its_end(ward: Ward, open_page: Open) -> None:
    wall, desk = (
        await open_page(f"{ward.inside}/wall/lobby", ward.doors),
        await open_page(f"{ward.inside}/desk?counter=2", ward.doors),
    )
    phone = await open_page(f"{ward.public}/")
    await phone.set_viewport_size(PHONE)
    await ward.issue()
    await take(phone)
    await phone.wait_for_url("**/t#*")
    await sees(phone, "#own", "証明", "A102", "前に", "1")
    assert await phone.title() == "受付番号"
    assert await phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]

    await sees(desk, "#coming", "A102")
    await press(desk, "n")
    await sees(phone, "#states", "次 にお呼びします", "窓口の近くでお待ちください")
    await phone.set_viewport_size(ON_ITS_SIDE)
    await phone.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    assert not await phone.evaluate(IN_SIGHT, "#number")
    await press(desk, "n")
    await sees(phone, "#states", "お呼びしています", "2番窓口", "へお越しください")
    assert await phone.evaluate(IN_SIGHT, "#number"), "whatever was being read further down"
    await phone.set_viewport_size(PHONE)
    await sees(wall, "#stage .call", "A102", "2番窓口")

    async def flashes() -> bool:
        return await phone.title() == "【お呼びしています】"

    await eventually(flashes)
    await press(desk, "a")
    await sees(phone, "#states", "お呼び済みです", "2番窓口")
    await press(desk, "b")
    await press(desk, "1")
    await is_at(phone, "waiting")
    await press(desk, "n")
    await is_at(phone, "called")
    await press(desk, "d")
    await sees(phone, "#states", "お手続きが終わりました")
    assert await phone.title() == "受付番号"
    await phone.reload()
    await phone.wait_for_selector("#own")
    await sees(phone, "#states", "お手続きが終わりました")


LISTEN = """() => {
  window.tones = window.shakes = 0;
  const make = AudioContext.prototype.createOscillator;
  AudioContext.prototype.createOscillator = function () { window.tones += 1; return make.call(this); };
  navigator.vibrate = () => { window.shakes += 1; return true; };
}"""


async def test_each_call_is_heard_once_by_whoever_asked_for_sound_and_felt_by_all(ward: Ward, open_page: Open) -> None:
    desk = await open_page(f"{ward.inside}/desk?counter=2", ward.doors)
    phone = await open_page(f"{ward.public}/")
    await take(phone)
    await is_at(phone, "waiting")
    await phone.evaluate(LISTEN)

    async def has_come_to(tones: int, shakes: int) -> None:
        async def come() -> bool:
            told = await phone.evaluate("[tones, shakes]")
            assert told == [tones, shakes]
            return True

        await eventually(come)

    await sees(desk, "#coming", "A101")
    await press(desk, "n")
    await is_at(phone, "called")
    await has_come_to(tones=0, shakes=1)
    await phone.get_by_role("button", name="お呼び出しを音でも知らせる").click()
    await has_come_to(tones=1, shakes=1)  # so that the resident knows how it sounds
    await press(desk, "r")
    await has_come_to(tones=4, shakes=2)
    await press(desk, "a")
    await is_at(phone, "missed")
    await has_come_to(tones=4, shakes=2)


async def test_a_live_number_is_offered_again_and_cancelling_frees_it(ward: Ward, open_page: Open) -> None:
    phone = await open_page(f"{ward.public}/")
    await take(phone)
    await phone.wait_for_url("**/t#*")
    await sees(phone, "#number", "A101")
    await phone.goto(f"{ward.public}/")
    await sees(phone, "#held", "A101")
    await take(phone)
    await sees(phone, "#number", "A101")
    await is_at(phone, "waiting")
    await phone.get_by_text("番号を取り消す").click()
    await phone.get_by_role("button", name="はい、取り消します").click()
    await sees(phone, "#states", "番号を取り消しました")
    await phone.goto(f"{ward.public}/")
    await sees(phone, "#lanes [data-key=certificates] .count b", "0")
    await take(phone)
    await sees(phone, "#number", "A102")


async def test_a_number_whose_answer_got_lost_is_there_when_the_page_is_loaded_anew(
    ward: Ward, open_page: Open
) -> None:
    async def swallow(route: "Route") -> None:
        await route.fetch()
        await route.abort()

    phone = await open_page(f"{ward.public}/")
    await phone.route("**/tickets", swallow)
    await phone.get_by_role("button", name="証明").click()
    await sees(phone, "#take-refusal", "応答がありません")
    await phone.goto(f"{ward.public}/")
    await phone.get_by_role("link", name="お持ちの番号 A101").click()
    await is_at(phone, "waiting")
    await sees(phone, "#number", "A101")


async def test_two_tabs_of_a_browser_show_the_numbers_that_either_took(ward: Ward, open_page: Open) -> None:
    asked, told = asyncio.Event(), asyncio.Event()

    async def slowly(route: "Route") -> None:
        asked.set()
        await told.wait()
        await route.continue_()

    first = await open_page(f"{ward.public}/")
    await take(first)
    await first.wait_for_url("**/t#*")
    second = await first.context.new_page()
    await second.route("**/t/find", slowly)  # what it holds is being asked …
    await second.goto(f"{ward.public}/")
    await asyncio.wait_for(asked.wait(), 30)
    await first.goto(f"{ward.public}/")
    await take(first, "住民異動")  # … while the other tab takes one more
    await first.wait_for_url("**/t#*")
    told.set()
    for number in ("A101", "B401"):
        await sees(second, "#held", number)
    await first.goto(f"{ward.public}/")
    for number in ("A101", "B401"):
        await sees(first, "#held", number)


async def test_a_page_without_a_line_says_so_and_shows_the_number_once_there_is_one(
    ward: Ward, open_page: Open
) -> None:
    phone = await open_page(f"{ward.public}/")
    await take(phone)
    address = phone.url
    await phone.goto(f"{ward.public}/")
    await phone.route("**/t/find", lambda route: route.abort())
    await phone.goto(address)
    await sees(phone, "#refusal", "つながりません")
    await phone.unroute("**/t/find")
    await is_at(phone, "waiting")
    await phone.wait_for_selector("#refusal", state="hidden")


async def test_a_transferred_number_is_followed_into_its_new_lane(ward: Ward, open_page: Open) -> None:
    phone, desk = await open_page(f"{ward.public}/"), await open_page(f"{ward.inside}/desk?counter=1", ward.doors)
    await take(phone)
    await sees(phone, "#number", "A101")
    await sees(desk, "#coming", "A101")
    await press(desk, "n")
    await is_at(phone, "called")
    await press(desk, "t")
    await press(desk, "1")
    await phone.wait_for_selector("#lane:text('住民異動')")  # the page was loaded anew for it
    await sees(phone, "#own", "A101", "次 にお呼びします")


async def test_a_ticket_says_that_the_store_is_away_and_comes_back(ward: Ward, open_page: Open) -> None:
    phone = await open_page(f"{ward.public}/")
    await take(phone)
    await sees(phone, "#number", "A101")
    ward.store.kill()
    await comes_to_warn(phone)
    assert "時点" in await text(phone, ".made")
    ward.store.start()
    await comes_to_itself(phone)
    await is_at(phone, "waiting")


async def test_a_secret_of_nobody_is_told_so_and_leads_to_number_and_code(ward: Ward, open_page: Open) -> None:
    phone = await open_page(f"{ward.public}/t?openExternalBrowser=1#{'x' * 22}")
    await sees(phone, "#refusal", "確認できません")
    await sees(phone, "#find", "確認コード")


async def test_without_javascript_a_number_is_taken_followed_and_cancelled(
    ward: Ward, open_page: Open, browser: "Browser"
) -> None:
    desk = await open_page(f"{ward.inside}/desk?counter=2", ward.doors)
    context = await browser.new_context(locale="ja-JP", java_script_enabled=False, viewport=PHONE)
    try:
        phone = await context.new_page()
        await phone.goto(f"{ward.public}/")
        await take(phone)
        await sees(phone, "#own", "証明", "A101", "次 にお呼びします")
        code = await text(phone, "#code")

        await phone.goto(f"{ward.public}/t")
        await phone.fill("#find-number", "a101")
        await phone.fill("#find-code", code.lower())
        await phone.get_by_role("button", name="状況を見る").click()
        await is_at(phone, "waiting")
        await sees(desk, "#coming", "A101")
        await press(desk, "n")
        await sees(desk, "#number", "A101")

        async def called() -> bool:
            await phone.get_by_role("button", name="いまの状況を見る").click()
            return "2番窓口" in await text(phone, "#states")

        await eventually(called)
        await phone.get_by_text("番号を取り消す").click()
        await phone.get_by_role("button", name="はい、取り消します").click()
        await sees(phone, "#states", "番号を取り消しました")
        await sees(desk, "#number", "－")
    finally:
        await context.close()
