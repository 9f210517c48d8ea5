"""The desk under fire: nothing called twice, nothing lost, nothing out of order, everything explained."""

import json
from typing import Any

from tests.bench.pressing import COUNTERS, press
from tests.bench.storm import SPEED, TICKETS, storm

DAY_ZEROS = ("doubled", "lost", "disordered", "unexplained")
DAY_COUNTS = ("tickets", "screens", "screens_equal")

CALLS = 10_000
QUICK_CALLS = 2_000


def run(quick: bool) -> bool:
    """Print the table and the JSON line; True if every count that must be zero is zero."""
    pressed = press(QUICK_CALLS if quick else CALLS)
    stormy = storm()
    day = _counts(stormy.report)
    rows = [
        ("calls from 20 counters, every 5th answer lost on two wires", f"{len(pressed.facts):,}"),
        ("  answers lost", f"{pressed.lost_replies:,}"),
        ("  calls a second", f"{len(pressed.facts) / pressed.seconds:,.0f}"),
        ("  called twice / lost / out of order", f"{pressed.double_calls} / {pressed.lost} / {pressed.disordered}"),
        (f"peak day at {SPEED}x: tickets", f"{day['tickets']} of {TICKETS}"),
        ("  kill -9 of hub and store in turn", f"{stormy.kills}"),
        ("  doubled / lost / out of order / unexplained", " / ".join(str(day[key]) for key in DAY_ZEROS)),
        ("  screens that equal a fresh snapshot", f"{day['screens_equal']} of {day['screens']}"),
    ]
    for name, figure in rows:
        print(f"{name:<62} {figure:>14}")
    sums = {
        "double_calls": pressed.double_calls + day["doubled"],
        "lost": pressed.lost + day["lost"],
        "disordered": pressed.disordered + day["disordered"],
        "unexplained": day["unexplained"],
    }
    figures = {
        "part": "desk",
        "quick": quick,
        "tickets": pressed.tickets + day["tickets"],
        **sums,
        "counters": COUNTERS,
        "answers_lost": pressed.lost_replies,
        "kills": stormy.kills,
        "screens": day["screens"],
        "screens_equal": day["screens_equal"],
    }
    print(json.dumps(figures))
    return not any(sums.values()) and stormy.exit_code == 0


def _counts(report: dict[str, Any]) -> dict[str, int]:
    """The day's figures. Raises RuntimeError where one is missing: a day that was not measured is no success."""
    counts = {key: report.get(key) for key in (*DAY_ZEROS, *DAY_COUNTS)}
    if missing := [key for key, count in counts.items() if type(count) is not int or count < 0]:
        raise RuntimeError(f"the report of the day lacks {', '.join(missing)}: {report}")
    return {key: int(report[key]) for key in counts}
