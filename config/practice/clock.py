"""Office time as a simulated day needs it: seconds since midnight, computed from the moment the clock was set.

It measures how long this run has taken and multiplies; what the machine's own clock says does not matter.
"""

import asyncio
from collections.abc import Callable
from time import monotonic

DAY = 86400


class OfficeClock:
    """`began` is the office second at which the clock was set, `speed` how many office seconds pass in a real one."""

    def __init__(self, began: int, speed: float, now: Callable[[], float] = monotonic) -> None:
        self.began, self.speed = began, speed
        self._now = now
        self._set_at = now()

    @property
    def now(self) -> float:
        return self.began + (self._now() - self._set_at) * self.speed

    async def sleep(self, seconds: float) -> None:
        """Until so many office seconds have passed."""
        await asyncio.sleep(max(0.0, seconds / self.speed))

    async def until(self, moment: float) -> None:
        await self.sleep(moment - self.now)


def as_clock(seconds: float) -> str:
    """HH:MM of an office second; 24:00 is the end of the day."""
    whole = int(min(max(seconds, 0), DAY))
    return f"{whole // 3600:02d}:{whole % 3600 // 60:02d}"
