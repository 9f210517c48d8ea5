"""Every page is within WCAG 2.2 A and AA as far as axe can tell, in each state that somebody meets."""

from pathlib import Path

import pytest

from tests.journeys.accessible import assert_accessible
from tests.journeys.conftest import Open
from tests.journeys.looking import press, sees
from tests.journeys.test_a_ticket import PHONE, is_at, take
from tests.journeys.test_kiosk import BUTTON, kiosk_running, open_touch_screen
from tests.journeys.ward import Ward


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
