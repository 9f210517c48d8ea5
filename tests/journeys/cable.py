"""A cable between a screen and its hub that can be pulled: nothing passes and nobody is told, as in earnest."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Cable:
    """`pull` swallows what passes from then on; `plug` lets new connections through, those from before are dead."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._is_pulled = False
        self._ends: set[asyncio.StreamWriter] = set()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        """Gives the base URL behind which the hub stands."""
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()
            self._cut()
            await server.wait_closed()

    def pull(self) -> None:
        self._is_pulled = True

    def plug(self) -> None:
        self._is_pulled = False
        self._cut()

    def _cut(self) -> None:
        for end in self._ends:
            end.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hub_reader, hub_writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._ends |= {writer, hub_writer}
        await asyncio.wait(
            [asyncio.create_task(self._pass_on(*ends)) for ends in ((reader, hub_writer), (hub_reader, writer))],
            return_when=asyncio.FIRST_COMPLETED,
        )
        for end in (writer, hub_writer):
            end.close()
        self._ends -= {writer, hub_writer}

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                if not self._is_pulled:
                    writer.write(data)
                    await writer.drain()
        except ConnectionError:
            pass  # either end may go at any moment
