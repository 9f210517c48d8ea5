"""README's way from an empty folder to the first call, typed as it stands there, with real processes."""

import asyncio
import json
import re
import secrets
import shlex
from contextlib import closing
from pathlib import Path
from typing import Any

import websockets

from config.office_file import PRACTICE_OFFICE, read_office
from config.practice.entering import SESSION_COOKIE, post_form
from hub.ledger.connection import sqlite_url
from hub.ledger.devices import Asking, Devices
from hub.ledger.operations import Ledger
from hub.wire.roles import Role
from tests.config.command.running import WITHIN_S, free_port, is_up, junban, running
from tests.doors import real_ms

README = Path(__file__).parents[2] / "README.md"
CHOSEN = "nishi-no-mado-3-ban"


def typed(verb: str) -> list[str]:
    """The words of README's command that begins so."""
    section = README.read_text(encoding="utf-8").split("## From an empty folder")[1].split("\n## ")[0]
    found = re.search(rf"^ *junban ({verb}\b.*)$", section, re.MULTILINE)
    assert found
    return shlex.split(found[1])


async def test_a_clerk_who_signed_in_calls_on_a_wall_that_was_let_in(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path / "data"))
    added = junban(tmp_path, *typed("user add"), *data)
    first = re.search(r"^一回限りのパスワード: (\S+)$", added.stdout, re.MULTILINE)
    assert first, added.stderr
    name = typed("user add")[2]
    with running(tmp_path, *typed("up"), *data, "--port", free_port()) as office:
        await is_up(office)
        host, port, _ = office.address("窓口")
        origin, sockets = f"http://{host}:{port}", f"ws://{host}:{port}"
        status, place, session = post_form(origin, "/sign-in", {"name": name, "password": first[1]})
        assert (status, place) == (303, "/password")
        change = {"old": first[1], "new": CHOSEN, "again": CHOSEN}
        status, _, session = post_form(origin, "/password", change, session)
        assert (status, bool(session)) == (303, True)
        wall = asked(tmp_path / "data")
        words = [wall.code if word == "ABCD-EFGH" else word for word in typed("device let-in")]
        assert junban(tmp_path, *words, *data).returncode == 0
        as_staff = {"Cookie": f"{SESSION_COOKIE}={session}", "Origin": origin}
        as_wall = {"Authorization": f"Bearer {wall.token}"}
        async with (
            asyncio.timeout(WITHIN_S),
            websockets.connect(f"{sockets}/ws/desk", additional_headers=as_staff, proxy=None) as desk,
            websockets.connect(f"{sockets}/ws/wall/lobby", additional_headers=as_wall, proxy=None) as screen,
        ):
            issued = await told(desk, {"type": "issue", "lane": "seal"})
            counter = counter_of(await heard(screen, "snapshot"), "seal")
            called = await told(desk, {"type": "next", "counter": counter, "current": None})
            shown = await heard(screen, "TicketCalled")
    assert issued["number"] == called["number"] == shown["number"]


def asked(folder: Path) -> Asking:
    """What the wall's page does when it is opened."""
    with closing(Ledger(sqlite_url(folder / "ledger.sqlite"), read_office(PRACTICE_OFFICE).key)) as ledger:
        return Devices(ledger, real_ms).ask(Role.WALL, "lobby", "test")


async def told(desk: websockets.ClientConnection, request: dict[str, Any]) -> dict[str, Any]:
    await desk.send(json.dumps(request | {"id": secrets.token_urlsafe(16)}))
    answer: dict[str, Any] = (await heard(desk, "reply"))["answer"]
    return answer


async def heard(screen: websockets.ClientConnection, kind: str) -> dict[str, Any]:
    while True:
        frame: dict[str, Any] = json.loads(await screen.recv())
        if frame["type"] == kind:
            return frame


def counter_of(snapshot: dict[str, Any], lane: str) -> str:
    return next(str(counter["counter"]) for counter in snapshot["counters"] if lane in counter["lanes"])
