"""The websockets of hub/wire/README.md. One listener is a mailbox, a writer that empties it, and a reader.

Only the writer sends. It gives up on a client that does not take a frame within `send_s`: such a one is cut off, since
the close frame would not arrive either.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

import structlog
from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketDisconnected

from hub.desk.refusals import UnknownLane
from hub.edge.commands import Commands
from hub.edge.connections import ABORT
from hub.edge.guards import Guard
from hub.fanout import topics
from hub.fanout.mailbox import Frame, Mailbox, MailboxClosed
from hub.fanout.registry import Pace
from hub.fanout.relay import Relay
from hub.wire.messages import CLIENT_FRAME_BYTES, Close, Reply
from hub.wire.position import Position

_log = structlog.get_logger("hub.edge.sockets")

_SCREEN = re.compile(r"[a-z0-9_-]{1,32}", re.ASCII)  # as `Key` on the wire

Answering: TypeAlias = Callable[[str], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bottoms of what one process gives away."""

    send_s: float = 5.0  # a frame of a few hundred bytes that the client's network takes no notice of: it is gone
    catch_up_s: float = 1.0  # for a position from a faster hub; hubs of one office are milliseconds apart
    in_flight: int = 8  # requests of one socket; a clerk has one, a hurried double press two
    idle_texts: int = 8  # messages where none is asked for; a stray page of a test says hello once
    listeners: int = 20_000  # residents': some 25 kB each: half a gigabyte; the whole ward would fit in
    inside_listeners: int = 4_000  # counted apart: staff come in however many residents look on


class Sockets:
    """The websocket endpoints of one listener (public or inside), with that listener's guard and its own count."""

    def __init__(self, relay: Relay, commands: Commands, guard: Guard, limits: Limits, *, most: int) -> None:
        self._relay = relay
        self._commands = commands
        self._guard = guard
        self._limits = limits
        self._most = most
        self._open = 0

    async def board(self, websocket: WebSocket) -> None:
        await self._serve(websocket, topics.BOARD, Pace.TAB)

    async def lane(self, websocket: WebSocket) -> None:
        lane = websocket.path_params["lane"]
        try:
            self._relay.office.lane(lane)
        except UnknownLane as refusal:
            await _deny(websocket, 404, refusal.sentence)
        else:
            await self._serve(websocket, topics.of_lane(lane), Pace.TAB)

    async def wall(self, websocket: WebSocket) -> None:
        if _SCREEN.fullmatch(websocket.path_params["screen"]):
            await self._serve(websocket, topics.BOARD, Pace.WALL)
        else:
            await _deny(websocket, 404, "その画面はありません。")

    async def desk(self, websocket: WebSocket) -> None:
        await self._serve(websocket, topics.DESK, Pace.WALL, self._commands.answer_desk)

    async def kiosk(self, websocket: WebSocket) -> None:
        await self._serve(websocket, topics.BOARD, Pace.WALL, self._commands.answer_kiosk)

    async def _serve(self, websocket: WebSocket, topic: str, pace: Pace, answer: Answering | None = None) -> None:
        """From the handshake to the end of one socket."""
        headers = websocket.headers
        if not self._guard.allows(websocket.scope["scheme"], headers.getlist("host"), headers.getlist("origin")):
            return await _deny(websocket, 403, "このページからは接続できません。")
        if self._open >= self._most:
            return await _deny(websocket, 503, "ただいま混み合っています。少し待ってから開き直してください。")
        self._open += 1
        try:
            await websocket.accept()
            after = Position.parse(websocket.query_params.get("after", ""))
            if after is not None:
                await self._catch_up(after)
            await self._attend(websocket, topic, pace, after, answer)
        except (WebSocketDisconnect, WebSocketDisconnected):
            pass  # gone between two steps
        finally:
            self._open -= 1
        return None

    async def _catch_up(self, after: Position) -> None:
        try:
            async with asyncio.timeout(self._limits.catch_up_s):
                await self._relay.reach(after)
        except TimeoutError:
            pass  # then a snapshot is the truth as far as it is known here

    async def _attend(
        self, websocket: WebSocket, topic: str, pace: Pace, after: Position | None, answer: Answering | None
    ) -> None:
        mailbox = self._relay.join(topic, pace, after)
        writer = asyncio.create_task(self._write(websocket, mailbox))
        asked = Asked(answer, mailbox, self._relay, self._limits.in_flight) if answer else None
        try:
            await _read(websocket, mailbox, asked, self._limits.idle_texts)
        finally:
            self._relay.registry.leave(topic, pace, mailbox)
            mailbox.close(Close.RESTART)  # nothing reads it any more
            writer.cancel()
            await asyncio.wait({writer, *(asked.under_way if asked else ())})

    async def _write(self, websocket: WebSocket, mailbox: Mailbox) -> None:
        """Empty the mailbox into the socket until either ends."""
        try:
            while True:
                frame = await mailbox.get()
                async with asyncio.timeout(self._limits.send_s):
                    await websocket.send({"type": "websocket.send", "text": frame.text})
        except MailboxClosed as closed:
            await self._close(websocket, closed.code)
        except TimeoutError:
            _abort(websocket)
        except (WebSocketDisconnect, WebSocketDisconnected):
            pass  # the reader learns it too
        except Exception:
            _log.exception("writer failed")
            _abort(websocket)

    async def _close(self, websocket: WebSocket, code: int) -> None:
        try:
            async with asyncio.timeout(self._limits.send_s):
                await websocket.close(code)
        except TimeoutError:
            _abort(websocket)
        except (WebSocketDisconnect, WebSocketDisconnected):
            pass


class Asked:
    """The requests of one socket that are being carried out. With all places taken the socket is not read on."""

    def __init__(self, answer: Answering, mailbox: Mailbox, relay: Relay, places: int) -> None:
        self.under_way: set[asyncio.Task[None]] = set()
        self._answer = answer
        self._mailbox = mailbox
        self._relay = relay
        self._places = asyncio.Semaphore(places)

    async def take(self, text: str) -> None:
        await self._places.acquire()
        task = asyncio.create_task(self._reply(text))
        self.under_way.add(task)
        task.add_done_callback(self.under_way.discard)

    async def _reply(self, text: str) -> None:
        # Carried out to its end also when the asker is gone: he asks again under the same id and gets this answer.
        try:
            reply = await self._answer(text)
            self._relay.registry.overruns += self._mailbox.put(Frame.of(reply))
        finally:
            self._places.release()


async def _read(websocket: WebSocket, mailbox: Mailbox, asked: Asked | None, idle_texts: int) -> None:
    """Until the client is gone. Text is a request where requests are taken; elsewhere a few are ignored."""
    idle = 0
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return
        text = message.get("text")
        if text is None or len(text) > CLIENT_FRAME_BYTES or len(text.encode()) > CLIENT_FRAME_BYTES:
            mailbox.close(Close.BAD_MESSAGE)
        elif asked is None:
            idle += 1
            if idle > idle_texts:
                mailbox.close(Close.BAD_MESSAGE)
        elif mailbox.code is None:
            await asked.take(text)
        if asked is None or mailbox.code is not None:
            await asyncio.sleep(0)  # the next may be here already, and everybody else waits, also who says the close


async def _deny(websocket: WebSocket, status: int, sentence: str) -> None:
    """An HTTP answer instead of a websocket."""
    await websocket.send_denial_response(PlainTextResponse(sentence, status, headers={"Cache-Control": "no-store"}))


def _abort(websocket: WebSocket) -> None:
    """Cut the connection without waiting for what is still in its buffers."""
    abort = websocket.scope["extensions"].get(ABORT)
    if abort is not None:
        abort()
