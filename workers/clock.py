"""Which time erasure goes by: a clock that was set while we watched is not believed at once.

A wrong step forward would erase what residents still wait with, a wrong step back would keep it for too long. So a step
is an alarm, time goes on as it went, and what stays for half an hour is taken for right: late by that at most.
"""

from collections.abc import Callable

STEP_MS = 60_000  # corrections of NTP are slower or smaller
BELIEVED_AFTER_MS = 30 * 60_000  # an erasure that is late by so much is still within its hour


class SteadyClock:
    """`boot_ms`: ms since this machine started, its sleep among them; nobody sets that."""

    def __init__(self, boot_ms: Callable[[], int]) -> None:
        self._boot_ms = boot_ms
        self._anchor: tuple[int, int] | None = None  # wall and boot at the last look that was believed
        self._doubted: tuple[int, int] | None = None  # by how much it was set, and when (boot)

    @property
    def step_ms(self) -> int:
        """By how much the clock was set and is not believed yet; 0: all is well."""
        return self._doubted[0] if self._doubted else 0

    def judge(self, wall_ms: int) -> int:
        """The moment to go by, where the clock says `wall_ms`."""
        boot = self._boot_ms()
        if self._anchor is None:
            self._anchor = wall_ms, boot
        expected = self._anchor[0] + boot - self._anchor[1]
        step = wall_ms - expected
        if abs(step) <= STEP_MS:
            self._doubted, self._anchor = None, (wall_ms, boot)
            return wall_ms
        if self._doubted is None or abs(step - self._doubted[0]) > STEP_MS:
            self._doubted = step, boot
        if boot - self._doubted[1] >= BELIEVED_AFTER_MS:
            self._doubted, self._anchor = None, (wall_ms, boot)
            return wall_ms
        return expected
