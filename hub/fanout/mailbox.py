"""One listener's buffer. Putting never waits, taking may. It has a bottom, and knows neither socket nor topic."""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Self

from hub.wire import codec
from hub.wire.messages import Close, HubFrame


@dataclass(frozen=True, slots=True)
class Frame:
    """One message encoded once, shared by all who get it. `size` is bytes of UTF-8."""

    text: str
    size: int

    @classmethod
    def of(cls, message: HubFrame) -> Self:
        encoded = codec.encode(message)
        return cls(encoded.decode(), len(encoded))


@dataclass(frozen=True, slots=True)
class Depth:
    """How much a mailbox holds before its listener counts as too slow.

    512 frames: a whole resumption (`feed.RING`) and as much again while it is being read; in a busy office (one fact
    a second) that is a lag of eight minutes, and a listener so late is better off with a snapshot. 1 MiB: the largest
    snapshot (the desk with 5,000 waiting is 300 kB) three times over; frames are shared, so a thousand slow listeners
    do not cost a thousand times that.
    """

    frames: int = 512
    size: int = 1 << 20


class MailboxClosed(Exception):
    """Nothing more will come; the listener is to be closed with `code`."""

    def __init__(self, code: int) -> None:
        super().__init__(f"closed with {code}")
        self.code = code


class Mailbox:
    """First in, first out. Overrun empties it and closes it with 4000: the listener comes back and gets a snapshot."""

    __slots__ = ("_depth", "_frames", "_size", "_waiter", "code")

    def __init__(self, depth: Depth) -> None:
        self.code: int | None = None
        self._depth = depth
        self._frames: deque[Frame] = deque()
        self._size = 0
        self._waiter: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        return len(self._frames)

    def put(self, frame: Frame) -> bool:
        """Take a frame in; a closed mailbox forgets it. True when this very frame made it overrun.

        Into an empty mailbox any frame fits: a snapshot larger than the depth must not close its listener for ever.
        """
        if self.code is not None:
            return False
        if self._frames and (len(self._frames) >= self._depth.frames or self._size + frame.size > self._depth.size):
            self.close(Close.SLOW)
            return True
        self._frames.append(frame)
        self._size += frame.size
        self._wake()
        return False

    def close(self, code: int) -> None:
        """Empty it and let nothing more in. The first code stays."""
        if self.code is None:
            self.code = code
            self._frames.clear()
            self._size = 0
            self._wake()

    async def get(self) -> Frame:
        """The oldest frame; waits for one. Raises MailboxClosed. Only one may wait at a time: the listener's writer."""
        while not self._frames:
            if self.code is not None:
                raise MailboxClosed(self.code)
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        frame = self._frames.popleft()
        self._size -= frame.size
        return frame

    def more(self, size: int) -> list[Frame]:
        """The next ones that are here already, as long as they are not more than `size` bytes together."""
        taken = []
        while self._frames and self._frames[0].size <= size:
            frame = self._frames.popleft()
            self._size -= frame.size
            size -= frame.size
            taken.append(frame)
        return taken

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
