"""The ledger beside a busy store: every fact in it once and in order, and how soon."""

import json

from tests.bench.archiving import OFFERED_PER_S, archive

QUICK_S = 20.0
FULL_S = 120.0
ALARM_S = 60.0  # what a hub's `/ready` names a reason


def run(quick: bool) -> bool:
    """Print the table and the JSON line; True if every count that must be zero is zero and no alarm was raised."""
    seen = archive(QUICK_S if quick else FULL_S)
    rows = [
        (f"facts, {OFFERED_PER_S} a second offered", f"{seen.facts:,}"),
        ("  offered / archived a second", f"{seen.offered_per_s:,.0f} / {seen.archived_per_s:,.0f}"),
        ("  behind at most", f"{seen.behind_max:,} facts / {seen.lag_max_s:.2f} s"),
        ("  lost / doubled / out of order", f"{seen.lost} / {seen.doubled} / {seen.disordered}"),
    ]
    for name, figure in rows:
        print(f"{name:<56} {figure:>20}")
    figures = {
        "part": "ledger",
        "quick": quick,
        "facts": seen.facts,
        "offered_per_s": round(seen.offered_per_s, 1),
        "archived_per_s": round(seen.archived_per_s, 1),
        "behind_max": seen.behind_max,
        "lag_max_s": round(seen.lag_max_s, 3),
        "lost": seen.lost,
        "doubled": seen.doubled,
        "disordered": seen.disordered,
        "whole": seen.is_whole,
    }
    print(json.dumps(figures))
    return seen.is_whole and seen.lag_max_s <= ALARM_S and not (seen.lost or seen.doubled or seen.disordered)
