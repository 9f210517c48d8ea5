"""Frames of RFC 6455 without compression: bytes to messages, and messages to bytes. Nothing here knows a connection.

A client's frame is refused as soon as its head says that it is wrong or too long; nothing is kept of it.
"""

import codecs
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeAlias


class Kind(IntEnum):
    """Opcodes, section 5.2."""

    MORE = 0  # another piece of the message before
    TEXT = 1
    BYTES = 2
    CLOSE = 8
    PING = 9
    PONG = 10


@dataclass(frozen=True, slots=True)
class Message:
    """A whole message, whatever pieces it came in."""

    data: str | bytes


@dataclass(frozen=True, slots=True)
class Piece:
    """A message has begun or gone on, and is not whole yet."""


@dataclass(frozen=True, slots=True)
class Ping:
    payload: bytes


@dataclass(frozen=True, slots=True)
class Pong:
    payload: bytes


@dataclass(frozen=True, slots=True)
class Farewell:
    """The other side closes. `code` is 1005 where it gave none."""

    code: int
    reason: str


Heard: TypeAlias = Message | Piece | Ping | Pong | Farewell

FINAL, RESERVED, MASKED, LENGTH = 0x80, 0x70, 0x80, 0x7F
KINDS = {int(kind): kind for kind in Kind}
CONTROL = frozenset({Kind.CLOSE, Kind.PING, Kind.PONG})
CONTROL_BYTES = 125  # section 5.5
# How a length is written, section 5.2: its mark in the second byte -> (bytes that follow, the least that needs them).
LONG = {126: (2, 126), 127: (8, 1 << 16)}
MASK_BYTES = 4
NO_CODE = 1005  # section 7.4.1: never on the line
# Codes that an end may send, section 7.4 and IANA's registry of it.
SENDABLE = frozenset([*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)])
PIECE = Piece()


class Broken(Exception):
    """What came is no websocket. The connection is to be closed with `code`, and nothing more can be read of it."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(why)
        self.code = code


class TooLong(Broken):
    """A message longer than is read here."""

    def __init__(self) -> None:
        super().__init__(1009, "message too long")


def framed(kind: Kind, payload: bytes) -> bytes:
    """One whole frame as a server sends it: unmasked, in one piece."""
    size, first = len(payload), FINAL | kind
    if size < 126:
        return bytes((first, size)) + payload
    if size < 1 << 16:
        return bytes((first, 126)) + size.to_bytes(2, "big") + payload
    return bytes((first, 127)) + size.to_bytes(8, "big") + payload


def text_frame(text: str) -> bytes:
    return framed(Kind.TEXT, text.encode())


def close_frame(code: int, reason: str = "") -> bytes:
    """Of a reason only what a control frame holds."""
    if code == NO_CODE:
        return framed(Kind.CLOSE, b"")
    told = reason.encode()[: CONTROL_BYTES - 2].decode(errors="ignore").encode()
    return framed(Kind.CLOSE, code.to_bytes(2, "big") + told)


class Reader:
    """What one client sends. Put bytes in with `feed`, take what they say out with `next`, one thing at a time.

    It holds what was fed and not taken, and of a message in pieces at most `limit` bytes.
    """

    __slots__ = ("_arrived", "_decoder", "_kind", "_limit", "_text", "_whole")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._arrived = bytearray()
        self._kind: Kind | None = None  # of the message that is not whole yet
        self._whole: bytearray | None = None
        self._decoder: codecs.IncrementalDecoder | None = None
        self._text = ""

    def feed(self, data: bytes) -> None:
        self._arrived += data

    def next(self) -> Heard | None:
        """None until more has arrived. Raises Broken, and is then of no more use."""
        taken = self._frame()
        if taken is None:
            return None
        is_final, kind, payload = taken
        match kind:
            case Kind.PING:
                return Ping(payload)
            case Kind.PONG:
                return Pong(payload)
            case Kind.CLOSE:
                return _farewell(payload)
            case _:
                return self._message(is_final, kind, payload)

    def _frame(self) -> tuple[bool, Kind, bytes] | None:
        """Take one whole frame."""
        arrived = self._arrived
        if len(arrived) < 2:
            return None
        first, second = arrived[0], arrived[1]
        kind = KINDS.get(first & 0x0F)
        if kind is None or first & RESERVED:
            raise Broken(1002, "reserved bits or opcode")
        if not second & MASKED:
            raise Broken(1002, "a client masks")
        is_final, size, at = bool(first & FINAL), second & LENGTH, 2
        if kind in CONTROL and (not is_final or size > CONTROL_BYTES):
            raise Broken(1002, "control frame in pieces or too long")
        if size in LONG:
            more, least = LONG[size]
            at += more
            if len(arrived) < at:
                return None
            size = int.from_bytes(arrived[2:at], "big")
            if size < least or size >> 63:
                raise Broken(1002, "length not written as it should be")
        if kind not in CONTROL:
            self._expect(kind, size)
        end = at + MASK_BYTES + size
        if len(arrived) < end:
            return None
        payload = _unmasked(arrived[at + MASK_BYTES : end], arrived[at : at + MASK_BYTES])
        del arrived[:end]
        return is_final, kind, payload

    def _expect(self, kind: Kind, size: int) -> None:
        """Whether a data frame may come now, and so long a one."""
        if (kind is Kind.MORE) != (self._kind is not None):
            raise Broken(1002, "a message begins within another, or goes on without having begun")
        held = len(self._whole) if self._whole is not None else 0
        if held + size > self._limit:
            raise TooLong

    def _message(self, is_final: bool, kind: Kind, payload: bytes) -> Message | Piece:
        if self._kind is None and is_final:  # nearly all of them
            return Message(_text(payload) if kind is Kind.TEXT else payload)
        if self._whole is None:
            self._kind, self._whole = kind, bytearray()
            self._decoder, self._text = codecs.getincrementaldecoder("utf-8")(), ""
        self._whole += payload
        if self._kind is Kind.TEXT and self._decoder is not None:  # wrong text is known with its first wrong piece
            try:
                self._text += self._decoder.decode(payload, is_final)
            except UnicodeDecodeError as error:
                raise Broken(1007, "not UTF-8") from error
        if not is_final:
            return PIECE
        message = Message(self._text if self._kind is Kind.TEXT else bytes(self._whole))
        self._kind = self._whole = self._decoder = None
        self._text = ""
        return message


def _farewell(payload: bytes) -> Farewell:
    if not payload:
        return Farewell(NO_CODE, "")
    code = int.from_bytes(payload[:2], "big")
    if len(payload) < 2 or code not in SENDABLE:
        raise Broken(1002, "close code")
    return Farewell(code, _text(payload[2:]))


def _text(payload: bytes) -> str:
    try:
        return payload.decode()
    except UnicodeDecodeError as error:
        raise Broken(1007, "not UTF-8") from error


def _unmasked(payload: bytearray, mask: bytearray) -> bytes:
    """Section 5.3. As two long numbers: the only quick way there is in plain Python."""
    size = len(payload)
    pattern: Final = (mask * (size // MASK_BYTES + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(pattern, "big")).to_bytes(size, "big")
