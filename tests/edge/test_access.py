"""Who is connected stays as long as he may, and no longer: sessions, devices, and a ledger that is away."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
import sqlalchemy as sa
import structlog
from starlette.requests import HTTPConnection
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import InvalidStatus

from hub.desk.requests import Answer, Request, Stamp
from hub.edge.access import DEVICE_COOKIE, SESSION_COOKIE, Access
from hub.edge.access import EVERY_S as USUAL_EVERY_S
from hub.edge.sockets import Limits
from hub.ledger.connection import sqlite_url
from hub.ledger.sessions import IDLE_MS
from hub.wire import messages as wire
from hub.wire.roles import Role
from tests.doors import BY, DATE, Doors, name_of, real_ms
from tests.edge.hubs import Served, Visitor, closed_with, memory_hub, served
from tests.eventually import eventually
from tests.fanout.days import CERTIFICATES, OFFICE
from tests.fanout.memory import MemoryStore

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("engine")]

EVERY_S = 0.05
SOCKETS = {"/ws/desk": Role.COUNTER, "/ws/wall/1": Role.WALL, "/ws/kiosk": Role.KIOSK}
ID = "q3oZ4lqWlT0mW1x7mBv2aA"


class SlowStore(MemoryStore):
    """While `stops` is set, nobody is answered."""

    def __init__(self) -> None:
        super().__init__(OFFICE)
        self.stops: asyncio.Event | None = None
        self.reached = 0

    async def do(self, stamp: Stamp, request: Request) -> Answer:
        self.reached += 1
        if self.stops is not None:
            await self.stops.wait()
        return await super().do(stamp, request)


@dataclass
class House:
    hub: Served
    doors: Doors
    access: Access
    store: SlowStore
    file: Path

    async def enters(self, path: str) -> Visitor:
        visitor = Visitor(await self.hub.open(path))
        await visitor.hear()
        return visitor

    async def denied(self, path: str, sent: dict[str, str]) -> int:
        with pytest.raises(InvalidStatus) as refused:
            await self.hub.open_with(path, sent)
        assert refused.value.response.body
        return refused.value.response.status_code

    async def looks_until_closed(self, connection: ClientConnection, act: Callable[[], object]) -> int:
        """How many looks were finished between the act and the close."""
        await asyncio.to_thread(act)
        before = self.access.looks
        assert await asyncio.wait_for(closed_with(connection), 60) == 4401
        return self.access.looks - before

    def ledger_goes_away(self) -> None:
        """What cannot be opened as a file takes its place in one step: nobody comes in between."""
        self.file.with_suffix(".gone").hardlink_to(self.file)
        self.file.with_suffix(".nowhere").mkdir()
        self.file.with_suffix(".link").symlink_to(self.file.with_suffix(".nowhere"))
        self.file.with_suffix(".link").replace(self.file)
        self.doors.ledger.close()

    def ledger_comes_back(self) -> None:
        self.file.with_suffix(".gone").replace(self.file)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    file = tmp_path / "ledger.sqlite"
    doors, store = Doors(OFFICE.key, sqlite_url(file)), SlowStore()
    await store.open_day()
    access = Access(doors.people, doors.devices, doors.refused_acts, every_s=EVERY_S)
    relay, apps = memory_hub(store, access=access, limits=Limits(in_flight=1))
    tasks = [asyncio.create_task(relay.run()), asyncio.create_task(access.run())]
    async with served(apps, doors=doors) as hub:
        await eventually(lambda: not relay.is_away)
        yield House(hub, doors, access, store, file)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    await access.close()
    doors.close()


def revoking(doors: Doors, path: str) -> Callable[[], object]:
    role = SOCKETS[path]
    if role is Role.COUNTER:
        return lambda: doors.people.end_sessions(name_of(role), BY, "by_staff")
    return lambda: doors.devices.revoke(doors.device_id(role), BY)


@pytest.mark.parametrize("path", SOCKETS)
async def test_who_may_no_longer_is_out_by_the_second_look(house: House, path: str) -> None:
    inside = await house.enters(path)
    assert await house.looks_until_closed(inside.connection, revoking(house.doors, path)) <= 2
    assert await house.denied(path, house.hub.headers(path)) == 401


def test_two_looks_are_within_a_second() -> None:
    assert 2 * USUAL_EVERY_S <= 1


async def test_who_signs_out_is_out_on_every_socket_of_his_and_nobody_else(house: House) -> None:
    mine = [await house.enters("/ws/desk") for _ in range(3)]
    manager = house.doors.headers_of(Role.MANAGER, house.hub.page(""))
    async with house.hub.open_with("/ws/desk", manager) as others:
        other = Visitor(others)
        await other.hear()
        await asyncio.to_thread(house.doors.people.sign_out, house.doors.session())
        for visitor in mine:
            assert await closed_with(visitor.connection) == 4401
        looks = house.access.looks
        await eventually(lambda: house.access.looks > looks + 2)
        await other.ask(wire.Issue(ID, CERTIFICATES))
        while not other.replies:
            await other.hear()
        assert isinstance(other.replies[0].answer, wire.AnswerBody)


async def test_who_becomes_something_else_is_out(house: House) -> None:
    clerk = await house.enters("/ws/desk")

    def change() -> None:
        house.doors.people.change(
            name_of(Role.COUNTER), shown="太郎", role=Role.AUDITOR, designated=DATE, trained=DATE, by=BY
        )

    assert await house.looks_until_closed(clerk.connection, change) <= 2


async def test_what_waits_at_the_end_is_carried_out_no_more(house: House) -> None:
    clerk = await house.enters("/ws/desk")
    house.store.stops = asyncio.Event()
    for count in range(3):
        await clerk.ask(wire.Issue(f"{ID}{count}", CERTIFICATES))
    await eventually(lambda: house.store.reached == 1)  # the store has this one; the others wait for their turn
    await asyncio.to_thread(house.doors.people.sign_out, house.doors.session())
    assert await closed_with(clerk.connection) == 4401
    house.store.stops.set()
    async with httpx2.AsyncClient(trust_env=False) as client:

        async def is_refused() -> bool:
            told = (await client.get(house.hub.page("/metrics"))).text
            return 'junban_requests_total{outcome="NotSignedIn",type="issue"} 1.0' in told

        await eventually(is_refused)
    assert (house.store.reached, house.store.desk.picture.last_arrival) == (1, 1)


async def test_nobody_is_nobody(house: House) -> None:
    origin = {"Origin": house.hub.page("")}
    junk = "x" * 43
    for path in SOCKETS:
        for sent in (
            {},
            {"Cookie": f"{SESSION_COOKIE}={junk}; {DEVICE_COOKIE}={junk}"},
            {"Cookie": f"{SESSION_COOKIE}=; {DEVICE_COOKIE}="},
            {"Cookie": f"{SESSION_COOKIE}={'x' * 5000}"},
        ):
            assert await house.denied(path, sent | origin) == 401
    for told in ("", "Bearer", "Bearer ", f"Bearer {junk}", f"Basic {junk}", f"Bearer {'あ'.encode().hex()}"):
        assert await house.denied("/ws/kiosk", {"Authorization": told}) == 401


async def test_a_device_is_at_its_own_place_only(house: House) -> None:
    sent = {"Authorization": f"Bearer {house.doors.device(Role.WALL, 'lobby')}"}
    async with house.hub.open_with("/ws/wall/lobby", sent) as connection:
        await connection.recv()
    assert await house.denied("/ws/wall/stairs", sent) == 403
    assert house.access.refusals.total() == 1


async def test_a_password_that_was_given_opens_no_desk(house: House) -> None:
    given = house.doors.people.add("jiro", "次郎", Role.COUNTER, DATE, DATE, BY)
    token = house.doors.people.sign_in("jiro", given).token
    sent = {"Cookie": f"{SESSION_COOKIE}={token}", "Origin": house.hub.page("")}
    assert await house.denied("/ws/desk", sent) == 403


async def test_a_page_whose_socket_did_not_open_can_ask_why(house: House) -> None:
    async with httpx2.AsyncClient(trust_env=False) as client:

        async def why(path: str, sent: dict[str, str]) -> int:
            return (await client.get(house.hub.page(path), headers=sent)).status_code

        assert await why("/ws/desk", {}) == 401
        assert await why("/ws/desk", house.hub.headers("/ws/desk")) == 204
        auditor = house.doors.headers_of(Role.AUDITOR, house.hub.page(""))
        assert await why("/ws/desk", auditor) == 403
        wall = {"Cookie": f"{DEVICE_COOKIE}={house.doors.device(Role.WALL)}"}
        assert [await why(f"/ws/wall/{screen}", wall) for screen in "12"] == [204, 403]
        house.ledger_goes_away()
        assert await why("/ws/desk", house.hub.headers("/ws/desk")) == 503
        house.ledger_comes_back()


async def test_while_the_ledger_is_away_who_is_here_stays_and_nobody_comes(house: House) -> None:
    sent = {path: house.hub.headers(path) for path in SOCKETS}
    inside = {path: await house.enters(path) for path in SOCKETS}
    with structlog.testing.capture_logs() as logged:
        house.ledger_goes_away()
        await eventually(lambda: house.access.is_away)
        for path in SOCKETS:
            assert await house.denied(path, sent[path]) == 503
        clerk = inside["/ws/desk"]
        await clerk.ask(wire.Issue(ID, CERTIFICATES))
        while not clerk.replies:
            await clerk.hear()
        assert isinstance(clerk.replies[0].answer, wire.AnswerBody)
        house.ledger_comes_back()
        await eventually(lambda: not house.access.is_away)
    told = [line["event"] for line in logged]
    assert told == ["ledger away: who is connected stays, nobody new comes in", "ledger back"]
    for path in SOCKETS:
        assert await house.looks_until_closed(inside[path].connection, revoking(house.doors, path)) <= 2


async def test_who_works_on_while_the_ledger_is_away_for_long_stays_when_it_is_back(house: House) -> None:
    """Nobody could write down that he was there; who did nothing meanwhile is out, as ever."""
    clerk = await house.enters("/ws/desk")
    manager = house.doors.headers_of(Role.MANAGER, house.hub.page(""))
    async with house.hub.open_with("/ws/desk", manager) as idle:
        await idle.recv()
        house.ledger_goes_away()
        await eventually(lambda: house.access.is_away)
        house.doors.people._now_ms = lambda: real_ms() + IDLE_MS  # so long has it lasted
        await clerk.ask(wire.Issue(ID, CERTIFICATES))
        await eventually(lambda: bool(house.access._unwritten))
        house.ledger_comes_back()
        assert await closed_with(idle) == 4401
        looks = house.access.looks
        await eventually(lambda: house.access.looks > looks + 2)
        await clerk.ask(wire.Issue(f"{ID}1", CERTIFICATES))
        while len(clerk.replies) < 2:
            await clerk.hear()
        assert all(isinstance(reply.answer, wire.AnswerBody) for reply in clerk.replies)


async def test_on_a_full_disk_who_works_goes_on_and_stays_when_there_is_room(house: House) -> None:
    clerk = await house.enters("/ws/desk")

    @sa.event.listens_for(house.doors.ledger.engine, "checkout")
    def fill(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute("PRAGMA query_only=ON")

    def seen_at() -> int:
        with contextlib.closing(sqlite3.connect(house.file)) as file:
            return int(file.execute("SELECT min(seen_at) FROM sessions").fetchone()[0])

    with contextlib.closing(sqlite3.connect(house.file)) as file, file:
        file.execute("UPDATE sessions SET seen_at = seen_at - ?", (IDLE_MS - 60_000,))
    before = seen_at()
    cookie = house.hub.headers("/ws/desk")["Cookie"].encode()
    asking = HTTPConnection({"type": "http", "headers": [(b"cookie", cookie)]})
    assert await house.access.person(asking, is_used=True) is not None
    assert (seen_at(), len(house.access._unwritten)) == (before, 1)
    await eventually(lambda: house.access.is_away)  # it is told, and nobody is put out

    sa.event.remove(house.doors.ledger.engine, "checkout", fill)
    house.doors.ledger.engine.dispose()
    await eventually(lambda: seen_at() > before)
    await clerk.ask(wire.Issue(ID, CERTIFICATES))
    while not clerk.replies:
        await clerk.hear()
    assert isinstance(clerk.replies[0].answer, wire.AnswerBody)


async def test_what_somebody_does_makes_his_session_last(house: House) -> None:
    asked: list[bool] = []
    ask = house.doors.people.session

    class Counting(type(house.doors.people)):  # type: ignore[misc]
        def session(self, token: str, *, is_used: bool) -> object:
            asked.append(is_used)
            return ask(token, is_used=is_used)

    house.hub.headers("/ws/desk")
    house.doors.people.__class__ = Counting
    clerk = await house.enters("/ws/desk")
    assert asked == [False]  # to come back is no use
    for count in range(5):
        await clerk.ask(wire.Issue(f"{ID}{count}", CERTIFICATES))
    while len(clerk.replies) < 5:
        await clerk.hear()
    await eventually(lambda: asked == [False, True])  # told once, not at each press
    await clerk.connection.close()
