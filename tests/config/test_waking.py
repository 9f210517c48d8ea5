"""A wake-up is told at once, blocks nobody, and many meanwhile are one more."""

import threading

from config.waking import Waking
from hub.desk.notices import Carrier
from hub.desk.refusals import StoreAway
from tests.eventually import eventually

EMAIL = Carrier.EMAIL
SOON_S = 5.0  # a thread that is let go is done long before


class Bell:
    """A wake that stands in its thread until it is let go; `trouble` is raised then, once each."""

    def __init__(self, *trouble: Exception) -> None:
        self.rung = 0
        self.heard = 0
        self.threads: set[int] = set()
        self._go = threading.Semaphore(0)
        self._trouble = list(trouble)

    def ring(self, carrier: Carrier) -> None:
        assert carrier is EMAIL
        self.rung += 1
        self.threads.add(threading.get_ident())
        assert self._go.acquire(timeout=SOON_S)
        self.heard += 1
        if self._trouble:
            raise self._trouble.pop(0)

    def let_go(self, times: int = 1) -> None:
        self._go.release(times)


async def test_whoever_tells_of_something_due_does_not_wait_for_the_wake() -> None:
    bell = Bell()
    waking = Waking(bell.ring)
    waking.on_due(EMAIL)
    await eventually(lambda: bell.rung == 1)  # the loop goes on while the thread stands
    assert bell.heard == 0
    assert threading.get_ident() not in bell.threads
    bell.let_go()
    await waking.close()
    assert bell.heard == 1


async def test_many_that_become_due_meanwhile_are_one_wake_more() -> None:
    bell = Bell()
    waking = Waking(bell.ring)
    waking.on_due(EMAIL)
    await eventually(lambda: bell.rung == 1)
    for _ in range(5):
        waking.on_due(EMAIL)
    bell.let_go()
    await eventually(lambda: bell.rung == 2)
    bell.let_go(9)
    await waking.close()
    assert bell.heard == 2


async def test_a_store_that_is_away_or_a_fault_does_not_end_the_waking() -> None:
    bell = Bell(StoreAway(), RuntimeError("a fault"))
    waking = Waking(bell.ring)
    waking.on_due(EMAIL)
    await eventually(lambda: bell.rung == 1)
    waking.on_due(EMAIL)
    bell.let_go()
    await eventually(lambda: bell.rung == 2)
    bell.let_go()
    await eventually(lambda: bell.heard == 2)
    waking.on_due(EMAIL)
    await eventually(lambda: bell.rung == 3)
    bell.let_go()
    await waking.close()
    assert bell.heard == 3


async def test_closing_waits_for_what_is_under_way_and_begins_nothing_more() -> None:
    bell = Bell()
    waking = Waking(bell.ring)
    waking.on_due(EMAIL)
    await eventually(lambda: bell.rung == 1)
    waking.on_due(EMAIL)
    timer = threading.Thread(target=bell.let_go)
    closing = waking.close()
    timer.start()
    await closing
    timer.join()
    assert (bell.rung, bell.heard) == (1, 1)
