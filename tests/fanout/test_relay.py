"""The tail and those who listen: live facts, beats, a new day, an outage and the return, and facts that do not fit."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

import pytest
import structlog

from hub.desk import facts
from hub.desk.facts import UnreadableFact
from hub.desk.refusals import Refusal, StoreDamaged
from hub.desk.requests import Issue, Next
from hub.fanout import relay as relay_module
from hub.fanout import topics
from hub.fanout.mailbox import Depth
from hub.fanout.registry import Pace, Registry
from hub.fanout.relay import Relay, Rhythm
from hub.wire.client_side import Heard
from hub.wire.messages import AnyFact
from hub.wire.position import Position
from tests.eventually import eventually
from tests.fanout.days import CERTIFICATES, MOVES, OFFICE, any_request
from tests.fanout.listening import Listener, fresh, timeless
from tests.fanout.memory import FIRST_DAY, NEXT_DAY, MemoryStore

pytestmark = pytest.mark.anyio

SELDOM = {Pace.WALL: 3600.0, Pace.TAB: 3600.0}
QUIET = Rhythm(beats_s=SELDOM, look_s=0.05, first_pause_s=0.001, longest_pause_s=0.01)
TOPICS = [topics.BOARD, topics.of_lane(CERTIFICATES), topics.of_lane(MOVES), topics.DESK]


class Hub:
    def __init__(self, store: MemoryStore, rhythm: Rhythm = QUIET, depth: Depth | None = None) -> None:
        self.store = store
        self.relay = Relay(store, OFFICE, Registry(depth), rhythm)

    def join(self, topic: str = topics.BOARD, pace: Pace = Pace.TAB, after: Position | None = None) -> Listener:
        return Listener(self.relay.join(topic, pace, after))

    async def is_live(self) -> None:
        await eventually(lambda: not self.relay.is_away)

    async def is_away(self) -> None:
        await eventually(lambda: self.relay.is_away)

    async def issue(self) -> None:
        await self.store.ask(Issue(CERTIFICATES, "kiosk"))


@asynccontextmanager
async def running(store: MemoryStore, rhythm: Rhythm = QUIET, depth: Depth | None = None) -> AsyncIterator[Hub]:
    hub = Hub(store, rhythm, depth)
    tail = asyncio.create_task(hub.relay.run())
    yield hub
    assert not tail.done(), "the tail ends only by cancellation"
    tail.cancel()
    await asyncio.wait([tail])


@pytest.fixture
async def store() -> MemoryStore:
    store = MemoryStore(OFFICE)
    await store.open_day()
    return store


@pytest.fixture
async def hub(store: MemoryStore) -> AsyncIterator[Hub]:
    async with running(store) as hub:
        await hub.is_live()
        yield hub


async def test_before_the_first_replay_it_says_away_and_then_gives_the_snapshot(store: MemoryStore) -> None:
    store.go_away()
    async with running(store) as hub:
        early = hub.join()
        assert await early.hear() == [Heard.AWAY]
        assert hub.relay.day is None
        assert hub.relay.present() is None
        store.come_back()
        await hub.is_live()
        assert await early.hear() == [Heard.NEW, Heard.BEAT]
        assert early.screen.day == hub.relay.day == FIRST_DAY


async def test_a_fact_reaches_every_topic_that_it_touches_as_one_shared_frame(hub: Hub) -> None:
    tabs = [hub.join(topic) for topic in (topics.BOARD, topics.BOARD, topics.of_lane(CERTIFICATES), topics.DESK)]
    other = hub.join(topics.of_lane(MOVES))
    for tab in [*tabs, other]:
        await tab.hear()
    await hub.issue()
    first, second, *_ = [await tab.mailbox.get() for tab in tabs]
    assert first is second
    assert len(other.mailbox) == 0


async def test_a_whole_day_leaves_every_screen_like_a_fresh_snapshot(hub: Hub, store: MemoryStore) -> None:
    chance = random.Random(3)
    listeners = {topic: hub.join(topic) for topic in TOPICS}
    for _ in range(300):
        with suppress(Refusal):
            await store.ask(any_request(chance, store.desk.picture.at_counter, store.desk.picture.last_arrival))
    world = hub.relay.world
    assert world is not None
    await eventually(lambda: world.picture == store.desk.picture)
    for topic, listener in listeners.items():
        await listener.hear()
        assert set(listener.heard) == {Heard.NEW, Heard.BEAT}
        assert timeless(listener.screen.snapshot()) == fresh(world, topic)


async def test_each_frame_names_its_topics_previous_position(hub: Hub, store: MemoryStore) -> None:
    lane = hub.join(topics.of_lane(CERTIFICATES))
    await lane.hear()
    at = lane.screen.position
    await hub.issue()
    await store.ask(Issue(MOVES, "kiosk"))
    await store.ask(Next("2", None))
    await eventually(lambda: len(lane.mailbox) == 2)
    await lane.hear()
    chain = [frame for frame in lane.frames if isinstance(frame, AnyFact)]
    assert [frame.prev for frame in chain] == [str(at), chain[0].position]


async def test_beats_come_at_the_pace_of_the_listener(store: MemoryStore) -> None:
    rhythm = Rhythm(beats_s={Pace.WALL: 0.02, Pace.TAB: 3600.0}, look_s=0.01)
    async with running(store, rhythm) as hub:
        await hub.is_live()
        wall, tab = hub.join(pace=Pace.WALL), hub.join(pace=Pace.TAB)
        await eventually(lambda: len(wall.mailbox) >= 5)
        await wall.hear()
        await tab.hear()
        assert set(wall.heard) == {Heard.NEW, Heard.BEAT}
        assert tab.types() == ["Snapshot", "Beat"]
        assert wall.screen.at == store.at


async def test_no_beat_while_the_store_is_away(store: MemoryStore) -> None:
    rhythm = Rhythm(beats_s={Pace.WALL: 0.01, Pace.TAB: 0.01}, look_s=0.01, first_pause_s=0.001, longest_pause_s=0.002)
    async with running(store, rhythm) as hub:
        await hub.is_live()
        wall = hub.join(pace=Pace.WALL)
        store.go_away()
        await hub.is_away()
        await wall.hear()
        assert wall.heard[-1] is Heard.AWAY
        wanted = hub.relay.away_s()[0] + 0.05
        await eventually(lambda: hub.relay.away_s()[0] > wanted)
        assert len(wall.mailbox) == 0


async def test_an_outage_is_said_once_and_the_return_of_the_same_store_by_a_beat(hub: Hub, store: MemoryStore) -> None:
    listener = hub.join()
    await listener.hear()
    begun = store.begun
    store.go_away()
    await hub.is_away()
    store.come_back()
    await hub.is_live()
    assert await listener.hear() == [Heard.AWAY, Heard.BEAT]
    assert store.begun == begun + 1
    assert hub.relay.outages == 1
    assert not listener.screen.is_away
    assert hub.relay.present() is not None


async def test_what_happened_during_the_outage_is_told_before_the_beat(hub: Hub, store: MemoryStore) -> None:
    listener = hub.join()
    await listener.hear()
    store.go_away()
    await hub.is_away()
    assert hub.relay.present() is None, "no page may show the old state as the present"
    store.is_up = True
    await hub.store.ask(Issue(CERTIFICATES, "kiosk"))
    await hub.is_live()
    assert await listener.hear() == [Heard.AWAY, Heard.NEW, Heard.BEAT]


async def test_more_than_a_mailbox_can_hold_comes_as_a_snapshot(store: MemoryStore) -> None:
    async with running(store, depth=Depth(frames=relay_module.TELL_BELOW)) as hub:
        await hub.is_live()
        listener = hub.join()
        await listener.hear()
        store.go_away()
        await hub.is_away()
        store.is_up = True
        for _ in range(relay_module.TELL_BELOW + 1):
            await store.ask(Issue(MOVES if _ % 2 else CERTIFICATES, "kiosk"))
        await hub.is_live()
        await listener.hear()
        assert listener.types()[2:] == ["Away", "Snapshot", "Beat"]
        assert listener.mailbox.code is None


async def test_another_run_of_the_store_lets_everybody_forget(hub: Hub, store: MemoryStore) -> None:
    listener = hub.join()
    await hub.issue()
    await eventually(lambda: len(listener.mailbox) == 3)
    await listener.hear()
    store.go_away()
    await hub.is_away()
    store.come_back("run2")
    await hub.is_live()
    assert await listener.hear() == [Heard.AWAY, Heard.NEW, Heard.BEAT]
    assert listener.types()[-2:] == ["Snapshot", "Beat"]
    assert listener.position.epoch.endswith("run2")


async def test_the_next_day_comes_as_a_snapshot_and_the_days_own_facts_stay_inside(
    hub: Hub, store: MemoryStore
) -> None:
    listener = hub.join()
    await hub.issue()
    await store.open_day(NEXT_DAY)
    await eventually(lambda: hub.relay.day == NEXT_DAY)
    await listener.hear()
    assert listener.types() == ["Snapshot", "Beat", "TicketIssued", "Snapshot", "Beat"]
    assert listener.screen.day == NEXT_DAY
    assert listener.screen.called == {}
    assert not hub.relay.is_away
    assert hub.relay.outages == 0


async def test_a_position_of_yesterday_gets_todays_snapshot(hub: Hub, store: MemoryStore) -> None:
    listener = hub.join()
    await listener.hear()
    await store.open_day(NEXT_DAY)
    await eventually(lambda: hub.relay.day == NEXT_DAY)
    back = hub.join(after=listener.position)
    await back.hear()
    assert back.types() == ["Snapshot", "Beat"]


async def test_a_day_that_changed_during_an_outage_is_found_on_return(hub: Hub, store: MemoryStore) -> None:
    listener = hub.join()
    store.go_away()
    await hub.is_away()
    store.is_up = True
    await store.open_day(NEXT_DAY)
    await eventually(lambda: hub.relay.day == NEXT_DAY and not hub.relay.is_away)
    await listener.hear()
    assert listener.screen.day == NEXT_DAY
    assert not listener.screen.is_away


@pytest.mark.parametrize(
    "entry",
    [
        UnreadableFact("unknown type 'TicketEaten'"),
        facts.TicketServed(at=1, who="", request="", arrival=99, number="A999", lane=CERTIFICATES, counter="2"),
        facts.DayOpened(at=1, who="", request="", day=FIRST_DAY),
        RuntimeError("a defect of ours"),
    ],
)
async def test_what_does_not_fit_is_never_skipped(hub: Hub, store: MemoryStore, entry: facts.Fact | Exception) -> None:
    listener = hub.join()
    store.at += 1000
    store.append(FIRST_DAY, entry)
    await hub.is_away()
    begun = store.begun
    await eventually(lambda: store.begun > begun + 3)
    await hub.issue()
    await listener.hear()
    assert listener.heard == [Heard.NEW, Heard.BEAT, Heard.AWAY], "said once, and nothing behind it is told"
    late = hub.join()
    assert await late.hear() == [Heard.AWAY], "a picture that was wrong is shown to nobody"
    # Somebody repairs the stream: everything is built anew from its first fact.
    store.streams[FIRST_DAY] = [told for told in store.streams[FIRST_DAY] if told[2] is not entry]
    await hub.is_live()
    await listener.hear()
    assert listener.types()[-2:] == ["Snapshot", "Beat"]
    assert listener.screen.lanes[CERTIFICATES].waiting == 1


async def test_who_comes_from_a_faster_hub_can_wait_for_this_one(hub: Hub, store: MemoryStore) -> None:
    world = hub.relay.world
    assert world is not None
    ahead = Position(world.epoch, store.at + 1000, 0)
    waiting = asyncio.create_task(hub.relay.reach(ahead))
    await asyncio.sleep(0)
    assert not waiting.done()
    await hub.issue()
    await waiting
    await hub.relay.reach(Position("another.epoch", 1, 0))


async def test_seconds_without_the_store_are_counted(hub: Hub, store: MemoryStore) -> None:
    before = hub.relay.away_s()
    assert before[0] == 0.0
    store.go_away()
    await eventually(lambda: hub.relay.away_s()[0] > 0.01)
    store.come_back()
    await hub.is_live()
    present, altogether = hub.relay.away_s()
    assert present == 0.0
    assert altogether > before[1] + 0.01


def was_asked_in_vain(store: MemoryStore, times: int) -> bool:
    return store.refused >= times


async def test_the_log_hears_of_an_outage_once_when_it_begins_and_once_when_it_ends(store: MemoryStore) -> None:
    store.go_away()
    with structlog.testing.capture_logs() as told:
        async with running(store) as hub:
            for _ in range(2):
                await eventually(lambda: len(told) % 2 == 1)
                await eventually(partial(was_asked_in_vain, store, store.refused + 3))
                store.come_back()
                await hub.is_live()
                store.go_away()
                await hub.is_away()
    assert [(line["event"], line.get("code")) for line in told][:4] == [
        ("store away", "StoreAway"),
        ("store back", None),
    ] * 2


class Damaged(MemoryStore):
    async def begin(self) -> tuple[str, str]:
        self.begun += 1
        raise StoreDamaged


async def test_a_store_that_is_not_ours_is_one_line_a_run_of_failures() -> None:
    store = Damaged(OFFICE)
    with structlog.testing.capture_logs() as told:
        async with running(store):
            await eventually(lambda: store.begun > 5)
    assert [line["code"] for line in told] == ["StoreDamaged"]
