"""How often something may be tried within a while. Counted in this process, and forgotten when the while is over."""

from collections import deque
from collections.abc import Callable

MINUTE_S = 60.0


class Tries:
    """At most `limit` tries a key within `seconds`. As many keys are held as were tried within the last two whiles."""

    def __init__(self, limit: int, seconds: float, monotonic: Callable[[], float]) -> None:
        self._limit, self._seconds, self._monotonic = limit, seconds, monotonic
        self._taken: dict[str, deque[float]] = {}
        self._swept_at = monotonic()

    def __len__(self) -> int:
        return len(self._taken)

    def take(self, key: str) -> bool:
        """Count a try; False where there were enough."""
        now = self._monotonic()
        if now - self._swept_at >= self._seconds:  # a hub runs for months, and every day has its own tickets
            self._taken = {
                one: times for one, times in self._taken.items() if times and now - times[-1] < self._seconds
            }
            self._swept_at = now
        taken = self._taken.setdefault(key, deque())
        while taken and now - taken[0] >= self._seconds:
            taken.popleft()
        if len(taken) >= self._limit:
            return False
        taken.append(now)
        return True

    def give_back(self, key: str) -> None:
        """The latest try was right and does not count."""
        if self._taken.get(key):
            self._taken[key].pop()
