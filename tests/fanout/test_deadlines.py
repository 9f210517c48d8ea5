"""What time alone brings about, asked for by any number of hubs."""

import asyncio
from dataclasses import replace

import pytest

from hub.desk import facts
from hub.desk.hours import WEEKDAYS, Hours, Opening
from hub.desk.lane import Absence, Office
from hub.desk.requests import AnnounceClosing, Issue, Lapse, MarkAbsent, Next, Return
from hub.desk.ticket import State
from hub.fanout.deadlines import ask_due, due, keep_deadlines
from hub.fanout.registry import Registry
from hub.fanout.relay import Relay, Rhythm
from tests.eventually import eventually
from tests.fanout.days import CERTIFICATES, MOVES, OFFICE
from tests.fanout.memory import FIRST_DAY, NOON, MemoryStore

pytestmark = pytest.mark.anyio

MINUTE = 60_000
STRICT = replace(OFFICE, absence=Absence(missed_minutes=10))


async def missed(office: Office = STRICT) -> MemoryStore:
    """Two numbers were called and did not come, a minute apart."""
    store = MemoryStore(office)
    await store.open_day()
    for arrival in (1, 2):
        await store.ask(Issue(CERTIFICATES, "kiosk"))
        await store.ask(Next("2", None))
        await store.ask(MarkAbsent("2", arrival))
        store.at += MINUTE
    return store


async def test_a_missed_number_is_due_from_its_deadline_on() -> None:
    store = await missed()
    picture = store.desk.picture
    until = picture.tickets[1].until
    assert until is not None
    assert list(due(picture, STRICT, until - 1)) == []
    assert list(due(picture, STRICT, until)) == [(f"lapse-1-{until}", Lapse(1))]
    assert len(list(due(picture, STRICT, until + 2 * MINUTE))) == 2


async def test_a_lane_is_closing_when_its_last_hours_are_over() -> None:
    evening = Opening(frozenset(WEEKDAYS), 17 * 60, 19 * 60, frozenset({CERTIFICATES}))
    office = replace(OFFICE, hours=Hours((Opening(frozenset(WEEKDAYS), 8 * 60, 17 * 60), evening)))
    store = MemoryStore(office)
    await store.open_day()
    five = NOON + 5 * 60 * MINUTE
    assert list(due(store.desk.picture, office, five - 1)) == []
    assert list(due(store.desk.picture, office, five)) == [(f"closing-{MOVES}", AnnounceClosing(MOVES))]
    store.at = five
    await store.ask(AnnounceClosing(MOVES))
    assert list(due(store.desk.picture, office, five)) == []
    assert list(due(store.desk.picture, office, five + 120 * MINUTE)) == [
        (f"closing-{CERTIFICATES}", AnnounceClosing(CERTIFICATES))
    ]


async def test_every_hub_asks_and_a_number_lapses_once() -> None:
    store = await missed()
    hubs = [Relay(store, STRICT, Registry(), Rhythm(look_s=0.01)) for _ in range(2)]
    tasks = [asyncio.create_task(hub.run()) for hub in hubs]
    tasks += [asyncio.create_task(keep_deadlines(hub, store.do, every_s=0.005)) for hub in hubs]
    await eventually(lambda: all(not hub.is_away for hub in hubs))
    store.at += 20 * MINUTE
    await eventually(lambda: [t.state for t in store.desk.picture.tickets.values()] == [State.LAPSED] * 2)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    lapsed = [fact for _, _, fact in store.streams[FIRST_DAY] if isinstance(fact, facts.TicketLapsed)]
    assert [(fact.arrival, fact.why) for fact in lapsed] == [(1, "missed"), (2, "missed")]


async def test_whoever_came_back_in_the_last_moment_stays() -> None:
    store = await missed()
    hub = Relay(store, STRICT, Registry(), Rhythm(look_s=0.01))
    tail = asyncio.create_task(hub.run())
    await eventually(lambda: hub.world is not None and len(hub.world.picture.tickets) == 2 and not hub.is_away)
    assert hub.world is not None
    tail.cancel()  # it hears no more
    await asyncio.wait([tail])
    await store.ask(Return(1))
    await store.ask(Next("2", None))
    hub.world.at = (store.desk.picture.tickets[1].until or 0) + MINUTE
    await ask_due(hub, store.do)
    assert store.desk.picture.tickets[1].state is State.CALLED
