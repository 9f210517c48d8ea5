"""Sealed contacts in the store: when they are gone, who wrote them down, and what else is left of them."""

import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from config.embedded import EmbeddedValkey
from hub.desk.notices import Carrier, Ending
from hub.desk.refusals import NoticesClosed
from hub.desk.requests import Issue, Stamp, Wish
from hub.store.contacts import Contacts
from hub.store.erasing import VERIFIED_AFTER_MS, Erasing, Told
from hub.store.keys import TRACES_LIVE_MS
from hub.store.lanes import TOKYO, SealedContact
from hub.store.sealing import Contact, PublicKey, open_sealed, seal
from tests.model.desks import CERTIFICATES, DAY, StoreDesk, small_office, store_desk

EMAIL = Carrier.EMAIL
PRIVATE = X25519PrivateKey.generate()
KEY = PublicKey("fedcba9876543210", PRIVATE.public_key().public_bytes_raw())
ADDRESS = "taro..yamada@docomo.ne.jp"


@pytest.fixture
async def desk(valkey_server: EmbeddedValkey, office_name: str) -> AsyncIterator[StoreDesk]:
    async with store_desk(small_office(office_name), valkey_server.url) as made:
        await made.open_day()
        await made.ask(Issue(CERTIFICATES, "kiosk"))
        yield made


@pytest.fixture
async def contacts(desk: StoreDesk) -> Contacts:
    made = Contacts(desk.client, desk.office)
    await made.publish(await made.today(), KEY)
    return made


async def give(desk: StoreDesk, subscription: str, key: PublicKey = KEY) -> None:
    contact = SealedContact(seal(Contact(ADDRESS, "s" * 22), key, subscription), secrets.token_hex(32))
    stamp = Stamp(DAY, "web", secrets.token_urlsafe(16))
    await desk.lanes.do(stamp, Wish(1, EMAIL, 3, "1", subscription), contact)


async def test_a_contact_given_can_be_opened_by_who_has_the_key(desk: StoreDesk, contacts: Contacts) -> None:
    await give(desk, "sub")
    sealed = await contacts.sealed("sub")
    assert sealed is not None
    assert open_sealed(sealed, PRIVATE, "sub").to == ADDRESS


async def test_it_is_due_for_erasure_ten_minutes_past_midnight_and_a_clock_a_day_ahead_takes_it_not(
    desk: StoreDesk, contacts: Contacts
) -> None:
    """By the real date in Tokyo, though the office's practice clock stands on another day."""
    before = await contacts.today()
    await give(desk, "sub")
    score = await desk.client.zscore(desk.keys.erasures(), "sub")
    ends = await desk.client.pexpiretime(desk.keys.contact("sub"))
    assert score is not None
    erase_at = datetime.fromtimestamp(score / 1000, TOKYO)
    midnights = [datetime.fromisoformat(f"{day}T00:10:00+09:00") for day in (before, await contacts.today())]
    assert erase_at in [midnight + timedelta(days=1) for midnight in midnights]
    assert datetime.fromtimestamp(ends / 1000, UTC) - erase_at == timedelta(hours=26)


async def test_no_contact_is_taken_without_todays_key(desk: StoreDesk, contacts: Contacts) -> None:
    await contacts.withdraw(await contacts.today())
    with pytest.raises(NoticesClosed):
        await contacts.public_key()
    with pytest.raises(NoticesClosed):
        await give(desk, "sub")
    await contacts.publish("2020-01-01", KEY)
    with pytest.raises(NoticesClosed):
        await give(desk, "sub")
    assert await contacts.sealed("sub") is None


async def test_a_contact_sealed_with_an_older_key_is_refused(desk: StoreDesk, contacts: Contacts) -> None:
    other = PublicKey("0" * 16, KEY.raw)
    await contacts.publish(await contacts.today(), other)
    with pytest.raises(NoticesClosed):
        await give(desk, "sub")
    assert await contacts.public_key() == other


async def test_published_keys_are_known_by_their_date(contacts: Contacts) -> None:
    await contacts.publish("2020-01-01", KEY)
    assert await contacts.published() == {await contacts.today(): KEY, "2020-01-01": KEY}


async def test_another_contact_erases_the_first(desk: StoreDesk, contacts: Contacts) -> None:
    await give(desk, "old")
    await give(desk, "new")
    assert await contacts.sealed("old") is None
    assert await contacts.sealed("new") is not None
    assert await desk.client.zrange(desk.keys.erasures(), 0, -1) == ["new"]


async def test_erasing_erases_only_the_one_that_is_meant_and_may_be_repeated(
    desk: StoreDesk, contacts: Contacts
) -> None:
    await give(desk, "old")
    await give(desk, "new")
    await contacts.erase(DAY, "old", 1, EMAIL, Ending.REFUSED)
    assert await contacts.sealed("new") is not None
    for _ in range(2):
        await contacts.erase(DAY, "new", 1, EMAIL, Ending.REFUSED)
    assert await contacts.sealed("new") is None
    (wished,) = await desk.lanes.notices_of(DAY, 1)
    assert wished.ended is Ending.REFUSED


async def test_a_stop_token_is_known_by_its_digest(desk: StoreDesk, contacts: Contacts) -> None:
    stamp = Stamp(DAY, "web", secrets.token_urlsafe(16))
    sealed = seal(Contact(ADDRESS, "s" * 22), KEY, "sub")
    await desk.lanes.do(stamp, Wish(1, EMAIL, 3, "1", "sub"), SealedContact(sealed, "a" * 64))
    stop = await desk.lanes.stop_of(DAY, "a" * 64)
    assert stop is not None
    assert (stop.ticket, stop.subscription, stop.ending) == (1, "sub", Ending.RESIDENT)
    assert await desk.lanes.stop_of(DAY, "b" * 64) is None


async def test_what_is_overdue_is_erased_and_leaves_its_traces_to_be_wiped_out(
    desk: StoreDesk, contacts: Contacts
) -> None:
    erasing = Erasing(desk.client, desk.office)
    await give(desk, "sub")
    now = await erasing.now_ms()
    assert await erasing.due(now) == []
    assert await erasing.erase(["sub"], now) == 0, "its hour has not come, whoever asks"
    assert await contacts.sealed("sub") is not None
    await desk.client.zadd(desk.keys.erasures(), {"sub": 1})
    assert await erasing.due(now) == ["sub"]
    assert await erasing.late(now) == (1, now - 1)
    assert [await erasing.erase(["sub", "unknown"], now) for _ in range(2)] == [1, 0]
    assert await erasing.kept(["sub"]) == set()
    assert await erasing.due(now) == []
    assert await erasing.traces(VERIFIED_AFTER_MS) == []
    assert await erasing.traces(VERIFIED_AFTER_MS + 1) == ["sub"]
    await erasing.forget(["sub"])
    assert await erasing.traces(now) == []


async def test_another_contact_and_a_stop_leave_traces_for_an_hour_at_most(desk: StoreDesk, contacts: Contacts) -> None:
    erasing = Erasing(desk.client, desk.office)
    await give(desk, "old")
    await give(desk, "new")
    await contacts.erase(DAY, "new", 1, EMAIL, Ending.REFUSED)
    now = await erasing.now_ms()
    assert await erasing.traces(now) == []
    assert await erasing.traces(now + TRACES_LIVE_MS) == ["old", "new"]
    assert await desk.client.ttl(desk.keys.traces()) == -1


async def test_a_contact_that_no_list_names_is_found(desk: StoreDesk, contacts: Contacts) -> None:
    erasing = Erasing(desk.client, desk.office)
    await give(desk, "sub")
    assert await erasing.unlisted() == []
    await desk.client.zrem(desk.keys.erasures(), "sub")
    assert await erasing.unlisted() == ["sub"]
    await erasing.list_overdue(["sub"], 1)
    assert await erasing.unlisted() == []


async def test_what_the_eraser_tells_is_heard_for_a_minute(desk: StoreDesk, contacts: Contacts) -> None:
    erasing = Erasing(desk.client, desk.office)
    assert not (await erasing.told()).is_told
    told = Told(True, 3, 1.5, "files", 17)
    await erasing.tell(told)
    assert await erasing.told() == told
    assert 0 < await desk.client.ttl(desk.keys.erasing()) <= 60
