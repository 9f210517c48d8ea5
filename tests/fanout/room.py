"""A crowd with listeners whose networks a test opens and closes."""

import asyncio
from collections.abc import Sequence

from hub.fanout.crowd import Bounds, Crowd, OneByOne, Turns
from hub.fanout.mailbox import Frame
from tests.eventually import eventually


class Tab:
    """A listener's connection with a network of its own. What it heard is a list of words."""

    descriptor = -1

    def __init__(self, crowd: Crowd) -> None:
        self.crowd = crowd
        self.taken: list[bytes] = []
        self.held: list[bytes] = []
        self.is_slow = False
        self.closed_with: int | None = None

    @property
    def untaken(self) -> int:
        return sum(map(len, self.held))

    def write(self, data: bytes | memoryview) -> None:
        if self.closed_with is not None:
            self.taken.append(b"late ")
        elif self.held or self.is_slow:
            is_first = not self.held
            self.held.append(bytes(data))
            if is_first:
                self.crowd.lags(self)
        else:
            self.taken.append(bytes(data))

    def close(self, code: int, /) -> None:
        self.closed_with = code
        self.crowd.gone(self)

    def drain(self) -> None:
        self.is_slow = False
        self.taken += self.held
        self.held = []
        self.crowd.drains(self)

    @property
    def heard(self) -> list[str]:
        return b"".join(self.taken).decode().split()


class Room:
    """A crowd whose picture is the number of the last word that was told."""

    def __init__(self, bounds: Bounds | None = None, together: type[OneByOne] = OneByOne) -> None:
        self.last = 0
        self.overruns = 0
        self.crowd = Crowd(
            self.picture, lambda text: f"{text} ".encode(), together, self.overrun, Turns(), bounds or Bounds()
        )

    def picture(self) -> Sequence[Frame]:
        return [frame(f"all:{self.last}")]

    def overrun(self) -> None:
        self.overruns += 1

    def join(self) -> Tab:
        tab = Tab(self.crowd)
        self.crowd.admit(tab, self.picture())
        return tab

    def tell(self, count: int = 1) -> None:
        for _ in range(count):
            self.last += 1
            self.crowd.tell(frame(str(self.last)))

    async def settle(self, *tabs: Tab) -> None:
        await eventually(lambda: all(tab.heard[-1] in (str(self.last), f"all:{self.last}") for tab in tabs))


async def one_turn() -> None:
    await asyncio.sleep(0)


def frame(text: str) -> Frame:
    return Frame(text, len(text))


def is_whole(heard: list[str]) -> bool:
    """Begins with a picture; then each word is the next one, or a picture of at least as much."""
    known = None
    for word in heard:
        is_picture, _, number = word.rpartition(":")
        if is_picture:
            known = int(number) if known is None else max(known, int(number))
        elif known is None or int(number) != known + 1:
            return False
        else:
            known += 1
    return True
