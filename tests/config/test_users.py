"""`junban user`: the first handler is there before the office ever ran, and each mistake has its sentence."""

import json
import re
from pathlib import Path

import pytest

from config import cli
from config.author import author
from config.commands.people import PEOPLE_ROLES, ROLE_HELP
from config.office_file import PRACTICE_OFFICE, read_office
from hub.ledger.connection import sqlite_url
from hub.ledger.log import Log
from hub.ledger.operations import Ledger
from hub.ledger.people import People
from hub.wire.roles import PEOPLE
from web.staff import StaffPages
from web.viewers import ROLES

SATO = ("sato", "--role", "operator", "--shown", "佐藤花子", "--designated", "2026-04-01", "--trained", "2026-04-02")
NOW_MS = 1_790_000_000_000  # September 2026


@pytest.fixture
def user(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Run `junban user …` on that folder; gives exit code, output and complaint."""
    for name in ("JUNBAN_LEDGER_URL", "JUNBAN_OFFICE"):
        monkeypatch.delenv(name, raising=False)

    def run(act: str, *words: str) -> tuple[int, str, str]:
        code = cli.main(["user", act, *words, "--data", str(tmp_path)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def people(tmp_path: Path) -> People:
    office = read_office(PRACTICE_OFFICE).key
    return People(Ledger(sqlite_url(tmp_path / "ledger.sqlite"), office), now_ms=lambda: NOW_MS)


def password_in(said: str) -> str:
    found = re.search(r"一回限りのパスワード: (\S+)", said)
    assert found, said
    return found[1]


def test_the_words_of_the_command_are_the_roles_of_the_table() -> None:
    assert [str(role) for role in PEOPLE] == PEOPLE_ROLES
    assert "、".join(f"{role}（{ROLES[role]}）" for role in PEOPLE) == ROLE_HELP


def test_the_first_operator_comes_in_with_the_password_that_was_printed(user, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert user("list")[1].startswith("取扱者はまだいません。junban user add ")
    assert user("end", "sato")[0] == 1
    assert [*tmp_path.iterdir()] == []  # who mistypes a folder makes no ledger there
    code, said, _ = user("add", *SATO)
    assert code == 0
    assert said.startswith("sato（佐藤花子、運用担当者 operator）を登録しました。\n")
    assert "新しいパスワードに変更します" in said
    assert people(tmp_path).sign_in("sato", password_in(said)).person.must_change
    assert password_in(said).encode() not in b"".join(path.read_bytes() for path in tmp_path.glob("ledger*"))
    listed = json.loads(user("list", "--json")[1])["people"]
    assert [(one["name"], one["has_access"], one["must_change"]) for one in listed] == [("sato", True, True)]
    assert "password" not in listed[0]
    assert password_in(said) not in user("list")[1]


def test_what_the_first_page_says_to_type_lets_the_first_operator_in(user, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    page = StaffPages(read_office(PRACTICE_OFFICE)).sign_in(then="", is_first=True)
    command = re.findall(r'class="command"><code>(.+?)</code>', bytes(page.body).decode())
    words = re.sub(r"<.+?>", "", command[0]).removeprefix("junban user add ").split()
    marks = {"利用者名": "sato", "氏名": "佐藤花子", "指定日": "2026-04-01", "研修日": "2026-04-02"}
    code, said, _ = user("add", *(marks.get(word, word) for word in words))
    assert code == 0
    assert people(tmp_path).sign_in("sato", password_in(said)).person.role == "operator"


def test_without_dates_there_is_no_access_until_they_are_given(user) -> None:  # type: ignore[no-untyped-def]
    user("add", *SATO)
    said = user("add", "ueda", "--role", "counter", "--shown", "上田")[1]
    assert "両方がそろうまで、利用できません。junban user change ueda" in said
    assert "利用できません（指定日 なし、研修日 なし）" in user("list")[1]
    assert user("change", "ueda", "--designated", "2026-05-01", "--trained", "2026-05-01")[0] == 0
    assert "ueda  窓口担当 counter  上田  利用中" in user("list")[1]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("add", *SATO), "この利用者名は使われているか"),
        (("add", "Sato", *SATO[1:]), "利用者名は英小文字で始め"),
        (("add", "ito", *SATO[1:-1], "2026-02-30"), "指定日と研修日は"),
        (("add", "ito", *SATO[1:-1], "2999-01-01"), "指定日と研修日は"),
        (("end", "sato"), "運用担当者がいなくなるため"),
        (("change", "sato", "--role", "counter"), "運用担当者がいなくなるため"),
        (("reset", "nobody"), "この利用者は登録されていません"),
        (("change", "nobody", "--shown", "誰か"), "この利用者は登録されていません"),
    ],
)
def test_each_mistake_is_one_sentence_and_changes_nothing(user, words: tuple[str, ...], sentence: str) -> None:  # type: ignore[no-untyped-def]
    user("add", *SATO)
    before = user("list", "--json")
    code, said, complaint = user(*words)
    assert (code, said) == (1, "")
    assert complaint.startswith(f"junban: {sentence}")
    assert user("list", "--json") == before


def test_handler_is_another_word_for_user(user, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    user("add", *SATO)
    assert cli.main(["handler", "list", "--json", "--data", str(tmp_path)]) == 0
    assert cli.main(["handler", "reset", "nobody", "--data", str(tmp_path)]) == 1


def test_a_role_that_there_is_not_is_wrong_use(user) -> None:  # type: ignore[no-untyped-def]
    code, said, complaint = user("add", "ito", "--role", "boss", "--shown", "伊藤")
    assert (code, said) == (2, "")
    assert "--role の値が正しくありません" in complaint


def test_the_log_names_who_typed_a_command_and_which_run_of_it(user, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    user("add", *SATO)
    user("reset", "sato")
    ledger = Ledger(sqlite_url(tmp_path / "ledger.sqlite"), read_office(PRACTICE_OFFICE).key)
    entries = Log(ledger).page().entries
    ledger.close()
    assert {entry.who for entry in entries} == {author().who}
    assert len({entry.request for entry in entries} - {""}) == len(entries) == 2


def test_reset_end_restore_and_unlock(user) -> None:  # type: ignore[no-untyped-def]
    first = password_in(user("add", *SATO)[1])
    user("add", "ito", "--role", "counter", *SATO[3:])
    assert password_in(user("reset", "ito")[1]) != first
    assert user("end", "ito")[0] == 0
    assert "ito  窓口担当 counter  佐藤花子  利用終了" in user("list")[1]
    assert user("restore", "ito")[0] == 0
    assert user("unlock", "ito")[0] == 0
    assert "ito  窓口担当 counter  佐藤花子  利用中" in user("list")[1]
