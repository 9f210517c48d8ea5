"""An office for each journey, and as many visitors as it needs."""

from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import pytest

from tests.conftest import PATIENCE_MS
from tests.doors import Doors
from tests.journeys.ward import Ward, ward_running

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, Page


class Open(Protocol):
    """Opens an address in a browser of its own; `doors`: of the office, for pages that are not open to all."""

    def __call__(self, address: str, doors: Doors | None = None) -> Awaitable["Page"]: ...


@pytest.fixture
async def ward(tmp_path: Path) -> AsyncIterator[Ward]:
    async with ward_running(tmp_path) as ward:
        yield ward


@pytest.fixture
async def open_page(browser: "Browser") -> AsyncIterator[Open]:
    """What a page throws fails the journey, and so does a header that the browser does not understand."""
    contexts, complaints = [], list[str]()

    async def open_page(address: str, doors: Doors | None = None) -> "Page":
        context = await browser.new_context(
            locale="ja-JP", timezone_id="Asia/Tokyo", viewport={"width": 1920, "height": 1080}
        )
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        if doors is not None:
            await let_in(context, address, doors)
        page = await context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if "header" in said.text else None)
        await page.goto(address)
        return page

    yield open_page
    for context in contexts:
        await context.close()
    assert complaints == []


async def let_in(context: "BrowserContext", address: str, doors: Doors) -> None:
    """The cookie of who may open this page: a clerk's session, or the wall's own."""
    parts = urlsplit(address)
    await context.add_cookies([doors.cookie(f"{parts.scheme}://{parts.netloc}", parts.path)])
