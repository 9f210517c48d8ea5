"""Notices under fire: nothing lost, nothing told twice, and told in time."""

import json

from hub.desk.notices import Carrier, NoticeState, Trigger
from tests.bench.mails import thousand_mails_s
from tests.bench.posting import post

QUICK_S = 180.0
FULL_S = 4_000.0  # ten thousand notices a carrier
FAULTS_QUICK_S, FAULTS_FULL_S = 60.0, 3_000.0  # a fifth of it nobody is there to take anything


def run(quick: bool) -> bool:
    """Print the table and the JSON line; True if every count that must be zero is zero."""
    mails_s = thousand_mails_s()
    posted = post(QUICK_S if quick else FULL_S)
    badly = post(FAULTS_QUICK_S if quick else FAULTS_FULL_S, kills=False, faults=True)
    uncertain = 100 * posted.in_state(NoticeState.UNCERTAIN) / max(1, posted.due)
    p50, p99 = posted.wait_s(0.50), posted.wait_s(0.99)
    by_line = posted.doubled(carrier=Carrier.LINE)
    near = posted.doubled(Trigger.NEAR, Trigger.REGISTERED)
    now = posted.doubled(Trigger.NOW)
    rows = [
        ("kill -9 of workers, hub, store and keeper in turn", f"{posted.kills}"),
        (
            "notices due by the facts: LINE / mail / telephone",
            " / ".join(f"{posted.of(carrier):,}" for carrier in Carrier),
        ),
        ("  lost / doubled by LINE / near / now", f"{len(posted.lost)} / {by_line} / {near} / {now}"),
        (
            "  uncertain / lapsed / after the call",
            f"{uncertain:.2f} % / {posted.in_state(NoticeState.LAPSED)} / {posted.late}",
        ),
        ("press to acceptance, p50 / p99", f"{p50:.3f} s / {p99:.3f} s"),
        ("carriers at their worst: due", f"{badly.due:,}"),
        (
            "  lost / doubled by LINE / near / now",
            f"{len(badly.lost)} / {badly.doubled(carrier=Carrier.LINE)} / {badly.doubled(Trigger.NEAR)} / "
            f"{badly.doubled(Trigger.NOW)}",
        ),
        (
            "  uncertain / refused / after the call",
            f"{badly.in_state(NoticeState.UNCERTAIN)} / {badly.in_state(NoticeState.REFUSED)} / {badly.late}",
        ),
        ("a thousand mails by one worker over two connections", f"{mails_s:.1f} s"),
    ]
    for name, figure in rows:
        print(f"{name:<56} {figure:>28}")
    figures = {
        "part": "notices",
        "quick": quick,
        "kills": posted.kills,
        "notices": posted.due,
        "lost": len(posted.lost),
        "doubled_line": by_line,
        "doubled_near": near,
        "doubled_now": now,
        "uncertain_pct": round(uncertain, 3),
        "lapsed": posted.in_state(NoticeState.LAPSED),
        "late": posted.late,
        "accept_p50_s": round(p50, 4),
        "accept_p99_s": round(p99, 4),
        "thousand_mails_s": round(mails_s, 2),
        "faults_due": badly.due,
        "faults_lost": len(badly.lost),
        "faults_doubled_line": badly.doubled(carrier=Carrier.LINE),
        "faults_doubled_near": badly.doubled(Trigger.NEAR),
        "faults_late": badly.late,
    }
    print(json.dumps(figures))
    return posted.due > 0 and not (posted.lost or by_line or near or badly.lost or figures["faults_doubled_line"])
