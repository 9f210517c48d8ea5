"""One socket that asks and gets replies. A request is repeated under its own id until it is answered, whatever breaks.

It decides nothing: a refusal that trying again cannot cure is handed to whoever asked.
"""

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from msgspec import UNSET, Struct
from msgspec.json import Decoder
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from config.practice.entering import Pass
from config.practice.sockets import NOBODY, pause_s, stay_connected
from hub.forecast.day import Chance
from hub.wire.codec import encode, read_frame
from hub.wire.messages import AnswerBody, DeskRequest, RefusalBody, Reply

ANSWERED_WITHIN_S = 3.0  # then the reply is taken for lost
GIVES_UP_AFTER_S = 180.0  # an office without its hub for three minutes is a failure of the day
ANSWERS_KEPT = 256  # to hold a second reply against the first; more repeats are never under way at once

Body = AnswerBody | RefusalBody
Record = Callable[[DeskRequest, AnswerBody], None]


class NoReply(Exception):
    """A request stayed unanswered however often it was repeated."""


class _Kind(Struct):
    type: str


_kinds = Decoder(_Kind)


@dataclass(slots=True)
class _Asked:
    text: bytes
    reply: "asyncio.Future[Body]"
    sends: int = 0


class Asker:
    """`stay` must run beside `ask`. `contradictions`: requests that got two different answers."""

    def __init__(self, address: str, chance: Chance, record: Record, entry: Pass = NOBODY) -> None:
        self.address = address
        self.repeats = 0
        self.contradictions: list[str] = []
        self._chance = chance
        self._record = record
        self._entry = entry
        self._socket: ClientConnection | None = None
        self._open: dict[str, _Asked] = {}
        self._answered: dict[str, AnswerBody] = {}

    async def stay(self) -> None:
        await stay_connected(lambda: self.address, self._talk, self._chance, self._entry)

    async def ask(self, request: DeskRequest) -> Body:
        """Raises NoReply after GIVES_UP_AFTER_S."""
        asked = _Asked(encode(request), asyncio.get_running_loop().create_future())
        self._open[request.id] = asked
        losses = 0
        try:
            async with asyncio.timeout(GIVES_UP_AFTER_S):
                while True:
                    await self._send(asked)
                    await asyncio.wait({asked.reply}, timeout=ANSWERED_WITHIN_S)
                    if asked.reply.done():
                        body = asked.reply.result()
                        if isinstance(body, AnswerBody):
                            self._record(request, body)
                            return body
                        if not body.again:
                            return body
                        asked.reply = asyncio.get_running_loop().create_future()
                        losses += 1
                        await asyncio.sleep(pause_s(losses, self._chance))
        except TimeoutError:
            raise NoReply(f"{self.address} から {GIVES_UP_AFTER_S:.0f} 秒間、返事がありません: {request}") from None
        finally:
            del self._open[request.id]

    async def _send(self, asked: _Asked) -> None:
        if self._socket is not None:
            self.repeats += asked.sends > 0
            asked.sends += 1
            with suppress(ConnectionClosed):  # `_talk` sends it again on the next socket
                await self._socket.send(asked.text, text=True)

    async def _talk(self, socket: ClientConnection) -> None:
        self._socket = socket
        try:
            for asked in list(self._open.values()):
                await self._send(asked)
            while True:
                text = await socket.recv(decode=False)
                if _kinds.decode(text).type == "reply":  # the world's facts are for the listeners
                    frame = read_frame(text)
                    if isinstance(frame, Reply) and frame.id is not None:
                        self._hear(frame.id, frame)
        finally:
            self._socket = None

    def _hear(self, request_id: str, reply: Reply) -> None:
        body = reply.refusal if reply.answer is UNSET else reply.answer
        if body is UNSET:
            self.contradictions.append(f"{request_id} の返事に中身がありません")
            return
        if isinstance(body, AnswerBody):
            first = self._answered.setdefault(request_id, body)
            if first != body:
                self.contradictions.append(f"{request_id} に二通りの返事が来ました: {first} と {body}")
            if len(self._answered) > ANSWERS_KEPT:
                del self._answered[next(iter(self._answered))]
        asked = self._open.get(request_id)
        if asked is not None and not asked.reply.done():
            asked.reply.set_result(body)


def new_id() -> str:
    return secrets.token_urlsafe(16)
