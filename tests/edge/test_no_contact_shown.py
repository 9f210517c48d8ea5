"""No page, export or frame shows a contact, to no role: one of each carrier is left, and then everything is read.

A contact comes back once, to who has just typed it. Here that is how the reading itself is known to see something.
"""

import asyncio
import base64
import contextlib
import io
import re
import zipfile
import zlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx2
import msgspec
import pytest
from pydantic import SecretStr
from starlette.routing import Route
from structlog.testing import capture_logs
from websockets.exceptions import ConnectionClosed

from config.embedded import EmbeddedValkey
from config.ledger import LedgerSettings
from config.paper_command import Asked, PaperCommand
from hub.desk.notices import Carrier
from hub.edge.access import DEVICE_COOKIE
from hub.ledger.journal import Author
from hub.ledger.operations import Ledger
from hub.store.days import Days
from hub.wire import messages as wire
from hub.wire.roles import PEOPLE, Role
from tests.doors import real_ms, shared_ledger
from tests.edge.addresses import PURPOSE, wish
from tests.edge.test_dialled import ask, new_id, take
from tests.edge.test_residents import Browser
from tests.edge.told import PHONE_PURPOSE, USER, Ward, at_work, browser, ward_told
from tests.eventually import eventually
from tests.fanout.days import CERTIFICATES, MOVES, OFFICE
from tests.ledger.office import KEY
from workers.archive import Archiver

__all__ = ["browser"]
pytestmark = pytest.mark.anyio

ADDRESS = "taro..canary-7q@docomo.example"
TYPED, DIALLED = "０９０-８７６５-４３２１", "0312987654"
SPACES = rb"[ \-.()]{0,2}"
# However it is written: with a country's number or without, with hyphens or without.
WANTED = [
    re.compile(rb"canary-7q|" + base64.b64encode(ADDRESS.encode())[8:32], re.IGNORECASE),
    re.compile(USER.encode(), re.IGNORECASE),
    *(re.compile(SPACES.join(bytes([digit]) for digit in number)) for number in (b"9087654321", b"312987654")),
]
PAGES_OF_ALL = ("/", "/t", "/n", "/live", "/ready")
# What each page shows more of when it is asked.
ASKED = (
    "/audit?day={day}",
    "/audit/contacts?day={day}",
    "/audit/fairness.json?day={day}",
    "/desk/why?number={number}",
    "/admin/people?name=x-counter",
)
SHOWN_TO: dict[Role, tuple[str, ...]] = {
    Role.COUNTER: ("/desk", "/desk/why?number={number}"),
    Role.MANAGER: ("/admin", "/admin/overview", "/admin/devices", "/audit/fairness"),
    Role.OPERATOR: ("/admin", "/admin/people", "/audit", "/audit?day={day}"),
    Role.AUDITOR: ("/audit/contacts", "/audit/contacts?day={day}", "/audit/contacts/ledger.zip"),
    Role.WALL: ("/wall/1",),
}


def shows(said: bytes) -> bool:
    """Whether one of the contacts stands in it, packed or not."""
    return any(wanted.search(plain) for plain in _unpacked(said) for wanted in WANTED)


def _unpacked(said: bytes) -> Iterator[bytes]:
    yield said
    if said.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(said)) as archive:
            yield from (archive.read(name) for name in archive.namelist())
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", said, re.DOTALL) if said.startswith(b"%PDF") else ():
        with contextlib.suppress(zlib.error):
            yield zlib.decompress(stream)


@pytest.mark.parametrize("text", [ADDRESS, f"to {USER}.", "090-8765-4321", "+81 3 1298 7654", "+819087654321"])
def test_the_reading_finds_what_is_shown(text: str) -> None:
    assert shows(f"x{text}x".encode())
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ledger.jsonl", text * 9)
    assert shows(packed.getvalue())
    assert shows(b"%PDF-1.7\nstream\n" + zlib.compress(text.encode() * 9) + b"\nendstream")


@dataclass
class Heard:
    """Every frame of every socket, raw."""

    ward: Ward
    frames: dict[str, list[bytes]] = field(default_factory=dict)

    @contextlib.asynccontextmanager
    async def everywhere(self) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as opened:
            for is_inside in (True, False):
                for path in ("/ws/board", f"/ws/lanes/{CERTIFICATES}", f"/ws/lanes/{MOVES}"):
                    await self._listen(opened, path, {}, is_inside=is_inside)
            for path, role in (
                ("/ws/wall/1", Role.WALL),
                ("/ws/desk", Role.COUNTER),
                ("/ws/desk", Role.MANAGER),
                ("/ws/kiosk", Role.KIOSK),
            ):
                sent = self.ward.hub.doors.headers_of(role, self.ward.hub.page(""))
                await self._listen(opened, path, sent, name=f"{path} {role}")
            yield

    async def _listen(
        self,
        opened: contextlib.AsyncExitStack,
        path: str,
        sent: dict[str, str],
        *,
        is_inside: bool = True,
        name: str = "",
    ) -> None:
        socket = await opened.enter_async_context(self.ward.hub.open_with(path, sent, is_inside=is_inside))
        frames = self.frames.setdefault(name or f"{path} {'inside' if is_inside else 'public'}", [])

        async def listen() -> None:
            with contextlib.suppress(ConnectionClosed):
                while True:
                    frames.append(await socket.recv(decode=False))

        task = asyncio.create_task(listen())
        opened.callback(task.cancel)


@dataclass
class Left:
    """What residents did, and what they were answered."""

    secrets: list[str]
    number: str
    echoes: list[bytes]


async def leave_contacts(ward: Ward, browser: Browser) -> Left:
    """One of each carrier from home, one at the ticket machine; one of them is stopped."""
    mailed, told = await browser.take()
    by_mail = await browser.post("/t/notice", **wish(mailed, address=ADDRESS))
    written, _ = await browser.take(MOVES)
    assert await ward.line.write(USER, await ward.agree(browser, written)) == 200
    body = {"id": new_id(), "secret": mailed, "telephone": TYPED, "by": "sms", "ahead": 3}
    by_phone = await browser.post("/t/phone", **body, purpose=PHONE_PURPOSE.mark, consent=True)
    assert (by_mail.status_code, by_phone.status_code) == (200, 200), (by_mail.text, by_phone.text)
    sent = ward.hub.doors.headers_of(Role.KIOSK, ward.hub.page(""), "2")
    async with ward.hub.open_with("/ws/kiosk", sent) as machine:
        dialled = await take(machine)
        read = await ask(machine, wire.ReadBack(new_id(), DIALLED))
        wanted = wire.NotifyDialled(new_id(), dialled, DIALLED, "voice", "ja", 3, PHONE_PURPOSE.mark)
        assert isinstance(await ask(machine, wanted), wire.AnswerBody)
    assert len(await ward.kept()) == 4
    return Left(
        [mailed, written, dialled], told["number"], [by_mail.content, by_phone.content, msgspec.json.encode(read)]
    )


@pytest.fixture
async def ward(office_name: str, valkey_server: EmbeddedValkey) -> AsyncIterator[Ward]:
    office = replace(OFFICE, key=office_name, purpose=PURPOSE)
    async with ward_told(office, valkey_server.url, offers=tuple(Carrier)) as ward:
        yield ward


def paths_of(ward: Ward, left: Left, day: str) -> list[str]:
    """Every address that can be read, on either listener."""
    routes = [route for app in ward.apps for route in app._app.routes if isinstance(route, Route)]  # type: ignore[attr-defined]
    readable = [route.path for route in routes if route.methods and "GET" in route.methods]
    filled = [re.sub(r"{token[^}]*}", "t" * 22, path) for path in readable]
    filled = [re.sub(r"{[^}]*}", "1", path) for path in filled]
    return sorted({*filled, *(path.format(day=day, number=left.number) for path in ASKED)})


async def read_as(ward: Ward, role: Role | None, paths: list[str]) -> dict[tuple[str, str], httpx2.Response]:
    """(listener, path) → what it is answered; `role` None: who is nobody."""
    sent = {} if role is None else ward.hub.doors.headers_of(role, ward.hub.page(""))
    if role is Role.WALL:
        sent["Cookie"] = f"{DEVICE_COOKIE}={ward.hub.doors.device(role)}"
    answers = {}
    async with httpx2.AsyncClient(trust_env=False, headers=sent) as client:
        for is_inside in (True, False):
            for path in paths:
                listener = "inside" if is_inside else "public"
                answers[listener, path] = await client.get(ward.hub.page(path, is_inside=is_inside))
    return answers


async def archived(ward: Ward, folder: Path) -> Ledger:
    ledger = ward.hub.doors.ledger
    await Archiver(Days(ward.client, ward.office), ledger, folder / "heads", KEY).turn()
    return ledger


async def test_no_role_no_export_and_no_frame_shows_a_contact(ward: Ward, browser: Browser, tmp_path: Path) -> None:
    heard = Heard(ward)
    with capture_logs() as logged:
        async with heard.everywhere(), at_work(ward, Carrier.LINE, Carrier.PHONE):
            left = await leave_contacts(ward, browser)
            assert [shows(echo) for echo in left.echoes] == [True] * 3, "to who has just typed it, this once"
            await eventually(lambda: sent_to_all(ward))
            for _ in range(2):
                await ward.call()
            await ward.call("2")
            answer = await browser.post("/t/stop", id=new_id(), secret=left.secrets[1], carrier="line")
            assert answer.status_code == 200
            ledger = await archived(ward, tmp_path)
            day = await ward.day()
            await eventually(lambda: all(frames for frames in heard.frames.values()))

            paths = paths_of(ward, left, day)
            for role in (None, *PEOPLE, Role.WALL, Role.KIOSK, Role.DESK):
                answers = await read_as(ward, role, paths)
                assert [place for place, answer in answers.items() if shows(answer.content + _headers(answer))] == []
                wanted = [path.format(day=day, number=left.number) for path in SHOWN_TO.get(role, ())] if role else []
                assert [path for path in wanted if answers["inside", path].status_code != 200] == [], role
                for listener in ("inside", "public"):
                    assert {answers[listener, path].status_code for path in PAGES_OF_ALL} == {200}
                assert b"junban_requests" in answers["inside", "/metrics"].content
            for secret in left.secrets:
                found = await browser.post("/t/find", secret=secret)
                assert (found.status_code, shows(found.content)) == (200, False), "once is once"
            async with httpx2.AsyncClient(trust_env=False) as auditor:
                sent = ward.hub.doors.headers_of(Role.AUDITOR, ward.hub.page(""))
                for path in ("/audit/contacts/verify", "/audit/contacts/verify/steps"):
                    verdict = await auditor.post(ward.hub.page(path), headers=sent, data={"press": "1"})
                    assert (verdict.status_code, shows(verdict.content)) == (200, False)

    assert {name: len(frames) > 1 for name, frames in heard.frames.items()} == dict.fromkeys(heard.frames, True)
    assert [name for name, frames in heard.frames.items() if any(map(shows, frames))] == []
    assert not shows(repr(logged).encode())
    papers = await asyncio.to_thread(papers_of, ward, day, tmp_path / "papers")
    assert {path.suffix for path in papers} == {".pdf", ".json", ".py"}
    assert [path.name for path in papers if shows(path.read_bytes())] == []
    assert not any(shows(entry.text.encode()) for entry in ledger.entries())
    assert sum("ContactGiven" in entry.text for entry in ledger.entries()) == 4


async def sent_to_all(ward: Ward) -> bool:
    """Both workers have told each of them something, so that all was in their hands."""
    told = {message.to for message in ward.phone.told}
    return len(told) == 2 and any(spoken.is_ours for spoken in ward.line.said)


def papers_of(ward: Ward, day: str, folder: Path) -> list[Path]:
    """Certificate and report of that day, with what lies beside them."""
    folder.mkdir()
    settings = LedgerSettings(folder, SecretStr(shared_ledger()))
    command = PaperCommand(settings, ward.office, lambda _: None, Author("cli"), now_ms=real_ms)
    for name, make in (("certificate", command.certificate), ("report", command.report)):
        make(Asked(folder / f"{name}.pdf", day, day, day, "順番運営", "区長", ""))
    return sorted(folder.iterdir())


def _headers(answer: httpx2.Response) -> bytes:
    return repr(list(answer.headers.multi_items())).encode()
