"""Whether a chain is as it was written: every entry there, in its place, word for word. Nothing here writes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hub.ledger.operations import Ledger, link, raw

STEP = 1000  # entries, some 20 ms
MOST_FAULTS = 20  # who sees twenty knows that the chain was touched


@dataclass(frozen=True, slots=True)
class Fault:
    seq: int
    why: str


@dataclass(slots=True)
class Verdict:
    """What a walk over the whole chain has found; `first` is 1 until a segment is closed, 0 for an empty chain."""

    first: int = 0
    last: int = 0
    hash: str = ""
    faults: list[Fault] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        return not self.faults

    @property
    def count(self) -> int:
        return self.last - self.first + 1 if self.first else 0

    def compares(self, seq: int) -> bool:
        """Whether there was something to compare a head of this entry with: not where its segment is closed."""
        return seq >= self.first - 1

    def blame(self, seq: int, why: str) -> None:
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(seq, why))


def verify(
    ledger: Ledger, heads: Sequence[tuple[str, int, str]] = (), on_step: Callable[[int], None] = lambda seq: None
) -> Verdict:
    """Walk the chain. `heads`: (day, seq, hash) that were signed and must be found as they were; those of a closed
    segment cannot be, except the last (`Verdict.compares`). `on_step` hears now and then up to which entry it has come.

    A chain cut or made anew by somebody who owns this database is found by a head alone. Raises LedgerUnusable.
    """
    verdict = Verdict()
    wanted: dict[int, list[tuple[str, str]]] = {}
    for day, seq, signed in heads:
        wanted.setdefault(seq, []).append((day, signed))
    previous: bytes | None = b""
    for entry in ledger.entries():
        if not verdict.first:
            verdict.first, verdict.last = entry.seq, entry.seq - 1
            previous = ledger.before(entry.seq)
            if previous is None:
                verdict.blame(entry.seq, "この前の記録がありません（保存期間の終わった区切りでもありません）。")
            _compare(verdict, entry.seq - 1, (previous or b"").hex(), wanted)
        if entry.seq != verdict.last + 1:
            verdict.blame(verdict.last + 1, "記録が抜けています。")
        elif previous is None or link(previous, entry.text) != entry.hash:
            verdict.blame(entry.seq, "記録が書き換えられたか、順序が変わっています。")
        _compare(verdict, entry.seq, entry.hash, wanted)
        previous, verdict.last, verdict.hash = raw(entry.hash), entry.seq, entry.hash
        if entry.seq % STEP == 0:
            on_step(entry.seq)
    for seq, told in sorted(wanted.items()):
        if seq > verdict.last:
            verdict.blame(seq, f"{told[0][0]} に署名した記録がありません。台帳の終わりが切られています。")
    _judge_end(ledger, verdict)
    return verdict


def _compare(verdict: Verdict, seq: int, found: str, wanted: dict[int, list[tuple[str, str]]]) -> None:
    """With what was signed of this entry; of a closed segment the last hash is all that is left to compare."""
    for day, signed in wanted.pop(seq, ()):
        if signed != found:
            verdict.blame(seq, f"{day} に署名した先頭値と違います。台帳が作り直されています。")


def _judge_end(ledger: Ledger, verdict: Verdict) -> None:
    """Against the end that stands beside the chain; the archiver may have added to both while it was read."""
    end = ledger.end() or (0, "")
    if end[0] > verdict.last:
        if next(ledger.entries(verdict.last + 1), None) is None:
            verdict.blame(end[0], "台帳の終わりが切られています。")
    elif end != (verdict.last, verdict.hash):
        verdict.blame(verdict.last, "台帳の終わりの控えと違います。")
