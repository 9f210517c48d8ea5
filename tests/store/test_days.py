"""The business day: Tokyo's, by the store's clock, opened once, never missed, never reopened."""

import asyncio
import os
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.embedded import EmbeddedValkey
from hub.desk.facts import DayClosed, DayOpened, Fact, from_fields
from hub.desk.hours import WEEKDAYS, Hours, Opening
from hub.desk.picture import Picture
from hub.desk.refusals import LaneClosed, StaleDay
from hub.desk.requests import Issue, Next, Stamp
from hub.desk.ticket import State
from hub.store.keys import DAY_SECONDS, FACTS_SECONDS
from hub.store.lanes import Lanes
from tests.model.desks import CERTIFICATES, StoreDesk, set_clock, small_office, store_desk

TOKYO = ZoneInfo("Asia/Tokyo")


@pytest.fixture
async def desk(valkey_server: EmbeddedValkey, office_name: str) -> AsyncIterator[StoreDesk]:
    async with store_desk(small_office(office_name), valkey_server.url) as stored:
        yield stored


def ms(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp() * 1000)


async def facts_of(desk: StoreDesk, day: str) -> list[Fact]:
    entries: Any = await desk.client.xrange(desk.keys.facts(day))
    return [from_fields(fields) for _, fields in entries]


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-11-24T23:59:59+09:00", "2026-11-24"),
        ("2026-11-25T00:00:01+09:00", "2026-11-25"),
        ("2026-12-31T23:59:59+09:00", "2026-12-31"),
        ("2027-01-01T00:00:01+09:00", "2027-01-01"),
        ("2028-02-29T12:00:00+09:00", "2028-02-29"),
        ("2026-11-24T15:00:01+00:00", "2026-11-25"),  # evening in London, after midnight in Tokyo
        ("2026-11-24T07:00:01-08:00", "2026-11-25"),  # morning in Los Angeles
    ],
)
async def test_the_day_is_tokyos(desk: StoreDesk, moment: str, day: str) -> None:
    await set_clock(desk.client, desk.keys, moment)
    assert await desk.lanes.open_day() == day


@given(st.integers(946_684_800, 4_764_000_000).map(lambda second: datetime.fromtimestamp(second, UTC)))  # 2000–2120
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_stores_calendar_is_the_worlds(valkey_server: EmbeddedValkey, office_name: str, moment: datetime) -> None:
    async def today() -> str:
        async with store_desk(small_office(office_name), valkey_server.url) as stored:
            await set_clock(stored.client, stored.keys, moment.isoformat())
            return (await stored.lanes.day_now())[1]

    assert asyncio.run(today()) == moment.astimezone(TOKYO).date().isoformat()


async def test_midnight_closes_one_day_and_opens_the_next(desk: StoreDesk) -> None:
    await set_clock(desk.client, desk.keys, "2026-12-31T23:59:59+09:00")
    await desk.lanes.open_day()
    await desk.ask(Issue(CERTIFICATES, "kiosk"), day="2026-12-31")
    await set_clock(desk.client, desk.keys, "2027-01-01T00:00:01+09:00")
    assert await desk.lanes.open_day() == "2027-01-01"
    assert isinstance((await facts_of(desk, "2026-12-31"))[-1], DayClosed)
    assert [type(fact) for fact in await facts_of(desk, "2027-01-01")] == [DayOpened]
    with pytest.raises(StaleDay):
        await desk.ask(Issue(CERTIFICATES, "kiosk"), day="2026-12-31")
    assert (await desk.ask(Issue(CERTIFICATES, "kiosk"), day="2027-01-01")).number == "A101"


async def test_until_the_new_day_is_opened_the_old_one_goes_on(desk: StoreDesk) -> None:
    """A ticket taken at 00:00:00.2 is a ticket of the day that is still open: never lost between two days."""
    await set_clock(desk.client, desk.keys, "2026-11-24T23:59:59+09:00")
    await desk.lanes.open_day()
    await set_clock(desk.client, desk.keys, "2026-11-25T00:00:00.200+09:00")
    assert (await desk.ask(Issue(CERTIFICATES, "kiosk"), day="2026-11-24")).arrival == 1


async def test_a_hub_that_was_off_for_three_days_opens_today_once(desk: StoreDesk) -> None:
    await set_clock(desk.client, desk.keys, "2026-11-20T17:00:00+09:00")
    await desk.lanes.open_day()
    await desk.ask(Issue(CERTIFICATES, "kiosk"), day="2026-11-20")
    await set_clock(desk.client, desk.keys, "2026-11-23T08:30:00+09:00")
    assert [await desk.lanes.open_day() for _ in range(3)] == ["2026-11-23"] * 3
    assert isinstance((await facts_of(desk, "2026-11-20"))[-1], DayClosed)
    assert await facts_of(desk, "2026-11-21") == await facts_of(desk, "2026-11-22") == []
    assert len(await facts_of(desk, "2026-11-23")) == 1


async def test_an_office_that_was_off_for_longer_than_its_days_keys_live_opens_today_all_the_same(
    desk: StoreDesk,
) -> None:
    """After the spare day the old day's keys have ended by themselves; its facts have not, and tell that it closed."""
    await set_clock(desk.client, desk.keys, "2026-12-28T17:15:00+09:00")
    await desk.lanes.open_day()
    await desk.ask(Issue(CERTIFICATES, "kiosk"), day="2026-12-28")
    old = [key async for key in desk.client.scan_iter(match=f"{{{desk.office.key}}}:2026-12-28:*")]
    await desk.client.delete(*(key for key in old if key != desk.keys.facts("2026-12-28")))
    await set_clock(desk.client, desk.keys, "2027-01-04T08:00:00+09:00")
    assert await desk.lanes.open_day() == "2027-01-04"
    closed = [fact for fact in await facts_of(desk, "2026-12-28") if isinstance(fact, DayClosed)]
    assert len(closed) == 1
    assert (await desk.ask(Issue(CERTIFICATES, "kiosk"), day="2027-01-04")).number == "A101"


async def test_whoever_waited_at_closing_time_is_gone_from_the_next_day(desk: StoreDesk) -> None:
    """Hours end the giving of numbers, midnight the day: who still waits is called until then, and lapses with it."""
    hours = Hours((Opening(frozenset(WEEKDAYS), 510, 1020),))
    desk.move_to(replace(desk.office, hours=hours))
    await set_clock(desk.client, desk.keys, "2026-11-24T16:59:59+09:00")
    await desk.lanes.open_day()
    for _ in range(2):
        await desk.ask(Issue(CERTIFICATES, "kiosk"))
    await set_clock(desk.client, desk.keys, "2026-11-24T17:00:00+09:00")
    with pytest.raises(LaneClosed):
        await desk.ask(Issue(CERTIFICATES, "kiosk"))
    assert (await desk.ask(Next("2", None))).arrival == 1
    await set_clock(desk.client, desk.keys, "2026-11-25T08:30:00+09:00")
    await desk.lanes.open_day()
    told = Picture()
    for fact in await facts_of(desk, "2026-11-24"):
        told.apply(fact)
    assert [ticket.state for ticket in told.tickets.values()] == [State.LAPSED] * 2
    assert (await desk.ask(Issue(CERTIFICATES, "kiosk"), day="2026-11-25")).number == "A101"


async def test_an_evening_that_goes_on_after_midnight_goes_on_with_the_next_day(desk: StoreDesk) -> None:
    """22:00–24:00 on Friday, 00:00–02:00 on Saturday: two days, each with its own numbers."""
    night = Hours((Opening(frozenset({"fri"}), 1320, 1440), Opening(frozenset({"sat"}), 0, 120)))
    desk.move_to(replace(desk.office, hours=night))
    await set_clock(desk.client, desk.keys, "2026-11-27T23:59:59+09:00")
    await desk.lanes.open_day()
    assert (await desk.ask(Issue(CERTIFICATES, "kiosk"), day="2026-11-27")).number == "A101"
    await set_clock(desk.client, desk.keys, "2026-11-28T00:00:00.200+09:00")
    with pytest.raises(LaneClosed) as refused:  # Friday is still open, and its hours are over
        await desk.ask(Issue(CERTIFICATES, "kiosk"), day="2026-11-27")
    assert refused.value.details["opens"] == str(ms("2026-11-28T00:00:00+09:00"))
    await desk.lanes.open_day()
    assert (await desk.ask(Issue(CERTIFICATES, "kiosk"), day="2026-11-28")).number == "A101"
    await set_clock(desk.client, desk.keys, "2026-11-28T02:00:00+09:00")
    with pytest.raises(LaneClosed):
        await desk.ask(Issue(CERTIFICATES, "kiosk"), day="2026-11-28")


@given(st.lists(st.integers(0, 3 * 86_400), min_size=2, max_size=6))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_however_hubs_come_and_go_each_day_is_opened_once(
    valkey_server: EmbeddedValkey, office_name: str, waits: list[int]
) -> None:
    """Two hubs ask after waits of any length, at the same moment: no day is missed by who is there, or opened twice."""

    async def story() -> None:
        async with store_desk(small_office(f"{office_name}-{secrets.token_hex(4)}"), valkey_server.url) as desk:
            moment, days = datetime(2026, 12, 30, 8, 30, tzinfo=TOKYO), list[str]()
            for wait in [0, *waits]:
                moment += timedelta(seconds=wait)
                await set_clock(desk.client, desk.keys, moment.isoformat())
                other = Lanes(desk.client, desk.office)
                opened = await asyncio.gather(desk.lanes.open_day(), other.open_day())
                assert set(opened) == {moment.date().isoformat()}
                days.append(opened[0])
            for day in dict.fromkeys(days):
                kinds = [type(fact) for fact in await facts_of(desk, day)]
                assert kinds == ([DayOpened] if day == days[-1] else [DayOpened, DayClosed]), day

    asyncio.run(story())


async def test_many_hubs_at_midnight_open_the_day_once(desk: StoreDesk) -> None:
    await set_clock(desk.client, desk.keys, "2026-11-24T23:59:59+09:00")
    await desk.lanes.open_day()
    await set_clock(desk.client, desk.keys, "2026-11-25T00:00:01+09:00")
    hubs = [Lanes(desk.client, desk.office) for _ in range(20)]
    assert await asyncio.gather(*(hub.open_day() for hub in hubs)) == ["2026-11-25"] * 20
    assert [type(fact) for fact in await facts_of(desk, "2026-11-24")] == [DayOpened, DayClosed]
    assert [type(fact) for fact in await facts_of(desk, "2026-11-25")] == [DayOpened]


async def test_a_clock_that_steps_back_reopens_nothing(desk: StoreDesk) -> None:
    await set_clock(desk.client, desk.keys, "2026-11-25T00:00:01+09:00")
    await desk.lanes.open_day()
    await set_clock(desk.client, desk.keys, "2026-11-24T23:59:58+09:00")
    assert await desk.lanes.open_day() == "2026-11-25"
    assert await facts_of(desk, "2026-11-24") == []


async def test_every_key_of_a_day_ends_by_itself(desk: StoreDesk) -> None:
    day = await desk.open_day()
    await desk.ask(Issue(CERTIFICATES, "kiosk"), day=day)
    keys = [key async for key in desk.client.scan_iter(match=f"{{{desk.office.key}}}*")]
    of_the_day = {key: await desk.client.ttl(key) for key in keys if day in key}
    facts_ttl = of_the_day.pop(desk.keys.facts(day))
    assert len(of_the_day) == 5, "requests, tally, numbers, the ticket, its lane"
    assert all(DAY_SECONDS - 60 < ttl <= DAY_SECONDS for ttl in of_the_day.values())
    assert FACTS_SECONDS - 60 < facts_ttl <= FACTS_SECONDS
    assert {key for key in keys if day not in key} == {
        desk.keys.day(),
        desk.keys.clock(),
        desk.keys.days(),
        desk.keys.public_keys(),
    }


async def test_a_practice_day_is_always_a_fresh_one(desk: StoreDesk) -> None:
    first = await desk.lanes.start_practice_day(8 * 3600 + 1500, 240.0)
    second = await desk.lanes.start_practice_day(8 * 3600 + 1500, 240.0)
    assert datetime.fromisoformat(second) - datetime.fromisoformat(first) == timedelta(days=1)
    now, today, day = await desk.lanes.day_now()
    assert (today, day) == (second, second)
    assert datetime.fromtimestamp(now / 1000, TOKYO).strftime("%H:%M") == "08:25"


ASK = """
import asyncio, sys
from dataclasses import replace
from hub.desk.hours import WEEKDAYS, Hours, Opening
from hub.desk.refusals import LaneClosed
from hub.desk.requests import Issue, Stamp
from tests.model.desks import set_clock, small_office, store_desk

async def main(url, office, moment):
    async with store_desk(small_office(office), url) as desk:
        await set_clock(desk.client, desk.keys, moment)
        day = await desk.lanes.open_day()
        answer = await desk.lanes.do(Stamp(day, "kiosk", "x" * 22), Issue("certificates", "kiosk"))
        hours = Hours((Opening(frozenset(WEEKDAYS), 510, 1020),))
        desk.move_to(replace(desk.office, hours=hours))
        try:
            await desk.ask(Issue("certificates", "kiosk"), day=day)
        except LaneClosed as refusal:
            print(day, answer.number, refusal.said)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles", "Asia/Tokyo"])
@pytest.mark.parametrize(
    ("moment", "day"), [("2026-12-31T23:59:59+09:00", "2026-12-31"), ("2027-01-01T00:00:01+09:00", "2027-01-01")]
)
def test_the_machines_zone_does_not_matter(
    valkey_server: EmbeddedValkey, office_name: str, zone: str, moment: str, day: str
) -> None:
    told = subprocess.run(
        [sys.executable, "-c", ASK, valkey_server.url, office_name, moment],
        env=os.environ | {"TZ": zone},
        capture_output=True,
        text=True,
        check=True,
    )
    closed = "ただいまは、この業務の受付時間外です。次の受付は 1月1日（金）8:30 からです。"
    assert told.stdout.split(maxsplit=2) == [day, "A101", closed + "\n"]


async def test_a_stale_day_says_which_day_it_is(desk: StoreDesk) -> None:
    await set_clock(desk.client, desk.keys, "2026-11-25T00:00:01+09:00")
    day = await desk.lanes.open_day()
    with pytest.raises(StaleDay) as refused:
        await desk.lanes.do(Stamp("2026-11-24", "desk", "x" * 22), Issue(CERTIFICATES, "kiosk"))
    assert refused.value.details == {"day": day}
