"""`make bench [ONLY=part] [QUICK=1]`: run the parts; each prints its table and, as its last line, one JSON object.

Exit 1 if a part found something lost, doubled or out of order; 2 for a part that does not exist.
"""

import os
import sys
from collections.abc import Callable

from tests.bench import desk, erase, fanout, ledger, notices, signin

PARTS: dict[str, Callable[[bool], bool]] = {
    "desk": desk.run,
    "fanout": fanout.run,
    "notices": notices.run,
    "erase": erase.run,
    "ledger": ledger.run,
    "signin": signin.run,
}


def main() -> int:
    only, quick = os.environ.get("ONLY", ""), os.environ.get("QUICK", "") not in ("", "0")
    if only and only not in PARTS:
        print(f"no part {only!r}; there are: {', '.join(PARTS)}", file=sys.stderr)
        return 2
    results = [part(quick) for name, part in PARTS.items() if only in ("", name)]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
