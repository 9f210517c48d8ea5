"""What time alone makes due is found by a look at every lane, once a minute, whoever looks."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from config.embedded import EmbeddedValkey
from hub.desk.notices import LATE_MS, NoticeState, Trigger
from tests.model.desks import set_clock
from tests.workers.ward import Ward, ward
from workers.sweeping import Sweeper


@pytest.fixture
async def office(valkey_server: EmbeddedValkey, office_name: str, tmp_path: Path) -> AsyncIterator[Ward]:
    async with ward(valkey_server.url, office_name, tmp_path / "keys") as opened:
        yield opened


class Clock:
    """Of this process, in seconds."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


async def at(office: Ward, minutes: float) -> None:
    """Let the office's clock stand so many minutes after nine."""
    hour, minute = divmod(9 * 60 + int(minutes), 60)
    await set_clock(office.client, office.names, f"{office.day}T{hour:02d}:{minute:02d}:00+09:00")


async def test_who_was_told_near_and_waits_too_long_is_told_of_the_delay_once(office: Ward) -> None:
    clock = Clock()
    sweeper = Sweeper(office.lanes, clock)
    await at(office, 0)
    ticket = await office.take()
    await office.wish(ticket, "taro@example.test")
    assert Trigger.NEAR in await office.states(ticket)
    for minutes in (LATE_MS // 60_000, LATE_MS // 60_000 + 1, 3 * LATE_MS // 60_000):
        await at(office, minutes)
        clock.now += 60
        await sweeper.turn()
        is_late = minutes * 60_000 > LATE_MS
        assert (Trigger.DELAYED in await office.states(ticket)) == is_late
    assert (await office.states(ticket))[Trigger.DELAYED] is NoticeState.PENDING


async def test_nobody_looks_more_often_than_once_a_minute_and_two_look_as_one(office: Ward) -> None:
    clock = Clock()
    one, other = Sweeper(office.lanes, clock), Sweeper(office.lanes, clock)
    await at(office, 0)
    for sweeper in (one, other, one, other):
        await sweeper.turn()
    swept = [field for field in await office.client.hkeys(office.names.requests(office.day)) if "sweep-" in str(field)]
    assert len(swept) == 1
    await at(office, 1)
    await one.turn()
    assert len(await office.client.hkeys(office.names.requests(office.day))) == 1, "its minute is not over"
    clock.now = 60.0
    await one.turn()
    assert len(await office.client.hkeys(office.names.requests(office.day))) == 2
