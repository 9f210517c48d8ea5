"""Notices under fire: nothing lost, nothing told twice, and told in time."""

import json

from hub.desk.notices import NoticeState
from tests.bench.posting import post

QUICK_S = 180.0
FULL_S = 900.0


def run(quick: bool) -> bool:
    """Print the table and the JSON line; True if every count that must be zero is zero."""
    posted = post(QUICK_S if quick else FULL_S)
    uncertain = 100 * posted.in_state(NoticeState.UNCERTAIN) / max(1, posted.due)
    p50, p99 = posted.wait_s(0.50), posted.wait_s(0.99)
    rows = [
        ("kill -9 of worker, hub and store in turn", f"{posted.kills}"),
        ("notices by e-mail that were due by the facts", f"{posted.due:,}"),
        ("  lost / doubled", f"{posted.lost} / {posted.doubled}"),
        (
            "  uncertain / lapsed / after the call",
            f"{uncertain:.2f} % / {posted.in_state(NoticeState.LAPSED)} / {posted.late}",
        ),
        ("press to acceptance, p50 / p99", f"{p50:.3f} s / {p99:.3f} s"),
    ]
    for name, figure in rows:
        print(f"{name:<56} {figure:>20}")
    figures = {
        "part": "notices",
        "quick": quick,
        "kills": posted.kills,
        "notices": posted.due,
        "lost": posted.lost,
        "doubled_line": None,
        "doubled_near": posted.doubled,
        "doubled_now": None,
        "uncertain_pct": round(uncertain, 3),
        "lapsed": posted.in_state(NoticeState.LAPSED),
        "late": posted.late,
        "accept_p50_s": round(p50, 4),
        "accept_p99_s": round(p99, 4),
        "thousand_mails_s": None,
    }
    print(json.dumps(figures))
    return posted.due > 0 and not (posted.lost or posted.doubled)
