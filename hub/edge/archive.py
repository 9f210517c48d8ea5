"""What this hub knows of the archive: how far behind it is, as its archiver last told the store."""

import time
from collections.abc import Awaitable, Callable

from hub.edge.watching import Watch
from hub.store.days import Lag

BEHIND_SECONDS = 60.0  # an archiver that works is behind by a second


class ArchiveWatch(Watch[Lag]):
    def __init__(self, read: Callable[[], Awaitable[Lag]], monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__(read, Lag(), "archive", silent_s=BEHIND_SECONDS, monotonic=monotonic)

    @property
    def behind(self) -> int:
        """Facts that are not archived."""
        return self.told.behind

    @property
    def lag_s(self) -> float:
        """Age of the oldest of them; it grows while no archiver says anything."""
        return self.told.seconds + self.silence_s

    def why_alarming(self) -> str:
        """A reason for `/ready`; empty while all is well."""
        if self.silence_s:
            return f"no archiver for {self.silence_s:.0f} s"
        why = f": {self.told.why}" if self.told.why else ""
        if self.told.seconds > BEHIND_SECONDS:
            return f"the archive is {self.told.behind} facts and {self.told.seconds:.0f} s behind{why}"
        return f"the archive{why}" if why else ""
