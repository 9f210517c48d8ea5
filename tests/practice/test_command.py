"""`junban simulate` as it is typed: wrong use is one sentence, and a day is told as it goes and reported at its end."""

import json
import re
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from random import Random

import msgspec
import pytest

from config.embedded import EmbeddedValkey
from config.practice import command
from config.practice.credentials import Credentials
from config.practice.driver import DayFailed, drive
from config.practice.floor import Tally
from config.practice.report import ProgressBar, as_json, as_text
from hub.desk.lane import Office
from hub.ledger.connection import sqlite_url
from tests.practice.practising import made_in, office, practice, small_plan

__all__ = ["office"]


def simulate(*words: str) -> int:
    parser = ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(words))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "どちらか一つ"),
        (["day.csv", "--seed", "1"], "どちらか一つ"),
        (["day.csv", "--tickets", "5"], "--tickets"),
        (["--seed", "1", "--tickets", "0"], "--tickets"),
        (["--seed", "1", "--speed", "0"], "--speed"),
        (["--seed", "1", "--speed", "nan"], "--speed"),
        (["--seed", "1"], "--hub"),
        (["--seed", "1", "--hub", "ftp://x"], "http://"),
        (["--seed", "1", "--figures", "none.toml", "--hub", "http://x"], "none.toml"),
        (["none.csv", "--hub", "http://x"], "none.csv を読めません（No such file or directory）。"),
        (["--seed", "1", "--inbox", "http://x"], "--inbox"),
        (["--seed", "1", "--hub", "http://x"], "DIR/credentials.json"),
        (["--seed", "1", "--credentials", "x.json"], "--hub"),
        (["--seed", "1", "--hub", "http://x", "--credentials", "none.json"], "DIR/credentials.json"),
        (["--seed", "1", "--hub", "http://x", "--inbox", "ftp://x"], "--inbox"),
    ],
)
def test_wrong_use_is_one_sentence_and_2(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate(*words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.startswith("junban: ")
    assert err.count("\n") == 1


def test_a_faulty_day_file_names_every_fault_and_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "day.csv"
    file.write_text("arrived_at,lane,source,service_seconds\nx,moves,kiosk,1\n9:00:00,moves,pigeon,y\n", "utf-8")
    assert simulate(str(file), "--hub", "http://x") == 2
    err = capsys.readouterr().err
    assert all(word in err for word in ("2 行目", "3 行目", "pigeon", "「y」"))


def test_a_day_file_in_other_letters_is_one_sentence_and_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "day.csv"
    file.write_bytes("arrived_at,lane,source,service_seconds\n9:00:00,証明,kiosk,1\n".encode("shift_jis"))
    assert simulate(str(file), "--hub", "http://x") == 2
    assert "UTF-8 の CSV で保存し直してください。" in capsys.readouterr().err


def test_a_hub_that_is_not_there_is_one_sentence_and_1(
    tmp_path: Path, office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    made_in(tmp_path, sqlite_url(tmp_path / "ledger.sqlite"), office)
    file = str(tmp_path / "credentials.json")
    assert simulate("--seed", "1", "--hub", "http://127.0.0.1:1", "--credentials", file) == 1
    err = capsys.readouterr().err
    assert "つながりません" in err
    assert err.count("\n") == 1


async def test_who_cannot_sign_in_or_show_a_token_is_told_in_one_sentence(
    valkey_server: EmbeddedValkey, office: Office
) -> None:
    async with practice(office, valkey_server) as hub:
        made = hub.credentials
        strangers = [msgspec.structs.replace(person, password="correct-horse-battery") for person in made.people]
        with pytest.raises(DayFailed, match=r"renshu-\w+ でサインインできません（\d+）.*credentials.json"):
            await drive(replace(hub, credentials=Credentials(strangers, made.devices)), small_plan(), Random())
        screens = [msgspec.structs.replace(device, token="A" * 43) for device in made.devices]
        with pytest.raises(DayFailed, match=r"登録されていません.*credentials\.json"):
            await drive(replace(hub, credentials=Credentials(made.people, screens)), small_plan(), Random())
        with pytest.raises(DayFailed, match="足りません"):
            await drive(replace(hub, credentials=Credentials(made.people)), small_plan(), Random())


async def test_the_last_line_of_a_report_is_one_object(valkey_server: EmbeddedValkey, office: Office) -> None:
    async with practice(office, valkey_server) as hub:
        outcome = await drive(hub, small_plan(tickets=5), Random())
    assert json.loads(as_json(outcome))["tickets"] == 5
    assert re.search(r"発券: 5\n", as_text(outcome))


class Paper:
    """Somewhere to write that is a terminal or not."""

    def __init__(self, *, is_terminal: bool) -> None:
        self.text = ""
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass


def test_a_terminal_gets_a_bar_and_a_log_gets_lines_now_and_then() -> None:
    for is_terminal in (True, False):
        paper, now = Paper(is_terminal=is_terminal), iter([0.0, 1.0, 2.0, 30.0, 31.0])
        bar = ProgressBar(paper, lambda now=now: next(now))  # type: ignore[misc]
        for issued in range(4):
            bar(36000 + issued, Tally(issued=issued), 4)
        bar.end()
        assert paper.text.startswith("\r" if is_terminal else "10:00  発券 0/4")
        assert paper.text.count("\n") == (1 if is_terminal else 2)
