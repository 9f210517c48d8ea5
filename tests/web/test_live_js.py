"""A page never shows an old number as new: a hub silent, away or gone is said at once, and the page mends itself."""

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from hub.wire import messages as m
from tests.eventually import eventually
from tests.web.conftest import MakeSite
from tests.web.site import AT, ORIGIN, POSITION, Site, snapshot

if TYPE_CHECKING:
    from playwright.async_api import Page

PAGES = [("/", 50), ("/wall/lobby", 20), ("/desk?counter=1", 20)]  # path, two beats in seconds


async def is_stale(page: "Page") -> bool:
    """The banner stands there with words, and the page is marked."""
    words = await page.locator("#banner").inner_text() if await page.locator("#banner").is_visible() else ""
    marked = await page.locator('body[data-state="stale"]').count() == 1
    assert bool(words.strip()) is marked
    return marked


async def becomes(page: "Page", state: str) -> None:
    await page.wait_for_selector(f'body[data-state="{state}"]')
    assert await is_stale(page) is (state == "stale")


async def opened(site: Site, path: str) -> None:
    """Time stands still until the test lets it pass."""
    await site.page.clock.install(time=AT)
    await site.open(path)


@pytest.mark.parametrize(("path", "seconds"), PAGES)
async def test_two_missed_beats_make_a_page_stale(path: str, seconds: int, site: MakeSite, page: "Page") -> None:
    ours = site(snapshot(calls=2))
    await opened(ours, path)
    await page.clock.run_for((seconds - 2) * 1000)
    assert not await is_stale(page)
    ours.beat()
    await page.clock.run_for((seconds - 2) * 1000)
    assert not await is_stale(page)
    ours.greets = False
    await page.clock.run_for(3000)
    assert await is_stale(page)


@pytest.mark.parametrize(("path", "seconds"), PAGES)
async def test_a_computer_that_slept_says_so_when_it_wakes(
    path: str, seconds: int, site: MakeSite, page: "Page"
) -> None:
    ours = site(snapshot(calls=2))
    await opened(ours, path)
    ours.greets = False
    await page.clock.fast_forward(3_600_000)
    await becomes(page, "stale")
    ours.greets = True
    await page.clock.run_for(8000)
    await becomes(page, "fresh")
    assert len(ours.connections) > 1, "an old frame out of a buffer proves nothing: a new connection does"


@pytest.mark.parametrize(("path", "seconds"), PAGES)
async def test_a_page_whose_hub_never_speaks_is_stale(path: str, seconds: int, site: MakeSite, page: "Page") -> None:
    ours = site(snapshot(calls=2))
    ours.greets = False
    await opened(ours, path)
    await eventually(lambda: ours.connections)
    await page.clock.run_for(2600)
    assert await is_stale(page)


async def test_away_is_said_at_once_and_a_beat_ends_it(site: MakeSite, page: "Page") -> None:
    ours = site(snapshot(calls=2))
    await opened(ours, "/wall/lobby")
    ours.hub.say(m.Away())
    await becomes(page, "stale")
    assert "更新停止中" in await page.locator("#stage").inner_text()
    ours.beat()
    await becomes(page, "fresh")
    assert "お呼びしています" in await page.locator("#stage").inner_text()


async def test_a_lost_connection_is_silent_for_two_seconds_then_said(site: MakeSite, page: "Page") -> None:
    ours = site(snapshot(calls=2))
    await opened(ours, "/wall/lobby")
    ours.greets = False  # whoever comes back now is not answered
    await ours.hub.close()
    await page.clock.run_for(1500)
    assert not await is_stale(page)
    await page.clock.run_for(1500)
    assert await is_stale(page)


async def test_it_comes_back_with_the_position_it_holds(site: MakeSite, page: "Page") -> None:
    ours = site(snapshot(calls=2))
    await opened(ours, "/wall/lobby")
    assert urlsplit(ours.hub.url).query == ""
    ours.tell(m.TicketServed, arrival=100, number="A101", counter="1")
    await page.locator("#stage", has_text="B102").wait_for()
    ours.greets = False
    await ours.hub.close()
    await page.clock.run_for(1000)
    hub = await ours.connected(2)
    assert parse_qs(urlsplit(hub.url).query) == {"after": [POSITION.replace("-0", "-1")]}
    assert urlsplit(hub.url).path == "/ws/wall/lobby"


async def test_a_gap_is_healed_at_once(site: MakeSite, page: "Page") -> None:
    ours = site(snapshot(calls=2))
    await opened(ours, "/wall/lobby")
    first = ours.hub
    ours.beat(position=POSITION.replace("-0", "-7"))
    await eventually(lambda: first.is_closed)
    await page.clock.run_for(100)
    hub = await ours.connected(2)
    assert "after=" in hub.url
    assert not await is_stale(page)


async def test_a_gap_that_resuming_does_not_heal_asks_for_a_snapshot(site: MakeSite, page: "Page") -> None:
    ours = site(snapshot(calls=2))
    await opened(ours, "/wall/lobby")
    ours.greets = False
    wrong = POSITION.replace("-0", "-7")
    ours.beat(position=wrong)
    await page.clock.run_for(100)
    (await ours.connected(2)).say(m.Beat(wrong, AT))
    await eventually(lambda: ours.connections[1].is_closed)
    await page.clock.run_for(1000)
    assert "after=" not in (await ours.connected(3)).url


@pytest.mark.parametrize(("code", "returns"), [(1012, True), (4000, True), (4400, False), (4499, False)])
async def test_the_close_code_says_whether_to_come_back(code: int, returns: bool, site: MakeSite, page: "Page") -> None:
    ours = site(snapshot(calls=2))
    await opened(ours, "/wall/lobby")
    await ours.hub.close(code)
    await page.clock.run_for(10_000)
    assert (len(ours.connections) > 1) is returns
    await becomes(page, "fresh" if returns else "stale")
    if not returns:
        assert "読み込み直してください" in await page.locator("#banner").inner_text()


async def lost_at_once(site: Site, path: str) -> None:
    """Open a page whose chances all fall in the middle; its hub is gone, and whoever comes back is turned away."""
    await site.page.add_init_script("Math.random = () => 0.5")
    await opened(site, path)
    await site.page.clock.pause_at(await site.page.evaluate("Date.now() / 1000") + 3)
    site.greets = False
    await site.hub.close()


async def comes_after(site: Site, ms: int, count: int) -> None:
    """Its next connection, no earlier, is the `count`th, and is lost at once."""
    await site.page.clock.run_for(ms - 100)
    assert len(site.connections) == count - 1
    await site.page.clock.run_for(200)
    await (await site.connected(count)).close()


async def test_everybody_is_back_two_seconds_after_a_hub_that_was_away_for_two(site: MakeSite, page: "Page") -> None:
    ours = site(snapshot())
    await lost_at_once(ours, "/")
    await comes_after(ours, 1150, 2)
    await comes_after(ours, 1150, 3)
    await comes_after(ours, 1400, 4)  # away for two and a half


@pytest.mark.parametrize(("path", "last_s"), [("/", 30), ("/wall/lobby", 5), ("/desk?counter=1", 5)])
async def test_it_waits_longer_from_try_to_try_up_to_what_its_kind_may(
    path: str, last_s: int, site: MakeSite, page: "Page"
) -> None:
    ours = site(snapshot())
    await lost_at_once(ours, path)
    for _ in range(15):
        count = len(ours.connections)
        await page.clock.run_for(500 * last_s + 200)
        await eventually(lambda count=count: len(ours.connections) > count)  # type: ignore[misc]
        await ours.hub.close()
    await comes_after(ours, 500 * last_s + 150, len(ours.connections) + 1)


async def test_what_is_no_message_is_ignored(site: MakeSite, page: "Page") -> None:
    ours = site(snapshot(calls=2))
    await opened(ours, "/wall/lobby")
    for text in ("", "null", "[]", '{"type":5}', '{"type":"toString"}', "{"):
        ours.hub.say_text(text)
    ours.tell(m.TicketServed, arrival=100, number="A101", counter="1")
    await page.locator("#stage", has_text="B102").wait_for()
    assert len(ours.connections) == 1


async def test_office_time_runs_between_the_frames_and_stands_still_when_stale(site: MakeSite, page: "Page") -> None:
    ours = site(snapshot(calls=2))
    await opened(ours, "/wall/lobby")
    ours.beat()  # 9:01:00
    await eventually(lambda: _reads(page, "9:01"))
    for _ in range(12):
        await page.clock.run_for(10_000)
        ours.beat()
    assert await page.locator("#clock").inner_text() == "9:03"
    ours.hub.say(m.Away())
    await becomes(page, "stale")
    await page.clock.run_for(10_000)
    assert "時点" in await page.locator(".clock").inner_text()


async def _reads(page: "Page", words: str) -> bool:
    await page.clock.run_for(1000)
    return await page.locator("#clock").inner_text() == words


CLOCK = """
async (url) => {
  const { OfficeClock } = await import(url);
  let ms = 0, slept = 0;
  const clock = new OfficeClock(() => ms, () => ms + slept);
  const told = [clock.now()];
  const hear = (type, at, after) => { ms += after; clock.hear({ type, at }); told.push(clock.now()); };
  hear("snapshot", 1000, 0);
  hear("TicketCalled", 500, 100);   // replayed: the clock is not put back
  hear("beat", 21000, 1000);
  hear("beat", 220000, 10000);      // 19.9 times as fast
  ms += 1000;
  told.push(clock.now());
  slept = 3_600_000;
  hear("beat", 72_240_000, 0);      // an hour of sleep is no speed
  ms += 1000;
  told.push(clock.now());
  hear("snapshot", 50, 0);          // another day
  return told;
}
"""


async def test_office_time_is_never_put_back_and_may_run_faster_in_practice(site: MakeSite, page: "Page") -> None:
    await site(snapshot()).open("/")
    told = await page.evaluate(CLOCK, f"{ORIGIN}/static/clock.js")
    assert told == [None, 1000, 1100, 21000, 220000, 240000, 72_240_000, 72_260_000, 50]
