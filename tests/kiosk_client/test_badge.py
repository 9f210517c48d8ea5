"""How a machine becomes known, stays known whatever dies in between, and asks anew when it was put out."""

import asyncio
import stat
from pathlib import Path

import sqlalchemy as sa

from hub.ledger.connection import transaction
from hub.ledger.devices import Device
from hub.ledger.tables import DEVICES
from hub.wire.roles import Role
from kiosk_client.badge import FILE, Badge, BadgeFile, Held
from tests.doors import BY
from tests.eventually import eventually
from tests.journeys.conftest import ward
from tests.journeys.ward import Ward

__all__ = ["ward"]


def badge_of(ward: Ward, folder: Path) -> Badge:
    return Badge(ward.inside, "genkan", BadgeFile(folder))


def held(folder: Path) -> Held:
    found = BadgeFile(folder).read()
    assert found
    return found


def device(ward: Ward, token: str) -> Device:
    found = ward.doors.devices.find(token)
    assert found
    return found


def make_old(ward: Ward) -> None:
    """As if every token had been used for days."""
    with transaction(ward.doors.ledger.engine, writes=True) as connection:
        connection.execute(sa.update(DEVICES).where(DEVICES.c.office == ward.doors.office).values(turned_at=0))


async def shows_a_code(badge: Badge) -> None:
    await eventually(lambda: badge.code)


async def known(ward: Ward, folder: Path) -> str:
    """A machine that was let in; its token."""
    badge = badge_of(ward, folder)
    waiting = asyncio.create_task(badge.token())
    await shows_a_code(badge)
    ward.doors.devices.let_in(badge.code, "", BY)
    token = await waiting
    assert badge.code == ""
    return token


async def test_a_new_machine_shows_a_code_and_is_known_when_it_was_typed(ward: Ward, tmp_path: Path) -> None:
    token = await known(ward, tmp_path)
    assert held(tmp_path) == Held(token)
    assert (device(ward, token).role, device(ward, token).place) == (Role.KIOSK, "genkan")
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert await badge_of(ward, tmp_path).token() == token


async def test_killed_while_it_waits_it_shows_the_same_code_again(ward: Ward, tmp_path: Path) -> None:
    codes = []
    for _ in range(2):
        badge = badge_of(ward, tmp_path)
        waiting = asyncio.create_task(badge.token())
        await shows_a_code(badge)
        codes.append(badge.code)
        waiting.cancel()
    assert codes[0] == codes[1]
    ward.doors.devices.let_in(codes[0], "", BY)
    assert await badge_of(ward, tmp_path).token() == held(tmp_path).token


async def test_let_in_while_it_was_off_it_is_known_at_the_next_start(ward: Ward, tmp_path: Path) -> None:
    asking = ward.doors.devices.ask(Role.KIOSK, "genkan", "")
    BadgeFile(tmp_path).keep(Held(asking.token))
    ward.doors.devices.let_in(asking.code, "", BY)
    assert await badge_of(ward, tmp_path).token() == asking.token


async def test_a_token_of_yesterday_is_turned(ward: Ward, tmp_path: Path) -> None:
    old = await known(ward, tmp_path)
    make_old(ward)
    fresh = await badge_of(ward, tmp_path).token()
    assert fresh != old
    assert held(tmp_path) == Held(fresh)
    assert ward.doors.devices.find(old) is None
    assert await badge_of(ward, tmp_path).token() == fresh


async def test_killed_before_the_new_token_was_kept_the_old_one_holds(ward: Ward, tmp_path: Path) -> None:
    old = await known(ward, tmp_path)
    make_old(ward)
    assert ward.doors.devices.turn(old)
    assert await badge_of(ward, tmp_path).token() == old


async def test_killed_before_the_new_token_was_used_it_is_used_now(ward: Ward, tmp_path: Path) -> None:
    old = await known(ward, tmp_path)
    make_old(ward)
    fresh = ward.doors.devices.turn(old)
    assert fresh
    BadgeFile(tmp_path).keep(Held(old, fresh))
    assert await badge_of(ward, tmp_path).token() == fresh
    assert held(tmp_path) == Held(fresh)


async def test_killed_after_the_new_token_was_used_it_is_known(ward: Ward, tmp_path: Path) -> None:
    old = await known(ward, tmp_path)
    make_old(ward)
    fresh = ward.doors.devices.turn(old)
    assert fresh
    assert ward.doors.devices.find(fresh)
    BadgeFile(tmp_path).keep(Held(old, fresh))
    assert await badge_of(ward, tmp_path).token() == fresh


async def test_a_new_token_that_the_hub_does_not_know_leaves_the_old_one(ward: Ward, tmp_path: Path) -> None:
    old = await known(ward, tmp_path)
    BadgeFile(tmp_path).keep(Held(old, "x" * 43))
    assert await badge_of(ward, tmp_path).token() == old
    assert held(tmp_path) == Held(old)


async def test_a_machine_that_was_put_out_shows_a_new_code(ward: Ward, tmp_path: Path) -> None:
    token = await known(ward, tmp_path)
    ward.doors.devices.revoke(device(ward, token).id, BY)
    assert await known(ward, tmp_path) != token


async def test_a_damaged_file_is_a_new_machine(ward: Ward, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('{"tok')
    assert BadgeFile(tmp_path).read() is None
    await known(ward, tmp_path)


async def test_without_a_hub_there_is_no_code_and_nothing_is_forgotten(tmp_path: Path) -> None:
    BadgeFile(tmp_path).keep(Held("x" * 43))
    badge = Badge("http://127.0.0.1:1", "genkan", BadgeFile(tmp_path))
    waiting = asyncio.create_task(badge.token())
    await asyncio.sleep(0)
    assert badge.code == ""
    waiting.cancel()
    assert held(tmp_path) == Held("x" * 43)
