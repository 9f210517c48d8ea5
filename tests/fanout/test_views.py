"""Nothing private can leave: every fact on every topic shows the fields that are named here and no others."""

import json
from dataclasses import fields
from typing import Any

import pytest

from hub.desk import facts
from hub.desk.facts import FACTS, Fact
from hub.fanout import topics
from hub.fanout.world import World
from hub.wire import messages as wire
from tests.fanout.days import CERTIFICATES, MOVES, OFFICE

WHO, REQUEST, SOURCE = "secret-who", "secret-request", "secret-source"
CANARIES = (WHO, REQUEST, SOURCE)
TOPICS = [topics.BOARD, topics.of_lane(CERTIFICATES), topics.of_lane(MOVES), topics.DESK]

COMMON = {"type", "position", "prev", "at", "lane", "waiting"}
TICKET = COMMON | {"arrival", "number"}
SHOWN: dict[str, set[str]] = {  # without ranks
    "TicketIssued": TICKET,
    "TicketExpected": TICKET,
    "TicketCheckedIn": TICKET,
    "TicketCalled": TICKET | {"counter"},
    "CallTakenBack": TICKET | {"counter", "state"},
    "TicketRecalled": TICKET | {"counter", "calls"},
    "TicketMarkedAbsent": TICKET | {"counter", "until"},
    "TicketReturned": TICKET,
    "TicketHeld": TICKET | {"counter"},
    "TicketSentToReview": TICKET | {"counter"},
    "TicketReady": TICKET | {"from_lane"},
    "TicketPushedBack": TICKET,
    "TicketServed": TICKET | {"counter"},
    "TicketCancelled": TICKET,
    "TicketTransferred": TICKET | {"from_lane"},
    "TicketLapsed": TICKET | {"why"},
    "LaneRenumbered": COMMON | {"ranks"},
    "LanePaused": COMMON,
    "LaneResumed": COMMON,
    "ClosingAnnounced": COMMON,
    "CounterReassigned": {"type", "position", "prev", "at", "counter", "lanes", "weights"},
    "AnnouncementPosted": {"type", "position", "prev", "at", "text", "until"},
    "AnnouncementWithdrawn": {"type", "position", "prev", "at"},
}
ONLY_DESK = {  # what walls do is staff's business
    "CallShown": TICKET | {"calls", "wall"},
    "WallJoined": {"type", "position", "prev", "at", "wall"},
    "WallLeft": {"type", "position", "prev", "at", "wall"},
}
RANKED = {"TicketIssued", "TicketCheckedIn", "TicketReturned", "TicketTransferred"}
RANKED |= {"CallTakenBack", "TicketReady", "TicketPushedBack"}
RESERVED = {"TicketTransferred", "TicketReturned", "TicketPushedBack"}  # 4 of the story is for one counter
FOR_STAFF = {"TicketCalled": {"turn", "reason"}, "LanePaused": {"reason"}, **{kind: {"since"} for kind in RANKED}}
FOR_STAFF["TicketIssued"] = {"priority", "since"}
SNAPSHOT = {"type", "topic", "position", "at", "day", "office", "lanes", "called", "missed", "counters", "checks_in"}
SNAPSHOT |= {"priorities", "pause_reasons", "by_priority", "reasons"}

INSIDE = {"DayOpened", "DayClosed", "SlipReissued", "ContactGiven", "ContactUsed", "ContactErased"}  # told on no topic


def story() -> list[Fact]:
    """A day in which every kind of fact happens."""
    about: Any = {"at": 5, "who": WHO, "request": REQUEST}

    def ticket(kind: Any, arrival: int, lane: str = CERTIFICATES, **more: Any) -> Fact:
        fact: Fact = kind(arrival=arrival, number=f"A10{arrival}", lane=lane, **about, **more)
        return fact

    issued: list[Fact] = [
        ticket(facts.TicketIssued, arrival, rank=arrival << 20, source=SOURCE) for arrival in range(1, 5)
    ]
    return [
        facts.DayOpened(day="2026-11-24", **about),
        *issued,
        ticket(facts.TicketCalled, 1, counter="2"),
        ticket(facts.TicketRecalled, 1, counter="2", calls=2),
        facts.CounterReassigned(counter="2", lanes=(CERTIFICATES, MOVES), former=(CERTIFICATES,), **about),
        facts.AnnouncementPosted(text="混雑しています。", until=65, **about),
        facts.AnnouncementWithdrawn(**about),
        facts.WallJoined(wall="lobby", **about),
        ticket(facts.CallShown, 1, calls=2, wall="lobby"),
        facts.WallLeft(wall="lobby", **about),
        ticket(facts.TicketMarkedAbsent, 1, counter="2", until=65),
        facts.LaneRenumbered(lane=CERTIFICATES, ranks={2: 10, 3: 20, 4: 30}, **about),
        ticket(facts.TicketReturned, 1, rank=25),
        ticket(facts.TicketCalled, 2, counter="2"),
        ticket(facts.TicketServed, 2, counter="2"),
        ticket(facts.TicketCancelled, 3),
        ticket(facts.TicketTransferred, 4, lane=MOVES, from_lane=CERTIFICATES, rank=40, for_counter="1"),
        ticket(facts.TicketPushedBack, 4, lane=MOVES, rank=45),
        ticket(facts.TicketCalled, 4, lane=MOVES, counter="1", reason="secret-reason"),
        ticket(facts.TicketMarkedAbsent, 4, lane=MOVES, counter="1", until=65),
        ticket(facts.TicketReturned, 4, lane=MOVES, rank=47),
        facts.LanePaused(lane=CERTIFICATES, reason="system", **about),
        facts.LanePaused(lane=MOVES, reason="system", **about),
        facts.LaneResumed(lane=CERTIFICATES, **about),
        ticket(facts.TicketCalled, 1, counter="2"),
        ticket(facts.TicketHeld, 1, counter="2"),
        ticket(facts.TicketCalled, 1, counter="2"),
        ticket(facts.CallTakenBack, 1, counter="2", state="held", rank=25),
        ticket(facts.TicketCalled, 1, counter="2"),
        ticket(facts.TicketSentToReview, 1, counter="2"),
        ticket(facts.TicketReady, 1, from_lane=CERTIFICATES, rank=26),
        ticket(facts.TicketCalled, 1, counter="2"),
        ticket(facts.SlipReissued, 1),
        facts.ClosingAnnounced(lane=MOVES, still_waiting=1, **about),
        ticket(facts.TicketExpected, 5, rank=5 << 20, source=SOURCE),
        ticket(facts.TicketCheckedIn, 5, rank=5 << 20),
        ticket(facts.TicketIssued, 6, rank=6 << 20, source=SOURCE),
        ticket(facts.TicketLapsed, 6, why="closing"),
        facts.ContactGiven(arrival=5, carrier="email", subscription=CANARIES[0], ahead=3, purpose="1", **about),
        facts.ContactUsed(
            arrival=5,
            carrier="email",
            subscription=CANARIES[0],
            trigger="near",
            outcome="accepted",
            times=1,
            **about,
        ),
        facts.ContactErased(arrival=5, carrier="email", subscription=CANARIES[0], ending="resident", **about),
        facts.DayClosed(day="2026-11-24", **about),
    ]


def told() -> list[tuple[Fact, str, dict[str, Any]]]:
    """Every fact of the story with each topic that hears it and the frame as it leaves."""
    world = World("epoch", "2026-11-24", OFFICE)
    return [
        (fact, topic, json.loads(frame.text))
        for seq, fact in enumerate(story(), start=1)
        for topic, frame in world.learn((5, seq), fact)
    ]


def test_the_story_tells_every_kind_of_fact() -> None:
    assert {type(fact).__name__ for fact in story()} == set(FACTS)


def test_a_frame_shows_what_is_named_and_nothing_else() -> None:
    frames = told()
    assert {type(fact).__name__ for fact, _, _ in frames} == set(FACTS) - INSIDE
    for fact, topic, frame in frames:
        kind = type(fact).__name__
        ranks = {"rank"} if topic != topics.BOARD and kind in RANKED else set()
        only = {"for_counter"} if ranks and frame["arrival"] == 4 and kind in RESERVED else set()
        inside = FOR_STAFF.get(kind, set()) if topic == topics.DESK else set()
        assert set(frame) == (ONLY_DESK | SHOWN)[kind] | ranks | only | inside, (kind, topic)
        assert topic == topics.DESK or kind not in ONLY_DESK
        assert frame["type"] == kind


def test_values_are_the_facts_own() -> None:
    for fact, topic, frame in told():
        for field in fields(fact):
            if field.name in frame and field.name not in ("ranks", "lanes"):
                assert frame[field.name] == getattr(fact, field.name), (fact, topic)


def test_no_private_word_leaves_in_a_frame_or_a_snapshot() -> None:
    world = World("epoch", "2026-11-24", OFFICE)
    for seq, fact in enumerate(story(), start=1):
        leaving = [frame.text for _, frame in world.learn((5, seq), fact)]
        leaving += [world.snapshot(topic).text for topic in TOPICS]
        for text in leaving:
            assert not [canary for canary in CANARIES if canary in text]


@pytest.mark.parametrize("topic", TOPICS)
def test_who_joins_where_nothing_was_told_is_told_what_the_others_know(topic: str) -> None:
    known = ""
    for length in range(1, len(story()) + 1):
        world = World("epoch", "2026-11-24", OFFICE)  # anew: no snapshot is remembered
        told = [[of for of, _ in world.learn((5, seq), fact)] for seq, fact in enumerate(story()[:length], start=1)]
        assert length == 1 or topic in told[-1] or world.snapshot(topic).text == known, story()[length - 1]
        known = world.snapshot(topic).text


def test_why_a_number_was_chosen_is_told_to_staff_alone() -> None:
    heard = {topic for _, topic, frame in told() if "secret-reason" in json.dumps(frame)}
    assert heard == {topics.DESK}


@pytest.mark.parametrize("topic", TOPICS)
def test_a_snapshot_shows_what_is_named_and_nothing_else(topic: str) -> None:
    world = World("epoch", "2026-11-24", OFFICE)
    for seq, fact in enumerate(story()[:-1], start=1):
        world.learn((5, seq), fact)
        whole = json.loads(world.snapshot(topic).text)
        said = (
            {"announcement"} if isinstance(fact, facts.AnnouncementPosted) and topics.lane_of(topic) is None else set()
        )
        only_desk = {"held", "in_review", "walls", "rules"} if topic == topics.DESK else set()
        assert set(whole) == SNAPSHOT | only_desk | said
        for lane in whole["lanes"]:
            why = {"reason"} if topic == topics.DESK and lane["paused"] else set()
            why |= {"given"} if topic == topics.DESK else set()
            queue = {"queue"} if topic != topics.BOARD else set()
            assert set(lane) == {"lane", "name", "waiting", "closing", "offered", "paused"} | queue | why
            for waiting in lane.get("queue", ()):
                only = {"for_counter"} if waiting["arrival"] == 4 and lane["lane"] == MOVES else set()
                only |= {"since"} if topic == topics.DESK else set()
                assert set(waiting) == {"arrival", "number", "rank"} | only
        for aside in (*whole.get("held", ()), *whole.get("in_review", ())):
            assert set(aside) == {"arrival", "number", "lane", "counter"}
        for call in whole["called"]:
            shown = {"shown"} if topic == topics.DESK else set()
            assert set(call) == {"arrival", "number", "lane", "counter", "calls", "called_at"} | shown
        for missed in whole["missed"]:
            assert set(missed) == {"arrival", "number", "lane", "counter", "until"}
        for counter in whole["counters"]:
            assert set(counter) == {"counter", "name", "lanes", "weights"}


def test_no_message_of_the_wire_has_a_field_for_what_is_private() -> None:
    for kind in wire.HubFrame.__args__:
        assert not {"who", "request", "source", "contact"} & set(kind.__struct_fields__)


def test_a_lanes_topic_holds_that_lane_only() -> None:
    world = World("epoch", "2026-11-24", OFFICE)
    for seq, fact in enumerate(story()[:-1], start=1):
        world.learn((5, seq), fact)
    whole = world.present(topics.of_lane(MOVES))
    assert [lane.lane for lane in whole.lanes] == [MOVES]
    assert whole.called == []
    serving = {counter.counter: counter.lanes for counter in whole.counters}
    assert serving == {"1": [MOVES], "2": [MOVES], "3": [MOVES]}, "and 2 since it was reassigned"
    board = world.present(topics.BOARD)
    assert [call.arrival for call in board.called] == [1]
    assert [(lane.lane, lane.waiting) for lane in board.lanes] == [(CERTIFICATES, 1), (MOVES, 1)]
