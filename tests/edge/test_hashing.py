"""One password is compared at a time, and only so many wait for it."""

import asyncio
import os
import sys
import threading
from pathlib import Path

import pytest

from hub.desk.refusals import SignInBusy, SignInWrong
from hub.edge.hashing import LINE, LOWER, Hashing
from hub.ledger.connection import sqlite_url
from hub.ledger.journal import Author
from hub.ledger.operations import Ledger
from hub.ledger.people import People
from hub.wire.roles import Role


async def test_one_at_a_time_and_a_short_line() -> None:
    hashing, may_go_on = Hashing(line=3), threading.Event()
    under_way: list[int] = []
    most = 0

    def compare(number: int) -> int:
        nonlocal most
        under_way.append(number)
        most = max(most, len(under_way))
        assert may_go_on.wait(60)
        under_way.remove(number)
        return number

    waiting = [asyncio.create_task(hashing.run(compare, number)) for number in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(SignInBusy):
        await hashing.run(compare, 3)
    assert hashing.refused == 1
    may_go_on.set()
    assert await asyncio.gather(*waiting) == [0, 1, 2]
    assert most == 1
    assert await hashing.run(compare, 4) == 4
    hashing.close()


async def test_what_is_refused_in_the_thread_is_refused_here() -> None:
    def refuse() -> None:
        raise SignInWrong

    hashing = Hashing(line=1)
    for _ in range(2):
        with pytest.raises(SignInWrong):
            await hashing.run(refuse)
    hashing.close()


async def test_a_storm_of_sign_ins_leaves_the_loop_its_turns(tmp_path: Path, office_name: str) -> None:
    ledger = Ledger(sqlite_url(tmp_path / "ledger.sqlite"), office_name)
    ledger.prepare()
    people = People(ledger, now_ms=lambda: 1_790_000_000_000)  # with the hashes of earnest
    given = people.add("sato", "佐藤", Role.COUNTER, "2026-04-01", "2026-04-01", Author("cli"))
    hashing, turns, threads = Hashing(), 0, set[int]()

    def sign_in() -> str:
        threads.add(threading.get_native_id())
        return people.sign_in("sato", given).token

    storm = asyncio.gather(*(hashing.run(sign_in) for _ in range(100)), return_exceptions=True)
    while not storm.done():
        await asyncio.sleep(0)
        turns += 1
    outcomes = await storm
    assert hashing.refused == sum(isinstance(one, SignInBusy) for one in outcomes) == 100 - LINE
    assert len({one for one in outcomes if isinstance(one, str)}) == LINE
    assert len(threads) == 1
    assert turns > 10 * LINE, "the loop waited while passwords were hashed"
    hashing.close()
    ledger.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ranks a thread by itself")
async def test_the_thread_of_passwords_has_no_haste_and_the_hub_keeps_its_rank() -> None:
    hashing, before = Hashing(), os.getpriority(os.PRIO_PROCESS, 0)
    rank = await hashing.run(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
    assert rank >= LOWER
    assert os.getpriority(os.PRIO_PROCESS, 0) == before
    hashing.close()


async def test_who_goes_away_does_not_shorten_the_line() -> None:
    hashing, may_go_on, begun = Hashing(line=2), threading.Event(), threading.Event()

    def compare() -> None:
        begun.set()
        assert may_go_on.wait(60)

    first = asyncio.create_task(hashing.run(compare))
    second = asyncio.create_task(hashing.run(compare))
    await asyncio.to_thread(begun.wait, 10)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert second.done() is False
    third = asyncio.create_task(hashing.run(compare))
    await asyncio.sleep(0)
    with pytest.raises(SignInBusy):  # the first is still being compared
        await third
    may_go_on.set()
    await second
    hashing.close()


async def test_whoever_waits_while_the_hub_ends_is_asked_to_try_again() -> None:
    hashing, may_go_on, begun = Hashing(), threading.Event(), threading.Event()

    def compare() -> str:
        begun.set()
        assert may_go_on.wait(60)
        return "compared"

    first = asyncio.create_task(hashing.run(compare))
    waiting = [asyncio.create_task(hashing.run(compare)) for _ in range(3)]
    await asyncio.to_thread(begun.wait, 10)
    hashing.close()
    for one in waiting:
        with pytest.raises(SignInBusy):
            await one
    with pytest.raises(SignInBusy):
        await hashing.run(compare)
    may_go_on.set()
    assert await first == "compared"
