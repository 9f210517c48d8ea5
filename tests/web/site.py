"""The pages without a server: a request is answered in this process, and the hub says what the test makes it say."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from msgspec import UNSET
from msgspec.structs import replace
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.testclient import TestClient

from hub.desk.lane import Lane, Office
from hub.edge.headers import ALWAYS
from hub.wire import messages as m
from hub.wire.codec import encode
from hub.wire.roles import Role
from tests.eventually import eventually
from web.overview import overview_routes
from web.pages import DeskPage, inside_routes, public_routes, static_routes
from web.tickets import ResidentPages

if TYPE_CHECKING:
    from playwright.async_api import Page, Route, WebSocketRoute

ORIGIN = "http://junban.test"
POLICY = "Content-Security-Policy"
AT = 1795478400123  # 9:00 on 2026-11-24 in Tokyo
POSITION = "2026-11-24.6b1f0c2a9d3e:1795478400123-0"

LANES = {"certificates": "証明", "moves": "異動（転入・転出・転居）", "seal": "印鑑登録"}

OFFICE = Office(
    key="ward",
    name="さくら区役所 戸籍住民課",
    lanes=tuple(Lane(key, name, letter, 101, 999) for (key, name), letter in zip(LANES.items(), "ABC", strict=True)),
    counters=(),
    web_open=8 * 60 + 30,
    web_close=17 * 60,
)


@dataclass(frozen=True)
class Handler:
    """Who is signed in wherever a test is not about that."""

    who: str = "staff:suzuki"
    role: Role = Role.COUNTER
    name: str = "鈴木 一郎"
    must_change: bool = False


def for_all(page: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Every browser is the screen that it opens."""
    return page


async def of_none(request: Request) -> str | None:
    """No machine is a counter's."""
    return None


def for_handler(page: DeskPage) -> Callable[[Request], Awaitable[Response]]:
    """The desk as an open door."""

    async def endpoint(request: Request) -> Response:
        return await page(request, Handler())

    return endpoint


def snapshot(calls: int = 0, missed: int = 0, waiting: int = 0, topic: str = "board", **changes: Any) -> m.Snapshot:
    """An office of 40 counters, of which the first `calls` have a number: A101 at counter 1 was called last."""
    keys = list(LANES)
    queues = {
        lane: [m.WaitingNumber(base + i, f"{letter}{300 + i}", (base + i) << 20) for i in range(waiting)]
        for lane, letter, base in zip(keys, "ABC", (500, 600, 700), strict=True)
    }
    whole = m.Snapshot(
        topic=topic,
        position=POSITION,
        at=AT,
        day="2026-11-24",
        office="さくら区役所 戸籍住民課",
        lanes=[
            m.LaneState(lane, name, waiting, queues.get(lane, []) if topic == "desk" else UNSET)
            for lane, name in LANES.items()
        ],
        called=[
            m.CalledNumber(100 - i, f"{'ABC'[i % 3]}{101 + i}", keys[i % 3], str(i + 1), 1, AT - 20_000 * (i + 1))
            for i in range(calls)
        ],
        missed=[
            m.MissedNumber(i + 1, f"{'ABC'[i % 3]}{201 + i}", keys[i % 3], "1", AT + 3_600_000) for i in range(missed)
        ],
        counters=[m.CounterState(str(i + 1), f"{i + 1}番窓口", [keys[i % 3], keys[(i + 1) % 3]]) for i in range(40)],
    )
    return replace(whole, **changes) if changes else whole


class Connection:
    """One websocket of the page. `asked` holds what the page sent, in order."""

    def __init__(self, socket: "WebSocketRoute") -> None:
        self.url = socket.url
        self.asked: list[dict[str, Any]] = []
        self.is_closed = False
        self._socket = socket
        socket.on_message(lambda text: self.asked.append(json.loads(text)))
        socket.on_close(self._left)

    def say(self, frame: m.HubFrame) -> None:
        self.say_text(encode(frame).decode())

    def say_text(self, text: str) -> None:
        self._socket.send(text)

    async def close(self, code: int = 1012) -> None:
        self.is_closed = True
        await self._socket.close(code=code)

    def _left(self, code: int | None, reason: str | None) -> None:
        self.is_closed = True


class Site:
    """What a page is given: `whole` when it is drawn and when its socket opens; None: the store is away."""

    def __init__(self, page: "Page", whole: m.Snapshot | None) -> None:
        self.page, self.whole = page, whole
        self.connections: list[Connection] = []
        self.greets = True  # a snapshot for whoever connects
        self.faults: list[str] = []
        self.door = 204  # what a plain request of a socket's path is told
        routes = [*public_routes(self._present, OFFICE), *ResidentPages(self._present, OFFICE).routes()]
        routes += [
            *inside_routes(self._present, for_desk=for_handler, for_wall=for_all, counter_of=of_none, checks_in=True),
            *overview_routes(self._present, for_manager=for_handler),
            *static_routes(),
        ]
        self._client = TestClient(Starlette(routes=routes), base_url=ORIGIN)
        self._position = POSITION
        self._places = 0

    def _present(self) -> m.Snapshot | None:
        return self.whole

    async def open(self, path: str) -> None:
        await self.page.route(f"{ORIGIN}/**", self._answer)
        await self.page.route_web_socket("**/ws/**", self._connect)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda line: self.faults.append(line.text) if line.type == "error" else None)
        await self.page.goto(ORIGIN + path)
        if self.greets:
            await eventually(lambda: self.connections)
            await self.page.wait_for_selector('body[data-state="fresh"]')

    @property
    def hub(self) -> Connection:
        """The page's present connection."""
        return self.connections[-1]

    def tell(self, kind: type[m.AnyFact], **about: Any) -> None:
        """The next fact of the topic, a second after the last."""
        self._places += 1
        prev, self._position = self._position, POSITION.replace("-0", f"-{self._places}")
        fact = {"at": AT + 1000 * self._places, "lane": "certificates", "waiting": {}, **about}
        self.hub.say(kind(position=self._position, prev=prev, **fact))

    def beat(self, position: str | None = None) -> None:
        self.hub.say(m.Beat(position or self._position, AT + 60_000))

    async def asked(self, count: int) -> list[dict[str, Any]]:
        """What the page asked on its present connection, once it is that much."""
        await eventually(lambda: len(self.hub.asked) >= count)
        assert len(self.hub.asked) == count, self.hub.asked
        return self.hub.asked

    async def connected(self, count: int) -> Connection:
        await eventually(lambda: len(self.connections) >= count)
        assert len(self.connections) == count
        return self.hub

    async def _answer(self, route: "Route") -> None:
        if route.request.url == f"{ORIGIN}/session/here":
            return await route.fulfill(status=204)  # as the hub says to who is signed in
        if urlsplit(route.request.url).path.startswith("/ws/"):
            return await route.fulfill(status=self.door)
        if urlsplit(route.request.url).path.startswith("/desk/told/"):
            return await route.fulfill(json={"told": "unwished"})
        answer = self._client.get(route.request.url)
        headers = {**answer.headers, POLICY: ALWAYS[POLICY]}  # what scripts may do here they may do on a hub's page
        await route.fulfill(status=answer.status_code, headers=headers, body=answer.content)

    def _connect(self, socket: "WebSocketRoute") -> None:
        self.connections.append(Connection(socket))
        if self.greets and self.whole is not None:
            self.hub.say(self.whole)
