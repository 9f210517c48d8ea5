"""One sentence for each mistake of an operator, and nothing is started."""

import json
import re
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import websockets

from config import office_process
from config.office_process import OfficeProcess
from config.ports import with_free_ports
from config.posts import OfficeDidNotStart
from config.settings import Machine
from tests.config.command.running import free_port, is_up, junban, left_over, running


async def test_a_store_that_is_away_is_named_as_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(office_process, "READY_WITHIN_S", 2.0)
    machine = with_free_ports(Machine(redis_url="redis://127.0.0.1:1"))
    office = OfficeProcess(machine, tmp_path, print, practice=False)
    with pytest.raises(OfficeDidNotStart, match=r"ストアが応答しません（.*127.0.0.1:1.*JUNBAN_REDIS_URL"):
        office.start()


def test_a_log_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "hub.log").mkdir(parents=True)
    said = junban(tmp_path, "up", "--practice", "--data", str(data), "--port", free_port())
    assert (said.returncode, said.stdout) == (1, "")
    assert re.fullmatch(r"junban: \S+hub\.log を開けません（.*\n", said.stderr)


@pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles", "Pacific/Kiritimati"])
async def test_the_day_is_tokyos_wherever_the_machine_stands(tmp_path: Path, zone: str) -> None:
    def tokyo() -> str:
        return (datetime.now(UTC) + timedelta(hours=9)).date().isoformat()

    with running(tmp_path, "up", "--practice", "--port", free_port(), TZ=zone) as office:
        await is_up(office)
        host, port, _ = office.address("混雑状況")
        before = tokyo()
        async with websockets.connect(f"ws://{host}:{port}/ws/board", proxy=None) as board:
            shown = json.loads(await board.recv())["day"]
        assert shown in {before, tokyo()}


def test_a_taken_port_that_was_asked_for_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        said = junban(tmp_path, "up", "--practice", "--port", port)
        assert (said.returncode, said.stdout) == (1, "")
        assert re.fullmatch(rf"junban: ポート {port} は.*\n", said.stderr)
        free = with_free_ports(Machine())
        settings = {"JUNBAN_PORT": port, "JUNBAN_INSIDE_PORT": str(free.inside_port)}
        said = junban(tmp_path, "hub", JUNBAN_REDIS_URL="unix:///nowhere", **settings)
        assert said.returncode == 1
        assert port in said.stderr
    assert left_over(tmp_path) == []


@pytest.mark.parametrize("host", ["192.0.2.1", "nowhere.invalid"])
def test_an_address_that_is_not_ours_is_named_and_no_port_is_blamed(tmp_path: Path, host: str) -> None:
    for words in (("up", "--practice"), ("hub",)):
        settings = {"JUNBAN_REDIS_URL": "unix:///nowhere"} if words == ("hub",) else {}
        said = junban(tmp_path, *words, JUNBAN_PUBLIC_HOST=host, JUNBAN_PORT=free_port(), **settings)
        assert (said.returncode, said.stdout) == (1, "")
        assert re.fullmatch(
            rf"junban: JUNBAN_PUBLIC_HOST の {host} はこの機械のアドレスではありません。.*\n", said.stderr
        )


def test_one_port_for_both_listeners_is_refused(tmp_path: Path) -> None:
    port = free_port()
    said = junban(tmp_path, "check", JUNBAN_PORT=port, JUNBAN_INSIDE_PORT=port)
    assert (said.returncode, said.stdout.count("\n")) == (1, 1)
    assert f"JUNBAN_PORT と同じ {port} です" in said.stdout
    said = junban(tmp_path, "up", "--practice", "--port", port, JUNBAN_INSIDE_PORT=port)
    assert (said.returncode, said.stdout) == (1, "")
    assert re.fullmatch(rf"junban: JUNBAN_INSIDE_PORT が --port と同じ {port} です。.*\n", said.stderr)


def test_practice_accounts_are_never_offered_in_earnest(tmp_path: Path) -> None:
    said = junban(tmp_path, "hub", "--credentials", "credentials.json", JUNBAN_REDIS_URL="unix:///nowhere")
    assert (said.returncode, said.stdout) == (2, "")
    assert re.fullmatch(r"junban: --credentials は --practice と一緒に.*\n", said.stderr)


def test_a_half_done_set_up_of_notices_is_told_before_anything_starts(tmp_path: Path) -> None:
    settings = {"JUNBAN_SMTP_URL": "smtp://127.0.0.1:9?starttls=never", "JUNBAN_MASTER_KEY": "0" * 64}
    said = junban(tmp_path, "up", "--data", str(tmp_path / "data"), "--port", free_port(), **settings)
    assert (said.returncode, said.stdout) == (1, "")
    assert "JUNBAN_MAIL_FROM" in said.stderr
    assert "JUNBAN_PUBLIC_URL" in said.stderr


def test_an_office_with_faulty_settings_is_not_started(tmp_path: Path) -> None:
    said = junban(tmp_path, "up", "--practice", JUNBAN_PORT="x", JUNBAN_INSIDE_PORT="y")
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr.count("整数で") == 2
    assert left_over(tmp_path) == []


@pytest.mark.parametrize(
    ("words", "about"),
    [
        ([], "コマンド"),
        (["serve"], "serve"),
        (["up", "--prot", "1"], "--prot"),
        (["up", "--practic"], "--practic"),
        (["up", "--port"], "--port"),
        (["up", "--port", "http"], "--port"),
        (["up", "--port", "65535"], "--port"),
        (["demo", "now"], "now"),
        (["check", "office.toml"], "office.toml"),
        (["hub"], "JUNBAN_REDIS_URL"),
        (["device"], "コマンド"),
        (["device", "let-in"], "CODE"),
    ],
)
def test_wrong_use_is_one_sentence_and_exit_2(tmp_path: Path, words: list[str], about: str) -> None:
    said = junban(tmp_path, *words)
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr.startswith("junban: ")
    assert said.stderr.count("\n") == 1
    assert about in said.stderr


def test_practice_never_runs_on_a_given_store(tmp_path: Path) -> None:
    said = junban(tmp_path, "up", "--practice", JUNBAN_REDIS_URL="redis://store.example.jp")
    assert said.returncode == 2
    assert "練習" in said.stderr
