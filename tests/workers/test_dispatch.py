"""The keeper's turn: keys in time, nothing kept beyond its day, nobody forgotten, and an outage told once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import pytest
import structlog
from redis.asyncio import Redis

from config.embedded import EmbeddedValkey
from hub.desk.lane import Office
from hub.desk.notices import Carrier
from hub.desk.refusals import NoticesClosed
from hub.store.contacts import Contacts
from hub.store.sealing import Unreadable
from tests.eventually import eventually
from tests.workers.ward import EMAIL, MASTER, Ward, ward
from workers.dispatch import Keeper
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


class ContactsAt(Contacts):
    """The same contacts, read at another hour: the store's clock cannot be set."""

    def __init__(self, client: Redis, office: Office, days: int, kept_days: int) -> None:
        super().__init__(client, office)
        self.days, self.kept_days = days, kept_days

    async def today(self) -> str:
        return later(await super().today(), self.days)

    async def kept_from(self) -> str:
        return later(await super().today(), self.kept_days)


def later(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def keeper_of(office: Ward, contacts: Contacts | None = None, waker: Woken | None = None) -> Keeper:
    return Keeper(office.outbox, contacts or office.contacts, office.keys, waker or Woken())


async def test_todays_and_tomorrows_key_are_made_and_published(office: Ward) -> None:
    today = await office.contacts.today()
    await office.contacts.withdraw(today)
    with pytest.raises(NoticesClosed):
        await office.contacts.public_key()
    await keeper_of(office).turn()
    assert await office.contacts.published() == {day: office.keys.ensure(day) for day in (today, later(today, 1))}
    assert (await office.contacts.public_key()).raw == office.keys.ensure(today).raw


async def test_a_store_that_lost_the_keys_gets_them_again(office: Ward) -> None:
    keeper = keeper_of(office)
    await keeper.turn()
    before = await office.contacts.published()
    await office.client.delete(office.names.public_keys())
    await keeper.turn()
    assert await office.contacts.published() == before


async def test_a_day_after_its_keys_are_destroyed_and_withdrawn(office: Ward) -> None:
    ticket = await office.take()
    subscription = await office.wish(ticket, "canary@example.test")
    sealed = await office.contacts.sealed(subscription)
    assert sealed is not None
    today = await office.contacts.today()
    # A minute after midnight: a new date, the old key is still there. Ten minutes later it is not.
    await keeper_of(office, ContactsAt(office.client, office.office, 1, 0)).turn()
    assert office.keys.open(sealed, subscription).to == "canary@example.test"
    await keeper_of(office, ContactsAt(office.client, office.office, 1, 1)).turn()
    with pytest.raises(Unreadable):
        office.keys.open(sealed, subscription)
    assert list(await office.contacts.published()) == [later(today, 1), later(today, 2)]
    assert {path.name for path in office.folder.glob("*.key")} == {f"{later(today, n)}.key" for n in (1, 2)}


async def test_kept_from_is_today_or_yesterday(office: Ward) -> None:
    today = await office.contacts.today()
    assert await office.contacts.kept_from() in (today, later(today, -1))


async def test_an_overdue_contact_is_unlinked(office: Ward) -> None:
    kept = await office.wish(await office.take(), "kept@example.test")
    gone = await office.wish(await office.take(), "gone@example.test")
    await office.client.zadd(office.names.erasures(), {gone: 0.0})
    await keeper_of(office).turn()
    assert await office.contacts.sealed(gone) is None
    assert await office.contacts.sealed(kept) is not None


async def test_who_has_something_due_is_woken_and_nobody_else(office: Ward) -> None:
    waker = Woken()
    keeper = keeper_of(office, waker=waker)
    await keeper.turn()
    assert waker.carriers == []
    await office.wish(await office.take(), "a@example.test")
    await keeper.turn()
    await keeper.turn()
    assert waker.carriers == [EMAIL, EMAIL]


async def test_a_wrong_master_key_is_told_once_and_keeps_nobody_asleep(office: Ward) -> None:
    await office.wish(await office.take(), "a@example.test")
    waker = Woken()
    keeper = Keeper(office.outbox, office.contacts, KeyHost(office.folder, bytes(32)), waker)
    with structlog.testing.capture_logs() as lines:
        await keeper.turn()
        await keeper.turn()
    assert waker.carriers == [EMAIL, EMAIL]
    assert [line["duty"] for line in lines] == ["make keys"]
    assert "JUNBAN_MASTER_KEY" in lines[0]["why"]


async def test_an_outage_is_told_once_and_its_end_too(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path / "valkey") as server:
        async with ward(server.url, "ward", tmp_path / "keys") as office:
            alive: list[int] = []
            waker = Woken()
            keeper = Keeper(
                office.outbox, office.contacts, KeyHost(office.folder, MASTER), waker, on_alive=lambda: alive.append(1)
            )
            await office.wish(await office.take(), "a@example.test")
            with structlog.testing.capture_logs() as lines:
                running = asyncio.create_task(keeper.run(every_s=0.005))
                await eventually(lambda: waker.carriers)
                server.kill()
                turns = len(alive)
                await eventually(lambda: len(alive) > turns + 3)
                server.start()
                woken = len(waker.carriers)
                await eventually(lambda: len(waker.carriers) > woken)
                running.cancel()
                await asyncio.wait({running})
    told = [(line["event"], line["duty"]) for line in lines if "duty" in line]
    assert told == [("duty failed", "all"), ("duty done again", "all")]
