"""Whatever is asked, there is one reply; what went wrong is told apart and never swallowed."""

import json
from typing import Any

import pytest
import structlog

from hub.desk.refusals import LaneExhausted, OtherBody, Refusal, StoreAway
from hub.desk.requests import Answer, Cancel, Done, Issue, MarkAbsent, Next, Recall, Request, Return, Stamp, Transfer
from hub.edge.commands import Commands, request_of
from hub.wire import messages as wire
from tests.fanout.days import CERTIFICATES, MOVES, OFFICE
from tests.fanout.memory import FIRST_DAY, MemoryStore

pytestmark = pytest.mark.anyio

ID = "q3oZ4lqWlT0mW1x7mBv2aA"


class Failing:
    def __init__(self, error: Exception) -> None:
        self.error = error

    async def do(self, stamp: Stamp, request: Request) -> Answer:
        raise self.error


def text(kind: str, id: str = ID, **fields: Any) -> str:
    return json.dumps({"type": kind, "id": id, **fields})


def outcome(reply: wire.Reply) -> str:
    assert isinstance(reply.refusal, wire.RefusalBody)
    return reply.refusal.code


@pytest.mark.parametrize(
    ("told", "asked"),
    [
        (wire.Issue(ID, MOVES), Issue(MOVES, "kiosk")),
        (wire.Next(ID, "2", 5), Next("2", 5)),
        (wire.Next(ID, "2", None, [MOVES]), Next("2", None, (MOVES,))),
        (wire.Recall(ID, "2", 7), Recall("2", 7)),
        (wire.MarkAbsent(ID, "2", 7), MarkAbsent("2", 7)),
        (wire.Done(ID, "2", 7), Done("2", 7)),
        (wire.Return(ID, 7), Return(7)),
        (wire.Cancel(ID, 7), Cancel(7)),
        (wire.Transfer(ID, 7, MOVES), Transfer(7, MOVES)),
    ],
)
def test_each_request_of_the_wire_is_one_of_the_desk(told: wire.DeskRequest, asked: Request) -> None:
    assert request_of(told, source="kiosk") == asked


async def test_an_answer_says_where_the_ticket_stands() -> None:
    store = MemoryStore(OFFICE)
    await store.open_day()
    commands = Commands(store, lambda: FIRST_DAY)
    reply = await commands.answer_kiosk(text("issue", lane=CERTIFICATES))
    assert reply == wire.Reply(ID, answer=wire.AnswerBody(1, "A101", CERTIFICATES, "waiting", 0, None))
    assert store.desk.picture.tickets[1].source == "kiosk"
    again = await commands.answer_kiosk(text("issue", lane=CERTIFICATES))
    assert again == reply
    other = await commands.answer_kiosk(text("issue", lane=MOVES))
    assert outcome(other) == "OtherBody"
    assert commands.outcomes == {("issue", "ok"): 2, ("issue", "OtherBody"): 1}


@pytest.mark.parametrize("refusal", [StoreAway(), OtherBody(), LaneExhausted(lane=MOVES)])
async def test_a_refusal_is_told_whole(refusal: Refusal) -> None:
    reply = await Commands(Failing(refusal), lambda: FIRST_DAY).answer_desk(text("cancel", ticket=1))
    body = wire.RefusalBody(refusal.code, refusal.sentence, refusal.again, refusal.details)
    assert reply == wire.Reply(ID, refusal=body)


async def test_before_the_first_picture_the_store_is_away() -> None:
    reply = await Commands(Failing(AssertionError()), lambda: None).answer_desk(text("cancel", ticket=1))
    assert outcome(reply) == "StoreAway"


@pytest.mark.parametrize(
    ("told", "id"),
    [
        ("not json", None),
        ("[]", None),
        ("{}", None),
        (text("eat", ticket=1), ID),
        (text("cancel"), ID),
        (text("cancel", ticket="1"), ID),
        (text("cancel", ticket=0), ID),
        (text("cancel", ticket=1, extra=1), ID),
        (text("cancel", id="short", ticket=1), "short"),
        ("[" * 2000, None),
    ],
)
async def test_what_is_no_request_is_refused_with_the_id_that_could_be_read(told: str, id: str | None) -> None:
    commands = Commands(Failing(AssertionError()), lambda: FIRST_DAY)
    reply = await commands.answer_desk(told)
    assert (outcome(reply), reply.id) == ("BadMessage", id)
    assert commands.outcomes == {("unreadable", "BadMessage"): 1}


async def test_a_kiosk_may_only_issue() -> None:
    reply = await Commands(Failing(AssertionError()), lambda: FIRST_DAY).answer_kiosk(text("cancel", ticket=1))
    assert outcome(reply) == "BadMessage"


async def test_a_defect_is_answered_as_one_and_logged_without_contents() -> None:
    commands = Commands(Failing(RuntimeError("a contact: somebody@example.jp")), lambda: FIRST_DAY)
    with structlog.testing.capture_logs() as logged:
        reply = await commands.answer_desk(text("cancel", ticket=1))
    assert outcome(reply) == "Fault"
    assert commands.outcomes == {("cancel", "Fault"): 1}
    assert logged == [{"event": "request failed", "request": "cancel", "exc_info": True, "log_level": "error"}]
