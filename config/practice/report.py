"""What is said while a day runs and after it: a bar on a terminal, plain lines elsewhere, a report, an object."""

import json
from collections.abc import Callable
from dataclasses import asdict
from time import monotonic
from typing import Any, Protocol

from config.practice.clock import as_clock
from config.practice.driver import Outcome
from config.practice.floor import Tally

PLAIN_EVERY_S = 10.0
BAR = 30
COMPLAINTS_SHOWN = 20

NAMES = {
    "tickets": "発券",
    "calls": "呼び出し",
    "recalls": "再呼び出し",
    "calls_shown": "表示を確かめた呼び出し",
    "passed": "受付順と違う順番（理由あり）",
    "served": "終了",
    "absent": "不在",
    "returned": "不在からの復帰",
    "cancelled": "取り消し",
    "transferred": "転送",
    "chosen": "順番より先の呼び出し",
    "taken_back": "取り消した呼び出し",
    "held": "保留",
    "reviewed": "審査へ",
    "ready": "交付へ",
    "pushed_back": "後の順番へ",
    "lapsed": "期限切れ・受付終了",
    "closed_out": "閉庁で終了",
    "turned_away": "発券できず",
    "strangers": "ほかの方の番号",
    "unheard": "画面に届かなかった動き",
    "repeats": "送り直した要求",
    "contacts": "連絡先の登録",
    "contacts_refused": "連絡先を登録できず",
    "notices_due": "出すべきお知らせ",
    "notices_arrived": "届いたお知らせ",
    "notices_lapsed": "間に合わず出さなかったお知らせ",
    "notices_uncertain": "届いたか分からないお知らせ",
    "notices_again": "念のため送り直したお知らせ",
    "notices_late": "遅れて届いたお知らせ",
    "notices_doubled": "二重に届いたお知らせ",
    "notices_lost": "失われたお知らせ",
    "lost": "失われた番号",
    "doubled": "二重",
    "disordered": "順番の乱れ",
    "unexplained": "説明できない動き",
    "screens": "画面",
    "screens_equal": "正しい画面",
}


class Paper(Protocol):
    """Where progress goes: a terminal or a file."""

    def isatty(self) -> bool: ...
    def write(self, text: str, /) -> int: ...
    def flush(self) -> None: ...


class ProgressBar:
    """Office time, and how many numbers were given, called and served."""

    def __init__(self, out: Paper, now: Callable[[], float] = monotonic) -> None:
        self._out, self._now = out, now
        self._is_terminal = out.isatty()
        self._told_at: float | None = None

    def __call__(self, office_second: float, tally: Tally, customers: int) -> None:
        counts = f"発券 {tally.issued}/{customers}  呼び出し {tally.called}  終了 {tally.served}"
        if self._is_terminal:
            full = BAR * tally.issued // max(1, customers)
            self._out.write(f"\r\x1b[K{as_clock(office_second)}  [{'#' * full}{'.' * (BAR - full)}]  {counts}")
            self._out.flush()
        elif self._told_at is None or self._now() - self._told_at >= PLAIN_EVERY_S:
            self._told_at = self._now()
            self._out.write(f"{as_clock(office_second)}  {counts}\n")
            self._out.flush()

    def end(self) -> None:
        if self._is_terminal:
            self._out.write("\n")


def as_fields(outcome: Outcome) -> dict[str, Any]:
    """The day as one object of counts."""
    counts = asdict(outcome.findings)
    complaints = counts.pop("complaints")
    screens = [f"{screen.address}: {screen.why}" for screen in outcome.screens if screen.why]
    return {
        "ok": outcome.is_good,
        "day": outcome.day,
        **counts,
        "contacts_left_out": outcome.contacts_left_out,
        "screens": len(outcome.screens),
        "screens_equal": outcome.screens_equal,
        "repeats": outcome.repeats,
        "joins": outcome.joins,
        "seconds": round(outcome.seconds, 1),
        "cpu_seconds": round(outcome.cpu_seconds, 1),
        "complaints": [*complaints, *screens][:COMPLAINTS_SHOWN],
    }


def as_json(outcome: Outcome) -> str:
    return json.dumps(as_fields(outcome), ensure_ascii=False)


def as_text(outcome: Outcome) -> str:
    """A table for people, complaints below it."""
    fields = as_fields(outcome)
    lines = [f"模擬の一日 {outcome.day}（{outcome.seconds:.0f} 秒、CPU {outcome.cpu_seconds:.0f} 秒）"]
    lines += [f"  {name}: {fields[key]}" for key, name in NAMES.items()]
    if outcome.contacts_left_out:
        lines.append(f"  受信箱がないため、{outcome.contacts_left_out} 人の連絡先は登録していません（--inbox）。")
    lines += [f"  × {complaint}" for complaint in fields["complaints"]]
    lines.append("すべての検査に合格しました。" if outcome.is_good else "検査に合格しませんでした。")
    return "\n".join(lines)
