"""The page of a counter on a site whose hub is a script: what it shows, and what staff ask by it."""

import re
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from hub.wire import messages as m
from tests.web.site import AT, Site, snapshot

if TYPE_CHECKING:
    from playwright.async_api import Page

CURRENT = {"arrival": 100, "number": "A101", "counter": "1"}  # what counter 1 has in these stories


async def at_counter(site: Site, counter: int = 1) -> None:
    await site.page.clock.install(time=AT)
    await site.open(f"/desk?counter={counter}")


def without_id(asked: dict[str, Any]) -> dict[str, Any]:
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", asked["id"])
    return {name: value for name, value in asked.items() if name != "id"}


def busy(**changes: Any) -> m.Snapshot:
    return snapshot(calls=1, missed=2, waiting=3, topic="desk", **changes)


def full() -> m.Snapshot:
    """Besides, two are held, one is in the back office, a lane is paused, and a reason may be given."""
    whole = busy(
        held=[m.AsideNumber(40, "B240", "moves", "1"), m.AsideNumber(43, "A243", "certificates", "1")],
        in_review=[m.AsideNumber(41, "A241", "certificates", "3")],
        reasons=[m.Reason("health", "体調がすぐれない"), m.Reason("papers", "書類の確認")],
        pause_reasons=[m.Reason("system", "システム障害")],
        priorities=[m.PriorityClass("care", "優先", ["desk"])],
        rules=m.DeskRules(2, 20, 45),
    )
    certificates, moves, seal = whole.lanes
    queue = [replace(each, since=AT - 50 * 60_000) for each in certificates.queue or []]
    lanes = [replace(certificates, queue=queue, delivery="seal"), replace(moves, paused=True, reason="system"), seal]
    return replace(whole, lanes=lanes)


async def focused(page: "Page") -> str:
    """Id of what has the focus, or its last word."""
    found: str = await page.evaluate("() => document.activeElement.id || document.activeElement.lastChild.textContent")
    return found.strip()
