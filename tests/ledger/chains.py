"""Chains to be touched: how they come to be, how one is forged, and what both verifiers say."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.desk.facts import DayClosed, DayOpened, Fact, TicketCalled, TicketIssued
from hub.ledger.connection import transaction
from hub.ledger.export import VERIFIER, export
from hub.ledger.heads import SUFFIX, Head, write_head
from hub.ledger.operations import Ledger, Stream, genesis, link
from hub.ledger.tables import CHAINS, OPERATIONS

DAY = "2026-11-24"
PAGE = 1000
NOON = 1_795_489_200_000


def facts_of(day: str, count: int) -> list[tuple[str, Fact]]:
    """A whole day of so many facts, as its stream has them."""
    facts: list[Fact] = [DayOpened(at=NOON, who="hub", request="", day=day)]
    for n in range(1, count - 1):
        stamp: dict[str, Any] = {"at": NOON + n, "who": "staff:suzuki", "request": f"request-{n}"}
        ticket: dict[str, Any] = {"arrival": n // 2, "number": f"A{n // 2 % 1000}", "lane": "certificates"}
        if n % 2:
            facts.append(TicketIssued(**stamp, **ticket, rank=n << 20, source="kiosk"))
        else:
            facts.append(TicketCalled(**stamp, **ticket, counter="2"))
    facts.append(DayClosed(at=NOON + count, who="hub", request="", day=day))
    return [(f"{NOON + n}-0", fact) for n, fact in enumerate(facts)]


def keep(ledger: Ledger, day: str, count: int) -> None:
    """A day as the archiver adds it."""
    facts, stream = facts_of(day, count), Stream()
    for first in range(0, count, PAGE):
        page = facts[first : first + PAGE]
        last = first + len(page)
        stream = ledger.append(day, stream, page, accounted=last, removed=0, is_last=last == count)


def sign(ledger: Ledger, folder: Path, key: Ed25519PrivateKey) -> Path:
    """The head of the last day that is over, handed out; gives its file."""
    name = ""
    for day, seq, last_hash, count in ledger.heads_due():
        head = Head(ledger.office, day, seq, last_hash, count)
        signature = write_head(folder, head, key)
        ledger.keep_head(day, seq, last_hash, count, signature.hex())
        name = f"{ledger.office}-{day}{SUFFIX}"
    return folder / name


def rows_of(ledger: Ledger) -> list[dict[str, Any]]:
    with transaction(ledger.engine, writes=False) as connection:
        mine = sa.select(OPERATIONS).where(OPERATIONS.c.office == ledger.office).order_by(OPERATIONS.c.seq)
        return [dict(row) for row in connection.execute(mine).mappings()]


@contextmanager
def forged(ledger: Ledger, rows: list[dict[str, Any]], *, end: bool = False) -> Iterator[None]:
    """The chain with other rows, `end` beside it as well, for the time of the block: by somebody with the database."""
    kept, kept_end = rows_of(ledger), ledger.end()
    assert kept_end is not None
    last = (rows[-1]["seq"], rows[-1]["hash"]) if end and rows else kept_end
    _write(ledger, rows, kept, last)
    try:
        yield
    finally:
        _write(ledger, kept, rows, kept_end)


def linked(ledger: Ledger, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same rows with hashes that fit: what a forger computes."""
    from hub.ledger.operations import _text_of

    made, previous = [], genesis(ledger.office)
    for row in rows:
        text = _text_of(_Row(row))  # type: ignore[arg-type]
        made.append({**row, "hash": link(previous, text)})
        previous = bytes.fromhex(made[-1]["hash"])
    return made


def verdict_of_strangers(ledger: Ledger, folder: Path, head: Path | None = None) -> subprocess.CompletedProcess[str]:
    """What the program beside an export says, run without a library and without us."""
    folder.mkdir(exist_ok=True)
    export(ledger, folder / "ledger.jsonl")
    words = [str(folder / "ledger.jsonl"), *([str(head)] if head else [])]
    return subprocess.run(
        [sys.executable, "-I", "-S", str(folder / VERIFIER), *words], capture_output=True, text=True, cwd="/", env={}
    )


class _Row:
    def __init__(self, row: dict[str, Any]) -> None:
        self.__dict__.update(row)


def _write(ledger: Ledger, rows: list[dict[str, Any]], instead: list[dict[str, Any]], end: tuple[int, str]) -> None:
    """Only what differs is written."""
    new, old = ({(row["seq"]): row for row in table} for table in (rows, instead))
    of_office = OPERATIONS.c.office == ledger.office
    gone = [seq for seq, row in old.items() if new.get(seq) != row]
    come = [row for seq, row in new.items() if old.get(seq) != row]
    with transaction(ledger.engine, writes=True) as connection:
        for first in range(0, len(gone), PAGE):
            some = OPERATIONS.c.seq.in_(gone[first : first + PAGE])
            connection.execute(sa.delete(OPERATIONS).where(of_office, some))
        if come:
            connection.execute(sa.insert(OPERATIONS), come)
        connection.execute(sa.update(CHAINS).where(CHAINS.c.office == ledger.office).values(seq=end[0], hash=end[1]))
