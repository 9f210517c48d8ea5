"""What a visitor sees on a page and does with its keys. Waiting is always for something to be seen."""

from typing import TYPE_CHECKING

from tests.eventually import WITHIN_S, eventually

if TYPE_CHECKING:
    from playwright.async_api import Page

TWO_BEATS_SECONDS = 20


async def text(page: "Page", selector: str) -> str:
    return " ".join(await page.locator(selector).all_inner_texts())


async def sees(page: "Page", selector: str, *words: str, within_s: float = WITHIN_S) -> None:
    """Wait until all the words stand there."""

    async def seen() -> bool:
        shown = await text(page, selector)
        assert all(word in shown for word in words), f"{selector}: {shown!r}"
        return True

    await eventually(seen, within_s)


async def press(page: "Page", key: str) -> None:
    """Press a key of the desk once the last request is answered: until then the desk takes no further press."""

    async def idle() -> bool:
        return await page.locator("[data-action][aria-busy]").count() == 0

    await eventually(idle)
    await page.keyboard.press(key)


async def warns(page: "Page") -> bool:
    """Does the page say that it is not up to date?"""
    banner = page.locator("#banner")
    return await banner.is_visible() and bool(await banner.inner_text())


async def comes_to_warn(page: "Page") -> None:
    async def warned() -> bool:
        return await warns(page)

    await eventually(warned, TWO_BEATS_SECONDS + WITHIN_S)


async def comes_to_itself(page: "Page") -> None:
    async def silent() -> bool:
        return not await warns(page)

    await eventually(silent)
