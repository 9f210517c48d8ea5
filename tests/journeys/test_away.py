"""The store goes away for ten seconds: every screen says so, shows nothing new or wrong, and recovers by itself."""

from typing import TYPE_CHECKING

from tests.eventually import eventually
from tests.journeys.conftest import Open
from tests.journeys.looking import comes_to_itself, comes_to_warn, press, sees, text, warns
from tests.journeys.ward import Ward

if TYPE_CHECKING:
    from playwright.async_api import Page

AWAY_SECONDS = 10


async def test_every_screen_says_so_and_recovers_by_itself(ward: Ward, open_page: Open) -> None:
    wall = await open_page(f"{ward.inside}/wall/lobby", ward.doors)
    crowding = await open_page(f"{ward.public}/")
    desk = await open_page(f"{ward.inside}/desk?counter=2", ward.doors)
    screens = [wall, crowding, desk]
    await ward.issue()
    await ward.issue()
    await sees(desk, "#coming", "A102")
    await press(desk, "n")
    await sees(wall, "#stage", "A101")

    ward.store.kill()
    for screen in screens:
        await comes_to_warn(screen)
    await press(desk, "n")
    await sees(desk, "#refusal", "。")

    async def away_long_enough() -> bool:
        """All the while the warning stands, and the old number is the only one."""
        for screen in screens:
            assert await warns(screen)
        assert "A102" not in await text(wall, "#stage")
        return await _away_seconds(ward, wall) >= AWAY_SECONDS

    await eventually(away_long_enough, within_s=AWAY_SECONDS + 15)

    ward.store.start()
    for screen in screens:
        await comes_to_itself(screen)
    assert (await ward.issue()).number == "A103"
    await sees(desk, "#coming", "A103")
    await press(desk, "n")
    await sees(wall, "#stage", "A102")


async def test_a_page_opened_while_the_store_is_away_says_so_and_wakes(ward: Ward, open_page: Open) -> None:
    await ward.issue()
    ward.store.kill()
    wall = await open_page(f"{ward.inside}/wall/lobby", ward.doors)
    await comes_to_warn(wall)
    ward.store.start()
    await comes_to_itself(wall)
    await sees(wall, "#lanes [data-key=certificates]", "1")


async def _away_seconds(ward: Ward, page: "Page") -> float:
    """How long the present outage has lasted, as the hub's own meter says."""
    body = await (await page.request.get(f"{ward.inside}/metrics")).text()
    line = next(line for line in body.splitlines() if line.startswith("junban_store_away_seconds "))
    return float(line.rsplit(" ", 1)[1])
