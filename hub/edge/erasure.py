"""What this hub knows of erasing: what is overdue, as the eraser last told the store."""

import time
from collections.abc import Awaitable, Callable

from hub.edge.watching import Watch
from hub.store.erasing import Told

SILENT_SECONDS = 90.0  # an eraser has its turn every second; its word lives a minute
WHYS = {
    "ledger": "the ledger cannot note it",
    "keys": "a key cannot be destroyed",
    "files": "the store's files cannot be written anew",
    "found": "something that must be gone was found",
    "unread": "not everything can be looked through",
    "unsearched": "nobody looks through files, so none will be verified",
    "unfit": "the store throws contacts away or has a replica",
    "store": "the store does not do it",
    "clock": "the clock was set",
}


class ErasureWatch(Watch[Told]):
    def __init__(self, read: Callable[[], Awaitable[Told]], monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__(read, Told(), "erasure", silent_s=SILENT_SECONDS, monotonic=monotonic)

    @property
    def overdue(self) -> int:
        """Contacts, and traces of contacts, that should be gone."""
        return self.told.overdue

    @property
    def late_s(self) -> float:
        """Since when the oldest of them should be gone; it grows while no eraser says anything."""
        return self.told.late_s + self.silence_s

    def why_alarming(self) -> str:
        """A reason for `/ready`; empty while all is well."""
        if self.silence_s:
            return f"no eraser for {self.silence_s:.0f} s"
        why = WHYS.get(self.told.why, self.told.why) + (f": {self.told.where}" if self.told.where else "")
        if self.told.overdue:
            return f"erasure is overdue: {self.told.overdue} for {self.told.late_s:.0f} s{f' ({why})' if why else ''}"
        return f"erasure: {why}" if why else ""
