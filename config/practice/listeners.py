"""Screens that listen all day: they come back where they stopped, and at the end must know what a newcomer is told."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from urllib.parse import quote

from msgspec.structs import replace
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import WebSocketException

from config.practice.entering import Pass
from config.practice.sockets import NOBODY, fresh_snapshot, pause_s, stay_connected
from hub.forecast.day import Chance
from hub.wire.client_side import Heard, Screen
from hub.wire.codec import read_frame
from hub.wire.messages import HubFrame, Reply

AGREES_WITHIN_S = 30.0  # a listener may just be coming back, or learn of a gap only by the next beat (25 s to tabs)

News = Callable[[Screen, HubFrame], None]


class Listener:
    """One screen and its socket. `news` is told of every frame that changed the picture."""

    def __init__(self, address: str, chance: Chance, news: Sequence[News] = (), entry: Pass = NOBODY) -> None:
        self.address = address
        self.entry = entry
        self.screen = Screen()
        self.joins = 0
        self.gaps = 0
        self._chance = chance
        self._changed = asyncio.Event()
        self.news = list(news)

    async def stay(self) -> None:
        await stay_connected(self._resume_address, self._talk, self._chance, self.entry)

    async def sees(self, day: str) -> None:
        """Until the picture is one of that business day."""
        while self.screen.day != day:
            await self._changed.wait()

    def _resume_address(self) -> str:
        position = self.screen.position
        return self.address if position is None else f"{self.address}?after={quote(str(position), safe='')}"

    async def _talk(self, socket: ClientConnection) -> None:
        self.joins += 1
        while True:
            frame = read_frame(await socket.recv(decode=False))
            if frame is None:
                continue
            heard = self.screen.hear(frame)
            if heard is Heard.GAP:
                self.gaps += 1
                return
            if heard is Heard.NEW:
                for tell in self.news:
                    tell(self.screen, frame)
                self._changed.set()  # whoever waits now is woken
                self._changed.clear()
            if isinstance(frame, Reply):
                self._answered(frame)

    def _answered(self, reply: Reply) -> None:
        """Who only listens has asked nothing."""


@dataclass(frozen=True, slots=True)
class ScreenEnd:
    """How a listener stood at the end of the day; `why` is empty when it knew what a newcomer is told."""

    address: str
    why: str


async def compare_all(
    listeners: Sequence[Listener], chance: Chance, within_s: float = AGREES_WITHIN_S
) -> list[ScreenEnd]:
    """Each listener against a fresh snapshot of the same position; bounded by `within_s`."""
    return list(await asyncio.gather(*(_compare(listener, chance, within_s) for listener in listeners)))


async def _compare(listener: Listener, chance: Chance, within_s: float) -> ScreenEnd:
    deadline = monotonic() + within_s
    tries = 0
    while True:
        tries += 1
        try:
            fresh = await fresh_snapshot(listener.address, listener.entry.headers)
        except (OSError, WebSocketException) as error:
            why = f"新しい画面を開けません（{error!r}）"
        else:
            mine = replace(listener.screen.snapshot(), at=0)
            if mine == fresh:
                return ScreenEnd(listener.address, "")
            if mine.position == fresh.position:
                return ScreenEnd(listener.address, f"{fresh.position} で新しい画面と違います")
            why = f"{mine.position} のままです。新しい画面は {fresh.position} です"
        if monotonic() > deadline:
            return ScreenEnd(listener.address, why)
        await asyncio.sleep(pause_s(tries, chance))
