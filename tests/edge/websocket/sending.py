"""Frames as a client sends them, right ones and wrong ones, and a bare connection to send them on."""

import asyncio
import contextlib
from dataclasses import dataclass

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # what RFC 6455 answers to it, section 1.3


def frame(
    opcode: int, payload: bytes, *, final: bool = True, reserved: int = 0, mask: bytes = b"\x01\x02\x03\x04"
) -> bytes:
    size = len(payload)
    head = bytes([final << 7 | reserved << 4 | opcode])
    if size < 126:
        head += bytes([0x80 | size])
    elif size < 1 << 16:
        head += b"\xfe" + size.to_bytes(2, "big")
    else:
        head += b"\xff" + size.to_bytes(8, "big")
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


def head(path: str, port: int, *lines: bytes, version: bytes = b"13", key: bytes | None = KEY) -> bytes:
    """A handshake."""
    told = [b"GET %b HTTP/1.1" % path.encode(), b"Host: 127.0.0.1:%d" % port, b"Upgrade: websocket"]
    told += [b"Connection: keep-alive, Upgrade", b"Sec-WebSocket-Version: %b" % version, *lines]
    if key is not None:
        told.append(b"Sec-WebSocket-Key: %b" % key)
    return b"\r\n".join([*told, b"", b""])


@dataclass
class Bare:
    """A connection that says what it is told to say."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    answer: bytes = b""

    @classmethod
    async def open(cls, port: int, path: str = "/echo", *lines: bytes) -> "Bare":
        """Past the handshake."""
        bare = await cls.asking(port, head(path, port, *lines))
        bare.answer = await bare.reader.readuntil(b"\r\n\r\n")
        return bare

    @classmethod
    async def asking(cls, port: int, asked: bytes) -> "Bare":
        bare = cls(*await asyncio.open_connection("127.0.0.1", port))
        bare.writer.write(asked)
        return bare

    def say(self, data: bytes) -> None:
        self.writer.write(data)

    async def hears(self, size: int) -> bytes:
        return await self.reader.readexactly(size)

    async def rest(self) -> bytes:
        """All that comes until the other side ends the connection, also by a cut."""
        heard = b""
        with contextlib.suppress(ConnectionError):
            while piece := await self.reader.read(65536):
                heard += piece
        return heard

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()

    def cut(self) -> None:
        self.writer.transport.abort()
