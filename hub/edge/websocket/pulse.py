"""Whether whoever is connected is still there. One timer for all of them, so that a listener costs a place in a list.

A connection is asked once a round, and cut off if it has said nothing since it was asked the last time.
"""

import asyncio
from typing import Protocol

PLACES = 20  # a round is cut in so many parts: ten thousand pings are not one burst


class Beating(Protocol):
    def pulse(self) -> None:
        """Ask whether it is there; cut it off if the last question was not answered."""


class Pulse:
    """All connections of one listening place. `round_s`: from one question to the next; None asks nobody."""

    def __init__(self, round_s: float | None) -> None:
        self._round_s = round_s
        self._places: list[dict[Beating, None]] = [{} for _ in range(PLACES)]
        self._now = 0
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return self._count

    def join(self, connection: Beating) -> int:
        """Give the place that it is to leave again. It is asked for the first time when the round is over."""
        self._places[self._now][connection] = None
        self._count += 1
        if self._timer is None:
            self._wait()
        return self._now

    def leave(self, connection: Beating, place: int) -> None:
        """May be repeated."""
        if connection in self._places[place]:
            del self._places[place][connection]
            self._count -= 1
        if not self._count and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self) -> None:
        if self._round_s is not None:
            self._timer = asyncio.get_running_loop().call_later(self._round_s / PLACES, self._turn)

    def _turn(self) -> None:
        self._now = (self._now + 1) % PLACES
        self._wait()
        for connection in list(self._places[self._now]):
            connection.pulse()
