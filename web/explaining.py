"""Why a number was called when it was, in whole sentences: for staff at the desk, and for the report of a day."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hub.desk.chronicle import Chronicle, Fairness, Passing
from hub.desk.explanation import ACROSS, TO_STAFF, Placed, Reason
from hub.desk.hours import MINUTE_MS
from hub.desk.lane import Office
from web.times import moment

NAMED = 5  # numbers in one sentence; the rest are counted

IN_ITS_TURN = {
    Placed.BY_PRIORITY: "優先の番号として順番どおりです。",
    Placed.RETURNED: "不在から戻ったときの順番どおりです。",
    Placed.PUSHED_BACK: "ご希望で後にした順番どおりです。",
    Placed.TRANSFERRED: "転送されたときの順番どおりです。",
    Placed.READY: "交付の準備ができたときの順番どおりです。",
    Placed.CHECKED_IN: "受付順です（来庁の受付から）。",
}


def staff_lines(chronicle: Chronicle, arrival: int, office: Office) -> list[str]:
    """One sentence for each call of a ticket, and one for each reason for which others went before it."""
    lines = [_called(chronicle, place, office) for place in chronicle.calls_of(arrival)]
    by_reason: dict[Reason, list[Passing]] = {}
    for passing in chronicle.passed_by(arrival):
        by_reason.setdefault(passing.reason, []).append(passing)
    for reason, passings in by_reason.items():
        if reason in ACROSS:
            lines.append(f"別の業務の後の番号 {len(passings)} 件が先に呼ばれました（順番は業務ごとです）。")
        else:
            lines.append(f"{_numbers(passing.number for passing in passings)} が先に呼ばれました：{TO_STAFF[reason]}。")
    if not by_reason:
        lines.append("この番号より先に呼ばれた、後の番号はありません。")
    return lines


def _called(chronicle: Chronicle, place: int, office: Office) -> str:
    calling = chronicle.calls[place]
    call, minutes = calling.call, calling.waited_ms // MINUTE_MS
    where = next((counter.name for counter in office.counters if counter.key == call.counter), call.counter)
    what = f"{moment(calling.at).seconds} に{where}で呼び出し（{minutes} 分待ち）。"
    if call.is_taken_back:
        return f"{what}呼び間違いのため取り消しました。"
    if call.was_held:
        return f"{what}保留から再開しました。"
    passed = [passing for passing in chronicle.passed_at(place) if passing.reason not in ACROSS]
    if not passed:
        how = next((words for placed, words in IN_ITS_TURN.items() if placed in call.who.placed), "受付順です。")
        return f"{what}{how}"
    reasons: dict[Reason, list[int]] = {}
    for passing in passed:
        reasons.setdefault(passing.reason, []).append(passing.passed)
    told = "、".join(
        f"{_numbers(chronicle.numbers[arrival] for arrival in arrivals)} より先（{TO_STAFF[reason]}）"
        for reason, arrivals in reasons.items()
    )
    chosen = next((f"理由は「{reason.name}」。" for reason in office.reasons if reason.key == call.chosen), "")
    return f"{what}{told}。{chosen}"


def _numbers(numbers: Iterable[str]) -> str:
    named = list(dict.fromkeys(numbers))
    more = f" ほか {len(named) - NAMED} 件" if len(named) > NAMED else ""
    return "、".join(named[:NAMED]) + more


@dataclass(frozen=True, slots=True)
class PassedRow:
    """One number that was passed within its lane: `by` says by whom and why, `count` how often."""

    number: str
    count: int
    by: tuple[tuple[str, str], ...]  # reason, numbers


@dataclass(frozen=True, slots=True)
class FairnessView:
    """A day's report in words."""

    day: str
    calls: int
    waited: int
    unexplained: int
    across: int
    reasons: tuple[tuple[str, int], ...]
    rows: tuple[PassedRow, ...]

    @classmethod
    def of(cls, day: str, chronicle: Chronicle, fairness: Fairness) -> "FairnessView":
        rows = [
            PassedRow(chronicle.numbers[arrival], len(passings), _by(passings))
            for arrival, passings in fairness.passings.items()
        ]
        within = Counter({reason: count for reason, count in fairness.reasons.items() if reason not in ACROSS})
        return cls(
            day=day,
            calls=fairness.calls,
            waited=fairness.waited,
            unexplained=fairness.unexplained,
            across=sum(fairness.reasons.values()) - within.total(),
            reasons=tuple((TO_STAFF[reason], count) for reason, count in within.most_common()),
            rows=tuple(sorted(rows, key=lambda row: -row.count)),
        )


def _by(passings: Sequence[Passing]) -> tuple[tuple[str, str], ...]:
    by: dict[Reason, list[str]] = {}
    for passing in passings:
        by.setdefault(passing.reason, []).append(passing.number)
    return tuple((TO_STAFF[reason], _numbers(numbers)) for reason, numbers in by.items())


def fairness_json(day: str, chronicle: Chronicle, fairness: Fairness) -> dict[str, Any]:
    """The same for a program: every passing within a lane with its reason, and nothing about anybody."""
    return {
        "day": day,
        "calls": fairness.calls,
        "waited": fairness.waited,
        "unexplained": fairness.unexplained,
        "reasons": {str(reason): count for reason, count in sorted(fairness.reasons.items())},
        "passed": [
            {
                "number": chronicle.numbers[arrival],
                "by": [
                    {"number": passing.number, "counter": passing.counter, "at": passing.at, "reason": passing.reason}
                    for passing in passings
                ],
            }
            for arrival, passings in fairness.passings.items()
        ],
    }
