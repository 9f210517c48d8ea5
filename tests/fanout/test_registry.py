"""Who listens where."""

from hub.fanout.mailbox import Depth, Frame
from hub.fanout.registry import Pace, Registry

FRAME = Frame("x", 1)


def test_a_topic_is_told_to_its_own_listeners_only() -> None:
    registry = Registry()
    board, lane = registry.open("board", Pace.WALL), registry.open("lanes/moves", Pace.TAB)
    registry.tell("board", FRAME)
    assert (len(board), len(lane), registry.frames) == (1, 0, 1)


def test_one_pace_can_be_told_alone() -> None:
    registry = Registry()
    wall, tab = registry.open("board", Pace.WALL), registry.open("board", Pace.TAB)
    registry.tell("board", FRAME, [Pace.WALL])
    assert (len(wall), len(tab)) == (1, 0)


def test_a_listener_that_left_is_forgotten_and_may_leave_twice() -> None:
    registry = Registry()
    tab = registry.open("lanes/moves", Pace.TAB)
    assert (len(registry), registry.counts()) == (1, {"board": 0, "lanes": 1, "desk": 0})
    for _ in range(2):
        registry.leave("lanes/moves", Pace.TAB, tab)
    assert (len(registry), registry.topics(), registry.counts()) == (0, [], {"board": 0, "lanes": 0, "desk": 0})


def test_a_slow_listener_does_not_hinder_the_others_and_is_counted_once() -> None:
    registry = Registry(Depth(frames=1))
    slow, other = registry.open("board", Pace.TAB), registry.open("board", Pace.TAB)
    registry.tell("board", FRAME)
    other.close(1001)
    for _ in range(3):
        registry.tell("board", FRAME)
    assert slow.code == 4000
    assert registry.overruns == 1
