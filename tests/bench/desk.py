"""The desk under fire: nothing called twice, nothing lost, nothing out of order, everything explained."""

import json
from statistics import median
from typing import Any

from tests.bench.everything import KILL_EVERY_S, press_everything
from tests.bench.judging import judge
from tests.bench.line import FEW, MANY, next_costs
from tests.bench.pressing import COUNTERS, press
from tests.bench.storm import SPEED, TICKETS, storm

ZEROS = ("double_calls", "lost", "disordered", "unexplained")
DAY_ZEROS = ("doubled", "lost", "disordered", "unexplained")
DAY_COUNTS = ("tickets", "screens", "screens_equal")

CALLS = 10_000
QUICK_CALLS = 1_000
MEASURED = 2_000
QUICK_MEASURED = 500
AT_MOST_RATIO = 1.2  # whoever presses does not notice how many wait
AT_MOST_P99_MS = 5.0


def run(quick: bool) -> bool:
    """Print the table and the JSON line; True if every count that must be zero is zero and `next` costs no more."""
    cost = next_costs(QUICK_MEASURED if quick else MEASURED)
    told = press_everything()
    everything = judge(told)
    for complaint in everything.complaints[:20]:
        print(complaint)
    pressed = press(QUICK_CALLS if quick else CALLS)
    stormy = storm()
    day = _counts(stormy.report)
    rows = [
        (f"peak day, {COUNTERS} counters press everything: facts", f"{len(told.facts):,}"),
        ("  tickets / calls", f"{everything.tickets:,} / {everything.calls:,}"),
        ("  answers lost / presses refused", f"{told.lost_replies:,} / {told.refused:,}"),
        (f"  hub killed, every {KILL_EVERY_S:.0f} s", f"{told.kills}"),
        (
            "  called twice / lost / out of order / unexplained",
            " / ".join(str(getattr(everything, key)) for key in ZEROS),
        ),
        (f"next in the store, {FEW:,} and {MANY:,} waiting: median", f"{median(cost.few)} / {median(cost.many)} us"),
        ("  ratio / p99", f"{cost.ratio:.3f} / {cost.p99_ms:.2f} ms"),
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
        "double_calls": everything.double_calls + pressed.double_calls + day["doubled"],
        "lost": everything.lost + pressed.lost + day["lost"],
        "disordered": everything.disordered + pressed.disordered + day["disordered"],
        "unexplained": everything.unexplained + day["unexplained"],
    }
    figures = {
        "part": "desk",
        "quick": quick,
        "tickets": everything.tickets + pressed.tickets + day["tickets"],
        **sums,
        "counters": COUNTERS,
        "answers_lost": told.lost_replies + pressed.lost_replies,
        "kills": told.kills + stormy.kills,
        "next_ratio": round(cost.ratio, 3),
        "next_p99_ms": round(cost.p99_ms, 3),
        "screens": day["screens"],
        "screens_equal": day["screens_equal"],
    }
    print(json.dumps(figures))
    is_flat = cost.ratio <= AT_MOST_RATIO and cost.p99_ms <= AT_MOST_P99_MS
    return not any(sums.values()) and stormy.exit_code == 0 and is_flat


def _counts(report: dict[str, Any]) -> dict[str, int]:
    """The day's figures. Raises RuntimeError where one is missing: a day that was not measured is no success."""
    counts = {key: report.get(key) for key in (*DAY_ZEROS, *DAY_COUNTS)}
    if missing := [key for key, count in counts.items() if type(count) is not int or count < 0]:
        raise RuntimeError(f"the report of the day lacks {', '.join(missing)}: {report}")
    return {key: int(report[key]) for key in counts}
