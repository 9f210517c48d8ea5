"""The browser's picture tells the same story as the Python screen, line by line of the golden transcripts."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.web.conftest import MakeSite
from tests.web.site import ORIGIN, snapshot
from tests.wire.transcripts import TRANSCRIPTS, golden

if TYPE_CHECKING:
    from playwright.async_api import Page

FOLLOW = """
async ({ from, told }) => {
  const { Picture } = await import(`${from}/picture.js`);
  const { WALL_FACTS } = await import(`${from}/walls.js`);
  const picture = new Picture(WALL_FACTS);
  const followed = JSON.parse(told).map((line) =>
    line.hear ? { as: picture.hear(line.hear) } : { know: picture.snapshot(), away: picture.isAway },
  );
  return JSON.stringify(followed);
}
"""


async def follow(page: "Page", lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the browser's picture did at each line. As text: Playwright would look at every value of a long day."""
    followed: list[dict[str, Any]] = json.loads(
        await page.evaluate(FOLLOW, {"from": f"{ORIGIN}/static", "told": json.dumps(lines)})
    )
    return followed


@pytest.mark.parametrize("name", TRANSCRIPTS)
async def test_the_browser_knows_what_a_fresh_snapshot_would_tell(name: str, site: MakeSite, page: "Page") -> None:
    await site(snapshot()).open("/")
    lines = golden(name)
    followed = await follow(page, lines)
    for number, (line, did) in enumerate(zip(lines, followed, strict=True), 1):
        line.pop("hear", None)
        assert did == line, f"line {number}"
