"""What managers see of lanes and counters, what their keys ask of the hub, and when a question is over."""

import re
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from hub.wire import messages as m
from tests.web.conftest import MakeSite
from tests.web.site import AT, POSITION, Site, snapshot

if TYPE_CHECKING:
    from playwright.async_api import Page

MINUTE_MS = 60_000
TEXT = "<b>混雑</b>しています。"


def office(**changes: Any) -> m.Snapshot:
    """Certificates have two who wait, since 50 and since 3 minutes; counter 3 holds two numbers."""
    whole = snapshot(calls=1, topic="desk", **changes)
    queue = [m.WaitingNumber(i, f"A10{i}", i << 20, since=AT - ago * MINUTE_MS) for i, ago in ((1, 50), (2, 3))]
    first = replace(whole.lanes[0], waiting=2, queue=queue)
    return replace(
        whole,
        lanes=[replace(lane, given=7) for lane in (first, *whole.lanes[1:])],
        held=[m.AsideNumber(i, f"B20{i}", "moves", "3") for i in (8, 9)],
        in_review=[],
        walls=[],
        rules=m.DeskRules(1, 0, 45),
        pause_reasons=[m.Reason("system", "システム障害")],
    )


def with_first(**changes: Any) -> m.Snapshot:
    whole = office()
    return replace(whole, lanes=[replace(whole.lanes[0], **changes), *whole.lanes[1:]])


async def opened(site: Site) -> None:
    await site.page.clock.install(time=AT)
    await site.open("/admin/overview")


@pytest.mark.parametrize(
    ("whole", "keys", "request_"),
    [
        (office(), "1 1", {"type": "pause", "lane": "certificates", "reason": "system"}),
        (office(), "2 e", {"type": "closing", "lane": "moves"}),
        (with_first(paused=True, reason="system"), "1 1", {"type": "resume", "lane": "certificates"}),
        (with_first(closing=True), "1 2", {"type": "lapse", "ticket": 2}),
        (with_first(closing=True), "1 0", {"type": "lapse", "ticket": 1}),
        (office(), "a 3", {"type": "reassign", "counter": "1", "lanes": ["certificates", "moves", "seal"]}),
        (office(), "a 1", {"type": "reassign", "counter": "1", "lanes": ["moves"]}),
        (office(announcement=m.Announcement(TEXT, AT + MINUTE_MS)), "x", {"type": "withdraw"}),
    ],
)
async def test_two_keys_ask_for_one_thing(
    whole: m.Snapshot, keys: str, request_: dict[str, Any], site: MakeSite, page: "Page"
) -> None:
    ours = site(whole)
    await opened(ours)
    for key in keys.split():
        await page.keyboard.press(key)
    asked = (await ours.asked(1))[0]
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", asked.pop("id"))
    assert asked == request_


async def test_who_waits_too_long_is_marked_and_what_is_held_is_counted(site: MakeSite, page: "Page") -> None:
    await opened(site(office()))
    first, second = page.locator("#lanes li").nth(0), page.locator("#lanes li").nth(1)
    assert "！50分" in await first.locator(".longest").inner_text()
    assert "－" in await second.locator(".longest").inner_text(), "nobody waits"
    assert "7件" in await first.locator(".taken").inner_text()
    assert "保留 2件" in await page.locator("#counters li").nth(2).inner_text()


async def test_keys_can_be_switched_off(site: MakeSite, page: "Page") -> None:
    await opened(site(office()))
    await page.uncheck("#keys")
    for key in "1am":
        await page.keyboard.press(key)
    assert await page.locator("dialog[open]").count() == 0


async def test_what_was_announced_is_a_text_and_ends_by_itself(site: MakeSite, page: "Page") -> None:
    ours = site(office())
    await opened(ours)
    position = POSITION.replace("-0", "-1")
    ours.hub.say(m.AnnouncementPosted(position, POSITION, AT + 1000, TEXT, AT + MINUTE_MS))
    await page.locator("#said-now", has_text=TEXT).wait_for()
    ours.beat(position)  # a minute later
    await page.clock.run_for(1000)
    await page.locator("#said-now", has_text="出ていません").wait_for()
