"""Answers that never arrive: what was done is not done again, and what was not done is said to be so."""

import asyncio
from pathlib import Path

import pytest
import redis.exceptions

from config.embedded import EmbeddedValkey
from hub.desk.picture import Picture
from hub.desk.refusals import NotCurrent, StoreAway
from hub.desk.requests import Issue, Next, Stamp
from hub.store.calling import TRIES
from hub.store.connection import connect
from hub.store.lanes import Lanes
from tests.chaos.proxy import LossyWire
from tests.model.desks import CERTIFICATES, DAY, small_office, store_desk


@pytest.mark.parametrize("every", [2, 3, 5])
async def test_a_lost_reply_never_calls_twice_and_never_skips(
    valkey_server: EmbeddedValkey, office_name: str, tmp_path: Path, every: int
) -> None:
    office = small_office(office_name)
    wire = LossyWire(valkey_server.socket_path, every)
    async with store_desk(office, valkey_server.url) as desk, wire.open(tmp_path / "wire") as url:
        await desk.open_day()
        client = connect(url)
        lanes, current, called = Lanes(client, office), None, []
        for turn in range(60):
            await desk.ask(Issue(CERTIFICATES, "kiosk"))
            answer = await lanes.do(Stamp(DAY, "desk", f"turn-{turn:03}"), Next("2", current))
            current = answer.arrival
            called.append(current)
        await client.aclose()
        assert wire.lost >= 60 // every
        assert called == list(range(1, 61))
        replayed = Picture()
        for fact in await desk.facts():
            replayed.apply(fact)
        assert replayed == await desk.picture()


async def test_of_many_who_lose_their_answers_together_each_is_answered(
    valkey_server: EmbeddedValkey, office_name: str, tmp_path: Path
) -> None:
    office = small_office(office_name)
    wire = LossyWire(valkey_server.socket_path, every=0)
    async with store_desk(office, valkey_server.url) as desk, wire.open(tmp_path / "wire") as url:
        await desk.open_day()
        client = connect(url)
        lanes = Lanes(client, office)
        for turn in range(20):
            await lanes.do(Stamp(DAY, "kiosk", f"before-{turn}"), Issue(CERTIFICATES, "kiosk"))
        given: list[int] = []
        for turns in range(20):  # so long after one another: who only looks asks beside one whose answer is lost
            wire.every = wire.calls + 1  # the next, and none that follows soon
            asked = []
            for n in range(3):
                stamp = Stamp(DAY, "kiosk", f"{turns}-{n}")
                asked.append(asyncio.create_task(lanes.do(stamp, Issue(CERTIFICATES, "kiosk"))))
                for _ in range(turns):
                    await asyncio.sleep(0)
            given += [answer.arrival or 0 for answer in await asyncio.gather(*asked)]
        await client.aclose()
        assert wire.lost == 20
        assert sorted(given) == list(range(21, 21 + 20 * 3))


async def test_when_no_answer_comes_at_all_the_same_id_tells_what_was_done(
    valkey_server: EmbeddedValkey, office_name: str, tmp_path: Path
) -> None:
    office = small_office(office_name)
    wire = LossyWire(valkey_server.socket_path, every=1)
    async with store_desk(office, valkey_server.url) as desk, wire.open(tmp_path / "wire") as url:
        await desk.open_day()
        await desk.ask(Issue(CERTIFICATES, "kiosk"))
        client = connect(url)
        lanes = Lanes(client, office)
        with pytest.raises(StoreAway) as away:
            await lanes.do(Stamp(DAY, "desk", "press"), Next("2", None))
        assert away.value.again
        assert wire.lost == TRIES
        wire.every = 0
        assert (await lanes.do(Stamp(DAY, "desk", "press"), Next("2", None))).arrival == 1
        with pytest.raises(NotCurrent):
            await lanes.do(Stamp(DAY, "desk", "another press"), Next("2", None))
        await client.aclose()


async def test_the_client_library_itself_repeats_nothing(
    valkey_server: EmbeddedValkey, office_name: str, tmp_path: Path
) -> None:
    """The house's connection against redis-py's own habit: an INCR whose reply was lost must have run once."""
    wire = LossyWire(valkey_server.socket_path, every=1)
    async with wire.open(tmp_path / "wire") as url, store_desk(small_office(office_name), valkey_server.url) as desk:
        client = connect(url)
        await desk.client.function_load(
            "#!lua name=counting\n"
            "redis.register_function('count_up', function(keys) return redis.call('INCR', keys[1]) end)",
            replace=True,
        )
        with pytest.raises(redis.exceptions.ConnectionError):
            await client.fcall("count_up", 1, f"{{{office_name}}}:counted")
        assert await desk.client.get(f"{{{office_name}}}:counted") == "1"
        await client.aclose()
