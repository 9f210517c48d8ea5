"""An office for each journey, and as many visitors as it needs."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.journeys.ward import Ward, ward_running

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

Open = Callable[[str], Awaitable["Page"]]
LetIn = Callable[["Page | BrowserContext", str], Awaitable[None]]


@pytest.fixture
async def ward(tmp_path: Path) -> AsyncIterator[Ward]:
    async with ward_running(tmp_path) as ward:
        yield ward


@pytest.fixture
async def open_page(browser: "Browser") -> AsyncIterator[Open]:
    """Opens an address in a browser of its own; what a page throws or logs as an error fails the journey."""
    contexts, complaints = [], list[str]()

    async def open_page(address: str) -> "Page":
        context = await browser.new_context(
            locale="ja-JP", timezone_id="Asia/Tokyo", viewport={"width": 1920, "height": 1080}
        )
        contexts.append(context)
        page = await context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto(address)
        return page

    yield open_page
    for context in contexts:
        await context.close()
    assert complaints == []
