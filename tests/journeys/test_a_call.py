"""From the button to the screens: a number is taken, waits, is called, and two walls say the same."""

import os
import signal
from functools import partial
from typing import TYPE_CHECKING

from hub.wire.codec import read_frame
from hub.wire.messages import Snapshot
from tests.eventually import eventually
from tests.journeys.conftest import Open
from tests.journeys.looking import press, sees
from tests.journeys.ward import CERTIFICATES, MOVES, Ward

if TYPE_CHECKING:
    from playwright.async_api import Page

CERTIFICATES_COUNT, MOVES_COUNT = "#lanes [data-key=certificates] .count b", "#lanes [data-key=moves] .count b"


async def test_a_number_that_is_taken_is_shown_as_waiting(ward: Ward, open_page: Open) -> None:
    wall, crowding = await open_page(f"{ward.inside}/wall/lobby", ward.doors), await open_page(f"{ward.public}/")
    await sees(wall, CERTIFICATES_COUNT, "0")
    assert (await ward.issue()).number == "A101"
    await ward.issue(MOVES)
    for page in (wall, crowding):
        await sees(page, CERTIFICATES_COUNT, "1")
        await sees(page, MOVES_COUNT, "1")


async def test_staff_presses_next_and_two_walls_show_the_same_call(ward: Ward, open_page: Open) -> None:
    walls = [await open_page(f"{ward.inside}/wall/{screen}", ward.doors) for screen in ("lobby", "stairs")]
    desk = await open_page(f"{ward.inside}/desk?counter=2", ward.doors)
    crowding = await open_page(f"{ward.public}/")
    await ward.issue()
    await ward.issue()
    await sees(desk, "#coming", "A101", "A102")
    for number, left in (("A101", "1"), ("A102", "0")):
        await press(desk, "n")
        for wall in walls:
            await sees(wall, "#stage .call", number, "2番窓口")
            await sees(wall, CERTIFICATES_COUNT, left)
        await sees(desk, "#number", number)
        await sees(crowding, "#calls", number)


async def test_a_missed_number_comes_back_by_keys_alone(ward: Ward, open_page: Open) -> None:
    wall, desk = (
        await open_page(f"{ward.inside}/wall/lobby", ward.doors),
        await open_page(f"{ward.inside}/desk?counter=1", ward.doors),
    )
    await ward.issue(MOVES)
    await sees(desk, "#coming", "B401")
    await press(desk, "n")
    await sees(desk, "#number", "B401")
    await press(desk, "r")
    await sees(desk, "#about", "2回目")
    await press(desk, "a")
    await sees(wall, "#missed", "B401")
    await sees(desk, "#aside", "B401")
    await press(desk, "b")
    await press(desk, "1")
    await sees(desk, "#coming", "B401")
    await sees(wall, MOVES_COUNT, "1")


async def test_a_number_is_transferred_and_finished_by_keys_alone(ward: Ward, open_page: Open) -> None:
    desk = await open_page(f"{ward.inside}/desk?counter=1", ward.doors)
    wall = await open_page(f"{ward.inside}/wall/lobby", ward.doors)
    await ward.issue()
    await sees(desk, "#coming", "A101")
    await press(desk, "n")
    await sees(desk, "#number", "A101")
    await press(desk, "t")
    await sees(desk, "#chooser", "住民異動")
    await press(desk, "1")
    await sees(wall, MOVES_COUNT, "1")
    await press(desk, "n")
    await sees(desk, "#about", "住民異動")
    await press(desk, "d")
    await sees(desk, "#number", "－")
    await sees(wall, MOVES_COUNT, "0")


async def test_two_tabs_of_one_counter_agree_and_a_press_on_both_is_one_call(ward: Ward, open_page: Open) -> None:
    tabs = [await open_page(f"{ward.inside}/desk?counter=2", ward.doors) for _ in range(2)]
    for _ in range(3):
        await ward.issue()
    for tab in tabs:
        await sees(tab, "#coming", "A103")
        await sees(tab, "#number", "－")
    os.kill(ward.store.pid, signal.SIGSTOP)  # both presses are on their way before either is answered
    try:
        for tab in tabs:
            await press(tab, "n")
        for tab in tabs:
            await eventually(tab.locator("[data-action][aria-busy]").count)
    finally:
        os.kill(ward.store.pid, signal.SIGCONT)
    for tab in tabs:
        await eventually(partial(is_idle, tab))
        await sees(tab, "#number", "A101")
    async with ward.socket("/ws/board") as board:
        shown = read_frame(await board.recv(decode=False))
    assert isinstance(shown, Snapshot)
    assert [called.number for called in shown.called] == ["A101"]
    assert [lane.waiting for lane in shown.lanes if lane.lane == CERTIFICATES] == [2]


async def is_idle(tab: "Page") -> bool:
    return await tab.locator("[data-action][aria-busy]").count() == 0
