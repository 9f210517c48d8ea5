"""Where the keeper looks after an erasure, in each way of running it; and what is wrong with that, told beforehand."""

import sys
from collections.abc import Sequence
from pathlib import Path

from config.faults import Fault
from config.settings import WHERE, Machine
from workers.erase import SETTING
from workers.search import blind

LINES = Path("/proc/self/fd/2" if sys.platform == "linux" else "/dev/fd/2")  # where this process writes its log
BLIND = "がないか、読めません。フォルダーと権限を確かめてください。このままでは連絡先を預かりません。"


def places(searched: Sequence[Path], own_store: Path | None) -> list[Path]:
    """What is named, the folder of our own store, and our own lines where they go into a file.

    None where nobody named any and the store is another's: its files are what must be looked through first.
    """
    named = list(searched)
    if own_store is not None and not any(own_store.is_relative_to(place) for place in named):
        named.append(own_store)
    return [*named, LINES] if named and LINES.is_file() else named


def faults_of_search(machine: Machine) -> list[Fault]:
    """Folders that are named have to be there."""
    return [Fault(WHERE, SETTING, f"{place} {BLIND}") for place in blind(machine.search_dirs)]
