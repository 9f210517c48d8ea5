"""All who only listen to one topic, told in one loop: a frame is made once, and the same bytes go to everybody.

    tell ──> pending ──pass──> one write for each who is ready, a slice a turn of the loop
    admit ─> coming ────┘          │ its network takes no more: lagging, skipped
               ^──── the newest picture ──── drains <─┘── nothing for `lag_s`: closed with 4000

Facts that come while a pass is under way wait and go out together in the next one. Nobody is waited for, and no
listener has a queue: what is held for one is the write that did not fit. Knows neither socket nor protocol.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import structlog

from hub.fanout.mailbox import Frame
from hub.wire.messages import Close

_log = structlog.get_logger("hub.fanout.crowd")


class Line(Protocol):
    """One listener's connection. It tells its crowd `lags` (perhaps within a write), `drains` and `gone`."""

    @property
    def write(self) -> Callable[[bytes | memoryview], None]:
        """Never waits, and does nothing once the connection has ended."""

    @property
    def descriptor(self) -> int:
        """What the system knows it by; below 0 where bytes have another way to go than straight into its socket."""

    @property
    def untaken(self) -> int:
        """Bytes held for its network."""

    def close(self, code: int, /) -> None: ...


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one crowd may take of the process.

    For one listener is held at most one write: `joined_bytes` and the frame that passes it, or what a newcomer is told
    (a snapshot, or half a mailbox of facts, `feed.RING_BYTES`); shared with all who got the same.
    """

    slice: int = 250  # writes a turn of the loop, some 2 ms: so long a command waits for its turn
    # Of a pass, before the next one: so that a third of the process is left for who presses, however much there
    # is to tell. What comes meanwhile goes out together. Never so long that a call would be seen late.
    rest: float = 0.5
    longest_rest_s: float = 0.25
    joined_bytes: int = 32 * 1024  # of one pass; half of what the kernel takes for a listener that is well
    pending_bytes: int = 1 << 20  # as a mailbox: with more than that to tell, the picture is shorter
    lag_s: float = 5.0  # without taking anything, as a telephone in the lift: it comes back to a snapshot
    look_s: float = 0.5  # how exactly that is kept


class Lag(NamedTuple):
    since: float  # seconds of the loop; of the latest look at which it had taken something
    in_pass: int
    untaken: int  # bytes, at that time


class OneByOne:
    """Lines that are told the same, each at its place. To take one out moves one other: they may be ten thousand."""

    def __init__(self) -> None:
        self._lines: list[Line] = []
        self._places: dict[Line, int] = {}

    def __len__(self) -> int:
        return len(self._lines)

    def __contains__(self, line: Line) -> bool:
        return line in self._places

    def append(self, line: Line) -> None:
        self._places[line] = len(self._lines)
        self._lines.append(line)

    def remove(self, line: Line) -> None:
        """The last one gets its place."""
        place, last = self._places.pop(line), self._lines.pop()
        if last is not line:
            self._lines[place] = last
            self._places[last] = place

    def write(self, data: bytes, start: int, stop: int, full: Set[Line], left: Set[Line]) -> None:
        """To those from `start` to `stop`. Who is `full` has something waiting already, who has `left` gets nothing."""
        lines = self._lines[start:stop]
        write_each([line for line in lines if line not in left] if left else lines, data)


def write_each(lines: Iterable[Line], data: bytes | memoryview) -> None:
    """What one write raises is not the others' business."""
    rest = iter(lines)
    while True:
        try:
            for line in rest:
                line.write(data)
            return
        except Exception:
            _log.exception("write failed")


OTHERS = 3.0  # times as long as a slice took, while they need it: a room that comes back is in within two seconds
# … as they do where a turn of the loop took so much of a slice: an idle one is 20 us, a slice 1,700, a step of a press
# 100. A press is a dozen steps, one a turn, and would wait for a slice at each.
IS_NEEDED = 0.03


class Turns:
    """Whose slice is next. Between two slices the loop serves everybody else: one round, and more where they need it.

    Who presses and who comes in is served before those who are told: what waits for them is joined, and costs less.
    """

    def __init__(self, monotonic: Callable[[], float] = time.perf_counter) -> None:
        self._due: deque[Crowd] = deque()
        self._monotonic = monotonic
        self._ended = 0.0  # the turn before
        self._slice_s = 0.0  # how long the slice before took
        self._owed_s = 0.0  # to everybody else

    def ask(self, crowd: "Crowd") -> None:
        self._due.append(crowd)
        if len(self._due) == 1:
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        began = self._monotonic()
        others_s = began - self._ended
        self._owed_s = self._owed_s - others_s if others_s > IS_NEEDED * self._slice_s else 0.0
        if self._owed_s > 0:
            self._ended = began
            asyncio.get_running_loop().call_soon(self._turn)
            return
        crowd = self._due[0]
        try:
            is_more = crowd.write_slice()
        finally:  # whatever happens to one crowd, the others get their turn
            self._due.popleft()
            self._ended = self._monotonic()
            self._slice_s = self._ended - began
            self._owed_s = OTHERS * self._slice_s
            if self._due:
                asyncio.get_running_loop().call_soon(self._turn)
        if is_more:
            self.ask(crowd)


class Crowd:
    """The listeners of one topic at one pace.

    `picture` gives what somebody must know who knows nothing, `framed` a message as it goes on the line, `together` a
    way to write to many lines of this kind; `overrun` is told of each listener that was too slow.
    """

    def __init__(
        self,
        picture: Callable[[], Sequence[Frame]],
        framed: Callable[[str], bytes],
        together: Callable[[], OneByOne],
        overrun: Callable[[], None],
        turns: Turns,
        bounds: Bounds,
    ) -> None:
        self._picture = picture
        self._framed = framed
        self._together = together
        self._overrun = overrun
        self._turns = turns
        self._bounds = bounds
        self._count = 0
        self._ready = together()
        self._out: set[Line] = set()  # of these who are not ready any more, until the pass is over: nobody moves in it
        self._coming: dict[Line, int] = {}  # who joined, and how many of the pending frames he knows
        self._lagging: dict[Line, Lag] = {}
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._passes = 0
        self._pass_began = 0.0
        self._rests_until = 0.0
        self._runs: deque[tuple[bytes, OneByOne, int]] = deque()  # what is left of the pass, for the first so many
        self._at = 0  # in the first run
        self._full: set[Line] = set()  # who began to lag during this pass, and has not caught up
        self._left: set[Line] = set()  # who went during this pass: nothing may follow a close
        self._is_due = False
        self._told: tuple[Sequence[Frame], bytes] = ((), b"")  # what the last newcomer got
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return self._count

    def admit(self, line: Line, frames: Sequence[Frame]) -> None:
        """A newcomer is told `frames` at once, and from now on everything that follows."""
        self._count += 1
        self._welcome(line, frames)

    def tell(self, frame: Frame) -> None:
        if not self._count:
            return
        data = self._framed(frame.text)
        self._pending.append(data)
        self._pending_bytes += len(data)
        if self._pending_bytes > self._bounds.pending_bytes:
            picture = self._encoded(self._picture())
            self._pending, self._pending_bytes = [picture], len(picture)
            self._coming = dict.fromkeys(self._coming, 0)
        if not self._is_due:
            self._ask()

    def write_slice(self) -> bool:
        """Begin a pass, or go on with it. True while there is more of it."""
        self._is_due = False
        if not self._runs:
            self._begin()
        data, many, count = self._runs[0]
        start, self._at = self._at, min(self._at + self._bounds.slice, count)
        many.write(data, start, self._at, self._full, self._left)
        if self._at >= count:
            self._runs.popleft()
            self._at = 0
        if self._runs:
            self._is_due = True
            return True
        self._end()
        if self._pending:
            self._ask()
        return False

    # As a line tells it -----------------------------------------------------------------------------------------------

    def lags(self, line: Line) -> None:
        self._take_out(line)
        if self._runs:
            self._full.add(line)
        self._lagging[line] = Lag(asyncio.get_running_loop().time(), self._passes, line.untaken)
        if self._timer is None:
            self._look_later()

    def drains(self, line: Line) -> None:
        self._full.discard(line)
        lag = self._lagging.pop(line, None)
        if lag is None:
            return
        if lag.in_pass != self._passes:
            self._welcome(line, self._picture())  # it was left out of a pass
        elif line not in self._coming:
            self._make_ready(line)

    def gone(self, line: Line) -> None:
        """Also one that was never let in."""
        is_ready = line in self._ready and line not in self._out
        if is_ready or line in self._coming or line in self._lagging:
            self._count -= 1
        self._coming.pop(line, None)
        self._lagging.pop(line, None)
        self._take_out(line)
        if self._runs:
            self._left.add(line)

    # A pass -----------------------------------------------------------------------------------------------------------

    def _ask(self) -> None:
        """For a turn, now or when the last pass has been rested from."""
        self._is_due = True
        loop = asyncio.get_running_loop()
        wait_s = self._rests_until - loop.time()
        if wait_s > 0:
            loop.call_later(wait_s, self._turns.ask, self)
        else:
            self._turns.ask(self)

    def _end(self) -> None:
        self._full.clear()
        self._left.clear()
        for line in self._out:
            self._ready.remove(line)
        self._out.clear()
        now = asyncio.get_running_loop().time()
        rest_s = self._bounds.rest * (now - self._pass_began)
        self._rests_until = now + min(rest_s, self._bounds.longest_rest_s)

    def _begin(self) -> None:
        frames = self._taken()
        self._passes += 1
        self._pass_began = asyncio.get_running_loop().time()
        known = self._coming_in(len(frames))
        self._runs.append((_joined(frames), self._ready, len(self._ready)))
        for count, lines in known.items():
            self._runs.append((_joined(frames[count:]), self._gathered(lines), len(lines)))
            for line in lines:
                self._make_ready(line)

    def _gathered(self, lines: Iterable[Line]) -> OneByOne:
        many = self._together()
        for line in lines:
            many.append(line)
        return many

    def _taken(self) -> list[bytes]:
        """As many of the pending frames as go out in one write."""
        count = size = 0
        for data in self._pending:
            count, size = count + 1, size + len(data)
            if size >= self._bounds.joined_bytes:
                break
        frames, self._pending = self._pending[:count], self._pending[count:]
        self._pending_bytes -= size
        return frames

    def _coming_in(self, count: int) -> dict[int, list[Line]]:
        """Make newcomers ready who know none of these frames; give the others by how many they know."""
        known: dict[int, list[Line]] = {}
        coming, self._coming = self._coming, {}
        for line, knows in coming.items():
            if line in self._lagging:
                continue  # left out: the picture brings it in again
            if knows == 0:
                self._make_ready(line)
            elif knows < count:
                known.setdefault(knows, []).append(line)
            else:
                self._coming[line] = knows - count
        return known

    def _make_ready(self, line: Line) -> None:
        """From the next pass on: the one under way goes to those who were ready when it began."""
        if line in self._ready:
            self._out.discard(line)
        else:
            self._ready.append(line)

    def _take_out(self, line: Line) -> None:
        if line in self._ready:
            if self._runs:
                self._out.add(line)
            else:
                self._ready.remove(line)

    # Newcomers and laggards -------------------------------------------------------------------------------------------

    def _welcome(self, line: Line, frames: Sequence[Frame]) -> None:
        self._coming[line] = len(self._pending)  # what is pending was in the picture already
        line.write(self._encoded(frames))

    def _encoded(self, frames: Sequence[Frame]) -> bytes:
        """Once for all who are told the same one after another: a waiting room that comes back."""
        told, data = self._told
        if list(told) != list(frames):
            data = b"".join(self._framed(frame.text) for frame in frames)
            self._told = frames, data
        return data

    def _look_later(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._bounds.look_s, self._look)

    def _look(self) -> None:
        """Close those who have taken nothing for too long."""
        self._timer = None
        now = asyncio.get_running_loop().time()
        late = [(line, lag) for line, lag in self._lagging.items() if lag.since <= now - self._bounds.lag_s]
        for line, lag in late:
            if (untaken := line.untaken) < lag.untaken:
                self._lagging[line] = Lag(now, lag.in_pass, untaken)
            else:
                self._overrun()
                line.close(Close.SLOW)
        if self._lagging:
            self._look_later()


def _joined(frames: list[bytes]) -> bytes:
    return frames[0] if len(frames) == 1 else b"".join(frames)
