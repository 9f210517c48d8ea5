"""A clerk's ten commonest tasks, by the keyboard alone and by two keys at most, at a real office."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hub.desk.lane import Absence, Priority, Reason
from tests.journeys.accessible import assert_accessible
from tests.journeys.conftest import Open
from tests.journeys.looking import press, sees
from tests.journeys.ward import CERTIFICATES, MOVES, Ward, ward_office, ward_running

if TYPE_CHECKING:
    from playwright.async_api import Page


@pytest.fixture
async def ward(tmp_path: Path) -> AsyncIterator[Ward]:
    office = ward_office()
    certificates, moves = office.lanes
    office = replace(
        office,
        lanes=(replace(certificates, delivery=MOVES), moves),
        reasons=(Reason("health", "体調がすぐれない"),),
        priorities=(Priority("care", "優先", 3, frozenset({"desk"})),),
        absence=Absence(after_calls=2, missed_minutes=30),
    )
    async with ward_running(tmp_path, office) as ward:
        yield ward


@pytest.fixture
async def desk(ward: Ward, open_page: Open) -> "Page":
    """Counter 1 of both lanes; A101 is at it, and A102 waits."""
    for _ in range(2):
        await ward.issue()
    desk = await open_page(f"{ward.inside}/desk?counter=1", ward.doors)
    await desk.set_viewport_size({"width": 1366, "height": 768})
    await sees(desk, "#coming", "A101", "A102")
    await keys(desk, "n")
    await sees(desk, "#number", "A101")
    return desk


async def keys(desk: "Page", pressed: str) -> None:
    for key in pressed:
        await press(desk, key)


async def test_the_next_is_called(desk: "Page") -> None:
    await keys(desk, "n")
    await sees(desk, "#number", "A102")


async def test_a_call_is_repeated(desk: "Page") -> None:
    await keys(desk, "r")
    await sees(desk, "#about", "2回目")


async def test_who_does_not_come_is_put_aside_after_two_calls_and_comes_back(desk: "Page") -> None:
    await sees(desk, "#absent-missing", "あと1回お呼びしてから")
    await keys(desk, "r")
    await sees(desk, "#about", "2回目")
    await keys(desk, "a")
    await sees(desk, "#aside", "A101", "不在", "まで")
    await keys(desk, "b1")
    await sees(desk, "#coming", "A101")


async def test_what_is_done_leaves_the_counter(desk: "Page") -> None:
    await keys(desk, "d")
    await sees(desk, "#news", "A101 を完了しました。")
    await sees(desk, "#number", "－")


async def test_a_number_is_held_and_called_again(desk: "Page") -> None:
    await keys(desk, "h")
    await sees(desk, "#aside", "A101", "保留")
    await keys(desk, "k1")
    await sees(desk, "#number", "A101")


async def test_a_number_goes_to_review_and_is_ready_for_delivery(desk: "Page") -> None:
    await keys(desk, "v")
    await sees(desk, "#aside", "A101", "審査中")
    await keys(desk, "o1")
    await sees(desk, "#coming", "A101", "住民異動")


async def test_a_number_is_transferred(desk: "Page") -> None:
    await keys(desk, "t1")
    await sees(desk, "#news", "A101 を住民異動へ転送しました。")
    await sees(desk, "#coming", "A101", "住民異動")


async def test_a_mistaken_call_is_taken_back(desk: "Page") -> None:
    await keys(desk, "u")
    await sees(desk, "#news", "A101 の呼び出しを取り消しました（もとの順番に戻りました）。")
    await sees(desk, "#coming", "A101", "A102")


async def test_a_number_is_handed_out_with_its_code(desk: "Page") -> None:
    await keys(desk, "g2")
    await sees(desk, "#slip-number", "B401")
    await sees(desk, "#slip-code", "-")
    await press(desk, "Enter")
    await desk.locator("#slip").wait_for(state="hidden")
    await keys(desk, "n")
    await sees(desk, "#number", "A102")


async def test_a_number_is_cancelled(desk: "Page") -> None:
    await keys(desk, "cy")
    await sees(desk, "#news", "A101 を取り消しました。")


async def test_a_chosen_number_is_called_for_a_reason(desk: "Page") -> None:
    await keys(desk, "s")
    await desk.keyboard.type("A102")
    await desk.keyboard.press("Enter")
    await keys(desk, "11")
    await sees(desk, "#number", "A102")


async def test_two_desks_of_one_counter_agree(desk: "Page", ward: Ward, open_page: Open) -> None:
    other = await open_page(f"{ward.inside}/desk?counter=1", ward.doors)
    await sees(other, "#number", "A101")
    await keys(desk, "n")
    for page in (desk, other):
        await sees(page, "#number", "A102")
    await keys(other, "h")
    for page in (desk, other):
        await sees(page, "#aside", "A102", "保留")
        await sees(page, "#number", "－")


async def test_nothing_of_a_full_desk_keeps_anybody_out(desk: "Page", ward: Ward) -> None:
    await keys(desk, "h")
    await sees(desk, "#aside", "A101")
    await ward.issue(MOVES)
    await ward.issue(CERTIFICATES)
    await assert_accessible(desk)
    await keys(desk, "g")
    await assert_accessible(desk)
