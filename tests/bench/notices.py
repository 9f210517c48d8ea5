"""Notices under fire: nothing lost, nothing told twice, and told in time."""

import json
import logging

import structlog

from hub.desk.notices import Carrier, NoticeState, Trigger
from tests.bench.mails import thousand_mails_s
from tests.bench.posting import Killing, Moods, Posted, post, share_of

RUSH = 505  # tickets: the call of each tells him and one more who is near by it, a thousand notices
FULL = Killing(days=5, kills=200, tickets=1_500, notices=10_000, rush=RUSH, at_most_s=420.0)
QUICK = Killing(days=1, kills=50, tickets=300, notices=500, rush=RUSH, at_most_s=120.0)
UNCERTAIN_PCT, NOW_DOUBLED = 1.0, 2
P50_S, P99_S, AFTER_KILL_S, THOUSAND_MAILS_S = 0.3, 2.0, 8.0, 10.0


def full_moods() -> Moods:
    """Ten minutes in which nobody takes anything, and one in which all are too busy."""
    return Moods(seconds=1_140.0, away=180.0, back=780.0, busy=900.0, calm=960.0)


def quick_moods() -> Moods:
    return Moods(seconds=80.0, away=25.0, back=40.0, busy=50.0, calm=56.0)


def run(quick: bool) -> bool:
    """Print the table and the JSON line; True if every figure is within what the product promises."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))  # a line for each mail
    mails_s = thousand_mails_s()
    killing, moods = (QUICK, quick_moods) if quick else (FULL, full_moods)
    posted, badly = post(killing, moods)
    figures = figures_of(posted, badly, mails_s)
    for name, figure in rows_of(posted, badly, mails_s):
        print(f"{name:<62} {figure:>28}")
    print(json.dumps({"part": "notices", "quick": quick, **figures}))
    return is_good(figures, killing)


def rows_of(posted: Posted, badly: Posted, mails_s: float) -> list[tuple[str, str]]:
    rows = [
        ("kill -9 of workers, hub, store and keeper in turn", f"{posted.kills:,}"),
        ("notices due by the facts: LINE / mail / telephone", " / ".join(f"{posted.of(one):,}" for one in Carrier)),
        ("  lost / doubled by LINE / near / now", _lost(posted)),
        ("  uncertain / lapsed / after the call", _unsent(posted)),
        ("  after the call, at most by", _late_by(posted)),
        (
            f"a thousand in ten seconds: press to acceptance, p50 / p99, of {len(posted.rush_s):,}",
            f"{share_of(posted.rush_s, 0.5):.3f} s / {share_of(posted.rush_s, 0.99):.3f} s",
        ),
        (
            "under fire: press to acceptance, p50 / p99",
            f"{share_of(posted.near_s, 0.5):.3f} s / {share_of(posted.near_s, 0.99):.3f} s",
        ),
    ]
    for carrier in Carrier:
        waits = posted.after_kill_s[carrier]
        rows += [
            (
                f"  {carrier}: after its worker was killed, p99 / longest, of {len(waits):,}",
                f"{share_of(waits, 0.99):.2f} s / {share_of(waits, 1.0):.2f} s",
            ),
            (f"  {carrier}: was being sent by one, and waited for its lease", f"{posted.leased[carrier]:,}"),
        ]
    return [
        *rows,
        ("carriers at their worst: due", f"{badly.due:,}"),
        ("  lost / doubled by LINE / near / now", _lost(badly)),
        ("  uncertain / refused / after the call", _unsent(badly, NoticeState.REFUSED)),
        ("  after the call, at most by", _late_by(badly)),
        ("a thousand mails by one worker over two connections", f"{mails_s:.1f} s"),
    ]


def _lost(posted: Posted) -> str:
    by_line, near = posted.doubled(carrier=Carrier.LINE), posted.doubled(Trigger.NEAR, Trigger.REGISTERED)
    return f"{len(posted.lost)} / {by_line} / {near} / {posted.doubled(Trigger.NOW)}"


def _unsent(posted: Posted, other: NoticeState = NoticeState.LAPSED) -> str:
    return f"{_uncertain_pct(posted):.2f} % / {posted.in_state(other)} / {len(posted.late_s)}"


def _late_by(posted: Posted) -> str:
    return f"{max(posted.late_s, default=0.0):.3f} s"


def _uncertain_pct(posted: Posted) -> float:
    return 100 * posted.in_state(NoticeState.UNCERTAIN) / max(1, posted.due)


def figures_of(posted: Posted, badly: Posted, mails_s: float) -> dict[str, float]:
    return {
        "kills": posted.kills,
        "notices": posted.due,
        **{f"notices_{carrier}": posted.of(carrier) for carrier in Carrier},
        "lost": len(posted.lost),
        "doubled_line": posted.doubled(carrier=Carrier.LINE),
        "doubled_near": posted.doubled(Trigger.NEAR, Trigger.REGISTERED),
        "doubled_now": posted.doubled(Trigger.NOW),
        "uncertain_pct": round(_uncertain_pct(posted), 3),
        "lapsed": posted.in_state(NoticeState.LAPSED),
        "late": len(posted.late_s),
        "late_by_s": round(max(posted.late_s, default=0.0), 3),
        "rush": len(posted.rush_s),
        "rush_p50_s": round(share_of(posted.rush_s, 0.5), 4),
        "rush_p99_s": round(share_of(posted.rush_s, 0.99), 4),
        "accept_p50_s": round(share_of(posted.near_s, 0.5), 4),
        "accept_p99_s": round(share_of(posted.near_s, 0.99), 4),
        **{f"after_kill_{one}_s": round(share_of(posted.after_kill_s[one], 1.0), 3) for one in Carrier},
        **{f"leased_{one}": posted.leased[one] for one in Carrier},
        "thousand_mails_s": round(mails_s, 2),
        "faults_due": badly.due,
        "faults_lost": len(badly.lost),
        "faults_doubled_line": badly.doubled(carrier=Carrier.LINE),
        "faults_doubled_near": badly.doubled(Trigger.NEAR, Trigger.REGISTERED),
        "faults_late": len(badly.late_s),
        "faults_late_by_s": round(max(badly.late_s, default=0.0), 3),
    }


def is_good(figures: dict[str, float], asked: Killing) -> bool:
    none = ("lost", "doubled_line", "doubled_near", "faults_lost", "faults_doubled_line", "faults_doubled_near")
    return (
        figures["kills"] >= asked.days * asked.kills
        and all(figures[f"notices_{one}"] >= asked.notices for one in Carrier)
        and not any(figures[one] for one in none)
        and figures["doubled_now"] <= NOW_DOUBLED
        and figures["uncertain_pct"] <= UNCERTAIN_PCT
        and figures["rush_p50_s"] <= P50_S
        and figures["rush_p99_s"] <= P99_S
        and all(figures[f"after_kill_{one}_s"] <= AFTER_KILL_S for one in Carrier)
        and figures["thousand_mails_s"] <= THOUSAND_MAILS_S
    )
