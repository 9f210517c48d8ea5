"""What `junban ledger` does: find whether the chain was touched, and write it out for others to see."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from config.commands.asking import Say
from config.ledger import LedgerSettings
from hub.desk.lane import Office
from hub.ledger.connection import LedgerUnusable
from hub.ledger.export import VERIFIER, export
from hub.ledger.heads import Head, read_head, read_key
from hub.ledger.journal import Author, tokyo_day
from hub.ledger.retention import close_before, kept_from
from hub.ledger.taken import WHOLE, note_taken
from hub.ledger.verifying import Verdict, verify


def run_verify(
    settings: LedgerSettings, office: Office, say: Say, *, head: Path | None, key: Path | None, as_json: bool
) -> bool:
    """Whether the chain is whole, also against `head`, whose signature `key` verifies.

    Raises WrongHead, LedgerUnusable.
    """
    signed = read_head(head, read_key(key)) if head and key else None
    if signed is not None and signed.office != office.key:
        raise LedgerUnusable(f"先頭値は別の窓口課（{signed.office}）のものです。JUNBAN_OFFICE を確かめてください。")
    ledger = settings.open_existing(office.key)
    try:
        heads = [kept[:3] for kept in ledger.heads()]
        if signed is not None:
            heads.append((signed.day, signed.seq, signed.hash))
        verdict = verify(ledger, heads)
    finally:
        ledger.close()
    if signed is not None and not verdict.compares(signed.seq):
        # Nothing of it was seen: to say that it agrees would cover for whoever closed a segment to hide it.
        verdict.blame(signed.seq, f"{signed.day} の記録は保存期間が終わったとして閉じられ、先頭値と比べられません。")
    say(json.dumps(_figures(verdict, signed), ensure_ascii=False) if as_json else _sentence(verdict, signed))
    return verdict.is_whole


def run_export(
    settings: LedgerSettings, office: Office, say: Say, by: Author, *, to: Path, now_ms: int, as_json: bool
) -> None:
    """Raises OSError, LedgerUnusable."""
    ledger = settings.open_existing(office.key)
    try:
        note_taken(ledger, WHOLE, by, now_ms)
        count = export(ledger, to)
    finally:
        ledger.close()
    if as_json:
        say(json.dumps({"ok": True, "count": count, "file": str(to)}, ensure_ascii=False))
    else:
        say(f"台帳の {count} 件を {to} に書き出しました（python3 -I -S {VERIFIER} {to.name} で確かめられます）。")


def run_close(
    settings: LedgerSettings, office: Office, say: Say, by: Author, *, years: int, now_ms: int, as_json: bool
) -> None:
    """Close what is older than so many years. Raises NotWhole, LedgerUnusable."""
    ledger, today = settings.open_existing(office.key), tokyo_day(now_ms)
    try:
        segment = close_before(ledger, kept_from(today, years), today=today, at=now_ms, by=by)
    finally:
        ledger.close()
    if as_json:
        say(json.dumps({"ok": True, "closed": segment and asdict(segment)}, ensure_ascii=False))
    elif segment is None:
        say(f"保存期間（{years} 年）を過ぎた記録はありません。")
    else:
        say(
            f"{segment.first_day} から {segment.last_day} までの {segment.count} 件を閉じました。"
            "件数と最後のハッシュ値だけが台帳に残ります。"
        )


def _figures(verdict: Verdict, signed: Head | None) -> dict[str, Any]:
    return {
        "ok": verdict.is_whole,
        "count": verdict.count,
        "first": verdict.first,
        "last": verdict.last,
        "hash": verdict.hash,
        "head": signed and asdict(signed),
        "faults": [asdict(fault) for fault in verdict.faults],
    }


def _sentence(verdict: Verdict, signed: Head | None) -> str:
    if verdict.faults:
        first = verdict.faults[0]
        return f"台帳に誤りがあります（{first.seq} 番: {first.why.rstrip('。')}。ほか {len(verdict.faults) - 1} 件）。"
    against = f"、{signed.day} の署名した先頭値とも一致" if signed else ""
    return f"台帳に誤りはありません（{verdict.count} 件、最後は {verdict.last} 番 {verdict.hash}{against}）。"
