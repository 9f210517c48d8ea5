"""The side of a websocket that meets the network: what a client sends is taken apart, counted, and ended in order.

Whatever a client sends, a connection holds one message, what the system read at once, and the pongs that its client has
not taken (`unread_bytes`). Who listens to the messages is unknown here.
"""

import asyncio
from abc import abstractmethod
from enum import Enum
from typing import TYPE_CHECKING

from hub.edge.connections import CLOSE_SECONDS
from hub.edge.websocket import frames
from hub.edge.websocket.pulse import Pulse
from hub.wire.messages import Close

if TYPE_CHECKING:
    from collections.abc import Callable

    from uvicorn.server import ServerState

PING = frames.framed(frames.Kind.PING, b"")


class State(Enum):
    """ASKED ──> OPEN ──we close──> CLOSING ──the client's close, or CLOSE_SECONDS──> OVER; a cut leads there too."""

    ASKED = "asked"  # for a websocket, and the answer is not out yet
    OPEN = "open"
    CLOSING = "closing"  # we have said so, and read on and forget until the client has seen it
    OVER = "over"


class Stream(asyncio.Protocol):
    """One connection from its handshake on. A broken or endless one harms nobody but itself."""

    __slots__ = (
        "_head",
        "_idle_at",
        "_idle_left",
        "_is_full",
        "_is_heard",
        "_is_reading",
        "_loop",
        "_place",
        "_pulse",
        "_reader",
        "_server",
        "_state",
        "_timer",
        "_transport",
        "write",
    )

    too_long = Close.BAD_MESSAGE  # what a message beyond the limit is answered with
    idle_burst = 100.0  # a page of 4 kB in the smallest segments that a network makes is eight pieces
    # A ticket machine pings every five seconds, a browser never. Times `Limits.listeners` it is an eighth of a core;
    # staff's presses wait for the same one.
    idle_per_s = 0.5
    unread_bytes = 1 << 20  # three of the largest snapshots; what is more in the way of a pong is pongs

    write: "Callable[[bytes | memoryview], None]"

    def __init__(
        self, pulse: Pulse, server: "ServerState", message_bytes: int, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._pulse = pulse
        self._server = server
        self._loop = loop
        self._state = State.ASKED
        self._reader: frames.Reader | None = frames.Reader(message_bytes)  # None: nothing more can be read
        self._head = b""  # of the answer to the handshake, until it has been written
        self._timer: asyncio.TimerHandle | None = None  # to the cut, once it closes
        self._place: int | None = None  # in the pulse
        self._idle_left, self._idle_at = self.idle_burst, 0.0
        self._is_full = False  # the network takes no more
        self._is_heard = True  # since it was asked last
        self._is_reading = True

    # What whoever listens to the messages adds ------------------------------------------------------------------------

    @property
    @abstractmethod
    def _is_taken(self) -> bool:
        """The message before has been taken: the next one may come."""

    @abstractmethod
    def _deliver(self, data: str | bytes) -> None:
        """A whole message of an open connection."""

    @abstractmethod
    def _ended(self, code: int, reason: str) -> None:
        """Nothing more will be delivered. Called once."""

    # As asyncio sees it -----------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        self.write = transport.write
        self._server.connections.add(self)  # type: ignore[arg-type]

    def data_received(self, data: bytes) -> None:
        self._is_heard = True
        if self._reader is None or self._state is State.OVER:
            self._count()  # read on and forget
            return
        self._reader.feed(data)
        if self._state is State.ASKED:
            self._pause_reading()  # nobody may speak before the answer
        else:
            self._take()

    def eof_received(self) -> None:
        """The transport closes by itself."""

    def pause_writing(self) -> None:
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False

    def connection_lost(self, exc: Exception | None) -> None:
        was_open = self._state in (State.OPEN, State.CLOSING)
        self._over(frames.NO_CODE if was_open else 1006)
        self._server.connections.discard(self)
        self._reader = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # As the pulse sees it ---------------------------------------------------------------------------------------------

    def pulse(self) -> None:
        if not self._is_heard:
            self.close(1011, "no answer to a ping")
        elif self._state is State.OPEN:
            self._is_heard = False
            self.write(PING)

    # From the beginning to the end ------------------------------------------------------------------------------------

    def _open(self, head: bytes) -> None:
        """The head goes out with whatever is said first in this turn of the loop: one call of the system for both."""
        self._head = head
        self.write = self._write_first
        self._loop.call_soon(self._write_head)
        self._state = State.OPEN
        self._place = self._pulse.join(self)

    def _write_first(self, *data: bytes | memoryview) -> None:
        head, self._head = self._head, b""
        self.write = self._transport.write
        self._transport.writelines((head, *data))  # not joined: what is not taken at once stays shared with the others

    def _write_head(self) -> None:
        if self._head:
            self._write_first()

    def close(self, code: int, reason: str = "") -> None:
        """Say so, and cut the connection unless the client has answered within CLOSE_SECONDS. May be repeated."""
        if self._state is not State.OPEN:
            return
        self.write(frames.close_frame(code, reason))
        self._over(code, reason, State.CLOSING)
        self._cut_soon()
        self._resume_reading()

    def _part(self, farewell: frames.Farewell) -> None:
        """The client closes, or has answered our close."""
        if self._state is State.OPEN:
            self.write(frames.close_frame(farewell.code))
        self._over(farewell.code, farewell.reason)
        self._transport.close()
        self._cut_soon()

    def _break_off(self, code: int) -> None:
        """Nothing more can be read: say so, end our half, and forget what comes until the client has seen it."""
        self._reader = None
        self.close(code)
        if self._transport.can_write_eof() and not self._transport.is_closing():
            self._transport.write_eof()  # closing it with bytes unread would overtake the close frame

    def _cut_soon(self) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(CLOSE_SECONDS, self._transport.abort)

    def _over(self, code: int, reason: str = "", state: State = State.OVER) -> None:
        was = self._state
        self._state = state
        if self._place is not None:
            self._pulse.leave(self, self._place)
            self._place = None
        if was in (State.ASKED, State.OPEN):
            self._ended(code, reason)

    # What the client says ---------------------------------------------------------------------------------------------

    def _take(self) -> None:
        """Until there is a message for whoever asks; the rest stays where it arrived."""
        try:
            while self._reader is not None and self._is_taken and not self._transport.is_closing():
                heard = self._reader.next()
                if heard is None:
                    return
                self._hear(heard)
        except frames.Broken as broken:
            self._break_off(self.too_long if isinstance(broken, frames.TooLong) else broken.code)

    def _hear(self, heard: frames.Heard) -> None:
        if isinstance(heard, frames.Farewell):
            self._part(heard)
            return
        if self._state is not State.OPEN or not isinstance(heard, frames.Message):
            self._count()
        if self._state is not State.OPEN:
            return
        if isinstance(heard, frames.Message):
            self._deliver(heard.data)
        elif isinstance(heard, frames.Ping):
            self._pong(heard.payload)

    def _pong(self, payload: bytes) -> None:
        if self._transport.get_write_buffer_size() > self.unread_bytes:
            self._transport.abort()
        else:
            self.write(frames.framed(frames.Kind.PONG, payload))

    def _count(self) -> None:
        """So much at once and so much a second that is no message; who sends more is cut."""
        now = self._loop.time()
        self._idle_left = min(self.idle_burst, self._idle_left + (now - self._idle_at) * self.idle_per_s) - 1
        self._idle_at = now
        if self._idle_left < 0:
            self._transport.abort()

    def _pause_reading(self) -> None:
        if self._is_reading:
            self._is_reading = False
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if not self._is_reading and not self._transport.is_closing():
            self._is_reading = True
            self._transport.resume_reading()
