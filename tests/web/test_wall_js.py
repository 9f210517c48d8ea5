"""A wall shows every present call at every moment, the new ones largest, and nothing is cut off."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from hub.wire import messages as m
from tests.web.conftest import MakeSite
from tests.web.site import AT, Site, snapshot

if TYPE_CHECKING:
    from playwright.async_api import Page

LYING, STANDING = {"width": 1920, "height": 1080}, {"width": 1080, "height": 1920}
HIGHLIGHT_MS = 8000

# Boxes of what must be seen: it lies within the screen and within its card, and no card covers another.
FAULTS = """
() => {
  const faults = [];
  const box = (element) => element.getBoundingClientRect();
  const inside = (inner, outer) =>
    inner.left >= outer.left - 1 && inner.right <= outer.right + 1 &&
    inner.top >= outer.top - 1 && inner.bottom <= outer.bottom + 1;
  const screen = { left: 0, top: 0, right: innerWidth, bottom: innerHeight };
  const cards = [...document.querySelectorAll(".call")];
  for (const card of cards) {
    if (!inside(box(card), screen)) faults.push(`off the screen: ${card.textContent}`);
    for (const text of card.querySelectorAll(".fit:not([hidden]) > span")) {
      const { left, right, top, bottom, height } = box(text);
      const figures = { left, right, top: top + height * 0.14, bottom: bottom - height * 0.11 };
      if (!inside(figures, box(card))) faults.push(`off its card: ${text.textContent}`);
      if (height < 12) faults.push(`too small: ${text.textContent}`);
    }
  }
  for (const [place, card] of cards.entries())
    for (const other of cards.slice(place + 1)) {
      const [a, b] = [box(card), box(other)];
      if (a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom)
        faults.push(`one over another: ${card.textContent} ${other.textContent}`);
    }
  for (const text of document.querySelectorAll(".lanes .name > span, .lanes .count, .missed span, h1, .clock, small"))
    if (!inside(box(text), screen)) faults.push(`off the screen: ${text.textContent}`);
  return faults;
}
"""


async def on_wall(site: Site, size: Any = LYING) -> None:
    await site.page.set_viewport_size(size)
    await site.page.clock.install(time=AT)
    await site.open("/wall/lobby")


async def numbers(page: "Page", where: str) -> list[str]:
    return await page.locator(f"{where} .number").all_inner_texts()


@pytest.mark.parametrize("size", [LYING, STANDING], ids=["lying", "standing"])
async def test_every_call_is_shown_and_none_is_cut(size: Any, site: MakeSite, page: "Page") -> None:
    ours = site(snapshot())
    await on_wall(ours, size)
    for calls in (0, 1, 2, 3, 5, 8, 9, 12, 20, 32, 40):
        whole = snapshot(calls=calls, missed=calls, waiting=99)
        ours.hub.say(
            replace(
                whole,
                day=f"another day with {calls} calls",  # on a new day nothing is news: the newest is shown alone
                office=f"{calls}区役所",
                lanes=[replace(lane, name="住所の異動（転入・転出・転居・世帯変更）の届出") for lane in whole.lanes]
                * 4,
                called=[replace(call, number=f"MN{call.number}") for call in whole.called],
            )
        )
        await page.locator("#office", has_text=f"{calls}区役所").wait_for()
        assert await _shown(page) == sorted(f"MN{call.number}" for call in whole.called)
        assert await page.evaluate(FAULTS) == []
        ours.hub.say(m.Away())
        await page.locator("#banner").wait_for()
        assert await _shown(page) == sorted(f"MN{call.number}" for call in whole.called)
        assert await page.evaluate(FAULTS) == []


async def _shown(page: "Page") -> list[str]:
    return sorted(await numbers(page, "#stage") + await numbers(page, "#grid"))


async def test_the_figures_of_32_calls_carry_ten_metres(site: MakeSite, page: "Page") -> None:
    await on_wall(site(snapshot(calls=32, missed=16)))
    sizes = await page.locator("#grid .number > span").evaluate_all(
        "(all) => all.map((text) => parseFloat(getComputedStyle(text).fontSize))"
    )
    assert min(sizes) >= 64


async def test_two_calls_close_together_are_both_shown_as_new(site: MakeSite, page: "Page") -> None:
    ours = site(snapshot(calls=4))
    await on_wall(ours)
    assert await numbers(page, "#stage") == ["A101"]
    ours.tell(m.TicketCalled, arrival=500, number="A300", counter="11")
    ours.tell(m.TicketCalled, arrival=600, number="B300", counter="12", lane="moves")
    await page.locator("#stage", has_text="B300").wait_for()
    assert await numbers(page, "#stage") == ["B300", "A300"]
    assert await page.locator("#stage .is-new").count() == 2
    await page.clock.run_for(HIGHLIGHT_MS - 200)
    assert await numbers(page, "#stage") == ["B300", "A300"]
    await page.clock.run_for(400)
    assert await numbers(page, "#stage") == ["B300"]
    assert await page.locator(".is-new").count() == 0
    assert len(await numbers(page, "#grid")) == 5


async def test_a_call_that_finds_no_place_waits_for_one_in_sight(site: MakeSite, page: "Page") -> None:
    ours = site(snapshot(calls=1))
    await on_wall(ours)
    for turn in range(5):
        ours.tell(m.TicketCalled, arrival=500 + turn, number=f"A30{turn}", counter=str(11 + turn))
    await page.locator(".wall", has_text="A304").wait_for()
    assert await numbers(page, "#stage") == ["A302", "A301", "A300"]
    assert await numbers(page, "#grid .is-new") == ["A304", "A303"]
    assert await page.evaluate(FAULTS) == []
    await page.clock.run_for(HIGHLIGHT_MS)
    assert await numbers(page, "#stage") == ["A304", "A303"]
    await page.clock.run_for(HIGHLIGHT_MS)
    assert await page.locator(".is-new").count() == 0


async def test_a_recall_is_new_again(site: MakeSite, page: "Page") -> None:
    ours = site(snapshot(calls=3))
    await on_wall(ours)
    ours.tell(m.TicketRecalled, arrival=98, number="C103", counter="3", calls=2, lane="seal")
    await page.locator("#stage", has_text="C103").wait_for()
    assert "2回目のお呼び出し" in await page.locator("#stage .is-new").inner_text()
    await page.clock.run_for(HIGHLIGHT_MS + 100)
    ours.tell(m.TicketRecalled, arrival=98, number="C103", counter="3", calls=3, lane="seal")
    await page.locator("#stage .is-new", has_text="3回目").wait_for()


async def test_what_was_called_while_the_wall_was_away_is_new_when_it_returns(site: MakeSite, page: "Page") -> None:
    ours = site(snapshot(calls=2))
    await on_wall(ours)
    ours.whole = snapshot(calls=3, position=ours.whole.position.replace("-0", "-8") if ours.whole else "")
    await ours.hub.close()
    await page.clock.run_for(1000)
    await page.locator("#stage .is-new", has_text="C103").wait_for()


async def test_what_is_there_when_the_wall_is_switched_on_is_no_news(site: MakeSite, page: "Page") -> None:
    await on_wall(site(snapshot(calls=5)))
    assert await page.locator(".is-new").count() == 0
    assert await page.locator("#spoken p").count() == 0


async def test_a_call_is_told_to_a_screen_reader_once(site: MakeSite, page: "Page") -> None:
    ours = site(snapshot(calls=2))
    await on_wall(ours)
    ours.tell(m.TicketCalled, arrival=500, number="A300", counter="11")
    ours.tell(m.TicketRecalled, arrival=500, number="A300", counter="11", calls=2)
    await page.locator("#spoken p").nth(1).wait_for(state="attached")
    assert await page.locator("#spoken p").all_text_contents() == [
        "A300番のかた、11番窓口へお越しください。",
        "もう一度お呼びします。A300番のかた、11番窓口へお越しください。",
    ]


@pytest.mark.parametrize("size", [LYING, STANDING], ids=["lying", "standing"])
async def test_what_the_office_says_leaves_every_call_its_place(size: Any, site: MakeSite, page: "Page") -> None:
    ours = site(snapshot(announcement=m.Announcement("長" * 60, AT + 60_000)))
    await on_wall(ours, size)
    await page.locator("#announcement", has_text="長" * 60).wait_for()
    said = await page.locator("#announcement").bounding_box()
    assert said is not None
    for calls in (0, 1, 4, 12, 40):
        whole = snapshot(calls=calls, missed=calls, waiting=99, announcement=m.Announcement("長" * 60, AT + 60_000))
        ours.hub.say(replace(whole, day=f"another day with {calls} calls"))  # nothing is news
        await page.wait_for_function("calls => document.querySelectorAll('.call').length === calls", arg=calls)
        assert await page.evaluate(FAULTS) == []
        for call in await page.locator(".call").all():
            box = await call.bounding_box()
            assert box is not None
            assert box["y"] + box["height"] <= said["y"]
    ours.beat()  # a minute later
    await page.clock.run_for(1000)
    await page.locator("#announcement").wait_for(state="hidden")


async def test_who_is_served_leaves_at_once_and_who_is_missed_is_listed(site: MakeSite, page: "Page") -> None:
    ours = site(snapshot(calls=2))
    await on_wall(ours)
    ours.tell(m.TicketServed, arrival=100, number="A101", counter="1")
    ours.tell(m.TicketMarkedAbsent, until=AT + 1_800_000, arrival=99, number="B102", counter="2", lane="moves")
    await page.locator("#missed", has_text="B102").wait_for()
    assert await numbers(page, "#stage") == []
    assert await page.locator("#welcome").is_visible()


async def test_many_missed_numbers_take_turns(site: MakeSite, page: "Page") -> None:
    await on_wall(site(snapshot(missed=40)))
    seen: list[str] = []
    for turn in range(3):
        assert f"{turn + 1}／3" in await page.locator("#missed-title").inner_text()
        seen += await numbers(page, "#missed")
        await page.clock.run_for(10_000)
    assert len(set(seen)) == len(seen) == 40


async def test_a_stale_wall_says_of_when_its_numbers_are(site: MakeSite, page: "Page") -> None:
    ours = site(snapshot(calls=3))
    await on_wall(ours)
    ours.hub.say(m.Away())
    banner = "ただいま表示を更新できません。番号は最新ではないことがあります。"
    await page.locator("#banner", has_text=banner).wait_for()
    assert "更新停止中（9:00 時点）" in await page.locator("#stage").inner_text()
    assert "9:00 時点" in await page.locator("#others-title").inner_text()


async def test_nothing_moves_for_those_who_asked_for_less_motion(site: MakeSite, page: "Page") -> None:
    await page.emulate_media(reduced_motion="reduce")
    ours = site(snapshot(calls=1))
    await on_wall(ours)
    ours.tell(m.TicketCalled, arrival=500, number="A300", counter="11")
    await page.locator("#stage .is-new").wait_for()
    assert await page.evaluate("() => document.getAnimations().length") == 0


async def test_a_screen_that_is_put_out_loads_its_page_anew(site: MakeSite, page: "Page") -> None:
    ours = site(snapshot(calls=2))
    await ours.open("/wall/lobby")
    async with page.expect_navigation():
        await ours.hub.close(4401)
    await ours.connected(2)


async def test_a_screen_that_was_put_out_while_its_hub_was_away_finds_out(site: MakeSite, page: "Page") -> None:
    ours = site(snapshot(calls=2))
    await page.clock.install(time=AT)
    await ours.open("/wall/lobby")
    ours.greets = False
    await ours.hub.close(1012)
    await page.clock.run_for(30_000)  # its path says nothing yet
    await page.wait_for_selector('body[data-state="stale"]')
    ours.door = 401
    async with page.expect_navigation():
        await page.clock.run_for(30_000)
    ours.faults.clear()  # the browser's own line about the 401


async def test_every_call_that_is_painted_is_told_and_told_once(site: MakeSite, page: "Page") -> None:
    """D10: with more than eight calls the last one found no place. Here each of forty is told after it was in sight."""
    ours = site(whole := snapshot(calls=40))
    await page.set_viewport_size({"width": 1920, "height": 1080})
    await ours.open("/wall/lobby")
    told = await answered(ours, 40)
    assert {(request["ticket"], request["calls"], request["called_at"]) for request in told} == {
        (call.arrival, 1, call.called_at) for call in whole.called
    }
    assert {request["type"] for request in told} == {"shown"}
    ours.tell(m.TicketRecalled, arrival=98, number="C103", counter="3", calls=2, lane="seal")
    assert (await answered(ours, 41, done=40))[-1]["calls"] == 2


async def test_a_call_out_of_sight_is_not_told(site: MakeSite, page: "Page") -> None:
    ours = site(snapshot(calls=2))
    await ours.open("/wall/lobby")
    await answered(ours, 2)
    await page.evaluate("() => { document.getElementById('stage').style.display = 'none'; }")
    ours.tell(m.TicketCalled, arrival=500, number="A300", counter="11")
    ours.tell(m.TicketServed, arrival=99, number="B102", counter="2", lane="moves")
    await page.locator("#stage", has_text="A300").wait_for(state="attached")
    await frames(page)
    assert len(ours.hub.asked) == 2
    await page.evaluate("() => { document.getElementById('stage').style.display = ''; }")
    ours.tell(m.TicketServed, arrival=100, number="A101", counter="1")
    assert (await answered(ours, 3, done=2))[-1]["ticket"] == 500


async def test_a_call_that_no_wall_had_shown_is_announced_anew(site: MakeSite, page: "Page") -> None:
    ours = site(snapshot(calls=2))
    await ours.open("/wall/lobby")
    await answered(ours, 2, shown_before=lambda request: int(request["ticket"] == 100))
    await page.locator(".is-new", has_text="B102").wait_for()
    assert await page.locator(".is-new").count() == 1
    assert await page.locator("#spoken p").all_text_contents() == ["B102番のかた、2番窓口へお越しください。"]


async def test_what_was_not_answered_is_told_again(site: MakeSite, page: "Page") -> None:
    ours = site(snapshot(calls=1))
    await ours.open("/wall/lobby")
    first = (await ours.asked(1))[0]
    await ours.hub.close(1012)
    await ours.connected(2)
    again = (await ours.asked(1))[0]
    assert again == first, "under the same id"
    ours.hub.say(m.Reply(again["id"], refusal=m.RefusalBody("StoreAway", "。", again=True, details={})))
    later = (await ours.asked(2))[1]
    assert (later["ticket"], later["id"] != again["id"]) == (first["ticket"], True)


async def answered(
    ours: Site, count: int, done: int = 0, shown_before: Callable[[dict[str, Any]], int] = lambda _: 1
) -> list[dict[str, Any]]:
    """Answer what the wall tells, one after the other, from the first after `done` until it has told `count` calls."""
    for turn in range(done, count):
        request = (await ours.asked(turn + 1))[turn]
        body = m.AnswerBody(
            request["ticket"], "A1", "certificates", "called", None, None, shown_before=shown_before(request)
        )
        ours.hub.say(m.Reply(request["id"], answer=body))
    return ours.hub.asked


async def frames(page: "Page", count: int = 10) -> None:
    """Let the browser paint so many frames."""
    await page.evaluate(
        "async (count) => { while (count--) await new Promise((done) => requestAnimationFrame(done)); }", count
    )
