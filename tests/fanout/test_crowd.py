"""Those who only listen: everybody gets every frame once and in order, and whoever lags harms nobody."""

import asyncio
import random
import time

import pytest

from hub.fanout.crowd import Bounds, Crowd, Line, OneByOne, Turns
from tests.eventually import eventually
from tests.fanout.room import Room, Tab, frame, is_whole, one_turn

pytestmark = pytest.mark.anyio

SOON = Bounds(lag_s=0.05, look_s=0.01)


async def test_a_newcomer_hears_the_picture_and_what_follows() -> None:
    room = Room()
    room.tell()
    tab = room.join()
    room.tell(3)
    await room.settle(tab)
    assert tab.heard == ["all:1", "2", "3", "4"]


async def test_who_joins_between_a_fact_and_its_telling_hears_it_once() -> None:
    room = Room()
    first = room.join()
    room.tell(2)
    second = room.join()
    room.tell()
    await room.settle(first, second)
    assert first.heard == ["all:0", "1", "2", "3"]
    assert second.heard == ["all:2", "3"]
    room.tell()
    await room.settle(first, second)
    assert second.heard == ["all:2", "3", "4"]


async def test_facts_that_come_faster_than_they_leave_go_out_together() -> None:
    room = Room()
    tabs = [room.join() for _ in range(3)]
    room.tell(50)
    await room.settle(*tabs)
    assert [len(tab.taken) for tab in tabs] == [2, 2, 2]
    assert all(tab.taken[1] is tabs[0].taken[1] for tab in tabs), "one and the same for all"


class Heavy(Tab):
    """To write to it takes the process a while."""

    def write(self, data: bytes | memoryview) -> None:
        time.sleep(0.02)
        super().write(data)


async def test_after_a_pass_others_have_the_process_and_what_comes_meanwhile_goes_out_together() -> None:
    room = Room(Bounds(rest=10.0, longest_rest_s=0.5))
    tab = Heavy(room.crowd)
    room.crowd.admit(tab, room.picture())
    room.tell()
    await room.settle(tab)
    for _ in range(3):
        room.tell()
        await one_turn()
        await one_turn()
    await room.settle(tab)
    assert [data.split() for data in tab.taken] == [[b"all:0"], [b"1"], [b"2", b"3", b"4"]]


async def test_not_more_than_so_much_at_a_time() -> None:
    room = Room(Bounds(joined_bytes=100))
    tab = room.join()
    room.tell(500)
    await room.settle(tab)
    assert max(map(len, tab.taken)) < 110
    assert is_whole(tab.heard)


async def test_everybody_else_has_a_turn_between_two_slices() -> None:
    room = Room(Bounds(slice=10))
    tabs = [room.join() for _ in range(100)]
    room.tell()
    turns = 0
    while tabs[-1].heard[-1] != "1":
        assert sum(tab.heard[-1] == "1" for tab in tabs) <= 10 * turns
        await asyncio.sleep(0)
        turns += 1
    assert turns >= 10


async def test_two_crowds_share_the_turns() -> None:
    turns = Turns()
    crowds = [Crowd(list, str.encode, OneByOne, lambda: None, turns, Bounds(slice=1)) for _ in range(2)]
    heard: list[int] = []

    class Written(Tab):
        def write(self, data: bytes | memoryview) -> None:
            heard.append(crowds.index(self.crowd))

    for crowd in crowds:
        for _ in range(5):
            crowd.admit(Written(crowd), [])
    heard.clear()
    for crowd in crowds:
        crowd.tell(frame("x"))
    await eventually(lambda: len(heard) == 10)
    assert heard == [0, 1] * 5


async def test_who_lags_is_left_out_and_gets_the_newest_picture_when_he_has_caught_up() -> None:
    room = Room()
    slow, other = room.join(), room.join()
    slow.is_slow = True
    for _ in range(5):
        room.tell()
        await room.settle(other)
    assert len(slow.held) == 1, "the write that did not fit, and nothing more"
    slow.drain()
    assert slow.heard == ["all:0", "1", "all:5"]
    room.tell()
    await room.settle(slow, other)
    assert slow.heard == ["all:0", "1", "all:5", "6"]
    assert other.heard == ["all:0", "1", "2", "3", "4", "5", "6"]


async def test_who_catches_up_before_the_next_frame_has_missed_nothing() -> None:
    room = Room()
    slow = room.join()
    slow.is_slow = True
    room.tell()
    await eventually(lambda: slow.held)
    slow.drain()
    room.tell()
    await room.settle(slow)
    assert slow.heard == ["all:0", "1", "2"]


async def test_a_newcomer_whose_first_picture_does_not_fit() -> None:
    room = Room()
    other, slow = room.join(), Tab(room.crowd)
    slow.is_slow = True
    room.crowd.admit(slow, room.picture())
    slow.drain()
    room.tell()
    await room.settle(slow, other)
    assert slow.heard == ["all:0", "1"]


async def test_who_does_not_catch_up_is_told_to_come_back() -> None:
    room = Room(SOON)
    slow, other = room.join(), room.join()
    slow.is_slow = True
    room.tell()
    await eventually(lambda: slow.closed_with == 4000)
    room.tell()
    await room.settle(other)
    assert (len(room.crowd), room.overruns, len(slow.held)) == (1, 1, 1)


async def test_who_goes_on_taking_is_waited_for() -> None:
    looks = 0

    class Trickling(Tab):
        @property
        def untaken(self) -> int:
            nonlocal looks
            looks += 1
            return max(1000 - looks, 995)

    room = Room(SOON)
    slow = Trickling(room.crowd)
    slow.is_slow = True
    room.crowd.admit(slow, room.picture())
    await eventually(lambda: slow.closed_with == 4000)
    assert looks == 1 + 4 + 1, "when it began to lag, each time that it had taken something, and when it had not"


async def test_with_too_much_to_tell_the_picture_is_shorter() -> None:
    room = Room(Bounds(pending_bytes=1000))
    tab = room.join()
    room.tell(5000)
    late = room.join()
    room.tell()
    await room.settle(tab, late)
    assert len(b"".join(tab.taken)) < 2000
    assert is_whole(tab.heard)
    assert is_whole(late.heard)


async def test_nothing_is_written_to_who_left_during_a_pass() -> None:
    room = Room(Bounds(slice=1))
    first, second = room.join(), room.join()
    room.tell()
    await one_turn()
    assert first.heard[-1] == "1"
    second.close(1012)
    room.tell()
    await room.settle(first)
    assert second.heard == ["all:0"]
    assert len(room.crowd) == 1


async def test_who_leaves_or_lags_costs_the_others_nothing() -> None:
    laid_out: list[Line] = []

    class Laid(OneByOne):
        def append(self, line: Line) -> None:
            laid_out.append(line)
            super().append(line)

    room = Room(together=Laid)
    tabs = [room.join() for _ in range(100)]
    for at in (0, 50, 90):
        room.tell()
        await room.settle(*tabs)
        tabs.pop(at).close(1000)
        tabs[at].is_slow = True
        room.tell()
        await room.settle(tabs[-1])
        tabs[at].drain()
    room.tell()
    await room.settle(*tabs)
    assert len(laid_out) == 103


async def test_one_whose_write_fails_takes_nobody_along() -> None:
    room = Room()

    class Failing(Tab):
        def write(self, data: bytes | memoryview) -> None:
            if self.taken:
                raise OSError("gone")
            super().write(data)

    before, after = room.join(), Tab(room.crowd)
    room.crowd.admit(Failing(room.crowd), room.picture())
    room.crowd.admit(after, room.picture())
    room.tell(2)
    await room.settle(before, after)
    assert before.heard == after.heard == ["all:0", "1", "2"]


async def test_who_was_never_let_in_may_go() -> None:
    room = Room()
    room.crowd.gone(Tab(room.crowd))
    assert len(room.crowd) == 0


async def test_a_waiting_room_that_comes_back_is_told_the_same_bytes() -> None:
    room = Room()
    first, second = room.join(), room.join()
    assert first.taken[0] is second.taken[0]


@pytest.mark.parametrize("seed", range(20))
async def test_whatever_happens_everybody_hears_everything_in_order(seed: int) -> None:
    chance = random.Random(seed)
    room = Room(Bounds(slice=2, joined_bytes=chance.choice([1, 20, 10_000]), pending_bytes=chance.choice([60, 10_000])))
    tabs, left = [room.join() for _ in range(3)], list[Tab]()
    for _ in range(400):
        match chance.randrange(8):
            case 0:
                tabs.append(room.join())
            case 1 | 2 | 3:
                room.tell(chance.randrange(4))
            case 4:
                chance.choice(tabs).is_slow = True
            case 5:
                if slow := [tab for tab in tabs if tab.held]:
                    chance.choice(slow).drain()
            case 6:
                await asyncio.sleep(0)
            case _:
                if len(tabs) > 3:
                    left.append(tabs.pop(chance.randrange(len(tabs))))
                    left[-1].close(1000)
    for tab in tabs:
        tab.is_slow = False
        if tab.held:
            tab.drain()
    room.tell()
    await room.settle(*tabs)
    for tab in [*tabs, *left]:
        assert is_whole(tab.heard), tab.heard
    assert len(room.crowd) == len(tabs)


class Telling(Crowd):
    """Two slices of a second each by a clock of the test's own; `order` says when each was written."""

    def __init__(self, clock: list[float], order: list[str]) -> None:
        self.clock, self.order, self.left = clock, order, 2

    def write_slice(self) -> bool:
        self.clock[0] += 1.0
        self.order.append("slice")
        self.left -= 1
        return bool(self.left)


@pytest.mark.parametrize(("others_s", "between"), [(0.01, 1), (0.5, 6), (1.0, 3), (2.0, 2), (5.0, 1)])
async def test_who_needs_the_loop_has_it_three_times_as_long_as_a_slice(others_s: float, between: int) -> None:
    clock, order = [100.0], list[str]()
    crowd = Telling(clock, order)
    turns = Turns(lambda: clock[0])
    turns.ask(crowd)
    while crowd.left:
        clock[0] += others_s
        order.append("others")
        await one_turn()
    first = order.index("slice")
    assert order[first:] == ["slice", *["others"] * between, "slice"]
