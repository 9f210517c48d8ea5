"""The websockets of hub/wire/README.md. One listener is a mailbox, a writer that empties it, and a reader.

Where our own engine runs (`hub.edge.websocket`), residents' connections are handed over to their crowd instead, and
nothing of this stays with them; everything up to there is the same.

Screens, desks and machines are known before their socket opens (`hub.edge.access`), and closed as soon as they may no
longer be here. Only the writer sends. It gives up on a client that does not take a frame within `send_s`: such a one is
cut off, since the close frame would not arrive either.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

import structlog
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketDisconnected
from uvicorn.protocols.utils import ClientDisconnected

from hub.desk.refusals import MustChange, NotAllowed, NotSignedIn, Refusal, UnknownLane
from hub.edge.access import Access, Principal, is_program
from hub.edge.answers import status_of
from hub.edge.commands import Asker, Commands
from hub.edge.connections import ABORT
from hub.edge.guards import Guard
from hub.edge.walls import Walls
from hub.edge.websocket.burst import Burst
from hub.edge.websocket.connection import LINE, WebsocketConnection
from hub.fanout import topics
from hub.fanout.mailbox import Frame, Mailbox, MailboxClosed
from hub.fanout.registry import Pace
from hub.fanout.relay import Relay
from hub.wire.messages import CLIENT_FRAME_BYTES, Close, Reply
from hub.wire.position import Position
from hub.wire.roles import Act

_log = structlog.get_logger("hub.edge.sockets")

_SCREEN = re.compile(r"[a-z0-9_-]{1,32}", re.ASCII)  # as `Key` on the wire

JOINED_BYTES = 64 * 1024  # of one write; what is more waits in the mailbox, which has a bottom

FOREIGN = "このページからは接続できません。"
NO_SCREEN = "その画面はありません。"

Answering: TypeAlias = Callable[[str, Asker], Awaitable[Reply]]
Come: TypeAlias = Callable[[Principal], Callable[[], None]]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bottoms of what one process gives away."""

    send_s: float = 5.0  # a frame of a few hundred bytes that the client's network takes no notice of: it is gone
    catch_up_s: float = 1.0  # for a position from a faster hub; hubs of one office are milliseconds apart
    in_flight: int = 8  # requests of one socket; a clerk has one, a hurried double press two
    # Of one socket of staff or a machine: nobody presses so often, and a screen that repeats itself does no more harm.
    texts_per_s: float = 20.0
    texts_at_once: float = 40.0  # what was kept while the network was away
    idle_texts: int = 8  # messages where none is asked for; a stray page of a test says hello once
    # Residents': some 2.5 kB each on our own engine, 25 kB on the other: half a gigabyte. The whole ward would fit in.
    listeners: int = 20_000
    inside_listeners: int = 4_000  # counted apart: staff come in however many residents look on
    # Residents are not counted by their address: behind a proxy all have one, and so has a waiting room on the ward's
    # wireless network or a telephone company's. What one of them could take is bounded by `listeners`.


class Sockets:
    """The websocket endpoints of one listener (public or inside), with that listener's guard and its own count."""

    def __init__(
        self,
        relay: Relay,
        commands: Commands,
        access: Access,
        walls: Walls,
        guard: Guard,
        limits: Limits,
        *,
        most: int,
    ) -> None:
        self._relay = relay
        self._commands = commands
        self._access = access
        self._walls = walls
        self._guard = guard
        self._limits = limits
        self._most = most
        self._open = 0

    async def board(self, websocket: WebSocket) -> None:
        await self._serve_public(websocket, topics.BOARD)

    async def lane(self, websocket: WebSocket) -> None:
        lane = websocket.path_params["lane"]
        try:
            self._relay.office.lane(lane)
        except UnknownLane as refusal:
            await _deny(websocket, 404, refusal.sentence)
        else:
            await self._serve_public(websocket, topics.of_lane(lane))

    async def wall(self, websocket: WebSocket) -> None:
        if _SCREEN.fullmatch(websocket.path_params["screen"]):
            await self._serve_known(
                websocket, Act.OPEN_WALL, topics.BOARD, self._commands.answer_wall, self._walls.come
            )
        else:
            await _deny(websocket, 404, NO_SCREEN)

    async def desk(self, websocket: WebSocket) -> None:
        await self._serve_known(websocket, Act.OPEN_DESK, topics.DESK, self._commands.answer_desk)

    async def kiosk(self, websocket: WebSocket) -> None:
        await self._serve_known(websocket, Act.OPEN_KIOSK, topics.BOARD, self._commands.answer_kiosk)

    async def why_wall(self, request: Request) -> Response:
        return await self._why(request, Act.OPEN_WALL)

    async def why_desk(self, request: Request) -> Response:
        return await self._why(request, Act.OPEN_DESK)

    async def _why(self, request: Request, act: Act) -> Response:
        """A plain GET of a socket's path: whether it would open. A browser tells its page no reason."""
        try:
            await self._principal(request, act)
        except Refusal as refusal:
            return PlainTextResponse(refusal.sentence, _status_of(refusal))
        return Response(status_code=204)

    async def _serve_public(self, websocket: WebSocket, topic: str) -> None:
        headers = websocket.headers
        if self._guard.allows(websocket.scope["scheme"], headers.getlist("host"), headers.getlist("origin")):
            await self._serve(websocket, topic, Pace.TAB)
        else:
            await _deny(websocket, 403, FOREIGN)

    async def _serve_known(
        self, websocket: WebSocket, act: Act, topic: str, answer: Answering, come: Come | None = None
    ) -> None:
        """A socket that opens only for who may, and closes when he may no longer. `come`: hears that he is here."""
        if not self._is_own_page(websocket, act):
            return await _deny(websocket, 403, FOREIGN)
        try:
            principal = await self._principal(websocket, act)
        except Refusal as refusal:
            return await _deny(websocket, _status_of(refusal), refusal.sentence)
        go = come(principal) if come else _nothing
        try:
            await self._serve(websocket, topic, Pace.WALL, principal, answer)
        finally:
            go()

    def _is_own_page(self, websocket: WebSocket, act: Act) -> bool:
        """A device's program says who it is by itself; a browser's cookie counts on our own pages only."""
        headers, scheme = websocket.headers, websocket.scope["scheme"]
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if act is not Act.OPEN_DESK and is_program(websocket):
            return self._guard.allows(scheme, hosts, origins)
        sites = headers.getlist("sec-fetch-site")
        return self._guard.allows_by_cookie(scheme, hosts, origins, sites, changes=False)

    async def _principal(self, connection: HTTPConnection, act: Act) -> Principal:
        """Who asks to open a socket. Raises NotSignedIn, MustChange, NotAllowed, LedgerAway."""
        if act is Act.OPEN_DESK:  # to come back is no use of a session: a page does it by itself
            principal = await self._access.person(connection, is_used=False)
        else:
            principal = await self._access.device(connection)
        if principal is None:
            raise NotSignedIn
        if principal.must_change:
            raise MustChange
        try:
            self._access.check(principal, act)
            if act is Act.OPEN_WALL and principal.place != connection.path_params["screen"]:
                raise NotAllowed
        except NotAllowed:
            self._access.refused(principal, act)
            raise
        return principal

    async def _serve(
        self,
        websocket: WebSocket,
        topic: str,
        pace: Pace,
        principal: Principal | None = None,
        answer: Answering | None = None,
    ) -> None:
        """From the handshake to the end of one socket."""
        if self._open >= self._most:
            return await _deny(websocket, 503, "ただいま混み合っています。少し待ってから開き直してください。")
        self._open += 1
        is_handed_over = False
        try:
            await websocket.accept()
            asked = websocket.scope["query_string"]
            after = Position.parse(websocket.query_params.get("after", "")) if asked else None
            if after is not None:
                await self._catch_up(after)
            line = websocket.scope["extensions"].get(LINE)
            if line is not None and principal is None:
                is_handed_over = self._hand_over(line, topic, pace, after)
            else:
                await self._attend(websocket, topic, pace, after, principal, answer)
        except (WebSocketDisconnect, WebSocketDisconnected):
            pass  # gone between two steps
        finally:
            if not is_handed_over:
                self._leave()
        return None

    def _hand_over(self, line: WebsocketConnection, topic: str, pace: Pace, after: Position | None) -> bool:
        """Nobody asks anything here: the connection goes to its crowd. False: it has ended already."""
        crowd = self._relay.crowd(topic, pace, line.framed, Burst)
        if not line.hand_over(crowd, self._limits.idle_texts, self._leave):
            return False
        try:
            self._relay.admit(line, crowd, topic, after)
        except Exception:  # it is out of the application's hands, and counted out when it has gone
            _log.exception("not let in")
            line.close(1011)
        return True

    def _leave(self) -> None:
        self._open -= 1

    async def _catch_up(self, after: Position) -> None:
        try:
            async with asyncio.timeout(self._limits.catch_up_s):
                await self._relay.reach(after)
        except TimeoutError:
            pass  # then a snapshot is the truth as far as it is known here

    async def _attend(
        self,
        websocket: WebSocket,
        topic: str,
        pace: Pace,
        after: Position | None,
        principal: Principal | None,
        answer: Answering | None,
    ) -> None:
        mailbox = self._relay.join(topic, pace, after)
        writer = asyncio.create_task(self._write(websocket, mailbox))
        asked, stop_watching = None, _nothing
        if principal is not None:
            seat = Seat(principal, mailbox, lambda: self._access.used(websocket, principal))
            stop_watching = self._access.watch(principal, seat.end)
            asked = Asked(answer, seat, self._relay, self._limits) if answer else None
        try:
            await _read(websocket, mailbox, asked, self._limits.idle_texts)
        finally:
            stop_watching()
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
                    await _say(websocket, [frame, *mailbox.more(JOINED_BYTES - frame.size)])
        except MailboxClosed as closed:
            await self._close(websocket, closed.code)
        except TimeoutError:
            _abort(websocket)
        except (WebSocketDisconnect, WebSocketDisconnected, ClientDisconnected):
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


@dataclass(slots=True)
class Seat:
    """Who sits at a socket, and whether he still may. `use`: he has done something."""

    principal: Principal
    mailbox: Mailbox
    use: Callable[[], None]
    is_out: bool = False

    def end(self) -> None:
        self.is_out = True
        self.mailbox.close(Close.SIGNED_OUT)


class Asked:
    """The requests of one socket that are being carried out. With all places taken the socket is not read on."""

    def __init__(self, answer: Answering, seat: Seat, relay: Relay, limits: Limits) -> None:
        self.under_way: set[asyncio.Task[None]] = set()
        self._answer = answer
        self._seat = seat
        self._mailbox = seat.mailbox
        self._relay = relay
        self._limits = limits
        self._places = asyncio.Semaphore(limits.in_flight)
        self._left = limits.texts_at_once
        self._at = time.monotonic()

    async def take(self, text: str) -> None:
        if not self._counts():
            self._mailbox.close(Close.BAD_MESSAGE)
            return
        self._seat.use()
        await self._places.acquire()
        task = asyncio.create_task(self._reply(text))
        self.under_way.add(task)
        task.add_done_callback(self.under_way.discard)

    def _counts(self) -> bool:
        """So many at once and so many a second; False for one too many."""
        now = time.monotonic()
        self._left = min(self._limits.texts_at_once, self._left + (now - self._at) * self._limits.texts_per_s)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True

    async def _reply(self, text: str) -> None:
        # Carried out to its end also when the asker is gone: he asks again under the same id and gets this answer.
        try:
            reply = await self._answer(text, self._seat)
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


async def _say(websocket: WebSocket, frames: list[Frame]) -> None:
    """In one write where the engine can: a desk is told of every press at every desk."""
    line = websocket.scope["extensions"].get(LINE)
    if line is not None:
        await line.send_texts(frame.text for frame in frames)
        return
    for frame in frames:
        await websocket.send({"type": "websocket.send", "text": frame.text})


def _nothing() -> None:
    pass


def _status_of(refusal: Refusal) -> int:
    return 401 if isinstance(refusal, NotSignedIn) else status_of(refusal)


async def _deny(websocket: WebSocket, status: int, sentence: str) -> None:
    """An HTTP answer instead of a websocket."""
    await websocket.send_denial_response(PlainTextResponse(sentence, status))


def _abort(websocket: WebSocket) -> None:
    """Cut the connection without waiting for what is still in its buffers."""
    abort = websocket.scope["extensions"].get(ABORT)
    if abort is not None:
        abort()
