"""A small ward office at work: its own Valkey, one hub on loopback, nothing replaced."""

import secrets
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from config.asgi import hub_running, listen, serving
from config.embedded import EmbeddedValkey
from hub.desk.hours import DAY_MINUTES
from hub.desk.lane import Counter, Lane, Office, Reason
from hub.desk.notices import Carrier
from hub.ledger.connection import sqlite_url
from hub.wire import messages as wire
from hub.wire.codec import encode, read_frame
from tests.doors import Doors

CERTIFICATES, MOVES = "certificates", "moves"


def ward_office() -> Office:
    return Office(
        key="ward",
        name="さくら区役所 戸籍住民課",
        lanes=(Lane(CERTIFICATES, "証明", "A", 101, 399), Lane(MOVES, "住民異動", "B", 401, 699)),
        counters=(Counter("1", "1番窓口", (CERTIFICATES, MOVES)), Counter("2", "2番窓口", (CERTIFICATES,))),
        pause_reasons=(Reason("system", "システム障害"),),
    )


@dataclass
class Ward:
    """`public` and `inside` are base URLs (http://127.0.0.1:PORT); `doors`: who may come in."""

    store: EmbeddedValkey
    public: str
    inside: str
    doors: Doors

    @asynccontextmanager
    async def socket(self, path: str) -> AsyncIterator[ClientConnection]:
        url, sent = self.inside.replace("http", "ws", 1) + path, self.doors.headers(path, self.inside)
        async with connect(url, additional_headers=sent, proxy=None) as socket:
            yield socket

    async def issue(self, lane: str = CERTIFICATES) -> wire.AnswerBody:
        """A resident takes a number at the machine."""
        async with self.socket("/ws/kiosk") as socket:
            return await ask(socket, wire.Issue(_id(), lane))


async def ask(socket: ClientConnection, request: wire.DeskRequest) -> wire.AnswerBody:
    """Send a request and give its answer; a refusal is an AssertionError."""
    await socket.send(encode(request), text=True)
    while True:
        frame: Any = read_frame(await socket.recv(decode=False))
        if isinstance(frame, wire.Reply) and frame.id == request.id:
            assert isinstance(frame.answer, wire.AnswerBody), frame
            return frame.answer


@asynccontextmanager
async def ward_running(
    folder: Path, office: Office | None = None, offers: Collection[Carrier] = (), *, checks_in: bool = False
) -> AsyncIterator[Ward]:
    """`checks_in`: who took a number from home waits from checking in."""
    office = replace(office or ward_office(), web_check_in=checks_in, web_close=DAY_MINUTES)
    with (
        EmbeddedValkey(folder) as store,
        closing(Doors(office.key, sqlite_url(folder / "ledger.sqlite"))) as doors,
        listen("127.0.0.1", 0) as public,
        listen("127.0.0.1", 0) as inside,
    ):
        running = hub_running(office, redis_url=store.url, ledger_url=doors.url, offers=offers)
        async with running as apps, serving(apps, public, inside):
            ward = Ward(
                store,
                f"http://127.0.0.1:{public.getsockname()[1]}",
                f"http://127.0.0.1:{inside.getsockname()[1]}",
                doors,
            )
            async with ward.socket("/ws/board") as socket:
                while not isinstance(read_frame(await socket.recv(decode=False)), wire.Beat):
                    continue  # `away` until the hub has its picture; the first beat says that the office is open
            yield ward


def _id() -> str:
    return secrets.token_urlsafe(16)
