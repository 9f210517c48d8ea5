"""The eraser: five layers in order, each of them missed when it is left out, and nothing gone before its hour."""

import contextlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.desk.notices import Ending
from hub.desk.refusals import NoticesClosed, StoreAway
from hub.desk.requests import Stop
from hub.ledger.connection import LedgerUnusable
from hub.ledger.erasures import DAY_AFTER
from hub.store.erasing import RewriteFailed
from hub.store.sealing import Unreadable
from tests.workers.erasing import (
    HOUR_MS,
    TO,
    Night,
    WithoutKeys,
    WithoutLooking,
    WithoutRestart,
    WithoutRewriting,
    WithoutUnlinking,
    night,
    what_is_left,
)
from tests.workers.ward import EMAIL
from workers.clock import BELIEVED_AFTER_MS
from workers.erase import Eraser, NotClean, Unfit

MINUTE_MS = 60_000


@pytest.fixture
async def at_night(tmp_path: Path) -> AsyncIterator[Night]:
    async with night(tmp_path) as made:
        yield made


async def test_nothing_is_erased_before_its_hour(at_night: Night) -> None:
    subscription = await at_night.give()
    await at_night.come(later_ms=-1000)
    await at_night.turn()
    sealed = await at_night.office.contacts.sealed(subscription)
    assert sealed is not None
    assert at_night.office.keys.open(sealed, subscription).to == TO
    assert at_night.handled()[0].erased_ms is None


async def test_at_its_hour_a_contact_is_gone_from_key_store_files_and_memory(at_night: Night) -> None:
    subscription = await at_night.give()
    sealed = await at_night.office.contacts.sealed(subscription)
    assert sealed is not None
    blob = sealed.encode()
    assert at_night.files_with(blob)
    assert at_night.memory_has(blob)
    before = at_night.server.pid
    await at_night.come()
    await at_night.turn()
    with pytest.raises(Unreadable):
        at_night.office.keys.open(sealed, subscription)
    assert not await at_night.erasing.kept([subscription])
    assert at_night.files_with(blob) == []
    assert at_night.server.pid != before
    assert not at_night.memory_has(blob)


async def test_the_ledger_says_what_was_erased_when_how_and_that_it_was_verified(at_night: Night) -> None:
    subscription = await at_night.give()
    key = (await at_night.office.contacts.public_key()).id
    await at_night.come()
    await at_night.turn()
    (handled,) = at_night.handled()
    assert (handled.subscription, handled.carrier, handled.ending) == (subscription, EMAIL, DAY_AFTER)
    assert (handled.method, handled.key) == ("key+unlink", key)
    assert handled.erased_ms is not None
    assert handled.verified_ms is not None
    assert handled.given_ms < handled.erased_ms <= handled.verified_ms
    (verified,) = at_night.noted("ErasureVerified")
    assert verified.fields["method"] == "rewrite+restart+scan"
    assert int(verified.fields["files"]) > 0


async def test_a_second_turn_and_a_second_eraser_change_nothing(at_night: Night) -> None:
    await at_night.give()
    await at_night.come()
    await at_night.turn()
    count, pid = len(at_night.noted("ContactDestroyed")), at_night.server.pid
    await at_night.turn()
    at_night.eraser = at_night.another_eraser()
    await at_night.turn()
    assert len(at_night.noted("ContactDestroyed")) == count == 1
    assert len(at_night.noted("KeyDestroyed")) == len(at_night.noted("ErasureVerified")) == 1
    assert at_night.server.pid == pid


@pytest.mark.parametrize(
    ("kind", "left"),
    [
        (Eraser, set()),
        (WithoutKeys, {"key"}),
        (WithoutUnlinking, {"store", "files", "memory"}),
        (WithoutRewriting, {"files"}),
        (WithoutRestart, {"memory"}),
    ],
)
async def test_each_layer_left_out_leaves_something_behind(at_night: Night, kind: type[Eraser], left: set[str]) -> None:
    subscription = await at_night.give()
    sealed = await at_night.office.contacts.sealed(subscription)
    assert sealed is not None
    at_night.eraser = at_night.another_eraser(kind)
    await at_night.come()
    with contextlib.suppress(NotClean):
        await at_night.turn()
    assert await what_is_left(at_night, sealed, subscription) >= left
    assert bool(await what_is_left(at_night, sealed, subscription)) == bool(left)


async def test_only_who_looks_finds_a_canary_in_a_log(at_night: Night) -> None:
    await at_night.give()
    await at_night.keeper.turn()
    canary = at_night.office.keys.canary(await at_night.office.contacts.today())
    (at_night.logs / "hub.log").write_text(f"sent to canary-{canary}@canary.invalid\n")
    await at_night.come()
    with pytest.raises(NotClean, match=r"hub\.log"):
        await at_night.turn()
    assert at_night.noted("ErasureVerified") == []
    assert await at_night.eraser.dates() == []
    assert (await at_night.erasing.told()).why == "found"
    at_night.eraser = at_night.another_eraser(WithoutLooking)
    await at_night.turn()
    assert len(at_night.noted("ErasureVerified")) == 1


async def test_once_the_log_is_clean_it_is_verified_without_another_restart(at_night: Night) -> None:
    await at_night.give()
    await at_night.keeper.turn()
    canary = at_night.office.keys.canary(await at_night.office.contacts.today())
    (at_night.logs / "hub.log").write_text(f"canary-{canary}@canary.invalid\n")
    await at_night.come()
    with pytest.raises(NotClean):
        await at_night.turn()
    pid = at_night.server.pid
    (at_night.logs / "hub.log").unlink()
    await at_night.let_pass(until_ms=await at_night.erasing.now_ms() + 20_000)
    await at_night.turn()
    assert at_night.server.pid == pid
    assert len(at_night.noted("ErasureVerified")) == 1
    assert await at_night.eraser.dates() != []


async def test_who_says_stop_is_gone_at_once_and_from_the_files_within_the_hour(at_night: Night) -> None:
    ticket = await at_night.office.take()
    subscription = await at_night.office.wish(ticket, "stops@example.test")
    sealed = await at_night.office.contacts.sealed(subscription)
    assert sealed is not None
    await at_night.office.lanes.do(at_night.office.stamp(), Stop(ticket, EMAIL, Ending.RESIDENT))
    assert not await at_night.erasing.kept([subscription])
    await at_night.archiver.turn()
    await at_night.turn()
    assert at_night.files_with(sealed.encode()), "not yet: one stop after the other would write the file anew each time"
    await at_night.let_pass(until_ms=await at_night.erasing.now_ms() + 11 * MINUTE_MS)
    await at_night.turn()
    assert at_night.files_with(sealed.encode()) == []
    (handled,) = at_night.handled()
    assert handled.ending == Ending.RESIDENT
    assert handled.erased_ms is not None
    assert handled.verified_ms is not None


async def test_stop_and_erasing_work_while_the_memory_is_full(at_night: Night) -> None:
    kept, stopped = await at_night.give(), await at_night.office.take()
    gone = await at_night.office.wish(stopped, "stops@example.test")
    await at_night.office.client.config_set("maxmemory", 1)
    with pytest.raises(StoreAway):
        await at_night.office.take()
    await at_night.office.lanes.do(at_night.office.stamp(), Stop(stopped, EMAIL, Ending.RESIDENT))
    assert not await at_night.erasing.kept([gone])
    await at_night.come()
    with contextlib.suppress(StoreAway):  # it cannot say how it goes
        await at_night.turn()
    assert not await at_night.erasing.kept([kept])


async def test_while_anything_is_overdue_no_contact_is_taken_or_handed_out_and_numbers_go_on(at_night: Night) -> None:
    subscription = await at_night.give()
    await at_night.office.client.zadd(at_night.office.names.erasures(), {"other": 1})
    ticket = await at_night.office.take()
    with pytest.raises(NoticesClosed):
        await at_night.office.wish(ticket, "late@example.test")
    with pytest.raises(NoticesClosed):
        await at_night.office.contacts.sealed(subscription)
    await at_night.office.call()
    await at_night.turn()
    await at_night.office.client.zadd(at_night.office.names.traces(), {"other": 1})
    with pytest.raises(NoticesClosed):
        await at_night.office.wish(ticket, "late@example.test")
    await at_night.let_pass(until_ms=await at_night.erasing.now_ms() + MINUTE_MS)
    await at_night.turn()
    await at_night.office.wish(ticket, "late@example.test")
    assert await at_night.office.contacts.sealed(subscription) is not None


async def test_a_restored_backup_is_erased_before_contacts_are_taken(at_night: Night, tmp_path: Path) -> None:
    subscription = await at_night.give()
    at_night.server.stop()
    shutil.copytree(at_night.server.folder, tmp_path / "backup")
    shutil.copytree(at_night.office.folder, tmp_path / "backup of keys")
    at_night.server.start()
    await at_night.reconnect()
    await at_night.come()
    await at_night.turn()
    at_night.server.stop()
    shutil.rmtree(at_night.server.folder / "appendonlydir")
    shutil.copytree(tmp_path / "backup" / "appendonlydir", at_night.server.folder / "appendonlydir")
    shutil.copytree(tmp_path / "backup of keys", at_night.office.folder, dirs_exist_ok=True)
    at_night.server.start()
    await at_night.reconnect()
    await at_night.office.client.zadd(at_night.office.names.erasures(), {subscription: 1})  # as its clock would say
    with pytest.raises(NoticesClosed):
        await at_night.office.wish(await at_night.office.take(), "early@example.test")
    at_night.eraser = at_night.another_eraser()
    await at_night.let_pass(until_ms=await at_night.erasing.now_ms() + MINUTE_MS)
    await at_night.turn()
    assert not await at_night.erasing.kept([subscription])
    assert not list(at_night.office.folder.glob(f"{await at_night.office.contacts.today()}.key"))


async def test_a_contact_that_no_list_names_is_found_and_erased(at_night: Night) -> None:
    await at_night.give()
    lost = await at_night.give("lost@example.test")
    await at_night.office.client.zrem(at_night.office.names.erasures(), lost)
    await at_night.come()
    with pytest.raises(NotClean, match="消去の予定にない"):
        await at_night.turn()
    await at_night.turn()
    assert not await at_night.erasing.kept([lost])
    assert at_night.noted("ErasureVerified")


async def test_a_ledger_that_is_away_delays_the_record_and_not_the_erasure(
    at_night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscription = await at_night.give()
    await at_night.come()

    def away(*_: object) -> None:
        raise LedgerUnusable("away")

    with monkeypatch.context() as broken:
        broken.setattr(at_night.eraser._book, "key_destroyed", away)
        broken.setattr(at_night.eraser._book, "verified", away)
        with pytest.raises(LedgerUnusable):
            await at_night.turn()
    assert not await at_night.erasing.kept([subscription])
    assert not list(at_night.office.folder.glob("*.destroying"))
    await at_night.let_pass(until_ms=await at_night.erasing.now_ms() + MINUTE_MS)
    await at_night.turn()
    assert at_night.handled()[0].verified_ms is not None
    assert at_night.noted("KeyDestroyed")


async def test_a_file_that_cannot_be_written_anew_is_an_alarm_until_it_can(
    at_night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    await at_night.give()
    await at_night.come()

    async def full() -> None:
        raise RewriteFailed

    with monkeypatch.context() as broken:
        broken.setattr(at_night.erasing, "rewrite", full)
        with pytest.raises(RewriteFailed):
            await at_night.turn()
    assert (await at_night.erasing.told()).why == "files"
    assert (await at_night.erasing.told()).overdue == 0, "until one o'clock"
    await at_night.let_pass(until_ms=await at_night.erasing.now_ms() + HOUR_MS)
    await at_night.turn()
    assert (await at_night.erasing.told()).why == ""
    assert at_night.noted("ErasureVerified")


@pytest.mark.parametrize("step_ms", [HOUR_MS, 24 * HOUR_MS, -HOUR_MS, -24 * HOUR_MS])
async def test_a_clock_that_is_set_is_an_alarm_and_not_believed_at_once(at_night: Night, step_ms: int) -> None:
    subscription = await at_night.give()
    await at_night.keeper.turn()
    assert await at_night.eraser.dates()
    at_night.erasing.ahead_ms += step_ms
    await at_night.keeper.turn()
    assert await at_night.office.contacts.published() == {}
    assert (await at_night.erasing.told()).why == "clock"
    assert await at_night.erasing.kept([subscription])
    at_night.erasing.ahead_ms -= step_ms
    await at_night.keeper.turn()
    assert await at_night.eraser.dates()
    assert await at_night.office.contacts.sealed(subscription) is not None


async def test_a_clock_that_stays_where_it_was_set_is_believed_after_half_an_hour(at_night: Night) -> None:
    subscription = await at_night.give()
    await at_night.turn()
    at_night.erasing.ahead_ms += 24 * HOUR_MS
    await at_night.turn()
    at_night.boot_ms += BELIEVED_AFTER_MS
    at_night.erasing.ahead_ms += BELIEVED_AFTER_MS
    await at_night.turn()
    assert not await at_night.erasing.kept([subscription])


async def test_where_the_store_is_not_ours_nobody_restarts_it_and_the_record_says_so(at_night: Night) -> None:
    await at_night.give()
    at_night.eraser = at_night.another_eraser(may_restart=False)
    await at_night.come()
    pid = at_night.server.pid
    await at_night.turn()
    assert at_night.server.pid == pid
    (verified,) = at_night.noted("ErasureVerified")
    assert verified.fields["method"] == "rewrite+scan"


async def test_snapshots_are_made_anew_where_somebody_has_them_on(at_night: Night) -> None:
    subscription = await at_night.give()
    sealed = await at_night.office.contacts.sealed(subscription)
    assert sealed is not None
    await at_night.office.client.config_set("save", "3600 1")
    await at_night.office.client.save()
    assert "dump.rdb" in at_night.files_with(sealed.encode())
    await at_night.come()
    await at_night.turn()
    assert at_night.files_with(sealed.encode()) == []


async def test_keys_are_destroyed_while_the_store_is_away(at_night: Night) -> None:
    today = await at_night.office.contacts.today()
    await at_night.turn()
    at_night.server.kill()
    eraser = at_night.another_eraser()
    eraser._wall_ms = lambda: 4_102_444_800_000  # 2100
    with pytest.raises(StoreAway):
        await eraser.turn()
    assert not (at_night.office.folder / f"{today}.key").exists()


async def test_on_a_store_that_throws_keys_away_no_contact_is_taken(at_night: Night) -> None:
    await at_night.keeper.turn()
    assert await at_night.office.contacts.published()
    await at_night.office.client.config_set("maxmemory-policy", "volatile-ttl")
    at_night.eraser = at_night.another_eraser()
    with pytest.raises(Unfit):
        await at_night.turn()
    assert await at_night.eraser.dates() == []
    await at_night.office.client.config_set("maxmemory-policy", "noeviction")
    await at_night.turn()
    assert await at_night.eraser.dates() != []
