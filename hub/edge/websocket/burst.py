"""One system call for a few hundred lines: the same bytes handed to the kernel for all of them together.

Linux's asynchronous writes (io_submit) are carried out at once on a socket, as send(2) would be. What is saved is the
way through the event loop's transport, a seventh of what a delivery costs. Where the kernel has no such call, or does
not let us, the lines are written to one by one; so is each line that has anything waiting in its transport, and what a
socket does not take at once goes through its transport as ever.
"""

import ctypes
import errno
import platform
import sys
from array import array
from collections.abc import Callable, Iterable, Set
from typing import NamedTuple

import structlog

from hub.fanout.crowd import Line, OneByOne, write_each
from hub.wire.messages import Close

_log = structlog.get_logger("hub.edge.websocket.burst")


class Calls(NamedTuple):
    """Numbers of system calls."""

    setup: int
    submit: int
    getevents: int


CALLS = {"x86_64": Calls(206, 209, 208), "aarch64": Calls(0, 2, 4)}  # linux: arch/*/syscall tables
WORDS = 8  # of 8 bytes, struct iocb: data, key and flags, opcode and descriptor, buffer, size, offset, two of no use
DESCRIPTOR, BUFFER, SIZE = 2, 3, 4
WRITE = 1  # IOCB_CMD_PWRITE, which takes the upper half of its word for the descriptor
EVENT_WORDS, EVENT_DATA, EVENT_TAKEN = 4, 0, 2  # struct io_event: data, iocb, bytes or -errno, of no use
PATIENCE_S = (
    1  # all of them are carried out by then: that a socket's is put off was never seen, and must not stop a hub
)
MOST = 512  # writes under way: more than a slice


class Kernel:
    """This process's way to write to many sockets at once; `is_there` turns False where it is refused."""

    def __init__(self) -> None:
        self._calls = CALLS.get(platform.machine()) if sys.platform == "linux" else None
        self._context = ctypes.c_ulong(0)
        self._events = array("q", bytes(8 * EVENT_WORDS * MOST))
        self._events_at = self._events.buffer_info()[0]
        self._patience = array("q", (PATIENCE_S, 0))  # struct timespec
        self.is_there = self._calls is not None
        if self._calls is not None:
            self._call = ctypes.CDLL(None, use_errno=True).syscall
            self._call.argtypes = [ctypes.c_long] * 6
            self._call.restype = ctypes.c_long
            if self._call(self._calls.setup, MOST, ctypes.addressof(self._context), 0, 0, 0) != 0:
                self.give_up(ctypes.get_errno())

    def give_up(self, why: int) -> None:
        self.is_there = False
        _log.info("lines are written to one by one", why=errno.errorcode.get(why, str(why)))

    def submit(self, blocks: "array[int]", refused: Callable[[int], None]) -> None:
        """Carry these out (addresses of iocbs, at most MOST); `refused` gets the place of each that was not begun."""
        if self._calls is None:
            return
        at, first = 0, blocks.buffer_info()[0]
        while at < len(blocks):
            done = self._call(self._calls.submit, self._context.value, len(blocks) - at, first + 8 * at, 0, 0)
            if done <= 0:  # a descriptor that is none any more
                refused(at)
                done = 1
            at += done

    def outcomes(self, count: int, size: int) -> list[tuple[int, int]]:
        """Of `count` that were begun: (data, bytes or -errno) of each that was not taken whole."""
        if self._calls is None or not count:
            return []
        patience = self._patience.buffer_info()[0]
        told = self._call(self._calls.getevents, self._context.value, count, count, self._events_at, patience)
        if told != count:
            raise OSError(ctypes.get_errno(), "io_getevents")
        taken = self._events[EVENT_TAKEN : EVENT_WORDS * count : EVENT_WORDS]
        if taken.count(size) == count:
            return []
        data = self._events[EVENT_DATA : EVENT_WORDS * count : EVENT_WORDS]
        return [(one, bytes_) for one, bytes_ in zip(data, taken, strict=True) if bytes_ != size]


_kernel: list[Kernel] = []  # made with the first crowd


def kernel() -> Kernel:
    if not _kernel:
        _kernel.append(Kernel())
    return _kernel[0]


class Burst(OneByOne):
    """Lines that are told the same, a slice with one call."""

    def __init__(self) -> None:
        super().__init__()
        self._kernel = kernel()
        self._blocks = array("Q")  # one struct iocb a line, laid out once
        self._is_plain = not self._kernel.is_there

    def append(self, line: Line) -> None:
        self._is_plain = self._is_plain or line.descriptor < 0
        if not self._is_plain:
            self._blocks.extend((len(self._lines), 0, WRITE | line.descriptor << 32, 0, 0, 0, 0, 0))
        super().append(line)

    def remove(self, line: Line) -> None:
        if not self._is_plain:
            blocks = self._blocks
            blocks[WORDS * self._places[line] + DESCRIPTOR] = blocks[DESCRIPTOR - WORDS]
            del blocks[-WORDS:]
        super().remove(line)

    def write(self, data: bytes, start: int, stop: int, full: Set[Line], left: Set[Line]) -> None:
        stop = min(stop, len(self._lines))
        if self._is_plain or not self._kernel.is_there or stop - start > MOST:
            super().write(data, start, stop, full, left)
            return
        places: Iterable[int] = range(start, stop)
        if full or left:
            lines = self._lines
            write_each([lines[at] for at in places if lines[at] in full and lines[at] not in left], data)
            places = [at for at in places if lines[at] not in full and lines[at] not in left]
        self._at_once(data, start, stop, places)

    def _at_once(self, data: bytes, start: int, stop: int, places: Iterable[int]) -> None:
        blocks, size = self._blocks, len(data)
        address = ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p).value or 0
        first, last = WORDS * start, WORDS * stop
        blocks[first + BUFFER : last : WORDS] = array("Q", [address]) * (stop - start)
        blocks[first + SIZE : last : WORDS] = array("Q", [size]) * (stop - start)
        base = blocks.buffer_info()[0]
        wanted = array("Q", [base + 8 * WORDS * at for at in places])
        refused: list[int] = []
        self._kernel.submit(wanted, refused.append)
        try:
            rest = self._kernel.outcomes(len(wanted) - len(refused), size)
        except OSError as error:  # never seen. Who got what is not known: they come back to a snapshot
            self._kernel.give_up(error.errno or 0)
            for at in wanted:
                self._lines[(at - base) // (8 * WORDS)].close(Close.SLOW)
            return
        write_each([self._lines[(wanted[at] - base) // (8 * WORDS)] for at in refused], data)
        for place, taken in rest:
            write_each([self._lines[place]], memoryview(data)[max(0, taken) :])  # the rest, and no copy of it
