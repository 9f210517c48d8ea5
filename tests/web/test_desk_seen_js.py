"""What staff see of what they asked and of what happened meanwhile: answers, refusals, silence, facts and walls."""

import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from hub.wire import messages as m
from tests.web.conftest import MakeSite
from tests.web.counter import CURRENT, at_counter, busy, full, without_id
from tests.web.site import AT

if TYPE_CHECKING:
    from playwright.async_api import Page

SENTENCE = "この窓口でお呼びしている番号が変わっています。画面を確かめてから操作してください。"
REFUSAL = m.RefusalBody("NotCurrent", SENTENCE, again=False, details={})


async def test_the_right_to_be_called_is_counted_down_before_anybody_presses(site: MakeSite, page: "Page") -> None:
    ours = site(full())
    await at_counter(ours)
    await page.locator("#absent-missing", has_text="あと1回お呼びしてから").wait_for()
    ours.tell(m.TicketRecalled, number="A101", arrival=100, counter="1", calls=2)
    await page.locator("#absent-missing", has_text="あと20秒").wait_for()
    ours.beat()  # a minute later
    await page.clock.run_for(1000)
    await page.locator('[data-action="absent"]:not([data-missing])').wait_for()
    await page.keyboard.press("a")
    assert without_id((await ours.asked(1))[0]) == {"type": "absent", "counter": "1", "ticket": 100}


async def test_who_has_waited_long_is_marked(site: MakeSite, page: "Page") -> None:
    ours = site(full())
    await at_counter(ours)
    await page.locator("#lanes [data-long]", has_text="最長50分").wait_for()
    await page.locator("#coming [data-long]", has_text="A300").wait_for()
    assert await page.locator("#lanes [data-key=moves] .mark").inner_text() == "新しい番号の受付を休止しています"


async def test_without_a_second_stage_there_is_no_review(site: MakeSite, page: "Page") -> None:
    ours = site(busy())
    await at_counter(ours)
    for action in ("review", "resume", "ready"):
        assert await page.locator(f'[data-action="{action}"]').get_attribute("aria-disabled") == "true"


async def test_the_desk_says_whether_its_call_is_on_the_walls(site: MakeSite, page: "Page") -> None:
    ours = site(with_receipts(["lobby"], walls=["lobby", "stairs"]))
    await at_counter(ours)
    await page.locator("#receipt", has_text="表示済み（1／2台）").wait_for()
    assert await page.locator("#unshown").inner_text() == ""
    await page.clock.run_for(5000)
    await page.locator("#unshown", has_text="A101 は番号表示モニター「stairs」に出ていません。").wait_for()
    ours.tell(m.CallShown, arrival=100, number="A101", calls=1, wall="stairs")
    await page.locator("#receipt", has_text="表示済み（2台）").wait_for()
    assert await page.locator("#unshown").inner_text() == ""
    ours.tell(m.TicketRecalled, number="A101", arrival=100, counter="1", calls=2)
    await page.locator("#receipt", has_text="未表示").wait_for()
    await page.clock.run_for(5000)
    await page.locator("#unshown", has_text="口頭でお呼びください。").wait_for()
    ours.hub.say(m.Away())
    await page.locator("#banner").wait_for()
    assert await page.locator("#unshown").inner_text() == "", "who knows nothing of the walls says nothing of them"


def with_receipts(shown: list[str], walls: list[str]) -> m.Snapshot:
    whole = busy(walls=walls)
    return replace(whole, called=[replace(call, shown=shown) for call in whole.called])


async def test_a_refusal_stands_until_the_next_action(site: MakeSite, page: "Page") -> None:
    ours = site(busy())
    await at_counter(ours)
    await page.keyboard.press("d")
    asked = (await ours.asked(1))[0]
    ours.hub.say(m.Reply(asked["id"], refusal=REFUSAL))
    await page.locator("#refusal", has_text=SENTENCE).wait_for()
    ours.tell(m.TicketIssued, arrival=900, number="A399", rank=900 << 20, waiting={"certificates": 4})
    await page.locator("#lanes", has_text="4").wait_for()
    assert await page.locator("#refusal").inner_text() == SENTENCE
    await page.clock.run_for(600)
    await page.keyboard.press("r")
    assert await page.locator("#refusal").inner_text() == ""


async def test_what_was_asked_is_sent_again_under_the_same_id(site: MakeSite, page: "Page") -> None:
    ours = site(busy())
    await at_counter(ours)
    await page.keyboard.press("r")
    before = (await ours.asked(1))[0]
    await ours.hub.close()
    await page.clock.run_for(1000)
    await ours.connected(2)
    assert await ours.asked(1) == [before]
    ours.hub.say(m.Reply(before["id"], answer=m.AnswerBody(100, "A101", "certificates", "called", None, None)))
    await page.locator('[data-action="recall"]:not([data-sending])').wait_for()


async def test_silence_is_said_and_a_second_press_keeps_the_id(site: MakeSite, page: "Page") -> None:
    ours = site(busy())
    await at_counter(ours)
    await page.keyboard.press("a")
    await ours.asked(1)
    await page.clock.run_for(9000)
    assert await page.locator("#refusal").inner_text() == ""
    await page.clock.run_for(1500)
    assert await page.locator("#refusal").inner_text() == "応答がありません。もう一度押してください。"
    await page.keyboard.press("a")
    first, second = await ours.asked(2)
    assert first == second


async def test_another_thing_has_another_id(site: MakeSite, page: "Page") -> None:
    ours = site(busy())
    await at_counter(ours)
    for key in ("r", "a", "d"):
        await page.keyboard.press(key)
    assert len({asked["id"] for asked in await ours.asked(3)}) == 3


async def test_success_is_seen_by_the_fact(site: MakeSite, page: "Page") -> None:
    ours = site(busy())
    await at_counter(ours)
    assert await page.locator("#number").inner_text() == "A101"
    ours.tell(m.TicketRecalled, calls=2, **CURRENT)
    await page.locator("#about", has_text="お呼び出し中・2回目").wait_for()
    assert "A101 を再度お呼びしました（2回目）。" in await page.locator("#news").inner_text()
    ours.tell(m.TicketMarkedAbsent, until=AT + 1_800_000, **CURRENT)
    await page.locator("#aside", has_text="A101").wait_for()
    assert await page.locator("#number").inner_text() == "－"
    ours.tell(m.TicketCalled, arrival=500, number="A300", counter="1", waiting={"certificates": 2})
    await page.locator("#number", has_text="A300").wait_for()
    assert re.findall(r"[ABC]\d+", await page.locator("#coming").inner_text()) == ["A301", "A302", "B300"]


async def test_what_happens_elsewhere_is_no_news_here(site: MakeSite, page: "Page") -> None:
    ours = site(busy())
    await at_counter(ours)
    ours.tell(m.TicketCalled, arrival=600, number="B300", counter="3")
    ours.tell(m.TicketReturned, arrival=1, number="A201", rank=5)
    await page.locator("#coming", has_text="A201").wait_for()
    assert await page.locator("#news").inner_text() == ""


async def test_a_question_about_a_number_that_has_left_is_over(site: MakeSite, page: "Page") -> None:
    ours = site(busy())
    await at_counter(ours)
    await page.keyboard.press("c")
    assert await page.locator("#chooser").is_visible()
    ours.tell(m.TicketServed, **CURRENT)
    await page.locator("#chooser").wait_for(state="hidden")
    assert "状況が変わりました" in await page.locator("#refusal").inner_text()
    await page.keyboard.press("y")
    assert ours.hub.asked == []


async def test_nothing_is_asked_before_the_page_knows_anything(site: MakeSite, page: "Page") -> None:
    ours = site(busy())
    ours.greets = False
    await at_counter(ours)
    await page.keyboard.press("n")
    assert "まだつながっていません" in await page.locator("#refusal").inner_text()


async def test_a_counter_that_is_gone_from_the_settings_is_told(site: MakeSite, page: "Page") -> None:
    ours = site(busy())
    await at_counter(ours)
    ours.hub.say(busy(counters=[]))
    await page.locator("#refusal", has_text="この窓口は設定にありません").wait_for()


async def test_the_choice_of_a_counter_opened_without_a_store_fills_itself_in(site: MakeSite, page: "Page") -> None:
    ours = site(None)
    ours.greets = False
    await page.clock.install(time=AT)
    await ours.open("/desk")
    assert await page.locator(".counter-list").count() == 0
    await page.clock.run_for(5100)
    ours.whole = busy()
    await page.clock.run_for(5100)
    await page.locator(".counter-list").wait_for()
