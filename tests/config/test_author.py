"""Whoever types a command is named by his login, which no variable of his shell can change."""

import os
import pwd
from pathlib import Path

import pytest

from config.author import NOBODY, author
from hub.ledger.kept import SHAPES, WITHHELD, kept_of_stamp

ME = pwd.getpwuid(os.getuid()).pw_name


def test_who_logged_in_is_named_whoever_he_is_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("USER", "LOGNAME", "SUDO_USER"):
        monkeypatch.setenv(name, "somebody")
    (tmp_path / "loginuid").write_text("1\n")
    assert author(tmp_path / "loginuid").who == f"cli:{pwd.getpwuid(1).pw_name}"
    for text in (str(NOBODY), "", "no number"):
        (tmp_path / "loginuid").write_text(text)
        assert author(tmp_path / "loginuid").who == f"cli:{ME}"
    assert author(tmp_path / "none").who == f"cli:{ME}"


def test_a_login_that_the_log_could_not_write_is_told_by_its_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "loginuid").write_text("4000000")
    assert author(tmp_path / "loginuid").who == "cli:uid-4000000"
    (tmp_path / "loginuid").write_text("1")
    for name in ("WARD\\sato", "Sato", "a" * 33, "佐藤"):
        told = pwd.struct_passwd((name, "x", 1, 1, "", "/", "/bin/sh"))
        monkeypatch.setattr(pwd, "getpwuid", lambda _, told=told: told)
        assert author(tmp_path / "loginuid").who == "cli:uid-1"


def test_each_run_has_an_id_and_both_are_kept_by_the_ledger() -> None:
    first, second = author(), author()
    assert first.request != second.request
    assert SHAPES["who"].fullmatch(first.who)
    assert WITHHELD not in kept_of_stamp(0, first.who, first.request).values()
