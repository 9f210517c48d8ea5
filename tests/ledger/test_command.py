"""`junban ledger`: one sentence, an exit code, and what the page of the ledger says can be done."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from config.author import author
from config.cli import main
from config.ledger import ledger_settings
from config.ledger_command import run_close
from config.settings import read_all
from hub.ledger.connection import transaction
from hub.ledger.heads import KEY_FILE
from hub.ledger.journal import Author
from hub.ledger.log import Log
from hub.ledger.operations import Ledger
from hub.ledger.tables import HEADS, OPERATIONS
from tests.conftest import lacking
from tests.house.documents import ROOT
from tests.ledger.chains import DAY, forged, keep, linked, rows_of, sign

PAGE = (ROOT / "hub" / "ledger" / "README.md").read_text(encoding="utf-8")
COUNT = 12
BY = Author("cli:sato", "q3oZ4lqWlT0mW1x7mBv2aA")
LATER_MS = 1_858_000_000_000  # November 2028
OFFICE = """
key = "{key}"
name = "さくら区役所"
lanes = [ {{ key = "certificates", name = "証明", prefix = "A", first = 101, last = 199 }} ]
counters = [ {{ key = "2", name = "2番窓口", lanes = ["certificates"] }} ]
"""


@pytest.fixture
def head(ledger: Ledger, ledger_url: str, office_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An office with one day in its ledger, as its operator's shell knows it; gives the signed head of that day."""
    keep(ledger, DAY, COUNT)
    (tmp_path / "office.toml").write_text(OFFICE.format(key=office_name), encoding="utf-8")
    for name in list(os.environ):
        if name.startswith("JUNBAN_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("JUNBAN_OFFICE", str(tmp_path / "office.toml"))
    monkeypatch.setenv("JUNBAN_LEDGER_URL", ledger_url)
    return sign(ledger, tmp_path / "heads", Ed25519PrivateKey.generate())


def test_a_whole_ledger_is_said_in_one_sentence(head: Path, ledger: Ledger, capsys: pytest.CaptureFixture[str]) -> None:
    end = ledger.end()
    assert end is not None
    assert main(["ledger", "verify"]) == 0
    assert capsys.readouterr().out == f"台帳に誤りはありません（{COUNT} 件、最後は {COUNT} 番 {end[1]}）。\n"
    assert main(["ledger", "verify", "--head", str(head), "--key", str(head.with_name(KEY_FILE))]) == 0
    assert f"{DAY} の署名した先頭値とも一致" in capsys.readouterr().out
    assert main(["ledger", "verify", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["count"], told["hash"], told["faults"], told["head"]) == (True, COUNT, end[1], [], None)


def test_a_touched_ledger_is_exit_one_and_names_the_entry(
    head: Path, ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = rows_of(ledger)
    rows[4] = {**rows[4], "who": "staff:sato"}
    with forged(ledger, rows):
        assert main(["ledger", "verify"]) == 1
        assert capsys.readouterr().out.startswith("台帳に誤りがあります（5 番: ")
        assert main(["ledger", "verify", "--json"]) == 1
        assert [fault["seq"] for fault in json.loads(capsys.readouterr().out)["faults"]] == [5]


def test_a_ledger_made_anew_with_its_heads_is_found_by_the_one_that_was_handed_out(
    head: Path, ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = rows_of(ledger)
    rows[4] = {**rows[4], "who": "staff:sato"}
    with forged(ledger, linked(ledger, rows), end=True):
        with transaction(ledger.engine, writes=True) as connection:
            connection.execute(sa.delete(HEADS).where(HEADS.c.office == ledger.office))
        assert main(["ledger", "verify"]) == 0
        assert main(["ledger", "verify", "--head", str(head), "--key", str(head.with_name(KEY_FILE))]) == 1
        assert "作り直されています" in capsys.readouterr().out


def test_wrong_use_and_wrong_files_are_one_sentence(
    head: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = str(head.with_name(KEY_FILE))
    none = str(tmp_path / "none")
    for words, code, says in (
        (["verify", "--head", str(head)], 2, "--key"),
        (["verify", "--head", none, "--key", key], 1, "読めません"),
        (["verify", "--head", str(head), "--key", none], 1, "公開鍵"),
        (["verify", "--head", str(head), "--key", str(head)], 1, "公開鍵"),
        (["export", str(tmp_path / "none" / "x")], 1, "書けません"),
        ([], 2, "コマンドを書いてください"),
    ):
        assert main(["ledger", *words]) == code
        said = capsys.readouterr()
        assert (said.out, says in said.err) == ("", True), said
    monkeypatch.delenv("JUNBAN_LEDGER_URL")
    assert main(["ledger", "verify", "--data", none]) == 1
    assert "台帳がまだありません" in capsys.readouterr().err
    assert not Path(none).exists()


def test_the_commands_of_the_page_do_what_it_says(head: Path, tmp_path: Path, ledger: Ledger) -> None:
    """Each line of its blocks is typed in a folder with the files that it names."""
    place = head.parent
    commands = [
        line.replace("OFFICE-DAY", f"{ledger.office}-{DAY}")
        for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
        for line in block.splitlines()
    ]
    assert len(commands) == 5
    if any(line.startswith("openssl") for line in commands) and shutil.which("openssl") is None:
        lacking("openssl", "openssl")
    for line in sorted(commands, key=lambda line: line.startswith(("openssl", "python3"))):  # what is made, first
        words = line.split()
        program = {"junban": [sys.executable, "-P", "-m", "config.cli"], "python3": [sys.executable]}.get(
            words[0], [words[0]]
        )
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run([*program, *words[1:]], cwd=place, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, (line, done.stdout, done.stderr)
    with head.open("ab") as file:
        file.write(b" ")
    (openssl,) = (line for line in commands if line.startswith("openssl"))
    assert subprocess.run(openssl.split(), cwd=place, capture_output=True).returncode != 0


def test_an_export_is_as_the_page_says(head: Path, tmp_path: Path, ledger: Ledger) -> None:
    assert main(["ledger", "export", str(tmp_path / "out.jsonl")]) == 0
    (taken,) = Log(ledger).page(kind="RecordsTaken").entries
    assert (taken.who, taken.fields["what"]) == (author().who, "ledger")
    start, *entries = (json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines())
    assert start == {
        "format": "junban-ledger-1",
        "office": ledger.office,
        "first": 1,
        "previous": (bytes(32) + ledger.office.encode()).hex(),
    }
    assert [entry["seq"] for entry in entries] == list(range(1, COUNT + 1))
    assert set(entries[3]) == set(re.findall(r'"(\w+)":', PAGE.split("entry = ")[1].split("\n")[0])) | {"hash"}
    assert (tmp_path / "out.jsonl").stat().st_mode & 0o077 == 0


def test_what_is_older_than_its_years_is_closed_and_the_rest_still_verifies(
    head: Path, ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(ledger, "2028-11-24", 3)
    assert main(["ledger", "close", "--years", "0"]) == 2
    machine, office = read_all()
    said: list[str] = []
    for now in (LATER_MS, LATER_MS):
        run_close(ledger_settings(machine), office, said.append, BY, years=1, now_ms=now, as_json=False)
    assert said == [
        f"{DAY} から {DAY} までの {COUNT} 件を閉じました。件数と最後のハッシュ値だけが台帳に残ります。",
        "保存期間（1 年）を過ぎた記録はありません。",
    ]
    capsys.readouterr()
    assert main(["ledger", "verify", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["first"], told["last"], told["count"]) == (COUNT + 1, COUNT + 4, 4)


def test_the_head_of_a_closed_segment_is_compared_with_its_last_hash_alone(
    head: Path, ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever has the database can close a segment to hide it: nothing says then that a head of it agrees."""
    machine, office = read_all()
    asked = ["ledger", "verify", "--head", str(head), "--key", str(head.with_name(KEY_FILE))]
    run_close(ledger_settings(machine), office, lambda line: None, BY, years=1, now_ms=LATER_MS, as_json=False)
    assert main(asked) == 0
    keep(ledger, "2029-11-24", 3)
    much_later = LATER_MS + 2 * 366 * 24 * 3_600_000
    run_close(ledger_settings(machine), office, lambda line: None, BY, years=1, now_ms=much_later, as_json=False)
    assert main(["ledger", "verify"]) == 0
    capsys.readouterr()
    assert main(asked) == 1
    assert "先頭値と比べられません" in capsys.readouterr().out


def test_a_ledger_that_was_touched_is_not_closed(
    head: Path, ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    with transaction(ledger.engine, writes=True) as connection:
        connection.execute(sa.update(OPERATIONS).where(OPERATIONS.c.office == ledger.office).values(who="staff:other"))
    assert main(["ledger", "close", "--years", "1"]) == 1
    assert capsys.readouterr().err.startswith("junban: 台帳に誤りがあるため、閉じません。")
