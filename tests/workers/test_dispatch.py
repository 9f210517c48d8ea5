"""The keeper's turns: keys in time, nothing kept beyond its day, nobody forgotten, and an outage told once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import pytest
import structlog

from config.embedded import EmbeddedValkey
from hub.desk.notices import Carrier
from hub.desk.refusals import NoticesClosed
from tests.eventually import eventually
from tests.workers.ward import EMAIL, Ward, ward
from workers.dispatch import Duties, Keeper, Net
from workers.keys import KeyHost


@pytest.fixture
async def office(valkey_server: EmbeddedValkey, office_name: str, tmp_path: Path) -> AsyncIterator[Ward]:
    async with ward(valkey_server.url, office_name, tmp_path / "keys") as opened:
        yield opened


class Woken:
    """Hears who is woken."""

    def __init__(self) -> None:
        self.carriers: list[Carrier] = []

    def wake(self, carrier: Carrier) -> None:
        self.carriers.append(carrier)


class Eraser:
    """One that has nothing to do; contacts may be taken for these dates."""

    def __init__(self, dates: list[str]) -> None:
        self.open_dates = dates

    async def turn(self) -> None:
        pass

    async def dates(self) -> list[str]:
        return self.open_dates

    async def plant(self) -> None:
        pass


def later(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


class SlowEraser(Eraser):
    """One that looks through files for hours."""

    async def turn(self) -> None:
        await asyncio.Event().wait()


async def keeper_of(office: Ward, dates: list[str] | None = None) -> Keeper:
    today = await office.contacts.today()
    eraser = Eraser([today, later(today, 1)] if dates is None else dates)
    return Keeper(office.contacts, office.keys, eraser)


async def test_todays_and_tomorrows_key_are_made_and_published(office: Ward) -> None:
    today = await office.contacts.today()
    await office.contacts.withdraw(today)
    with pytest.raises(NoticesClosed):
        await office.contacts.public_key()
    await (await keeper_of(office)).turn()
    assert await office.contacts.published() == {day: office.keys.ensure(day) for day in (today, later(today, 1))}
    assert (await office.contacts.public_key()).raw == office.keys.ensure(today).raw


async def test_a_store_that_lost_the_keys_gets_them_again(office: Ward) -> None:
    keeper = await keeper_of(office)
    await keeper.turn()
    before = await office.contacts.published()
    await office.client.delete(office.names.public_keys())
    await keeper.turn()
    assert await office.contacts.published() == before


async def test_where_no_contact_may_be_taken_no_key_is_published(office: Ward) -> None:
    await (await keeper_of(office)).turn()
    assert await office.contacts.published() != {}
    await (await keeper_of(office, dates=[])).turn()
    assert await office.contacts.published() == {}
    with pytest.raises(NoticesClosed):
        await office.contacts.public_key()


async def test_who_has_something_due_is_woken_and_nobody_else(office: Ward) -> None:
    waker = Woken()
    net = Net(office.outbox, waker)
    await net.turn()
    assert waker.carriers == []
    await office.wish(await office.take(), "a@example.test")
    await net.turn()
    await net.turn()
    assert waker.carriers == [EMAIL, EMAIL]


async def test_an_eraser_that_takes_its_time_keeps_nobody_asleep(office: Ward) -> None:
    await office.wish(await office.take(), "a@example.test")
    waker = Woken()
    keeper = Keeper(office.contacts, office.keys, SlowEraser([]))
    running = asyncio.gather(
        *(loop.run(every_s=0.005) for loop in (keeper, Duties({"wake": Net(office.outbox, waker).turn})))
    )
    await eventually(lambda: len(waker.carriers) > 3)
    running.cancel()
    await asyncio.wait({running})


async def test_a_wrong_master_key_is_told_once(office: Ward) -> None:
    today = await office.contacts.today()
    keeper = Keeper(office.contacts, KeyHost(office.folder, bytes(32)), Eraser([today]))
    with structlog.testing.capture_logs() as lines:
        await keeper.turn()
        await keeper.turn()
    assert [line["duty"] for line in lines] == ["make keys"]
    assert "JUNBAN_MASTER_KEY" in lines[0]["why"]


async def test_an_outage_is_told_once_and_its_end_too(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path / "valkey") as server:
        async with ward(server.url, "ward", tmp_path / "keys") as office:
            alive: list[int] = []
            waker = Woken()
            net = Duties({"wake": Net(office.outbox, waker).turn}, lambda: alive.append(1))
            await office.wish(await office.take(), "a@example.test")
            with structlog.testing.capture_logs() as lines:
                running = asyncio.create_task(net.run(every_s=0.005))
                await eventually(lambda: waker.carriers)
                server.kill()
                turns = len(alive)
                await eventually(lambda: len(alive) > turns + 3)
                server.start()
                woken = len(waker.carriers)
                await eventually(lambda: len(waker.carriers) > woken)
                await eventually(lambda: lines[-1]["event"] == "duty done again")  # told when the turn is over
                running.cancel()
                await asyncio.wait({running})
    told = [(line["event"], line["duty"]) for line in lines if "duty" in line]
    assert told == [("duty failed", "all"), ("duty done again", "all")]
