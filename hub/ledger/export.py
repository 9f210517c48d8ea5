"""The ledger as a file that is read without us: JSON lines, and beside it what verifies them."""

import json
import os
from pathlib import Path

from hub.ledger import verify_export
from hub.ledger.kept import canonical
from hub.ledger.operations import Ledger

FORMAT = "junban-ledger-1"
VERIFIER = "verify_export.py"


def export(ledger: Ledger, path: Path) -> int:
    """Write the whole chain; gives how many entries. Raises OSError, LedgerUnusable."""
    count, new = 0, path.with_name(f".{path.name}.new")
    new.touch(mode=0o600)  # it names who did what
    with new.open("w", encoding="utf-8", newline="\n") as file:
        for entry in ledger.entries():
            if not count:
                file.write(canonical(_start(ledger, entry.seq)) + "\n")
            file.write(canonical({**json.loads(entry.text), "hash": entry.hash}) + "\n")
            count += 1
        if not count:
            file.write(canonical(_start(ledger, 1)) + "\n")
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    (path.parent / VERIFIER).write_bytes(Path(verify_export.__file__).read_bytes())
    return count


def _start(ledger: Ledger, first: int) -> dict[str, object]:
    """`previous`: what the first hash follows, hexadecimal; empty where nobody says."""
    previous = ledger.before(first) or b""
    return {"format": FORMAT, "office": ledger.office, "first": first, "previous": previous.hex()}
