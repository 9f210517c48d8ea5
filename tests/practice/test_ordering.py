"""The verdict of a simulated day and the office's own report name the same people and the same reasons."""

import random

import pytest

from config.practice.ordering import Ordering
from config.practice.recording import History, Recording
from config.practice.retelling import Answers, Findings, Retelling
from config.practice.seen import Seen
from hub.desk.explanation import ACROSS
from hub.desk.refusals import Refusal
from hub.desk.ticket import State
from hub.fanout import topics
from hub.fanout.mailbox import Frame
from hub.fanout.world import World
from hub.wire import codec
from hub.wire import messages as m
from hub.wire.client_side import Screen
from tests.desk.test_explanation import EQUAL, Floor
from tests.model.desks import DAY
from tests.wire.transcripts import OFFICE as WEIGHTED
from tests.wire.transcripts import any_request


def retold(floor: Floor) -> Findings:
    """What listeners who missed nothing make of it."""
    recording = Recording(DAY)
    screen, world = Screen(), World("epoch", DAY, floor.desk.office)
    for seq, fact in enumerate(floor.told, start=1):
        told = dict(world.learn((fact.at, seq), fact))
        if seq == 1:
            screen.hear(read(world.snapshot(topics.DESK)))
        elif topics.DESK in told:
            frame = read(told[topics.DESK])
            screen.hear(frame)
            recording.hear(screen, frame)
    office = floor.desk.office
    history = History(
        counters={counter.key: counter.lanes for counter in office.counters},
        weights={c.key: dict(zip(c.lanes, c.weights, strict=True)) for c in office.counters if c.weights},
        facts=recording.facts,
        photographs=[],
        answers=[],
        visitors=[],
    )
    findings = Findings()
    Retelling(history, Answers(history), findings).tell()
    return findings


def read(frame: Frame) -> m.HubFrame:
    told = codec.read_frame(frame.text)
    assert told is not None
    return told


@pytest.mark.parametrize("seed", range(8))
def test_both_count_the_same_people_and_find_nothing_unexplained(seed: int) -> None:
    chance, floor = random.Random(seed), Floor(WEIGHTED if seed % 2 else EQUAL)
    for _ in range(1000):
        try:
            floor.ask(any_request(chance, floor.desk))
        except Refusal:
            continue
    fairness = floor.chronicle.fairness()
    findings = retold(floor)
    assert (findings.disordered, findings.unexplained, fairness.unexplained) == (0, 0, 0), findings.complaints
    assert findings.passed == sum(count for reason, count in fairness.reasons.items() if reason not in ACROSS)
    assert findings.passed > 0


def test_a_counter_that_was_given_weights_owes_the_turns_of_its_lanes() -> None:
    history = History(counters={"2": ["b"]}, facts={}, photographs=[], answers=[], visitors=[])
    ordering = Ordering(history, set(), chooses_lanes=False)
    waiting = {
        1: Seen("A1", "a", "a", State.WAITING, 1, placed=frozenset()),
        2: Seen("B2", "b", "b", State.WAITING, 2, placed=frozenset()),
    }
    called = m.TicketCalled("", "", 5, "b", {}, 2, "B2", "2", turn=1, reason="")
    assert ordering.passed_at(waiting, waiting[2], called) == []
    ordering.serves("2", ["a", "b"], [3, 1])
    assert ordering.passed_at(waiting, waiting[2], called) == [("A1", True)]
