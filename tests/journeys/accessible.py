"""What axe, as axe-playwright-python carries it, says of a page under WCAG 2.2 A and AA."""

import re
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.async_api import Page

_found = find_spec("axe_playwright_python")
assert _found is not None
AXE = Path(_found.origin or "").with_name("axe.min.js")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# What axe cannot decide by itself: what its line looks like → why it is no matter here.
UNDECIDED = {
    r"color-contrast .*\.mark\[aria-hidden=.*non-text characters": "○ ◇ ！ stand before words that say the same",
    r"color-contrast \.arrow: .*non-text characters": "→ stands between a number and its counter, which say it alone",
    r"color-contrast \.counter > span.*partially obscured by another element": (
        "on the wall the line of the giant number reaches into the strip below; ink on pale yellow is beyond 10:1"
    ),
    r"color-contrast li\[data-key=.*\] > \.number\.fit > span.*partially obscured by another element": (
        "the line of a missed number reaches a hair into the time below it; ink on paper, beyond 10:1"
    ),
}
_ASK = """async (tags) => {
  const found = await axe.run(document, { runOnly: { type: "tag", values: tags } });
  const told = (results) => results.flatMap(({ id, nodes }) =>
    nodes.map(({ target, any, all, none }) =>
      `${id} ${target.join(" ")}: ${[...any, ...all, ...none].map(({ message }) => message).join("; ")}`));
  return { rules: found.passes.length, violations: told(found.violations), incomplete: told(found.incomplete) };
}"""


async def assert_accessible(page: "Page") -> None:
    """Nothing is against a rule, and nothing is left undecided but what `UNDECIDED` explains."""
    # Evaluated by the driver: the pages' Content-Security-Policy rightly keeps a foreign <script> out.
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    found: dict[str, Any] = await page.evaluate(_ASK, TAGS)
    told = [f"against a rule: {line}" for line in found["violations"]]
    left = [line for line in found["incomplete"] if not any(re.match(known, line) for known in UNDECIDED)]
    told += [f"undecided: {line}" for line in left]
    assert told == [], "\n".join([page.url, *told])
    assert found["rules"] > 5, "axe looked at something"
