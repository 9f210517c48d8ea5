"""Verify an exported ledger with Python alone: python3 -I -S verify_export.py FILE [HEAD.head.json]. Exit 0: whole.

It stands beside each export. That the head itself is genuine, openssl says: see README.md of hub/ledger.
"""

import hashlib
import json
import sys


def canonical(entry: dict[str, object]) -> str:
    return json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def main(export: str, head: str | None = None) -> str:
    with open(export, encoding="utf-8", newline="\n") as lines:
        start = json.loads(next(lines))
        previous, seq, hashes = bytes.fromhex(start["previous"]), start["first"] - 1, {}
        is_begun = seq == 0 and previous == bytes(32) + start["office"].encode()
        for line in lines:
            entry = json.loads(line)
            as_written, told = canonical(entry) + "\n" == line, entry.pop("hash")
            linked = hashlib.sha256(previous + canonical(entry).encode()).hexdigest()
            if not as_written or entry["seq"] != seq + 1 or linked != told:
                sys.exit(f"NOT WHOLE at entry {seq + 1}")
            previous, seq = bytes.fromhex(told), seq + 1
            hashes[seq] = told
            closed = (entry["fields"].get("last"), entry["fields"].get("last_hash"))
            is_begun |= entry["type"] == "SegmentClosed" and closed == (start["first"] - 1, start["previous"])
    if not is_begun:
        sys.exit(f"NOT WHOLE: nothing says what stood before entry {start['first']}")
    if head is not None:
        with open(head, encoding="utf-8") as file:
            signed = json.load(file)
        if signed["office"] != start["office"] or hashes.get(signed["seq"]) != signed["hash"]:
            sys.exit(f"NOT the ledger that was signed on {signed['day']}, or its entries of then are closed")
    return f"whole: {len(hashes)} entries, last {seq} {previous.hex()}"


if __name__ == "__main__":
    print(main(*sys.argv[1:3]))  # noqa: T201  # a program of its own
