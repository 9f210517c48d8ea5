"""The crowding page says which lanes give no numbers just now, by itself when the hour comes."""

import json
from typing import TYPE_CHECKING

from msgspec.structs import replace

from hub.wire import messages as m
from hub.wire.codec import encode
from tests.eventually import eventually
from tests.web.conftest import MakeSite
from tests.web.site import AT as NINE
from tests.web.site import ORIGIN, snapshot
from tests.wire.lanes import AT, HOUR, STATES
from web.models import why_none

if TYPE_CHECKING:
    from playwright.async_api import Page

SAY = "async ({ url, lanes, at }) => { const m = await import(url); return lanes.map((lane) => m.whyNone(lane, at)); }"


async def test_the_browser_says_of_each_lane_what_the_server_says(site: MakeSite, page: "Page") -> None:
    await site(snapshot()).open("/")
    lanes = [lane for lane, _, _ in STATES.values()]
    told = {"url": f"{ORIGIN}/static/giving.js", "lanes": [json.loads(encode_lane(lane)) for lane in lanes], "at": AT}
    assert await page.evaluate(SAY, told) == [why_none(lane, AT) for lane in lanes]


def encode_lane(lane: m.LaneState) -> bytes:
    return encode(replace(snapshot(), lanes=[lane])).split(b'"lanes":[', 1)[1].split(b'],"called"', 1)[0]


async def test_a_lane_opens_on_the_page_when_its_hour_comes(site: MakeSite, page: "Page") -> None:
    whole = snapshot()
    opens = NINE + 60_000  # the office time of the beat that follows
    first, second, third = whole.lanes
    lanes = [replace(first, hours=[(opens, opens + HOUR)]), replace(second, paused=True), third]
    ours = site(replace(whole, lanes=lanes))
    await ours.open("/")
    closed, paused, giving = (page.locator(f"form[data-lane={lane.lane}]") for lane in lanes)
    assert "受付時間外です。次は 11月24日（火）9:01 から" in await closed.inner_text()
    assert "受付を休止しています" in await paused.inner_text()
    buttons = [await form.locator("button").is_enabled() for form in (closed, paused, giving)]
    assert buttons == [False, False, True]
    ours.beat()
    await eventually(closed.locator("button").is_enabled)
    assert "受付時間外" not in await closed.inner_text()
    ours.tell(m.LaneResumed, lane="moves", waiting={"moves": 0})
    await eventually(paused.locator("button").is_enabled)
