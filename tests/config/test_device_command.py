"""Devices from the command line, on the machine of the ledger: what is shown, and what is refused in one sentence."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from config import cli
from config.office_file import PRACTICE_OFFICE, read_office
from hub.ledger.connection import sqlite_url
from hub.ledger.devices import Devices
from hub.ledger.journal import Author
from hub.ledger.operations import Ledger
from hub.wire.roles import Role
from tests.doors import real_ms

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def devices(tmp_path: Path) -> Iterator[Devices]:
    url = sqlite_url(tmp_path / "ledger.sqlite")
    with closing(Ledger(url, read_office(PRACTICE_OFFICE).key)) as ledger:
        ledger.prepare()
        yield Devices(ledger, real_ms)


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*words: str) -> tuple[int, str, str]:
        code = cli.main(["device", *words, "--data", str(tmp_path)])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_a_code_as_somebody_types_it_lets_the_device_in(devices: Devices, run: Run) -> None:
    asking = devices.ask(Role.WALL, "x", "test")
    code, out, _ = run("let-in", asking.code.replace("-", "").lower(), "--place", "lobby")
    (device,) = devices.list()
    assert (code, out) == (0, f"{device.id}（番号表示モニター lobby）を登録しました。\n")
    found = devices.find(asking.token)
    assert found
    assert found.place == "lobby"


def test_who_was_let_in_is_told_to_a_program(devices: Devices, run: Run) -> None:
    code, out, _ = run("let-in", devices.ask(Role.WALL, "lobby", "test").code, "--json")
    (device,) = devices.list()
    assert (code, json.loads(out)) == (0, {"ok": True, "id": device.id, "role": "wall", "place": "lobby"})


def test_without_a_place_the_device_keeps_its_own(devices: Devices, run: Run) -> None:
    assert run("let-in", devices.ask(Role.KIOSK, "genkan", "test").code)[0] == 0
    assert devices.list()[0].place == "genkan"


def test_a_list_shows_who_is_in_and_who_waits_and_never_what_opens(devices: Devices, run: Run) -> None:
    inside, waiting = devices.ask(Role.WALL, "lobby", "test"), devices.ask(Role.KIOSK, "genkan", "test")
    run("let-in", inside.code)
    (device,) = devices.list()
    code, out, _ = run("list")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == [device.id, "登録待ち"]
    code, told, _ = run("list", "--json")
    listed = json.loads(told)
    assert [one["id"] for one in listed["devices"]] == [device.id]
    assert [(one["role"], one["place"]) for one in listed["waiting"]] == [("kiosk", "genkan")]
    for secret in (inside.token, waiting.token, waiting.code):
        assert secret not in out + told


def test_a_revoked_device_is_out(devices: Devices, run: Run) -> None:
    asking = devices.ask(Role.WALL, "lobby", "test")
    device = devices.let_in(asking.code, "", Author("cli"))
    assert run("revoke", device.id)[:2] == (0, f"{device.id} の登録を取り消しました。\n")
    assert devices.find(asking.token) is None
    assert "取り消し済み" in run("list")[1]


@pytest.mark.parametrize("words", [("let-in", "AAAA-AAAA"), ("let-in", "x"), ("revoke", "wall-000000")])
def test_what_nobody_knows_is_one_sentence_and_1(devices: Devices, run: Run, words: tuple[str, str]) -> None:
    code, out, err = run(*words)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("junban: ")
    assert err.endswith("。\n")


def test_a_folder_without_a_ledger_is_named_and_none_is_made(tmp_path: Path, run: Run) -> None:
    code, _, err = run("list")
    assert (code, "台帳がまだありません" in err) == (1, True)
    assert not list(tmp_path.iterdir())


def test_an_office_without_devices_says_how_the_first_comes_in(devices: Devices, run: Run) -> None:
    assert devices.list() == []
    assert "junban device let-in" in run("list")[1]
