"""Which fact is news where."""

from typing import Any

import pytest

from hub.desk import facts
from hub.desk.facts import Fact
from hub.fanout import topics

ABOUT: Any = {"at": 1, "who": "desk", "request": "r"}


@pytest.mark.parametrize(
    ("fact", "told"),
    [
        (facts.DayOpened(day="2026-11-24", **ABOUT), ()),
        (facts.DayClosed(day="2026-11-24", **ABOUT), ()),
        (facts.ContactGiven(arrival=1, carrier="email", subscription="s", ahead=3, purpose="1", **ABOUT), ()),
        (
            facts.ContactUsed(
                arrival=1, carrier="email", subscription="s", trigger="near", outcome="accepted", times=1, **ABOUT
            ),
            (),
        ),
        (facts.ContactErased(arrival=1, carrier="email", subscription="s", ending="resident", **ABOUT), ()),
        (facts.TicketCancelled(arrival=1, number="A101", lane="a", **ABOUT), ("board", "lanes/a", "desk")),
        (
            facts.TicketTransferred(arrival=1, number="A101", lane="b", from_lane="a", rank=1, **ABOUT),
            ("board", "lanes/a", "lanes/b", "desk"),
        ),
        (facts.LaneRenumbered(lane="a", ranks={1: 2}, **ABOUT), ("lanes/a", "desk")),
        (facts.CallShown(arrival=1, number="A101", lane="a", calls=1, wall="lobby", **ABOUT), ("desk",)),
        (facts.WallJoined(wall="lobby", **ABOUT), ("desk",)),
        (facts.WallLeft(wall="lobby", **ABOUT), ("desk",)),
        (
            facts.CounterReassigned(counter="1", lanes=("b", "c"), former=("a", "b"), **ABOUT),
            ("board", "lanes/a", "lanes/c", "desk"),
        ),
        (facts.AnnouncementPosted(text="混雑", until=9, **ABOUT), ("board", "desk")),
        (facts.AnnouncementWithdrawn(**ABOUT), ("board", "desk")),
    ],
)
def test_a_fact_is_told_where_it_touches_something(fact: Fact, told: tuple[str, ...]) -> None:
    assert topics.touched_topics(fact) == told


def test_a_topic_knows_its_lane_and_its_kind() -> None:
    assert topics.lane_of(topics.of_lane("moves")) == "moves"
    assert topics.lane_of(topics.BOARD) is None
    assert [topics.kind_of(topic) for topic in ("board", "lanes/moves", "desk")] == ["board", "lanes", "desk"]
