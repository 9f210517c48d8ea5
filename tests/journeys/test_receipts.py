"""A call cannot be lost: the desk knows which walls have shown it, and says what to do where none has."""

from urllib.parse import urlsplit

from tests.journeys.cable import Cable
from tests.journeys.conftest import Open
from tests.journeys.looking import press, sees, text
from tests.journeys.ward import Ward


async def test_the_desk_knows_on_how_many_walls_its_call_was_shown(ward: Ward, open_page: Open) -> None:
    desk = await open_page(f"{ward.inside}/desk?counter=2", ward.doors)
    walls = [await open_page(f"{ward.inside}/wall/{screen}", ward.doors) for screen in ("lobby", "stairs")]
    await ward.issue()
    await sees(desk, "#coming", "A101")
    await press(desk, "n")
    for wall in walls:
        await sees(wall, "#stage", "A101")
    await sees(desk, "#receipt", "表示済み（2台）")
    assert await text(desk, "#unshown") == ""
    await press(desk, "r")
    await sees(desk, "#about", "2回目")
    await sees(desk, "#receipt", "表示済み（2台）")


async def test_two_calls_close_together_are_both_shown_spoken_and_known(ward: Ward, open_page: Open) -> None:
    """D1: the earlier of two calls was never shown. D2: what was spoken was another number than the one shown."""
    wall = await open_page(f"{ward.inside}/wall/lobby", ward.doors)
    desks = [await open_page(f"{ward.inside}/desk?counter={counter}", ward.doors) for counter in "12"]
    await ward.issue()
    await ward.issue()
    for desk in desks:
        await sees(desk, "#coming", "A102")
        await sees(desk, "#receipt", "")
    for desk in desks:
        await desk.keyboard.press("n")
    for desk in desks:
        await sees(desk, "#receipt", "表示済み（1台）")
    await sees(wall, "#stage", "A101", "A102")
    spoken = await text(wall, "#spoken p")
    for counter, desk in zip("12", desks, strict=True):
        number = await text(desk, "#number")
        assert f"{number}番のかた、{counter}番窓口へお越しください。" in spoken
        shown = await text(wall, f"#stage .call:has-text('{number}')")
        assert f"{counter}番窓口" in shown


async def test_a_call_that_no_wall_shows_says_what_to_do_and_is_announced_when_a_wall_is_back(
    ward: Ward, open_page: Open
) -> None:
    desk = await open_page(f"{ward.inside}/desk?counter=2", ward.doors)
    wall = await open_page(f"{ward.inside}/wall/lobby", ward.doors)
    await ward.issue()
    await ward.issue()
    await sees(desk, "#coming", "A102")
    await press(desk, "n")
    await sees(desk, "#receipt", "表示済み（1台）")
    await wall.close()
    await press(desk, "n")
    await sees(desk, "#receipt", "未表示")
    await sees(desk, "#unshown", "A102 は番号表示モニターに出ていません。口頭でお呼びください。")

    wall = await open_page(f"{ward.inside}/wall/lobby", ward.doors)
    await sees(wall, "#stage .is-new", "A102")
    await sees(wall, "#spoken p", "A102番のかた、2番窓口へお越しください。")
    await sees(desk, "#receipt", "表示済み（1台）")
    assert await text(desk, "#unshown") == ""

    await wall.reload()
    await sees(wall, "#stage", "A102")
    await sees(desk, "#receipt", "表示済み（1台）")
    assert await wall.locator(".is-new").count() == 0, "who has seen it is not called again"


async def test_a_wall_whose_cable_is_pulled_is_missed_and_makes_up_for_it(ward: Ward, open_page: Open) -> None:
    cable = Cable(urlsplit(ward.inside).port or 0)
    async with cable.open() as behind:
        desk = await open_page(f"{ward.inside}/desk?counter=2", ward.doors)
        lobby = await open_page(f"{ward.inside}/wall/lobby", ward.doors)
        stairs = await open_page(f"{behind}/wall/stairs", ward.doors)
        await ward.issue()
        await ward.issue()
        await sees(desk, "#coming", "A102")
        await press(desk, "n")
        await sees(desk, "#receipt", "表示済み（2台）")

        cable.pull()
        await press(desk, "n")
        await sees(desk, "#receipt", "表示済み（1／2台）")
        alarm = "A102 は番号表示モニター「stairs」に出ていません。その付近の方を口頭でお呼びください。"
        await sees(desk, "#unshown", alarm)
        assert "A102" not in await text(stairs, "#stage")

        cable.plug()
        await sees(stairs, "#stage .is-new", "A102")
        await sees(desk, "#receipt", "表示済み（2台）")
        assert await text(desk, "#unshown") == ""
        await sees(lobby, "#stage", "A102")


async def test_an_office_without_a_wall_is_told_to_call_out(ward: Ward, open_page: Open) -> None:
    desk = await open_page(f"{ward.inside}/desk?counter=2", ward.doors)
    await ward.issue()
    await sees(desk, "#coming", "A101")
    await press(desk, "n")
    await sees(desk, "#unshown", "番号表示モニターが1台もつながっていません。A101 の方を口頭でお呼びください。")
