"""A wire between client and store that loses answers: the request arrives, the reply does not, the connection ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path


class LossyWire:
    """Passes everything on, but swallows each `every`-th reply to an FCALL (0: none). `lost` counts them."""

    def __init__(self, store: Path, every: int) -> None:
        self._store = store
        self.every = every
        self.calls = 0
        self.lost = 0
        self._writers: set[asyncio.StreamWriter] = set()

    @asynccontextmanager
    async def open(self, socket: Path) -> AsyncIterator[str]:
        """Listen on `socket`; gives the URL for the client."""
        server = await asyncio.start_unix_server(self._connect, str(socket))
        try:
            yield f"unix://{socket}"
        finally:
            server.close()
            self.cut()
            await server.wait_closed()

    def cut(self) -> None:
        """Drop every connection now."""
        for writer in self._writers:
            writer.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        store_reader, store_writer = await asyncio.open_unix_connection(str(self._store))
        self._writers |= {writer, store_writer}
        is_doomed = asyncio.Event()  # the reply to come is swallowed; one client sends one request at a time
        replies = asyncio.create_task(self._pass_back(store_reader, writer, is_doomed))
        try:
            while asked := await reader.read(65536):
                if b"FCALL\r\n" in asked:
                    self.calls += 1
                    if self.every and self.calls % self.every == 0:
                        is_doomed.set()
                store_writer.write(asked)
                await store_writer.drain()
        except ConnectionError:
            pass  # either end may go at any moment: that is what this wire is for
        finally:
            replies.cancel()
            self._writers -= {writer, store_writer}
            writer.close()
            store_writer.close()

    async def _pass_back(
        self, store_reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_doomed: asyncio.Event
    ) -> None:
        """However long a reply is: the library's own code is longer than what is read at once."""
        try:
            while reply := await store_reader.read(65536):
                if is_doomed.is_set():
                    self.lost += 1
                    return
                writer.write(reply)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()
