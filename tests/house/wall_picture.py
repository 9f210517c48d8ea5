"""Takes the README's picture: the wall of a real practice office on an ordinary morning.

`python -m tests.house.wall_picture` writes web/pictures/wall.png again; it needs Chromium and fonts-noto-cjk.
"""

import asyncio
import json
import random
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import async_playwright
from websockets.asyncio.client import ClientConnection, connect

from config.office_file import PRACTICE_OFFICE, read_office
from config.office_process import Started, start_office
from config.practice.entering import StaffPass
from hub.edge.access import DEVICE_COOKIE
from hub.wire import messages as wire
from hub.wire.codec import encode, read_frame
from hub.wire.roles import Role
from tests.conftest import BROWSER_FLAGS, find_browser
from tests.house.documents import ROOT

PICTURE = ROOT / "web" / "pictures" / "wall.png"
LARGEST_BYTES = 200_000
OPENED_AT = "10:24"
TICKETS, CALLS, ABSENT = 60, 12, 3


async def main() -> None:
    async with start_office() as office, _desk_of(office) as desk:
        inside = office.inside
        day = await asyncio.to_thread(_set_clock, inside)
        while not (isinstance(told := read_frame(await desk.recv(decode=False)), wire.Snapshot) and told.day == day):
            pass
        await _morning(desk)
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=find_browser(), args=BROWSER_FLAGS)
            # Half the size in a page is sharp enough, and a quarter of the bytes.
            context = await browser.new_context(
                locale="ja-JP",
                timezone_id="Asia/Tokyo",
                viewport={"width": 1920, "height": 1080},
                device_scale_factor=0.5,
            )
            token = office.credentials.tokens(Role.WALL)["1"]
            await context.add_cookies([{"name": DEVICE_COOKIE, "value": token, "url": inside, "sameSite": "Strict"}])
            page = await context.new_page()
            await page.goto(f"{inside}/wall/1", wait_until="networkidle")
            await page.evaluate("document.fonts.ready")
            PICTURE.parent.mkdir(exist_ok=True)
            await page.screenshot(path=PICTURE, animations="disabled")
            await browser.close()
    size = PICTURE.stat().st_size
    if size > LARGEST_BYTES:
        raise SystemExit(f"{PICTURE} has {size} bytes, more than {LARGEST_BYTES}")


@asynccontextmanager
async def _desk_of(office: Started) -> AsyncIterator[ClientConnection]:
    """A counter's socket, signed in."""
    person = office.credentials.person(Role.COUNTER)
    if person is None:
        raise SystemExit("nobody sits at a counter")
    clerk = StaffPass(office.inside, person)
    await clerk.sign_in()
    async with connect(
        office.inside.replace("http", "ws", 1) + "/ws/desk", additional_headers=clerk.headers, proxy=None
    ) as desk:
        yield desk


def _set_clock(inside: str) -> str:
    """Begin a fresh day; gives its date."""
    host = urlsplit(inside).netloc
    line = HTTPConnection(host, timeout=5)
    line.request("POST", "/practice/clock", json.dumps({"start": OPENED_AT, "speed": 1}))
    answer = line.getresponse()
    told = json.loads(answer.read())
    line.close()
    if answer.status != 200:
        raise SystemExit(f"the practice clock was not set: {told}")
    return str(told["day"])


async def _morning(desk: ClientConnection) -> None:
    office, chance = read_office(PRACTICE_OFFICE), random.Random(7)
    lanes = [lane.key for lane in office.lanes if lane.gives_numbers]
    for lane in chance.choices(lanes, weights=(40, 22, 22, 6, 6, 4), k=TICKETS):
        await _ask(desk, wire.Issue(secrets.token_urlsafe(16), lane))
    gone: list[tuple[str, int]] = []
    for done, counter in enumerate(chance.sample(office.counters, len(office.counters))[: CALLS + ABSENT]):
        answer = await _ask(desk, wire.Next(secrets.token_urlsafe(16), counter.key, None))
        if done < ABSENT and answer.arrival is not None:
            gone.append((counter.key, answer.arrival))
            for _ in range(office.absence.after_calls - 1):
                await _ask(desk, wire.Recall(secrets.token_urlsafe(16), counter.key, answer.arrival))
    await asyncio.sleep(office.absence.after_seconds + 1)  # the clock runs as in earnest
    for seat, arrival in gone:
        await _ask(desk, wire.MarkAbsent(secrets.token_urlsafe(16), seat, arrival))


async def _ask(desk: ClientConnection, request: wire.DeskRequest) -> wire.AnswerBody:
    await desk.send(encode(request), text=True)
    while True:
        frame: Any = read_frame(await desk.recv(decode=False))
        if isinstance(frame, wire.Reply) and frame.id == request.id:
            if not isinstance(frame.answer, wire.AnswerBody):
                raise SystemExit(f"the desk refused: {frame.refusal}")
            return frame.answer


if __name__ == "__main__":
    asyncio.run(main())
