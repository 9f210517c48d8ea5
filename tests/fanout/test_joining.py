"""Whoever joins, at any time, with any position: he hears everything once, in order, and ends like a fresh snapshot."""

import inspect
import random

import pytest

from hub.desk.picture import DoesNotFit
from hub.desk.refusals import Refusal
from hub.desk.requests import Issue, Next
from hub.fanout import feed, topics
from hub.fanout.joining import join
from hub.fanout.registry import Pace, Registry
from hub.fanout.world import World
from hub.wire.client_side import Heard, Screen
from hub.wire.position import Position
from tests.fanout.days import CERTIFICATES, MOVES, OFFICE, any_request
from tests.fanout.listening import Listener, fresh, timeless
from tests.fanout.memory import FIRST_DAY, MemoryStore

pytestmark = pytest.mark.anyio

TOPICS = [topics.BOARD, topics.of_lane(CERTIFICATES), topics.of_lane(MOVES), topics.DESK]


class Hub:
    """A store, one world that follows it fact by fact, and those who listen."""

    def __init__(self) -> None:
        self.store = MemoryStore(OFFICE)
        self.world = World(f"{FIRST_DAY}.run1", FIRST_DAY, OFFICE)
        self.registry = Registry()

    async def open(self) -> "Hub":
        await self.store.open_day()
        await self.follow()
        return self

    async def follow(self) -> None:
        for ms, seq, fact in await self.store.read(FIRST_DAY, self.world.place, 0):
            for topic, frame in self.world.learn((ms, seq), fact):
                self.registry.tell(topic, frame)

    def join(self, topic: str = topics.BOARD, after: Position | None = None, *, is_away: bool = False) -> Listener:
        return Listener(join(self.registry, self.world, is_away=is_away, topic=topic, pace=Pace.TAB, after=after))


@pytest.fixture
async def hub() -> Hub:
    return await Hub().open()


def test_nothing_can_come_between_listening_and_reading() -> None:
    assert not inspect.iscoroutinefunction(join)


async def test_a_newcomer_gets_the_snapshot_and_a_beat(hub: Hub) -> None:
    newcomer = hub.join()
    assert await newcomer.hear() == [Heard.NEW, Heard.BEAT]
    assert newcomer.types() == ["Snapshot", "Beat"]


async def test_without_a_world_the_newcomer_hears_away() -> None:
    listener = Listener(join(Registry(), None, is_away=True, topic="board", pace=Pace.TAB, after=None))
    assert await listener.hear() == [Heard.AWAY]


async def test_while_the_store_is_away_the_last_picture_is_marked_as_old(hub: Hub) -> None:
    newcomer = hub.join(is_away=True)
    assert await newcomer.hear() == [Heard.NEW, Heard.AWAY]
    assert newcomer.screen.is_away


async def test_all_who_join_at_one_position_share_one_snapshot(hub: Hub) -> None:
    first, second = [await hub.join().mailbox.get() for _ in range(2)]
    assert first is second
    await hub.store.ask(Issue(CERTIFICATES, "kiosk"))
    await hub.follow()
    assert await hub.join().mailbox.get() is not first


async def test_who_comes_back_gets_what_he_missed_and_nothing_twice(hub: Hub) -> None:
    gone = hub.join()
    await gone.hear()
    hub.registry.leave("board", Pace.TAB, gone.mailbox)
    for _ in range(3):
        await hub.store.ask(Issue(CERTIFICATES, "kiosk"))
    await hub.follow()
    back = hub.join(after=gone.position)
    back.screen = gone.screen
    assert await back.hear() == [Heard.NEW] * 3 + [Heard.BEAT]


async def test_a_fact_just_after_joining_comes_behind_the_snapshot(hub: Hub) -> None:
    newcomer = hub.join()
    await hub.store.ask(Issue(CERTIFICATES, "kiosk"))
    await hub.follow()
    assert await newcomer.hear() == [Heard.NEW, Heard.BEAT, Heard.NEW]


@pytest.mark.parametrize("after", ["2026-11-24.run0:1-0", "2026-11-24.run1:1-0", "2026-11-24.run1:999999999999999-0"])
async def test_a_position_that_is_none_of_the_topics_gets_a_snapshot(hub: Hub, after: str) -> None:
    await hub.store.ask(Issue(CERTIFICATES, "kiosk"))
    await hub.follow()
    newcomer = hub.join(after=Position.parse(after))
    await newcomer.hear()
    assert newcomer.types() == ["Snapshot", "Beat"]


async def test_a_position_of_another_topic_is_none(hub: Hub) -> None:
    await hub.store.ask(Issue(CERTIFICATES, "kiosk"))
    await hub.store.ask(Issue(MOVES, "kiosk"))
    await hub.follow()
    board = hub.world.feed(topics.BOARD).position
    newcomer = hub.join(topics.of_lane(CERTIFICATES), after=board)
    await newcomer.hear()
    assert newcomer.types() == ["Snapshot", "Beat"]


async def test_who_was_away_for_too_long_gets_a_snapshot(hub: Hub) -> None:
    early = hub.join()
    await early.hear()
    start = early.position
    for _ in range(feed.RING):
        await hub.store.ask(Issue(CERTIFICATES, "kiosk"))
    await hub.follow()
    last_that_fits = hub.join(after=start)
    await last_that_fits.hear()
    assert last_that_fits.types() == ["TicketIssued"] * feed.RING + ["Beat"]
    await hub.store.ask(Next("2", None))
    await hub.follow()
    too_late = hub.join(after=start)
    await too_late.hear()
    assert too_late.types() == ["Snapshot", "Beat"]


@pytest.mark.parametrize("seed", range(6))
async def test_joining_at_any_moment_of_any_day_ends_like_a_fresh_snapshot(seed: int) -> None:
    hub, chance = await Hub().open(), random.Random(seed)
    listeners: list[tuple[str, Listener]] = []
    seen: dict[str, list[Position]] = {topic: [] for topic in TOPICS}
    for _ in range(220):
        picture = hub.store.desk.picture
        try:
            await hub.store.ask(any_request(chance, picture.at_counter, picture.last_arrival))
        except Refusal:
            continue
        await hub.follow()
        topic = chance.choice(TOPICS)
        if chance.random() < 0.5 and seen[topic]:
            # Somebody who had seen the day up to there: his screen is made from the facts until then.
            after = chance.choice(seen[topic])
            back = hub.join(topic, after)
            back.screen = await screen_at(hub, topic, after)
            listeners.append((topic, back))
        else:
            listeners.append((topic, hub.join(topic)))
        for topic in TOPICS:
            seen[topic].append(hub.world.feed(topic).position)
    for topic, listener in listeners:
        await listener.hear()
        assert Heard.GAP not in listener.heard
        assert Heard.OLD not in listener.heard
        assert timeless(listener.screen.snapshot()) == fresh(hub.world, topic)


async def screen_at(hub: Hub, topic: str, position: Position) -> Screen:
    world = World(hub.world.epoch, FIRST_DAY, OFFICE)
    for ms, seq, fact in await hub.store.read(FIRST_DAY, (0, 0), 0):
        if (ms, seq) <= position.place:
            world.learn((ms, seq), fact)
    before = Listener(join(Registry(), world, is_away=False, topic=topic, pace=Pace.TAB, after=None))
    await before.hear()
    return before.screen


async def test_a_fact_out_of_its_place_does_not_fit(hub: Hub) -> None:
    (ms, seq, opened), *_ = await hub.store.read(FIRST_DAY, (0, 0), 0)
    with pytest.raises(DoesNotFit, match="after"):
        hub.world.learn((ms, seq), opened)
    with pytest.raises(DoesNotFit, match="opens once"):
        hub.world.learn((ms + 1, 0), opened)
    await hub.store.ask(Issue(CERTIFICATES, "kiosk"))
    *_, (ms, seq, issued) = await hub.store.read(FIRST_DAY, (0, 0), 0)
    with pytest.raises(DoesNotFit, match="opens once"):
        World("e", FIRST_DAY, OFFICE).learn((ms, seq), issued)
