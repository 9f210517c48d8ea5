"""Whatever is asked, there is one reply; what went wrong is told apart and never swallowed."""

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest
import structlog
from msgspec import UNSET

from hub.desk.lane import Absence
from hub.desk.refusals import LaneExhausted, NotYours, OtherBody, Refusal, StoreAway
from hub.desk.requests import (
    AnnounceClosing,
    Answer,
    Call,
    Cancel,
    CheckIn,
    Done,
    Hold,
    Issue,
    Lapse,
    MarkAbsent,
    Next,
    Ready,
    Recall,
    Reissue,
    Request,
    Return,
    Review,
    Stamp,
    TakeBack,
    Transfer,
)
from hub.desk.ticket import State
from hub.edge.access import Access, Principal
from hub.edge.commands import Commands, Plain, Teller, request_of
from hub.wire import messages as wire
from hub.wire.codes import code_of
from hub.wire.roles import Role
from hub.wire.tickets import Find
from tests.edge.hubs import shared_doors
from tests.fanout.days import CERTIFICATES, MOVES, OFFICE
from tests.fanout.memory import FIRST_DAY, MemoryStore

pytestmark = pytest.mark.anyio

ID = "q3oZ4lqWlT0mW1x7mBv2aA"


class Failing:
    def __init__(self, error: Exception) -> None:
        self.error = error

    async def do(self, stamp: Stamp, request: Request) -> Answer:
        raise self.error


class Numbers:
    """What a hub knows of two tickets: 9 is A105, whose code is 7K3D-9QXM."""

    def arrival_of(self, number: str) -> int | None:
        return {"A105": 9}.get(number)

    async def prove(self, wanted: Find) -> tuple[str, int, str]:
        if (wanted.number, wanted.code) != ("A105", "7K3D-9QXM"):
            raise NotYours
        return FIRST_DAY, 9, ""


class Remembering:
    def __init__(self) -> None:
        self.asked: list[tuple[Stamp, Request]] = []

    async def do(self, stamp: Stamp, request: Request) -> Answer:
        self.asked.append((stamp, request))
        return Answer(9, "A105", CERTIFICATES, State.WAITING, ahead=2)


def commands_of(teller: Teller, day: str | None = FIRST_DAY) -> Commands:
    access = Access(shared_doors().people, shared_doors().devices)
    return Commands(teller, lambda: day, Numbers().arrival_of, Numbers().prove, access)


@dataclass
class Someone:
    principal: Principal
    is_out: bool = False


CLERK = Someone(Principal("staff:taro", Role.COUNTER, "太郎", "", "h"))
KIOSK = Someone(Principal("device:kiosk-3k9f2a", Role.KIOSK, "kiosk-3k9f2a", "1", "kiosk-3k9f2a"))


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
        (wire.Transfer(ID, 7, MOVES, "3"), Transfer(7, MOVES, "3")),
        (wire.Call(ID, "2", 7, 5, "health"), Call("2", 7, 5, "health")),
        (wire.TakeBack(ID, "2", 7), TakeBack("2", 7)),
        (wire.Hold(ID, "2", 7), Hold("2", 7)),
        (wire.Review(ID, "2", 7), Review("2", 7)),
        (wire.Ready(ID, 7), Ready(7)),
        (wire.Lapse(ID, 7), Lapse(7)),
        (wire.AnnounceClosing(ID, MOVES), AnnounceClosing(MOVES)),
        (wire.Reissue(ID, 7, "a" * 64), Reissue(7, "a" * 64)),
    ],
)
def test_each_request_of_the_wire_is_one_of_the_desk(told: Plain, asked: Request) -> None:
    assert request_of(told, source="kiosk") == asked


async def test_an_answer_says_where_the_ticket_stands() -> None:
    store = MemoryStore(OFFICE)
    await store.open_day()
    commands = commands_of(store)
    reply = await commands.answer_kiosk(text("issue", lane=CERTIFICATES), KIOSK)
    assert reply == wire.Reply(ID, answer=wire.AnswerBody(1, "A101", CERTIFICATES, "waiting", 0, None))
    assert store.desk.picture.tickets[1].source == "kiosk"
    again = await commands.answer_kiosk(text("issue", lane=CERTIFICATES), KIOSK)
    assert again == reply
    other = await commands.answer_kiosk(text("issue", lane=MOVES), KIOSK)
    assert outcome(other) == "OtherBody"
    assert commands.outcomes == {("issue", "ok"): 2, ("issue", "OtherBody"): 1}


@pytest.mark.parametrize("refusal", [StoreAway(), OtherBody(), LaneExhausted(lane=MOVES)])
async def test_a_refusal_is_told_whole(refusal: Refusal) -> None:
    reply = await commands_of(Failing(refusal)).answer_desk(text("cancel", ticket=1), CLERK)
    body = wire.RefusalBody(refusal.code, refusal.sentence, refusal.again, refusal.details)
    assert reply == wire.Reply(ID, refusal=body)


async def test_staff_gives_a_number_with_its_code_for_a_slip_by_hand() -> None:
    store = MemoryStore(OFFICE)
    await store.open_day()
    commands = commands_of(store)
    reply = await commands.answer_desk(text("issue", lane=CERTIFICATES, secret="a" * 64), CLERK)
    assert reply.answer is not UNSET
    assert (reply.answer.number, reply.answer.code) == ("A101", code_of("a" * 64))
    assert store.desk.picture.tickets[1].source == "desk"
    without = await commands.answer_desk(text("issue", id="i" * 22, lane=CERTIFICATES), CLERK)
    assert without.answer is not UNSET
    assert without.answer.code is UNSET, "then only staff can act for it"


async def test_a_refusal_says_how_much_is_missing() -> None:
    store = MemoryStore(replace(OFFICE, absence=Absence(after_calls=3)))
    await store.open_day()
    commands = commands_of(store)
    await store.ask(Issue(CERTIFICATES, "kiosk"))
    await store.ask(Next("2", None))
    reply = await commands.answer_desk(text("absent", counter="2", ticket=1), CLERK)
    assert isinstance(reply.refusal, wire.RefusalBody)
    assert (reply.refusal.sentence, reply.refusal.details) == (
        "まだ不在にできません。あと 2 回お呼びしてください。",
        {"calls": "2"},
    )


async def test_before_the_first_picture_the_store_is_away() -> None:
    reply = await commands_of(Failing(AssertionError()), None).answer_desk(text("cancel", ticket=1), CLERK)
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
    commands = commands_of(Failing(AssertionError()))
    reply = await commands.answer_desk(told, CLERK)
    assert (outcome(reply), reply.id) == ("BadMessage", id)
    assert commands.outcomes == {("unreadable", "BadMessage"): 1}


async def test_staff_check_a_number_in_as_it_was_typed() -> None:
    teller = Remembering()
    commands = commands_of(teller)
    reply = await commands.answer_desk(text("check_in", number=" ａ105"), CLERK)
    assert reply == wire.Reply(ID, answer=wire.AnswerBody(9, "A105", CERTIFICATES, "waiting", 2, None))
    assert teller.asked == [(Stamp(FIRST_DAY, "staff:taro", ID), CheckIn(9))]
    assert outcome(await commands.answer_desk(text("check_in", number="A999"), CLERK)) == "UnknownTicket"
    assert outcome(await commands.answer_desk(text("check_in", number="A" * 33), CLERK)) == "BadMessage"
    assert len(teller.asked) == 1


async def test_a_machine_checks_in_only_who_has_the_code() -> None:
    teller = Remembering()
    commands = commands_of(teller)
    assert outcome(await commands.answer_kiosk(text("check_in", number="A105", code="00000000"), KIOSK)) == "NotYours"
    assert outcome(await commands.answer_kiosk(text("check_in", number="A105"), KIOSK)) == "BadMessage"
    assert teller.asked == []
    reply = await commands.answer_kiosk(text("check_in", number="A105", code="7K3D-9QXM"), KIOSK)
    assert reply.answer == wire.AnswerBody(9, "A105", CERTIFICATES, "waiting", 2, None)
    assert teller.asked == [(Stamp(FIRST_DAY, "device:kiosk-3k9f2a", ID), CheckIn(9))]


async def test_a_kiosk_may_only_issue_and_check_in() -> None:
    reply = await commands_of(Failing(AssertionError())).answer_kiosk(text("cancel", ticket=1), KIOSK)
    assert outcome(reply) == "BadMessage"


async def test_a_defect_is_answered_as_one_and_logged_without_contents() -> None:
    commands = commands_of(Failing(RuntimeError("a contact: somebody@example.jp")))
    with structlog.testing.capture_logs() as logged:
        reply = await commands.answer_desk(text("cancel", ticket=1), CLERK)
    assert outcome(reply) == "Fault"
    assert commands.outcomes == {("cancel", "Fault"): 1}
    assert logged == [{"event": "request failed", "request": "cancel", "exc_info": True, "log_level": "error"}]


async def test_who_is_out_is_carried_out_no_more() -> None:
    teller = Remembering()
    reply = await commands_of(teller).answer_desk(text("cancel", ticket=1), Someone(CLERK.principal, is_out=True))
    assert (outcome(reply), teller.asked) == ("NotSignedIn", [])


async def test_who_is_sent_out_while_his_code_is_looked_at_is_carried_out_no_more() -> None:
    teller, kiosk = Remembering(), Someone(KIOSK.principal)

    async def prove(wanted: Find) -> tuple[str, int, str]:
        kiosk.is_out = True
        return FIRST_DAY, 9, ""

    access = Access(shared_doors().people, shared_doors().devices)
    commands = Commands(teller, lambda: FIRST_DAY, Numbers().arrival_of, prove, access)
    reply = await commands.answer_kiosk(text("check_in", number="A105", code="7K3D-9QXM"), kiosk)
    assert (outcome(reply), teller.asked) == ("NotSignedIn", [])
