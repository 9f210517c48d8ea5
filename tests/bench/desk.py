"""The desk under fire: nothing called twice, nothing lost, nothing out of order, everything explained."""

import json

from tests.bench.pressing import COUNTERS, press
from tests.bench.storm import SPEED, TICKETS, storm

CALLS = 10_000
QUICK_CALLS = 2_000


def run(quick: bool) -> bool:
    """Print the table and the JSON line; True if every count that must be zero is zero."""
    pressed = press(QUICK_CALLS if quick else CALLS)
    stormy = storm()
    day = stormy.report
    rows = [
        ("calls from 20 counters, every 5th answer lost on two wires", f"{len(pressed.facts):,}"),
        ("  answers lost", f"{pressed.lost_replies:,}"),
        ("  calls a second", f"{len(pressed.facts) / pressed.seconds:,.0f}"),
        ("  called twice / lost / out of order", f"{pressed.double_calls} / {pressed.lost} / {pressed.disordered}"),
        (f"peak day at {SPEED}x: tickets", f"{day.get('tickets')} of {TICKETS}"),
        ("  kill -9 of hub and store in turn", f"{stormy.kills}"),
        ("  doubled / lost / out of order / unexplained", " / ".join(str(day.get(key)) for key in DAY_ZEROS)),
        ("  screens that equal a fresh snapshot", f"{day.get('screens_equal')} of {day.get('screens')}"),
    ]
    for name, figure in rows:
        print(f"{name:<62} {figure:>14}")
    sums = {
        "double_calls": pressed.double_calls + int(day.get("doubled", -1)),
        "lost": pressed.lost + int(day.get("lost", -1)),
        "disordered": pressed.disordered + int(day.get("disordered", -1)),
        "unexplained": int(day.get("unexplained", -1)),
    }
    figures = {
        "part": "desk",
        "quick": quick,
        "tickets": pressed.tickets + int(day.get("tickets", 0)),
        **sums,
        "counters": COUNTERS,
        "answers_lost": pressed.lost_replies,
        "kills": stormy.kills,
        "screens": day.get("screens"),
        "screens_equal": day.get("screens_equal"),
    }
    print(json.dumps(figures))
    return not any(sums.values()) and stormy.exit_code == 0


DAY_ZEROS = ("doubled", "lost", "disordered", "unexplained")
