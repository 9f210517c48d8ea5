"""Offices with a folder of their own, in earnest and in practice, and hubs that are started alone."""

import json
import os
import re
import signal
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
import websockets

from config.author import author
from config.embedded import EmbeddedValkey
from config.given_store import given_server
from config.ledger import FILE
from config.office_file import PRACTICE_OFFICE, read_office
from config.office_folder import STORE_FOLDER
from config.ports import with_free_ports
from config.practice.entering import SESSION_COOKIE
from config.settings import Machine
from hub.ledger.connection import sqlite_url
from hub.ledger.log import Log
from hub.ledger.operations import Ledger
from hub.store import library
from tests.config.command.running import (
    ENDED_WITHIN_S,
    WITHIN_S,
    free_port,
    get,
    is_ready,
    is_up,
    junban,
    running,
    signed_in,
)
from tests.doors import Doors
from tests.edge.hubs import Visitor
from tests.eventually import eventually
from tests.journeys.ward import Ward

OFFICE = """
key = "{key}"
name = "さくら区役所"
lanes = [ {{ key = "seal", name = "印鑑登録", prefix = "A", first = 101, last = 199 }} ]
counters = [ {{ key = "2", name = "2番窓口", lanes = ["seal"] }} ]
"""
LANE = "seal"

pytestmark = pytest.mark.timeout(400)  # whole offices, one after the other


async def test_a_number_survives_the_end_of_an_office_with_a_folder(tmp_path: Path) -> None:
    words = ("up", "--practice", "--data", str(tmp_path / "data"), "--port", free_port())
    for wanted in ("F101", "F102"):
        with running(tmp_path, *words) as office:
            await is_up(office)
            host, port, _ = office.address("窓口")
            session = signed_in(host, port, *office.way_in("窓口担当"))
            sent = {"Cookie": f"{SESSION_COOKIE}={session}", "Origin": f"http://{host}:{port}"}
            async with websockets.connect(f"ws://{host}:{port}/ws/desk", additional_headers=sent, proxy=None) as desk:
                await desk.send(json.dumps({"type": "issue", "id": wanted * 6, "lane": "seal"}))
                while (told := json.loads(await desk.recv()))["type"] != "reply":
                    pass
            assert told["answer"]["number"] == wanted
            office.process.terminate()
            assert office.process.wait(ENDED_WITHIN_S) == 0


async def test_an_office_starts_on_the_folder_of_another_release(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with (
        EmbeddedValkey(data / STORE_FOLDER) as yesterday,
        closing(given_server(yesterday.url)) as client,
    ):
        client.function_load(library.source() + "\n-- yesterday", replace=True)
    (data / "practice").touch()
    with running(tmp_path, "up", "--practice", "--data", str(data), "--port", free_port()) as office:
        await is_up(office)


async def test_an_office_in_earnest_says_whether_it_sends_notices(tmp_path: Path) -> None:
    with running(tmp_path, "up", "--data", str(tmp_path / "off"), "--port", free_port()) as office:
        await is_up(office)
        assert "お知らせは出しません。" in office.said
        for needed in ("JUNBAN_MASTER_KEY", "JUNBAN_SMTP_URL", "JUNBAN_LINE_TOKEN", "JUNBAN_PHONE_FROM"):
            assert needed in office.said
        assert office.child("cli keeper")  # it archives all the same
        assert not office.child("cli worker email")
        assert len(office.family()) == 3
        await eventually(lambda: (tmp_path / "off" / "ledger-signing.pem").exists(), within_s=WITHIN_S)
    settings = {
        "JUNBAN_SMTP_URL": "smtp://127.0.0.1:9?starttls=never",
        "JUNBAN_MAIL_FROM": "junban@example.jp",
        "JUNBAN_PUBLIC_URL": "https://junban.example.jp",
        "JUNBAN_MASTER_KEY": "0" * 64,
    }
    with running(tmp_path, "up", "--data", str(tmp_path / "on"), "--port", free_port(), **settings) as office:
        await is_up(office)
        assert "お知らせは出しません" not in office.said
        await eventually(lambda: office.child("cli worker email") and office.child("cli keeper"), within_s=WITHIN_S)
        await eventually(lambda: list((tmp_path / "on" / "keys").iterdir()), within_s=WITHIN_S)


async def test_what_began_and_ended_is_in_the_log_and_who_was_killed_has_no_end(tmp_path: Path) -> None:
    data = tmp_path / "data"
    book = Ledger(sqlite_url(data / FILE), read_office(PRACTICE_OFFICE).key)

    def told(kind: str) -> list[str]:
        return sorted(str(entry.fields["process"]) for entry in Log(book).page(kind=kind).entries)

    with running(tmp_path, "up", "--data", str(data), "--port", free_port()) as office:
        await is_up(office)
        await eventually(lambda: told("ProcessStarted") == ["hub", "keeper", "office"], within_s=WITHIN_S)
        keeper = office.child("cli keeper")
        assert keeper
        os.kill(keeper, signal.SIGKILL)
        await eventually(lambda: told("ProcessStarted") == ["hub", "keeper", "keeper", "office"], within_s=WITHIN_S)
        assert told("ProcessStopped") == []
        office.process.terminate()
        assert office.process.wait(ENDED_WITHIN_S) == 0
    assert told("ProcessStopped") == ["hub", "keeper", "office"]
    whos = {str(entry.fields["process"]): entry.who for entry in Log(book).page(kind="ProcessStopped").entries}
    assert whos == {"hub": "hub", "keeper": "keeper", "office": author().who}
    book.close()


async def test_practice_and_earnest_never_share_a_folder(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(tmp_path, "up", "--practice", "--data", str(data), "--port", free_port()) as office:
        await is_up(office)
    said = junban(tmp_path, "up", "--data", str(data), "--port", free_port())
    assert (said.returncode, said.stdout) == (1, "")
    assert re.fullmatch(r"junban: \S+ は練習用のデータです。.*\n", said.stderr)
    (data / "practice").unlink()
    said = junban(tmp_path, "up", "--practice", "--data", str(data), "--port", free_port())
    assert re.fullmatch(r"junban: \S+ は本番のデータです。.*\n", said.stderr)


async def test_a_second_office_on_one_folder_is_refused_at_once(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    with running(tmp_path, "up", "--practice", "--data", data, "--port", free_port()) as office:
        await is_up(office)
        said = junban(tmp_path, "up", "--practice", "--data", data, "--port", free_port())
        assert (said.returncode, said.stdout) == (1, "")
        assert re.fullmatch(r"junban: \S+ はほかの junban が使っています。.*\n", said.stderr)
        assert office.process.poll() is None


async def test_a_hub_ends_with_its_store_away_as_well(tmp_path: Path) -> None:
    free = with_free_ports(Machine())
    settings = {"JUNBAN_PORT": str(free.port), "JUNBAN_INSIDE_PORT": str(free.inside_port)}
    with running(tmp_path, "hub", JUNBAN_REDIS_URL="unix:///nowhere", **settings) as hub:

        def is_live() -> bool:
            try:
                return get("127.0.0.1", free.inside_port, "/live")[0] == 200
            except OSError:
                return False

        await eventually(is_live, within_s=WITHIN_S)
        assert get("127.0.0.1", free.inside_port, "/ready")[0] == 503
        hub.process.send_signal(signal.SIGINT)
        assert hub.process.wait(ENDED_WITHIN_S) == 0
        assert "Traceback" not in hub.said


async def test_two_hubs_serve_one_office(tmp_path: Path, valkey_server: EmbeddedValkey, office_name: str) -> None:
    """What is taken at one is seen at the other, and numbers go on from one to the other."""
    ledger = sqlite_url(tmp_path / "ledger.sqlite")
    (tmp_path / "office.toml").write_text(OFFICE.format(key=office_name), encoding="utf-8")
    common = {"JUNBAN_REDIS_URL": valkey_server.url, "JUNBAN_LEDGER_URL": ledger}
    common["JUNBAN_OFFICE"] = str(tmp_path / "office.toml")
    with closing(Doors(office_name, ledger)) as doors, ExitStack() as hubs:
        wards = list[Ward]()
        for _ in range(2):
            free = with_free_ports(Machine())
            settings = {"JUNBAN_PORT": str(free.port), "JUNBAN_INSIDE_PORT": str(free.inside_port)}
            hubs.enter_context(running(tmp_path, "hub", **common, **settings))
            public, inside = (f"http://127.0.0.1:{port}" for port in (free.port, free.inside_port))
            wards.append(Ward(valkey_server, public, inside, doors))
        for ward in wards:
            port = int(ward.public.rpartition(":")[2])
            await eventually(lambda: is_ready("127.0.0.1", port), within_s=WITHIN_S)  # noqa: B023
        one, other = wards
        assert (await one.issue(LANE)).number == "A101"
        await sees_waiting(other, 1)
        assert (await other.issue(LANE)).number == "A102"
        await sees_waiting(one, 2)


async def sees_waiting(ward: Ward, count: int) -> None:
    """A resident there."""
    async with websockets.connect(f"{ward.public}/ws/board".replace("http", "ws", 1), proxy=None) as socket:
        board = Visitor(socket)
        while not (lane := board.screen.lanes.get(LANE)) or lane.waiting != count:
            await board.hear()
