"""The websockets of the protocol page, on real connections in front of the rules of the desk."""

import asyncio
import json
from contextlib import suppress
from typing import NoReturn

import pytest
from structlog.testing import capture_logs
from websockets.exceptions import InvalidStatus

from config.serving import Engine
from hub.desk.requests import Answer, Issue, Request, Stamp
from hub.edge.sockets import Limits
from hub.edge.websocket.connection import WebsocketConnection
from hub.wire import messages as wire
from hub.wire.client_side import Heard
from tests.edge.hubs import Served, Visitor, closed_with, memory_hub, served
from tests.edge.sockets import deaf_client, hub, hub_of, new_id, store
from tests.eventually import eventually
from tests.fanout.days import CERTIFICATES
from tests.fanout.memory import MemoryStore

__all__ = ["hub", "store"]

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("engine")]

INSIDE_PATHS = ["/ws/wall/entrance", "/ws/desk", "/ws/kiosk"]


@pytest.mark.parametrize("is_inside", [True, False])
@pytest.mark.parametrize(("path", "topic"), [("/ws/board", "board"), ("/ws/lanes/moves", "lanes/moves")])
async def test_public_topics_are_joined_by_a_bare_get(hub: Served, path: str, topic: str, is_inside: bool) -> None:
    async with hub.open(path, is_inside=is_inside) as connection:
        visitor = Visitor(connection)
        await visitor.hear_all(2)
        assert visitor.types == ["Snapshot", "Beat"]
        assert visitor.screen.topic == topic


@pytest.mark.parametrize(
    ("path", "topic"), [("/ws/wall/entrance", "board"), ("/ws/desk", "desk"), ("/ws/kiosk", "board")]
)
async def test_inside_there_are_walls_desks_and_kiosks(hub: Served, path: str, topic: str) -> None:
    async with hub.open(path) as connection:
        visitor = Visitor(connection)
        await visitor.hear()
        assert visitor.screen.topic == topic


@pytest.mark.parametrize("path", INSIDE_PATHS)
async def test_the_public_listener_knows_nothing_of_the_inside(hub: Served, path: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await hub.open(path, is_inside=False)
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("path", ["/ws/lanes/nowhere", "/ws/wall/Entrance", "/ws/wall/" + "a" * 33])
async def test_what_does_not_exist_is_404_before_the_websocket_opens(hub: Served, path: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await hub.open(path)
    assert refused.value.response.status_code == 404
    assert refused.value.response.body


@pytest.mark.parametrize("path", ["/ws/board", "/ws/lanes/moves", *INSIDE_PATHS])
async def test_a_foreign_page_is_403(hub: Served, path: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await hub.open(path, origin="https://evil.example.com")
    assert refused.value.response.status_code == 403


async def test_our_own_page_comes_in(hub: Served) -> None:
    async with hub.open("/ws/desk", origin=f"http://127.0.0.1:{hub.inside}") as connection:
        assert await Visitor(connection).hear() is Heard.NEW


async def test_a_full_hub_says_so(store: MemoryStore) -> None:
    async with hub_of(store, limits=Limits(listeners=1)) as (_, hub):
        async with hub.open("/ws/board", is_inside=False) as first:
            await first.recv()
            with pytest.raises(InvalidStatus) as refused:
                await hub.open("/ws/lanes/moves", is_inside=False)
            assert refused.value.response.status_code == 503

        async def comes_in() -> bool:
            with suppress(InvalidStatus):
                async with hub.open("/ws/board", is_inside=False):
                    return True
            return False

        await eventually(comes_in)  # who has left makes room


async def test_who_could_not_be_let_in_is_counted_out_once(
    store: MemoryStore, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    if engine is not WebsocketConnection:
        pytest.skip("only our own engine hands connections over")

    def fail(*given: object) -> NoReturn:
        raise ValueError("a snapshot that cannot be made")

    async with hub_of(store, limits=Limits(listeners=1)) as (relay, hub):
        with monkeypatch.context() as patched, capture_logs() as told:
            patched.setattr(relay, "admit", fail)
            for _ in range(3):
                assert await eventually(lambda: turned_away(hub)) == 1011
        assert [line["event"] for line in told] == ["not let in"] * 3

        async def is_full() -> bool:
            with suppress(InvalidStatus):
                async with hub.open("/ws/board", is_inside=False) as first:
                    await first.recv()
                    with pytest.raises(InvalidStatus):
                        await hub.open("/ws/board", is_inside=False)
                    return True
            return False

        assert await eventually(is_full)


async def turned_away(hub: Served) -> int | None:
    """The close code; None where the hub is full: who came before has not quite gone."""
    with suppress(InvalidStatus):
        async with hub.open("/ws/board", is_inside=False) as connection:
            return await closed_with(connection)
    return None


async def test_staff_come_in_however_many_residents_look_on(store: MemoryStore) -> None:
    async with (
        hub_of(store, limits=Limits(listeners=1, inside_listeners=1)) as (_, hub),
        hub.open("/ws/board", is_inside=False) as resident,
        hub.open("/ws/desk") as clerk,
    ):
        await resident.recv()
        await clerk.recv()


async def test_who_comes_back_with_a_position_gets_the_facts_since(hub: Served, store: MemoryStore) -> None:
    async with hub.open("/ws/board") as connection:
        before = Visitor(connection)
        await before.hear_all(2)
    await store.ask(Issue(CERTIFICATES, "kiosk"))
    async with hub.open(f"/ws/board?after={before.screen.position}") as connection:
        back = Visitor(connection)
        back.screen = before.screen
        await back.hear_all(2)
        assert back.types == ["TicketIssued", "Beat"]


@pytest.mark.parametrize("after", ["", "junk", "e:1-0", "2026-11-24.run1:999999999999999-0", "%00", "a" * 2000])
async def test_any_other_position_gets_a_snapshot(store: MemoryStore, after: str) -> None:
    path = f"/ws/board?after={after}"
    async with hub_of(store, limits=Limits(catch_up_s=0.01)) as (_, hub), hub.open(path) as connection:
        assert json.loads(await connection.recv())["type"] == "snapshot"


async def test_a_request_is_answered_and_everybody_learns_the_fact(hub: Served) -> None:
    async with hub.open("/ws/desk") as one, hub.open("/ws/kiosk") as two, hub.open("/ws/board") as three:
        desk, kiosk, tab = Visitor(one), Visitor(two), Visitor(three)
        for visitor in (desk, kiosk, tab):
            await visitor.hear_all(2)
        await kiosk.ask(wire.Issue(new_id(), CERTIFICATES))
        await eventually_hears(kiosk, "Reply", "TicketIssued")
        await desk.ask(wire.Next(new_id(), "2", None))
        await eventually_hears(desk, "Reply", "TicketCalled")
        await tab.hear_all(2)
        assert tab.types[2:] == ["TicketIssued", "TicketCalled"]
        answer = desk.replies[0].answer
        assert isinstance(answer, wire.AnswerBody)
        assert (answer.number, answer.state) == ("A101", "called")


async def eventually_hears(visitor: Visitor, *types: str) -> None:
    while not set(types) <= set(visitor.types):
        await visitor.hear()


async def test_what_cannot_be_read_is_answered_and_the_socket_stays(hub: Served) -> None:
    async with hub.open("/ws/desk") as connection:
        desk = Visitor(connection)
        await connection.send("not json")
        await desk.ask(wire.Issue(new_id(), CERTIFICATES))
        while len(desk.replies) < 2:
            await desk.hear()
        refused, issued = desk.replies
        assert isinstance(refused.refusal, wire.RefusalBody)
        assert refused.refusal.code == "BadMessage"
        assert isinstance(issued.answer, wire.AnswerBody)


class SlowDesk:
    """A store that takes its time: nobody is answered before `go_on`."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.asked = 0
        self.go_on = asyncio.Event()

    async def do(self, stamp: Stamp, request: Request) -> Answer:
        self.asked += 1
        await self.go_on.wait()
        return await self.store.do(stamp, request)


async def test_several_requests_may_be_under_way_but_not_any_number(store: MemoryStore) -> None:
    slow = SlowDesk(store)
    relay, apps = memory_hub(store, teller=slow, limits=Limits(in_flight=3))
    tail = asyncio.create_task(relay.run())
    async with served(apps) as hub, hub.open("/ws/desk") as connection:
        desk = Visitor(connection)
        await desk.hear()
        for _ in range(5):
            await desk.ask(wire.Issue(new_id(), CERTIFICATES))
        await eventually(lambda: slow.asked == 3)
        await store.ask(Issue(CERTIFICATES, "kiosk"))
        while "TicketIssued" not in desk.types:
            await desk.hear()  # facts go on meanwhile
        assert slow.asked == 3
        slow.go_on.set()
        while len(desk.replies) < 5:
            await desk.hear()
    tail.cancel()
    await asyncio.wait([tail])


async def test_who_leaves_before_the_answer_is_served_all_the_same(store: MemoryStore) -> None:
    slow = SlowDesk(store)
    relay, apps = memory_hub(store, teller=slow)
    tail = asyncio.create_task(relay.run())
    async with served(apps) as hub:
        async with hub.open("/ws/kiosk") as connection:
            kiosk = Visitor(connection)
            await kiosk.hear()
            await kiosk.ask(wire.Issue(new_id(), CERTIFICATES))
            await eventually(lambda: slow.asked == 1)
        await eventually(lambda: len(relay.registry) == 0)
        slow.go_on.set()
        await eventually(lambda: store.desk.picture.last_arrival == 1)
    tail.cancel()
    await asyncio.wait([tail])


async def test_who_is_gone_is_forgotten(store: MemoryStore) -> None:
    async with hub_of(store) as (relay, hub):
        async with hub.open("/ws/board") as polite, hub.open("/ws/desk") as rude:
            await polite.recv()
            await rude.recv()
            assert len(relay.registry) == 2
            rude.transport.abort()
        await eventually(lambda: len(relay.registry) == 0)


async def test_nothing_of_a_resident_stays_in_the_application(store: MemoryStore, engine: Engine) -> None:
    if engine is not WebsocketConnection:
        pytest.skip("only our own engine hands connections over")
    async with hub_of(store) as (relay, hub), hub.open("/ws/desk") as clerk:
        await clerk.recv()
        async with hub.open("/ws/board", is_inside=False), hub.open("/ws/lanes/moves", is_inside=False) as connection:
            await connection.recv()
            assert len(relay.registry) == 3
            await eventually(lambda: running() == 1)


def running() -> int:
    """How many websockets the application still runs for."""
    return sum("WebsocketConnection" in repr(task.get_coro()) for task in asyncio.all_tasks())


async def test_the_end_of_the_hub_is_told_with_come_back(store: MemoryStore) -> None:
    async with hub_of(store) as (_, hub):
        connection = await hub.open("/ws/board")
        await connection.recv()
        deaf = await deaf_client(hub, "/ws/desk")
    assert await closed_with(connection) == 1012
    deaf.close()
