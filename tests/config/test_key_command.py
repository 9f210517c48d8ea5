"""`junban key rotate`: the keys are wrapped anew, the log says who did it, and nothing is done that it cannot say."""

from pathlib import Path

import pytest

from config.author import author
from config.cli import main
from config.office_file import PRACTICE_OFFICE, read_office
from hub.ledger.connection import sqlite_url
from hub.ledger.log import Log
from hub.ledger.operations import Ledger
from workers.keys import KeyHost

OLD, NEW = bytes([1]) * 32, bytes([2]) * 32
DAYS = ("2026-11-24", "2026-11-25")


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    keys = KeyHost(tmp_path / "keys", OLD)
    for day in DAYS:
        keys.ensure(day)
    (tmp_path / "old").write_text(OLD.hex() + "\n")
    monkeypatch.delenv("JUNBAN_LEDGER_URL", raising=False)
    monkeypatch.setenv("JUNBAN_KEY_DIR", str(tmp_path / "keys"))
    monkeypatch.setenv("JUNBAN_MASTER_KEY", NEW.hex())
    return ["key", "rotate", "--old", str(tmp_path / "old"), "--data", str(tmp_path)]


def test_keys_are_wrapped_anew_and_the_log_says_who_did_it(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = Ledger(sqlite_url(tmp_path / "ledger.sqlite"), read_office(PRACTICE_OFFICE).key)
    ledger.prepare()
    assert [main(words), main(words)] == [0, 0]
    assert capsys.readouterr().out.startswith("2 日分の鍵を包み直しました。")
    for day in DAYS:
        KeyHost(tmp_path / "keys", NEW).ensure(day)
    again, first = Log(ledger).page().entries
    ledger.close()
    assert (first.type, first.who, first.fields) == ("KeysRewrapped", author().who, {"keys": "2"})
    assert again.fields == {"keys": "0"}


def test_without_a_ledger_nothing_is_wrapped(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 1
    assert "台帳がまだありません" in capsys.readouterr().err
    KeyHost(tmp_path / "keys", OLD).ensure(DAYS[0])


def test_a_file_that_is_no_key_is_named(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "old").write_text("no key")
    assert main(words) == 1
    assert f"{tmp_path / 'old'} から、これまでの鍵を読めません" in capsys.readouterr().err
