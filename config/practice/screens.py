"""A wall of the practice office: it hears the board and tells which calls it shows, as a real one does once painted.

What is painted here is the picture that was heard; whether it is the right one is for `checks`.
"""

import asyncio
from collections.abc import Sequence

from msgspec import UNSET
from websockets.asyncio.client import ClientConnection

from config.practice.asking import new_id
from config.practice.entering import Pass
from config.practice.listeners import Listener, News
from config.practice.sockets import NOBODY
from hub.forecast.day import Chance
from hub.wire.codec import encode
from hub.wire.messages import Reply, Shown

Call = tuple[int, int]  # arrival, called_at


class Wall(Listener):
    """Each call is told once it was answered; what was under way when the connection broke is told again."""

    def __init__(self, address: str, chance: Chance, news: Sequence[News] = (), entry: Pass = NOBODY) -> None:
        super().__init__(address, chance, news, entry)
        self._told: set[Call] = set()
        self._under_way: dict[str, Call] = {}

    async def _talk(self, socket: ClientConnection) -> None:
        self._told -= set(self._under_way.values())
        self._under_way.clear()
        telling = asyncio.create_task(self._tell(socket))
        try:
            await super()._talk(socket)
        finally:
            telling.cancel()
            await asyncio.wait({telling})

    async def _tell(self, socket: ClientConnection) -> None:
        while True:
            present = {(call.arrival, call.called_at): call for call in self.screen.called.values()}
            self._told &= set(present)
            for name, call in present.items():
                if name not in self._told:
                    self._told.add(name)
                    request = Shown(new_id(), call.arrival, call.calls, call.called_at)
                    self._under_way[request.id] = name
                    await socket.send(encode(request), text=True)
            await self._changed.wait()

    def _answered(self, reply: Reply) -> None:
        name = self._under_way.pop(reply.id or "", None)
        if name is not None and reply.refusal is not UNSET and reply.refusal.again:
            self._told.discard(name)
