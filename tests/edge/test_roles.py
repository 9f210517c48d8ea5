"""The table of roles, cell by cell on real sockets: what it does not name is refused, counted, and noted."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog
from websockets.exceptions import InvalidStatus

from hub.desk.requests import Answer, Request, Stamp
from hub.desk.ticket import State
from hub.edge.access import Access, Principal
from hub.edge.commands import Commands
from hub.ledger.connection import sqlite_url
from hub.wire import messages as wire
from hub.wire.codec import encode
from hub.wire.roles import MAY, PEOPLE, Act, Role, may
from tests.doors import Doors
from tests.edge.hubs import Served, Visitor, memory_hub, served, shared_doors
from tests.eventually import eventually
from tests.fanout.days import CERTIFICATES, MOVES, OFFICE
from tests.fanout.memory import FIRST_DAY, MemoryStore

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("engine")]

PATHS = {Act.OPEN_WALL: "/ws/wall/1", Act.OPEN_DESK: "/ws/desk", Act.OPEN_KIOSK: "/ws/kiosk"}
ID = "q3oZ4lqWlT0mW1x7mBv2aA"
REQUESTS: dict[Act, Any] = {
    Act.DESK_ISSUE: wire.Issue(ID, CERTIFICATES),
    Act.DESK_NEXT: wire.Next(ID, "2", None),
    Act.DESK_RECALL: wire.Recall(ID, "2", 7),
    Act.DESK_ABSENT: wire.MarkAbsent(ID, "2", 7),
    Act.DESK_DONE: wire.Done(ID, "2", 7),
    Act.DESK_RETURN: wire.Return(ID, 7),
    Act.DESK_CANCEL: wire.Cancel(ID, 7),
    Act.DESK_TRANSFER: wire.Transfer(ID, 7, MOVES),
    Act.DESK_CALL: wire.Call(ID, "2", 7, None, "health"),
    Act.DESK_TAKE_BACK: wire.TakeBack(ID, "2", 7),
    Act.DESK_HOLD: wire.Hold(ID, "2", 7),
    Act.DESK_REVIEW: wire.Review(ID, "2", 7),
    Act.DESK_READY: wire.Ready(ID, 7),
    Act.DESK_REISSUE: wire.Reissue(ID, 7, "a" * 64),
    Act.DESK_LAPSE: wire.Lapse(ID, 7),
    Act.DESK_PAUSE: wire.Pause(ID, MOVES, "system"),
    Act.DESK_RESUME: wire.Resume(ID, MOVES),
    Act.DESK_CLOSING: wire.AnnounceClosing(ID, MOVES),
    Act.DESK_REASSIGN: wire.Reassign(ID, "2", [MOVES]),
    Act.DESK_ANNOUNCE: wire.Announce(ID, "本日は混み合っています。", 30),
    Act.DESK_WITHDRAW: wire.Withdraw(ID),
    Act.DESK_CHECK_IN: wire.CheckIn(ID, "A101"),
    Act.WALL_SHOWN: wire.Shown(ID, 7, 1, 1795478403000),
    Act.KIOSK_ISSUE: wire.Issue(ID, CERTIFICATES),
    Act.KIOSK_CHECK_IN: wire.CheckInByCode(ID, "A101", "7K3D-9QXM"),
    Act.KIOSK_PURPOSE: wire.AskPurpose(ID),
    Act.KIOSK_READ_BACK: wire.ReadBack(ID, "09012345678"),
    Act.KIOSK_NOTIFY: wire.NotifyDialled(ID, "s" * 22, "09012345678", "sms", "ja", 3, "1/abcdef01"),
}
OF_TELEPHONE = (Act.KIOSK_PURPOSE, Act.KIOSK_READ_BACK, Act.KIOSK_NOTIFY)  # no move of the desk's


class Everything:
    """A store that carries out whatever it is asked, and remembers for whom; `dialled`: how often of telephones."""

    def __init__(self) -> None:
        self.asked: list[tuple[Stamp, Request]] = []
        self.dialled = 0

    async def do(self, stamp: Stamp, request: Request) -> Answer:
        self.asked.append((stamp, request))
        return Answer(7, "A101", CERTIFICATES, State.WAITING)


@dataclass
class Office:
    hub: Served
    teller: Everything
    access: Access


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    store, teller = MemoryStore(OFFICE), Everything()
    await store.open_day()
    doors = shared_doors()
    access = Access(doors.people, doors.devices, doors.refused_acts)
    relay, apps = memory_hub(store, teller=teller, access=access)
    tail = asyncio.create_task(relay.run())
    async with served(apps) as hub:
        await eventually(lambda: not relay.is_away)
        yield Office(hub, teller, access)
    tail.cancel()
    await asyncio.wait([tail])
    await access.close()


async def answered(office: Office, role: Role, act: Act) -> int:
    """What this role's own account or device is answered; 101: it is in."""
    sent = office.hub.doors.headers_of(role, office.hub.page(""))
    try:
        async with office.hub.open_with(PATHS[act], sent) as connection:
            await connection.recv()
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("act", PATHS)
async def test_a_socket_opens_for_the_roles_of_the_table(office: Office, act: Act, role: Role) -> None:
    """Who brings no cookie or no token of the right kind is nobody there."""
    # A device at a desk's socket: its program names no page, and that socket rests on a cookie.
    refused = 401 if role in PEOPLE and act is not Act.OPEN_DESK else 403
    assert await answered(office, role, act) == (101 if may(role, act) else refused)


# The office in memory has no numbers from home to check in; those two are asked below, beside the other cells.
@pytest.mark.parametrize("act", [act for act in REQUESTS if not act.endswith("check_in") and act not in OF_TELEPHONE])
async def test_who_may_open_a_socket_is_carried_out_as_himself(office: Office, act: Act) -> None:
    """Each request of each role that gets as far; the others were stopped at the door, and are asked for below."""
    path = {"desk": "/ws/desk", "wall": "/ws/wall/1", "kiosk": "/ws/kiosk"}[act.partition(" ")[0]]
    for role in [role for role in Role if may(role, act)]:
        sent = office.hub.doors.headers_of(role, office.hub.page(""))
        async with office.hub.open_with(path, sent) as connection:
            asker = Visitor(connection)
            await asker.ask(REQUESTS[act])
            while not asker.replies:
                await asker.hear()
            assert isinstance(asker.replies[0].answer, wire.AnswerBody)
        stamp, _ = office.teller.asked.pop()
        is_device = role in (Role.KIOSK, Role.WALL)
        assert stamp.who == (f"device:{office.hub.doors.device_id(role)}" if is_device else f"staff:x-{role}")


@dataclass
class Someone:
    principal: Principal
    is_out: bool = False


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("act", REQUESTS)
async def test_a_request_is_carried_out_for_the_roles_of_the_table(act: Act, role: Role) -> None:
    """Past the door, as if a socket had been left open to somebody of each role."""
    teller, access = Everything(), Access(shared_doors().people, shared_doors().devices)
    someone = Someone(Principal(f"staff:x-{role}", role, "", "1", "k"))

    async def prove(wanted: object) -> tuple[str, int, str]:
        return FIRST_DAY, 7, ""

    async def dial(told: wire.OfTelephone) -> wire.AnswerBody:
        teller.dialled += 1
        return wire.AnswerBody(None, None, None, None, None, None)

    commands = Commands(teller, lambda: FIRST_DAY, lambda number: 7, prove, access, dial)
    answers = {"desk": commands.answer_desk, "wall": commands.answer_wall, "kiosk": commands.answer_kiosk}
    answer = answers[act.partition(" ")[0]]
    with structlog.testing.capture_logs() as logged:
        reply = await answer(encode(REQUESTS[act]).decode(), someone)
    if may(role, act):
        assert isinstance(reply.answer, wire.AnswerBody)
        assert (len(teller.asked) + teller.dialled, access.refusals.total(), logged) == (1, 0, [])
    else:
        assert isinstance(reply.refusal, wire.RefusalBody)
        assert (reply.refusal.code, teller.asked, teller.dialled) == ("NotAllowed", [], 0)
        assert access.refusals == {(role, act): 1}
        assert logged == [{"event": "act refused", "act": act, "role": role, "log_level": "warning"}]


def test_every_message_of_a_socket_has_a_row() -> None:
    """A new one without a row fails here, and is carried out for nobody."""
    sockets = {"desk": wire.DeskRequest.__args__, "kiosk": wire.KioskRequest.__args__, "wall": (wire.WallRequest,)}
    for socket, requests in sockets.items():
        told = {f"{socket} {kind.__struct_config__.tag}" for kind in requests}
        assert told == {str(act) for act in Act if act.startswith(f"{socket} ")}
    assert set(MAY) == set(Act)
    assert {*PATHS, *REQUESTS} == {act for act in Act if act.partition(" ")[0] in ("open", *sockets)}


async def test_what_was_refused_is_noted_once_a_minute(tmp_path: Path) -> None:
    doors, now = Doors(OFFICE.key, sqlite_url(tmp_path / "ledger.sqlite")), 0.0
    access = Access(doors.people, doors.devices, doors.refused_acts, monotonic=lambda: now)
    auditor = Principal("staff:hanako", Role.AUDITOR, "花子", "", "k")
    for _ in range(50):
        access.refused(auditor, Act.OPEN_DESK)
    access.refused(auditor, Act.DESK_NEXT)
    now = 61.0
    access.refused(auditor, Act.OPEN_DESK)
    await access.close()
    assert sorted(doors.noted("ActRefused"), key=str) == [
        ("staff:hanako", {"act": "desk next", "role": "auditor"}),
        ("staff:hanako", {"act": "open desk", "role": "auditor"}),
        ("staff:hanako", {"act": "open desk", "role": "auditor"}),
    ]
    assert access.refusals.total() == 52
    doors.close()
