"""The line to the hub: it comes back after each loss, knows when what it knows is old, and repeats until answered.

A request that was sent stays open, under the same id, over any number of sockets: the hub answers what it has done.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from time import monotonic

from msgspec import UNSET
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from hub.wire.client_side import Heard, Screen
from hub.wire.codec import NotAMessage, encode, read_frame
from hub.wire.messages import AnswerBody, KioskRequest, RefusalBody, Reply
from kiosk_client.badge import Badge

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 2.0  # a resident stands there
LIVED_S = 5.0  # a socket that held so long was a good one: the next loss starts with a short pause again
TWO_BEATS_S = 20.0  # the hub promises a beat every 10 s
REPEAT_S = 3.0  # without a reply on an open socket
AGAIN_S = 0.5  # after "not now": the store comes back within a second or two
LONGEST_FRAME = 1 << 20  # a board snapshot of 6 lanes and 32 counters is some 10 kB


class Link:
    """`screen`: the board as last heard; `is_fresh`: whether that may be shown as the present."""

    def __init__(self, address: str, badge: Badge, chance: Callable[[], float], changed: Callable[[], None]) -> None:
        """`address`: ws://HOST:PORT/ws/kiosk; `chance` gives 0 ≤ x < 1; `changed` is told after each news."""
        self.screen = Screen()
        self.is_fresh = False
        self._address, self._badge = address, badge
        self._chance = chance
        self._changed = changed
        self._socket: ClientConnection | None = None
        self._heard_at = 0.0
        self._open: dict[str, tuple[KioskRequest, asyncio.Future[AnswerBody | RefusalBody]]] = {}

    @property
    def now_ms(self) -> int:
        """Office time: the hub's last, and what has passed here since."""
        return self.screen.at + round((monotonic() - self._heard_at) * 1000)

    async def run(self) -> None:
        """Connect, listen until that ends for any reason, and again, until cancelled. A machine that the hub does not
        know, or no longer, waits until it is let in.
        """
        losses = 0
        while True:
            token = await self._badge.token()
            began = monotonic()
            try:
                async with connect(
                    self._address,
                    additional_headers={"Authorization": f"Bearer {token}"},
                    proxy=None,  # the hub stands in the same house
                    compression=None,
                    open_timeout=2,
                    close_timeout=1,
                    ping_interval=5,
                    ping_timeout=5,
                    max_size=LONGEST_FRAME,
                ) as socket:
                    await self._listen(socket)
            except (OSError, WebSocketException) as error:  # TimeoutError is an OSError
                self._badge.trouble.begin("hub away", error)
            except NotAMessage as error:
                self._badge.trouble.begin("hub not understood", error)
            finally:
                self._socket = None
                self._say(is_fresh=False)
            losses = 1 if monotonic() - began > LIVED_S else losses + 1
            await asyncio.sleep(pause_s(losses, self._chance))

    async def insist(self, request: KioskRequest) -> AnswerBody | RefusalBody:
        """Ask until there is an answer, or a refusal that trying again does not help."""
        while True:
            body = await self.ask(request)
            if isinstance(body, AnswerBody) or not body.again:
                return body
            await asyncio.sleep(AGAIN_S * (0.5 + self._chance()))

    async def ask(self, request: KioskRequest) -> AnswerBody | RefusalBody:
        """Ask until there is a reply."""
        answered: asyncio.Future[AnswerBody | RefusalBody] = asyncio.get_running_loop().create_future()
        self._open[request.id] = request, answered
        try:
            while not answered.done():
                await self._send(request)
                await asyncio.wait({answered}, timeout=REPEAT_S)
            return answered.result()
        finally:
            del self._open[request.id]

    async def _send(self, request: KioskRequest) -> None:
        if self._socket is not None:
            with suppress(ConnectionClosed):  # it is sent again on the next socket
                await self._socket.send(encode(request), text=True)

    async def _listen(self, socket: ClientConnection) -> None:
        """Until the socket is silent for too long, or a frame is missing."""
        self._socket = socket
        for request, _ in list(self._open.values()):
            await self._send(request)
        while True:
            async with asyncio.timeout(TWO_BEATS_S):
                frame = read_frame(await socket.recv(decode=False))
            self._badge.trouble.end()
            if isinstance(frame, Reply):
                self._answer(frame)
            elif frame is not None:
                heard = self.screen.hear(frame)
                if heard is Heard.GAP:
                    return
                self._heard_at = monotonic()
                self._say(is_fresh=self.screen.position is not None and not self.screen.is_away)

    def _answer(self, reply: Reply) -> None:
        body = reply.answer if reply.answer is not UNSET else reply.refusal
        if body is UNSET or reply.id not in self._open:
            return
        _, answered = self._open[reply.id]
        if not answered.done():
            answered.set_result(body)

    def _say(self, *, is_fresh: bool) -> None:
        self.is_fresh = is_fresh
        self._changed()


def pause_s(losses: int, chance: Callable[[], float]) -> float:
    """Longer after each loss in a row, and never the same for two machines."""
    return min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(losses, 10)) * (0.5 + chance() / 2)
