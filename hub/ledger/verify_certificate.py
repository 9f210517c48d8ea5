"""Verify a certificate against an exported ledger with Python alone:

    python3 -I -S verify_certificate.py CERTIFICATE.json ledger.jsonl        exit 0: it states what the ledger says

That the ledger itself is whole says verify_export.py, which lies beside the export.
"""

import json
import sys
from collections import Counter


def main(certificate: str, export: str) -> str:
    with open(certificate, encoding="utf-8") as file:
        told = json.load(file)["facts"]
    given: dict[str, str] = {}
    ended: dict[str, str] = {}
    hashes: dict[int, str] = {}
    with open(export, encoding="utf-8", newline="\n") as lines:
        if json.loads(next(lines))["office"] != told["office"]:
            sys.exit("NOT of this office")
        for entry in map(json.loads, lines):
            hashes[entry["seq"]] = entry["hash"]
            fields = entry["fields"]
            if entry["type"] == "ContactGiven" and told["first_day"] <= entry["day"] <= told["last_day"]:
                given[fields["subscription"]] = fields["carrier"]
            elif entry["type"] in ("ContactErased", "ContactDestroyed"):
                ended.setdefault(fields["subscription"], fields["ending"])
    counted = Counter((carrier, ended.get(one, "")) for one, carrier in given.items())
    if sorted(counted.items()) != sorted(((carrier, ending), count) for carrier, ending, count in told["counts"]):
        sys.exit("NOT the counts of this ledger")
    if told["left"] != sum(one not in ended for one in given):
        sys.exit("NOT what this ledger has left")
    for seq, told_hash in (told["first"], told["last"]):
        if seq and hashes.get(seq) != told_hash:
            sys.exit(f"NOT the ledger that was certified: entry {seq} differs")
    return f"as certified: {len(given)} contacts, {told['left']} left"


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python3 -I -S verify_certificate.py CERTIFICATE.json ledger.jsonl")
    print(main(*sys.argv[1:3]))  # noqa: T201  # a program of its own
