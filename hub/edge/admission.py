"""New connections come in a few a turn of the loop, so that whoever is in already is served in between.

After a restart a whole waiting room comes back at once. To let somebody in takes a tenth of a millisecond, to answer a
clerk one turn of the loop: this is how long a turn may be.
"""

import asyncio
from collections import deque
from collections.abc import Callable

AT_ONCE = 16  # of a turn, some two milliseconds


class Admission:
    """The door of one listening place. Who waits here is bounded by the connections that it may have."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._at_once = at_once
        self._left = at_once
        self._waiting: deque[Callable[[], None]] = deque()
        self._is_turning = False

    def __len__(self) -> int:
        return len(self._waiting)

    def ask(self, come_in: Callable[[], None]) -> bool:
        """Now, if nobody waits and it is not too many in this turn; else when it is its turn. True for now."""
        if not self._is_turning:
            self._is_turning = True
            asyncio.get_running_loop().call_soon(self._turn)
        if self._waiting or not self._left:
            self._waiting.append(come_in)
            return False
        self._left -= 1
        come_in()
        return True

    def _turn(self) -> None:
        self._left = self._at_once
        self._is_turning = bool(self._waiting)
        if self._is_turning:
            asyncio.get_running_loop().call_soon(self._turn)  # first: what comes in may fail
        while self._waiting and self._left:
            self._left -= 1
            self._waiting.popleft()()
