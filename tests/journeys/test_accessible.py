"""Every page is within WCAG 2.2 A and AA as far as axe can tell, in each state that somebody meets."""

from pathlib import Path

import pytest

from tests.journeys.accessible import assert_accessible
from tests.journeys.conftest import Open
from tests.journeys.looking import comes_to_itself, comes_to_warn, press, sees
from tests.journeys.test_a_ticket import PHONE, is_at, take
from tests.journeys.test_kiosk import BUTTON, kiosk_running, open_touch_screen
from tests.journeys.test_notices import fill, notices_offered
from tests.journeys.ward import Ward, ward_running


async def test_the_residents_pages_from_asking_to_the_end(ward: Ward, open_page: Open) -> None:
    desk = await open_page(f"{ward.inside}/desk?counter=2", ward.doors)
    phone = await open_page(f"{ward.public}/")
    await phone.set_viewport_size(PHONE)
    await assert_accessible(phone)
    await phone.goto(f"{ward.public}/t")
    await phone.wait_for_selector("#find:not([hidden])")
    await assert_accessible(phone)

    await phone.goto(f"{ward.public}/")
    await take(phone)
    await is_at(phone, "waiting")
    await assert_accessible(phone)
    await sees(desk, "#coming", "A101")
    for key, state in (("n", "called"), ("a", "missed")):
        await press(desk, key)
        await is_at(phone, state)
        await assert_accessible(phone)
    await phone.get_by_text("番号を取り消す").click()
    await assert_accessible(phone)
    for key in "b1n":
        await press(desk, key)
    await is_at(phone, "called")
    home = await open_page(f"{ward.public}/")
    await sees(home, "#calls", "A101")
    await assert_accessible(home)
    await press(desk, "d")
    await is_at(phone, "served")
    await assert_accessible(phone)

    await phone.goto(f"{ward.public}/")
    await take(phone)
    await is_at(phone, "waiting")
    ward.store.kill()
    for page in (phone, home):
        await comes_to_warn(page)
        await assert_accessible(page)
    ward.store.start()
    await comes_to_itself(phone)
    await phone.get_by_text("番号を取り消す").click()
    await phone.get_by_role("button", name="はい、取り消します").click()
    await is_at(phone, "cancelled")
    await assert_accessible(phone)


async def test_a_number_from_home_that_is_expected(tmp_path: Path, open_page: Open) -> None:
    async with ward_running(tmp_path, checks_in=True) as ward:
        phone = await open_page(f"{ward.public}/")
        await phone.set_viewport_size(PHONE)
        await take(phone)
        await is_at(phone, "expected")
        await assert_accessible(phone)


async def test_the_notice_from_its_purpose_to_its_end(tmp_path: Path, open_page: Open) -> None:
    async with notices_offered(tmp_path) as offered:
        phone = await open_page(f"{offered.ward.public}/")
        await phone.set_viewport_size(PHONE)
        await take(phone)
        await is_at(phone, "waiting")
        await phone.get_by_text("メールでのお知らせを希望する").click()
        await assert_accessible(phone)
        await fill(phone, "taro@@docomo")
        await sees(phone, "#notice-form .refusal", "メールアドレスを確かめて")
        await assert_accessible(phone)
        await fill(phone, "taro@docomo.example")
        await sees(phone, "#notice-to", "taro@docomo.example")
        await assert_accessible(phone)
        contact = await offered.contact()
        assert contact is not None
        await offered.begin_next_day()
        await is_at(phone, "over")
        await assert_accessible(phone)
        await phone.goto(f"{offered.ward.public}/stop/{contact.stop}")
        await assert_accessible(phone)
        async with phone.expect_navigation():
            await phone.get_by_role("button", name="お知らせをやめて連絡先を消す").click()
        await sees(phone, ".news", "お知らせをやめ")
        await assert_accessible(phone)


async def test_a_form_that_is_refused(ward: Ward, open_page: Open) -> None:
    phone = await open_page(f"{ward.public}/t")
    await phone.fill("#find-number", "A101")
    await phone.fill("#find-code", "00000000")
    async with phone.expect_navigation():
        await phone.evaluate("document.querySelector('#find').submit()")  # as a browser without JavaScript
    await sees(phone, "#refusal", "確認できません")
    await assert_accessible(phone)


async def test_the_wall_and_the_desk_with_calls_and_missed_numbers(ward: Ward, open_page: Open) -> None:
    wall, desk = (
        await open_page(f"{ward.inside}/wall/lobby", ward.doors),
        await open_page(f"{ward.inside}/desk?counter=2", ward.doors),
    )
    await assert_accessible(await open_page(f"{ward.inside}/desk", ward.doors))
    await assert_accessible(wall)
    await assert_accessible(desk)
    for _ in range(4):
        await ward.issue()
    await sees(desk, "#coming", "A101")
    for key in "nan":
        await press(desk, key)
    await sees(wall, "#stage .call", "A102")
    await sees(desk, "#aside", "A101")
    await assert_accessible(wall)
    await assert_accessible(desk)
    await press(desk, "t")
    await assert_accessible(desk)


@pytest.mark.parametrize("language", ["ja", "en"])
async def test_the_touch_page_in_each_language(ward: Ward, open_page: Open, tmp_path: Path, language: str) -> None:
    with kiosk_running(ward, tmp_path, "--out", str(tmp_path / "slips")) as (address, _):
        screen = await open_touch_screen(open_page, address)
        if language == "en":
            await screen.click("#language")
        await assert_accessible(screen)
        await screen.click(BUTTON)
        await sees(screen, "#number", "A101")
        await assert_accessible(screen)
        ward.store.kill()
        await screen.wait_for_selector("#stale:not([hidden])")
        await assert_accessible(screen)
