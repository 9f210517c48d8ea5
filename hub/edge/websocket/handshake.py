"""The handshake of RFC 6455 (section 4.2): a request's head taken apart, and the answers to it. No connection in sight.

The request was looked at before (`hub.edge.doorstep`, or uvicorn); what cannot be a websocket's is refused here too.
"""

import base64
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeAlias
from urllib.parse import unquote

Headers: TypeAlias = list[tuple[bytes, bytes]]

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
VERSION = b"13"
HEAD_END = b"\r\n\r\n"
KEY = re.compile(rb"[A-Za-z0-9+/]{22}==")  # 16 bytes in base64


@dataclass(frozen=True, slots=True)
class Asked:
    """A websocket is asked for. `raw_path` as it was sent, `path` with its escapes resolved."""

    path: str
    raw_path: bytes
    query: bytes
    headers: Headers
    subprotocols: list[str]
    accept: bytes  # what the answer repeats of the client's key


class NotAsked(Exception):
    """The head asks for no websocket; `status` and `headers` are the answer."""

    def __init__(self, status: int, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        super().__init__(f"answered with {status}")
        self.status = status
        self.headers = list(headers)


def read_head(head: bytes) -> Asked:
    """Raises NotAsked."""
    first, *lines = head.removesuffix(HEAD_END).split(b"\r\n")
    method, _, rest = first.partition(b" ")
    target, _, version = rest.rpartition(b" ")
    if method != b"GET" or version != b"HTTP/1.1" or not target.isascii():
        raise NotAsked(400)
    headers = [_header(line) for line in lines]
    if _all(headers, b"sec-websocket-version") != [VERSION]:
        raise NotAsked(426, [(b"sec-websocket-version", VERSION), (b"upgrade", b"websocket")])
    keys = _all(headers, b"sec-websocket-key")
    if len(keys) != 1 or not KEY.fullmatch(keys[0]):
        raise NotAsked(400)
    raw_path, _, query = target.partition(b"?")
    offered = b",".join(_all(headers, b"sec-websocket-protocol")).decode("latin-1")
    return Asked(
        unquote(raw_path.decode("ascii")),
        raw_path,
        query,
        headers,
        [name.strip() for name in offered.split(",") if name.strip()],
        base64.b64encode(hashlib.sha1(keys[0] + GUID, usedforsecurity=False).digest()),
    )


def switching(accept: bytes, headers: Iterable[tuple[bytes, bytes]], subprotocol: str | None) -> bytes:
    """From here on frames. Raises ValueError for headers that are none."""
    told: Headers = [
        (b"upgrade", b"websocket"),
        (b"connection", b"Upgrade"),
        (b"sec-websocket-accept", accept),
    ]
    if subprotocol is not None:
        told.append((b"sec-websocket-protocol", subprotocol.encode("latin-1")))
    return _head(101, [*told, *headers])


def answer(status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> bytes:
    """A plain answer instead, after which the connection ends. Raises ValueError for headers that are none."""
    kept = [(name, value) for name, value in headers if name.lower() not in (b"content-length", b"connection")]
    told = [*kept, (b"content-length", b"%d" % len(body)), (b"connection", b"close")]
    return _head(status, told) + body


def _head(status: int, headers: Headers) -> bytes:
    lines = [b"HTTP/1.1 %d %b\r\n" % (status, _PHRASES.get(status, b""))]
    lines += [b"%b: %b\r\n" % (name, value) for name, value in headers]
    lines.append(b"\r\n")
    head = b"".join(lines)
    if head.count(b"\r") != len(lines) or head.count(b"\n") != len(lines) or b"\0" in head:
        raise ValueError("a header with a line break in it")
    return head


def _header(line: bytes) -> tuple[bytes, bytes]:
    name, mark, value = line.partition(b":")
    if not mark:
        raise NotAsked(400)
    return name.lower(), value.strip(b" \t")


def _all(headers: Headers, wanted: bytes) -> list[bytes]:
    return [value for name, value in headers if name == wanted]


_PHRASES = {int(status): status.phrase.encode() for status in HTTPStatus}
