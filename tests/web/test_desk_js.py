"""One key, one action: what staff press, and what goes to the hub."""

import re
from typing import TYPE_CHECKING, Any

import pytest

from hub.wire import messages as m
from tests.web.conftest import MakeSite
from tests.web.counter import CURRENT, at_counter, busy, focused, full, without_id
from tests.web.site import snapshot

if TYPE_CHECKING:
    from playwright.async_api import Page


@pytest.mark.parametrize(
    ("keys", "request_"),
    [
        ("n", {"type": "next", "counter": "1", "current": 100}),
        ("Enter", {"type": "next", "counter": "1", "current": 100}),
        ("N", {"type": "next", "counter": "1", "current": 100}),
        ("r", {"type": "recall", "counter": "1", "ticket": 100}),
        ("a", {"type": "absent", "counter": "1", "ticket": 100}),
        ("d", {"type": "done", "counter": "1", "ticket": 100}),
        ("t 2", {"type": "transfer", "ticket": 100, "lane": "seal"}),
        ("b 2", {"type": "return", "ticket": 2}),
        ("c y", {"type": "cancel", "ticket": 100}),
        ("h", {"type": "hold", "counter": "1", "ticket": 100}),
        ("v", {"type": "review", "counter": "1", "ticket": 100}),
        ("u", {"type": "take_back", "counter": "1", "ticket": 100}),
        ("k 2", {"type": "call", "counter": "1", "ticket": 43, "current": 100, "reason": ""}),
        ("o 1", {"type": "ready", "ticket": 41}),
        ("t c 2", {"type": "transfer", "ticket": 100, "lane": "moves", "counter": "2"}),
        ("l 1 1", {"type": "pause", "lane": "certificates", "reason": "system"}),
        ("l 2", {"type": "resume", "lane": "moves"}),
    ],
)
async def test_each_key_asks_for_one_thing(keys: str, request_: dict[str, Any], site: MakeSite, page: "Page") -> None:
    ours = site(full())
    await at_counter(ours)
    for key in keys.split():
        await page.keyboard.press(key)
    assert without_id((await ours.asked(1))[0]) == request_


@pytest.mark.parametrize(
    ("number", "keys", "request_"),
    [
        ("A301", "1 2", {"type": "call", "counter": "1", "ticket": 501, "current": 100, "reason": "papers"}),
        ("ａ３０１", "2 2", {"type": "transfer", "ticket": 501, "lane": "seal"}),
        ("B240", "1", {"type": "call", "counter": "1", "ticket": 40, "current": 100, "reason": ""}),
        ("A201", "1", {"type": "return", "ticket": 1}),
        ("A241", "1", {"type": "ready", "ticket": 41}),
        ("B402", "", None),
    ],
)
async def test_a_number_that_is_typed_can_be_called_or_moved(
    number: str, keys: str, request_: dict[str, Any] | None, site: MakeSite, page: "Page"
) -> None:
    ours = site(full())
    await at_counter(ours)
    await page.keyboard.press("s")
    await page.keyboard.type(number)
    await page.keyboard.press("Enter")
    if request_ is None:
        return await page.locator("#refusal", has_text=f"{number}：お待ちの番号にありません。").wait_for()
    for key in keys.split():
        await page.keyboard.press(key)
    assert without_id((await ours.asked(1))[0]) == request_


async def test_a_number_from_home_is_typed_and_checked_in(site: MakeSite, page: "Page") -> None:
    ours = site(busy())
    await at_counter(ours)
    await page.keyboard.press("i")
    await page.keyboard.type("bａ301")  # letters of a field are no keys of the desk
    await page.keyboard.press("Enter")
    asked = (await ours.asked(1))[0]
    assert without_id(asked) == {"type": "check_in", "number": "BA301"}
    assert await focused(page) == "home"
    assert await page.input_value("#check-in-number") == ""
    ours.hub.say(m.Reply(asked["id"], answer=m.AnswerBody(9, "BA301", "certificates", "waiting", 2, None)))
    await page.locator("#news", has_text="BA301 の来庁を受け付けました。証明でお待ちです（前に2人）。").wait_for()


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (
            m.RefusalBody("UnknownTicket", "この番号は本日の受付にありません。", False, {}),
            "A999：この番号は本日の受付に",
        ),
        (m.RefusalBody("WrongMove", "できません。", False, {"state": "waiting"}), "A999：すでに順番をお待ちです。"),
        (m.RefusalBody("WrongMove", "できません。", False, {"state": "lapsed"}), "A999：できません。"),
    ],
)
async def test_why_a_number_is_not_checked_in(refusal: m.RefusalBody, words: str, site: MakeSite, page: "Page") -> None:
    ours = site(busy())
    await at_counter(ours)
    await page.fill("#check-in-number", "a999")
    await page.get_by_role("button", name="受け付ける").click()
    asked = (await ours.asked(1))[0]
    ours.hub.say(m.Reply(asked["id"], refusal=refusal))
    await page.locator("#refusal", has_text=words).wait_for()


async def test_escape_leaves_the_field_and_nothing_asks_for_nothing(site: MakeSite, page: "Page") -> None:
    ours = site(busy())
    await at_counter(ours)
    await page.keyboard.press("i")
    assert await focused(page) == "check-in-number"
    await page.keyboard.press("Enter")
    assert "番号を入力してください" in await page.locator("#refusal").inner_text()
    await page.keyboard.press("i")
    await page.keyboard.press("Escape")
    assert await focused(page) == "home"
    assert ours.hub.asked == []


async def test_next_at_a_counter_that_has_nobody(site: MakeSite, page: "Page") -> None:
    ours = site(busy())
    await at_counter(ours, 2)
    await page.keyboard.press("n")
    asked = (await ours.asked(1))[0]
    assert without_id(asked) == {"type": "next", "counter": "2", "current": None}
    ours.hub.say(m.Reply(asked["id"], answer=m.AnswerBody(None, None, None, None, None, None)))
    await page.locator("#news", has_text="お待ちの方はいません。").wait_for()


async def test_without_a_number_there_is_nothing_to_recall(site: MakeSite, page: "Page") -> None:
    ours = site(busy())
    await at_counter(ours, 2)
    for key in "radtc":
        await page.keyboard.press(key)
        assert "お呼びしている番号がありません" in await page.locator("#refusal").inner_text()
    assert ours.hub.asked == []


async def test_a_double_press_is_one_call(site: MakeSite, page: "Page") -> None:
    ours = site(busy())
    await at_counter(ours)
    await page.keyboard.press("n")
    first = (await ours.asked(1))[0]
    await page.keyboard.press("n")
    ours.hub.say(m.Reply(first["id"], answer=m.AnswerBody(500, "A300", "certificates", "called", None, 100)))
    ours.tell(m.TicketServed, **CURRENT)
    ours.tell(m.TicketCalled, arrival=500, number="A300", counter="1")
    await page.locator("#number", has_text="A300").wait_for()
    await page.keyboard.press("n")  # the hand still trembles
    await page.keyboard.press("r")
    await page.clock.run_for(600)
    await page.keyboard.press("n")
    asked = [(asked["type"], asked.get("current")) for asked in await ours.asked(3)]
    assert asked == [("next", 100), ("recall", None), ("next", 500)]


@pytest.mark.parametrize("held", ["Control", "Alt", "Meta"])
async def test_a_shortcut_of_the_browser_is_not_ours(held: str, site: MakeSite, page: "Page") -> None:
    ours = site(busy())
    await at_counter(ours)
    await page.evaluate("(held) => document.dispatchEvent(new KeyboardEvent('keydown', {key: 'd', [held]: true}))", {
        "Control": "ctrlKey", "Alt": "altKey", "Meta": "metaKey"
    }[held])  # fmt: skip
    await page.evaluate("() => document.dispatchEvent(new KeyboardEvent('keydown', {key: 'd', repeat: true}))")
    assert ours.hub.asked == []


async def test_keys_work_with_a_japanese_input_method(site: MakeSite, page: "Page") -> None:
    ours = site(busy())
    await at_counter(ours)
    press = "(key) => document.body.dispatchEvent(new KeyboardEvent('keydown', {key, code: 'KeyR', bubbles: true}))"
    await page.evaluate(press, "ｒ")
    assert (await ours.asked(1))[0]["type"] == "recall"


@pytest.mark.parametrize("key", ["t", "b", "c"])
async def test_escape_leaves_a_question(key: str, site: MakeSite, page: "Page") -> None:
    ours = site(busy())
    await at_counter(ours)
    await page.keyboard.press(key)
    for other in ("Enter", "n", "r", "0"):
        await page.keyboard.press(other)
    await page.keyboard.press("Escape")
    await page.locator("#chooser").wait_for(state="hidden")
    assert ours.hub.asked == []
    assert await focused(page) == "home"


async def test_more_missed_numbers_than_digits(site: MakeSite, page: "Page") -> None:
    ours = site(snapshot(calls=1, missed=12, topic="desk"))
    await at_counter(ours)
    await page.keyboard.press("b")
    shown = re.findall(r"[ABC]\d+", await page.locator("#chooser-list").inner_text())
    await page.keyboard.press("b")
    shown += re.findall(r"[ABC]\d+", await page.locator("#chooser-list").inner_text())
    assert sorted(shown) == sorted(f"{'ABC'[i % 3]}{201 + i}" for i in range(12))
    await page.keyboard.press("3")
    assert without_id((await ours.asked(1))[0])["type"] == "return"


async def test_the_focus_is_never_lost(site: MakeSite, page: "Page") -> None:
    ours = site(busy())
    await at_counter(ours)
    assert await focused(page) == "home"
    await page.locator('[data-action="recall"]').click()
    assert await focused(page) == "home", "the next Enter means 次へ, not 再呼び出し again"
    await page.locator("#aside button").first.focus()
    ours.tell(m.TicketReturned, arrival=1, number="A201", rank=5)
    await page.locator("#coming", has_text="A201").wait_for()
    assert await focused(page) in ("home", "戻る")
    await page.locator('[data-action="done"]').focus()
    ours.tell(m.TicketServed, **CURRENT)
    await page.locator("#number", has_text="－").wait_for()
    assert await focused(page) == "完了"


async def test_enter_on_a_focused_button_is_that_button(site: MakeSite, page: "Page") -> None:
    ours = site(busy())
    await at_counter(ours)
    await page.locator('[data-action="recall"]').focus()
    await page.keyboard.press("Enter")
    assert [asked["type"] for asked in await ours.asked(1)] == ["recall"]


async def test_keys_can_be_switched_off(site: MakeSite, page: "Page") -> None:
    ours = site(busy())
    await at_counter(ours)
    await page.locator("#keys").uncheck()
    await page.keyboard.press("n")
    assert page.url.endswith("/desk?counter=1&keys=off")
    await page.locator('[data-action="done"]').click()
    assert [asked["type"] for asked in await ours.asked(1)] == ["done"]
