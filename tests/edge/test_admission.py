"""Who comes in when many come at once, and that the others have their turn meanwhile."""

import asyncio

import pytest

from hub.edge.admission import Admission

pytestmark = pytest.mark.anyio


async def test_a_few_come_in_at_once_and_the_rest_in_order_a_few_a_turn() -> None:
    admission, come = Admission(at_once=3), list[int]()
    now = [admission.ask(lambda number=number: come.append(number)) for number in range(8)]  # type: ignore[misc]
    assert (now, come, len(admission)) == ([True] * 3 + [False] * 5, [0, 1, 2], 5)
    await one_turn()
    assert come == [0, 1, 2, 3, 4, 5]
    await one_turn()
    assert come == [0, 1, 2, 3, 4, 5, 6, 7]
    await one_turn()
    await one_turn()
    assert admission.ask(lambda: come.append(8))
    assert come[-1] == 8


async def test_nobody_overtakes_who_waits() -> None:
    admission, come = Admission(at_once=1), list[str]()
    admission.ask(lambda: come.append("first"))
    admission.ask(lambda: come.append("second"))
    await one_turn()
    admission.ask(lambda: come.append("third"))
    await one_turn()
    assert come == ["first", "second", "third"]


async def test_one_that_fails_keeps_nobody_out() -> None:
    failures: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: failures.append(context["exception"]))
    admission, come = Admission(at_once=1), list[int]()

    def fail() -> None:
        raise ValueError("asked for")

    admission.ask(lambda: come.append(1))
    admission.ask(fail)
    admission.ask(lambda: come.append(2))
    for _ in range(4):
        await one_turn()
    assert come == [1, 2]
    assert len(failures) == 1
    asyncio.get_running_loop().set_exception_handler(None)


async def one_turn() -> None:
    await asyncio.sleep(0)
