"""A screen that follows the facts knows what a fresh snapshot would tell it; what does not follow is never taken in."""

import json
from itertools import pairwise

import msgspec
import pytest

from hub.wire import messages as m
from hub.wire.client_side import Heard, Screen
from hub.wire.codec import encode, read_frame
from tests.wire.transcripts import TRANSCRIPTS, Line, golden


def hear(screen: Screen, frame: Line) -> str:
    """A frame of a type that this screen does not know is ignored before it reaches it."""
    read = read_frame(json.dumps(frame))
    return screen.hear(read) if read is not None else Heard.OLD


@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_the_golden_transcripts_are_what_the_rules_tell_today(name: str) -> None:
    assert golden(name) == list(TRANSCRIPTS[name]()), "make them anew: python -m tests.wire.transcripts"


@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_a_screen_knows_what_a_fresh_snapshot_would_tell(name: str) -> None:
    screen = Screen()
    for number, line in enumerate(golden(name), 1):
        if "hear" in line:
            assert hear(screen, line["hear"]) == line["as"], f"line {number}"
        else:
            assert json.loads(encode(screen.snapshot())) == line["know"], f"line {number}"
            assert screen.is_away is line["away"], f"line {number}"


@pytest.mark.parametrize("name", ["board", "lane", "desk"])
def test_a_frame_heard_twice_changes_nothing(name: str) -> None:
    screen = Screen()
    for line in golden(name):
        if "hear" in line:
            hear(screen, line["hear"])
            known = screen.snapshot()
            if line["hear"]["type"] != "snapshot":
                assert hear(screen, line["hear"]) == "old"
            assert screen.snapshot() == known
        else:
            assert json.loads(encode(screen.snapshot())) == line["know"]


@pytest.mark.parametrize("name", ["board", "lane", "desk"])
def test_a_frame_that_is_lost_is_noticed_by_the_next(name: str) -> None:
    facts = [line["hear"] for line in golden(name) if "hear" in line]
    for lost, after in pairwise(facts[1:]):
        screen = Screen()
        for fact in facts[: facts.index(lost)]:
            hear(screen, fact)
        known = screen.snapshot()
        assert hear(screen, after) == "gap"
        assert screen.snapshot() == known
        assert [hear(screen, fact) for fact in (lost, after)] == ["new", "new"]


def test_the_days_tell_every_kind_of_fact() -> None:
    told = {line["hear"]["type"] for name in TRANSCRIPTS for line in golden(name) if "hear" in line}
    assert told >= {kind.__name__ for kind in m.FactFrame.__subclasses__() if kind is not m.TicketFrame}
    assert told >= {kind.__name__ for kind in m.TicketFrame.__subclasses__()}


def test_a_renumbering_of_a_lane_that_is_not_shown_changes_no_rank() -> None:
    whole = golden("board")[0]["hear"]
    screen = Screen()
    hear(screen, whole)
    after = f"{whole['position'].rpartition('-')[0]}-9"
    fact = m.LaneRenumbered(after, whole["position"], whole["at"], "certificates", {}, {})
    assert screen.hear(fact) is Heard.NEW
    assert screen.snapshot() == msgspec.structs.replace(msgspec.convert(whole, m.Snapshot), position=after)


def test_who_waits_is_told_in_order_of_rank() -> None:
    screen = Screen()
    for line in golden("renumbered"):
        if "hear" in line:
            hear(screen, line["hear"])
    ranks = [waiting.rank for waiting in screen.queue("certificates")]
    assert ranks == sorted(ranks)
    assert len(ranks) == 30
