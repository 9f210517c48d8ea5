"""How often something may be tried within a while. Counted in this process, and forgotten with it."""

from collections import deque
from collections.abc import Callable


class Tries:
    """At most `limit` tries a key within `seconds`. The caller keeps the number of keys small."""

    def __init__(self, limit: int, seconds: float, monotonic: Callable[[], float]) -> None:
        self._limit, self._seconds, self._monotonic = limit, seconds, monotonic
        self._taken: dict[str, deque[float]] = {}

    def take(self, key: str) -> bool:
        """Count a try; False where there were enough."""
        now = self._monotonic()
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
