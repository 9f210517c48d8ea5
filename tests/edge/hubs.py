"""A hub on real sockets: the same listeners as in earnest, in front of a store in memory or of a real one."""

import contextlib
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import NoReturn

from starlette.applications import Starlette
from starlette.types import ASGIApp
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from config.serving import Engine, listen, serving
from hub.desk.refusals import NotYours
from hub.edge.access import Access
from hub.edge.archive import ArchiveWatch
from hub.edge.commands import AnyRequest, Commands, Teller
from hub.edge.connections import HttpConnection
from hub.edge.erasure import ErasureWatch
from hub.edge.guards import Guard
from hub.edge.headers import SecurityHeaders
from hub.edge.routes import Edge, inside_routes, public_routes
from hub.edge.sockets import Limits
from hub.edge.walls import Walls
from hub.edge.websocket.connection import WebsocketConnection
from hub.fanout.crowd import Bounds
from hub.fanout.mailbox import Depth
from hub.fanout.registry import Pace, Registry
from hub.fanout.relay import Relay, Rhythm
from hub.wire import codec
from hub.wire import messages as wire
from hub.wire.client_side import Heard, Screen
from hub.wire.roles import Role
from hub.wire.tickets import Find
from tests.doors import Doors
from tests.fanout.days import OFFICE
from tests.fanout.memory import MemoryStore

SELDOM = {Pace.WALL: 3600.0, Pace.TAB: 3600.0}
QUIET = Rhythm(beats_s=SELDOM, look_s=0.05, first_pause_s=0.001, longest_pause_s=0.01)


@dataclass
class Chosen:
    """What hubs of the present story run their websockets on (`tests/edge/conftest.py`)."""

    engine: Engine = WebsocketConnection


CHOSEN = Chosen()


@cache
def shared_doors() -> Doors:
    """People and devices of the office in memory, the same for all its stories; none of them sends anybody away."""
    return Doors(OFFICE.key)


@dataclass(frozen=True)
class Served:
    """Where a hub's two listeners are, and who may come in."""

    public: int
    inside: int
    doors: Doors = field(default_factory=shared_doors)

    def socket(self, path: str, *, is_inside: bool = True) -> str:
        return f"ws://127.0.0.1:{self.inside if is_inside else self.public}{path}"

    def page(self, path: str, *, is_inside: bool = True) -> str:
        return f"http://127.0.0.1:{self.inside if is_inside else self.public}{path}"

    def headers(self, path: str) -> dict[str, str]:
        """What those who may come in by this path send along."""
        return self.doors.headers(path, self.page(""))

    def open(self, path: str, *, is_inside: bool = True, origin: str | None = None) -> connect:
        """Open a socket as who may; `origin`: as a page of there."""
        sent = self.headers(path) | ({} if origin is None else {"Origin": origin})
        return self.open_with(path, sent, is_inside=is_inside)

    def open_with(self, path: str, sent: Mapping[str, str], *, is_inside: bool = True) -> connect:
        url = self.socket(path, is_inside=is_inside)
        return connect(url, additional_headers=dict(sent), proxy=None, compression=None)


@contextlib.asynccontextmanager
async def served(
    apps: tuple[ASGIApp, ASGIApp],
    ping_s: float = 20.0,
    http: type[HttpConnection] = HttpConnection,
    ws: Engine | None = None,
    most_public: int | None = None,
    doors: Doors | None = None,
) -> AsyncIterator[Served]:
    """Two applications on free ports of this machine."""
    with listen("127.0.0.1", 0) as public, listen("127.0.0.1", 0) as inside:
        ports = Served(_port(public), _port(inside), doors or shared_doors())
        ws = ws or CHOSEN.engine
        async with serving(apps, public, inside, ping_s=ping_s, http=http, ws=ws, most_public=most_public):
            yield ports


def memory_hub(
    store: MemoryStore,
    *,
    depth: Depth | None = None,
    bounds: Bounds | None = None,
    rhythm: Rhythm = QUIET,
    limits: Limits | None = None,
    teller: Teller | None = None,
    archive: ArchiveWatch | None = None,
    erasure: ErasureWatch | None = None,
    access: Access | None = None,
) -> tuple[Relay, tuple[ASGIApp, ASGIApp]]:
    """A relay that is not running yet, and its applications. Without `access`: nobody loses his place."""
    relay = Relay(store, store.desk.office, Registry(depth, bounds), rhythm)
    access = access or Access(shared_doors().people, shared_doors().devices)
    commands = Commands(teller or store, lambda: relay.day, relay.arrival_of, nobodys, access)
    walls = Walls(relay, teller or store, lambda: shared_doors().devices.places(Role.WALL), every_s=0.02)
    edge = Edge(relay, commands, access, walls, limits or Limits(), archive=archive, erasure=erasure)
    inside = inside_routes(edge, Guard(by_loopback_only=True))
    public = public_routes(edge, Guard())
    return relay, (SecurityHeaders(Starlette(routes=public)), SecurityHeaders(Starlette(routes=inside)))


async def nobodys(wanted: Find) -> NoReturn:
    """A store in memory keeps no codes."""
    raise NotYours


class Visitor:
    """A screen at the end of a real websocket."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.screen = Screen()
        self.replies: list[wire.Reply] = []
        self.types: list[str] = []

    async def hear(self) -> Heard:
        """The next frame. Raises ConnectionClosed."""
        frame = codec.read_frame(await self.connection.recv())
        assert frame is not None
        self.types.append(type(frame).__name__)
        if isinstance(frame, wire.Reply):
            self.replies.append(frame)
        heard = self.screen.hear(frame)
        assert heard not in (Heard.GAP, Heard.OLD), frame
        return heard

    async def hear_all(self, count: int) -> None:
        for _ in range(count):
            await self.hear()

    async def ask(self, request: AnyRequest) -> None:
        await self.connection.send(codec.encode(request), text=True)


async def closed_with(connection: ClientConnection) -> int | None:
    """Hear what is still to be heard; the close code at the end, None where the connection was cut."""
    try:
        while True:
            await connection.recv()
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


def _port(place: socket.socket) -> int:
    return int(place.getsockname()[1])
