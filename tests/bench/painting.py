"""From a clerk's press to the screen: when every tab has been told of it, and when Chromium has painted it."""

import asyncio
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.clerks import Desk, head_of
from tests.bench.servers import Ours
from tests.bench.telling import ARRIVES_WITHIN_S, Exact, open_tabs, percentile
from tests.conftest import BROWSER_FLAGS, find_browser

PAUSE_S = 0.1
OPEN_WITHIN_S = 30
# How tabs know the numbers that are given: the first was given when the day was opened.
GIVEN = ("-A", "-K", "arrival", "-O", "1", "-m", '"type":"TicketIssued"')
# Resolved with the instant (epoch milliseconds) when what had changed of the sum of all who wait stood on the screen.
WATCH = """() => {
    window.painted = new Promise(done => {
        new MutationObserver((_, observer) => {
            observer.disconnect();
            requestAnimationFrame(() => setTimeout(() => done(performance.timeOrigin + performance.now())));
        }).observe(document.getElementById("sum"), { childList: true, characterData: true, subtree: true });
    });
}"""


@dataclass
class Painted:
    """Milliseconds from the press: the median of when the last tab had it, and when it was on the screen."""

    tabs_ms: float
    p50_ms: float
    p99_ms: float
    exact: Exact = field(default_factory=Exact)


def press_to_screen(server: Ours, program: Path, folder: Path, count: int, presses: int) -> Painted | None:
    """With `count` tabs of others at the same hub. None where there is no Chromium."""
    if find_browser() is None:
        return None
    with open_tabs(server, program, folder, count, GIVEN, is_told=False, is_polite=True) as tabs:
        tabs.go()
        instants, took_ms = asyncio.run(_pressed(server, presses))
        if not tabs.wait_for(presses, ARRIVES_WITHIN_S):
            raise RuntimeError("a press did not arrive everywhere")
        rows = tabs.end(presses, instants)
    last_ms = statistics.median(row.last for row in rows)
    painted = Painted(last_ms, percentile(took_ms, 0.5), percentile(took_ms, 0.99))
    painted.exact.add(tabs)
    return painted


async def _pressed(server: Ours, presses: int) -> tuple[dict[int, int], list[float]]:
    from playwright.async_api import async_playwright  # not for those who want other figures

    instants, took_ms = dict[int, int](), list[float]()
    desk = Desk(head_of(server), [])
    transport, _ = await asyncio.get_running_loop().create_connection(lambda: desk, "127.0.0.1", server.ports[0][1])
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_browser(), args=BROWSER_FLAGS)
        page = await browser.new_page(locale="ja-JP")
        await page.goto(f"http://127.0.0.1:{server.port}/", timeout=OPEN_WITHIN_S * 1000)
        for number in range(1, presses + 1):
            await page.evaluate(WATCH)
            pressed_ms, instants[number] = time.time_ns() / 1e6, time.monotonic_ns()
            desk.press(time.monotonic())
            await desk.heard()
            took_ms.append(await page.evaluate("window.painted") - pressed_ms)
            await asyncio.sleep(PAUSE_S)
        await browser.close()
    transport.abort()
    return instants, took_ms
