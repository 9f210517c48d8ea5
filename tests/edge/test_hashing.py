"""One password is compared at a time, and only so many wait for it."""

import asyncio
import threading

import pytest

from hub.desk.refusals import SignInBusy, SignInWrong
from hub.edge.hashing import Hashing


async def test_one_at_a_time_and_a_short_line() -> None:
    hashing, may_go_on = Hashing(line=3), threading.Event()
    under_way: list[int] = []
    most = 0

    def compare(number: int) -> int:
        nonlocal most
        under_way.append(number)
        most = max(most, len(under_way))
        assert may_go_on.wait(10)
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
