"""A manager's commonest tasks by keyboard alone, two keys at most, on the page of all lanes and counters."""

from typing import TYPE_CHECKING

from tests.journeys.accessible import assert_accessible
from tests.journeys.conftest import Open
from tests.journeys.looking import press, sees
from tests.journeys.ward import MOVES, Ward

if TYPE_CHECKING:
    from playwright.async_api import Page

LONGEST = (
    "本日は混み合っています。証明はコンビニエンスストアでもお取りいただけます。"
    + "お急ぎの方は2階の総合案内へお越しください。"
)
LARGE_PX = 36  # 16 mm on a 55-inch screen of 1920 × 1080: read from three metres and more
SIZES = ((1366, 768), (1024, 768), (320, 640))


async def open_overview(ward: Ward, open_page: Open) -> "Page":
    page = await open_page(f"{ward.inside}/admin/overview", ward.doors)
    await sees(page, "#lanes", "証明", "受付中", "住民異動")
    return page


async def test_a_lane_is_paused_for_a_reason_and_resumed(ward: Ward, open_page: Open) -> None:
    page = await open_overview(ward, open_page)
    await page.keyboard.press("1")
    await sees(page, "#chooser", "受付を休止します（システム障害）")
    await page.keyboard.press("1")
    await sees(page, "#lanes li:first-child", "休止中（システム障害）")
    await sees(page, "#news", "証明の受付を休止しました")
    await page.keyboard.press("1")
    await page.keyboard.press("1")
    await sees(page, "#lanes li:first-child", "受付中")


async def test_closing_is_announced_and_who_still_waits_is_ended(ward: Ward, open_page: Open) -> None:
    page = await open_overview(ward, open_page)
    for _ in range(3):
        await ward.issue()
    await sees(page, "#lanes li:first-child .waiting", "3人")
    await sees(page, "#lanes li:first-child .taken", "3件")
    for key in "1e":
        await page.keyboard.press(key)
    await sees(page, "#lanes li:first-child", "本日の受付は終了しました")
    for key in "11":
        await page.keyboard.press(key)
    await sees(page, "#lanes li:first-child .waiting", "2人")
    for key in "10":
        await page.keyboard.press(key)
    await sees(page, "#lanes li:first-child .waiting", "0人")
    await sees(page, "#news", "2件 を終わりにしました")


async def test_a_counter_is_given_other_lanes_for_the_day(ward: Ward, open_page: Open) -> None:
    page = await open_overview(ward, open_page)
    desk = await open_page(f"{ward.inside}/desk?counter=2", ward.doors)
    await ward.issue(MOVES)
    for key in "b2":
        await page.keyboard.press(key)
    await sees(page, "#counters li:nth-child(2)", "証明・住民異動")
    await sees(page, "#news", "2番窓口の本日の担当業務を変更しました")
    await press(desk, "n")
    await sees(desk, "#number", "B401")
    await sees(page, "#counters li:nth-child(2)", "B401")


async def test_the_walls_say_what_the_manager_wrote_and_keep_every_call(ward: Ward, open_page: Open) -> None:
    page, wall = await open_overview(ward, open_page), await open_page(f"{ward.inside}/wall/lobby", ward.doors)
    desk = await open_page(f"{ward.inside}/desk?counter=2", ward.doors)
    await ward.issue()
    await sees(desk, "#coming", "A101")
    await press(desk, "n")
    await page.keyboard.press("m")
    await page.wait_for_selector("#announcing-text:focus")
    await page.keyboard.type(LONGEST)  # what it says is not a key
    await page.keyboard.press("Enter")
    await sees(wall, "#announcement", LONGEST)
    await sees(page, "#said-now", LONGEST, "まで")
    for width, height in ((1920, 1080), (1080, 1920)):
        await wall.set_viewport_size({"width": width, "height": height})
        said = await wall.locator("#announcement").bounding_box()
        call = await wall.locator("#stage .call").bounding_box()
        assert said is not None
        assert call is not None
        assert call["y"] + call["height"] <= said["y"], "it covers no call"
        assert said["y"] + said["height"] <= height
        assert await wall.evaluate("parseFloat(getComputedStyle(announcement).fontSize)") >= LARGE_PX
        await assert_accessible(wall)
    await page.keyboard.press("x")
    await wall.wait_for_selector("#announcement", state="hidden")
    await sees(page, "#said-now", "出ていません")


async def test_a_question_is_over_when_the_lane_has_changed(ward: Ward, open_page: Open) -> None:
    page, other = await open_overview(ward, open_page), await open_overview(ward, open_page)
    await page.keyboard.press("1")
    await page.wait_for_selector("#chooser[open]")
    for key in "11":
        await other.keyboard.press(key)
    await sees(page, "#refusal", "状況が変わりました")
    assert not await page.is_visible("#chooser")


async def test_what_each_counter_has_stands_there(ward: Ward, open_page: Open) -> None:
    page = await open_overview(ward, open_page)
    desk = await open_page(f"{ward.inside}/desk?counter=2", ward.doors)
    await ward.issue()
    await sees(desk, "#coming", "A101")
    await press(desk, "n")
    await sees(page, "#counters li:nth-child(2)", "2番窓口", "A101", "0分", "証明")
    await sees(page, "#counters li:first-child", "呼び出しなし", "証明・住民異動")


async def test_the_page_is_within_its_edges_and_against_no_rule(ward: Ward, open_page: Open) -> None:
    page = await open_overview(ward, open_page)
    await ward.issue()
    for width, height in SIZES:
        await page.set_viewport_size({"width": width, "height": height})
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        await assert_accessible(page)
    await page.set_viewport_size({"width": 1366, "height": 768})
    await page.keyboard.press("1")
    await page.wait_for_selector("#chooser[open]")
    await assert_accessible(page)
