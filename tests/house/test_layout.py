"""What stands where: the fixed top level, the one reader of the environment, and what a Lua file opens with."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from config.logs import FIELDS
from tests.house.documents import FUNCTIONS, ROOT, contract

ROOMS = {"hub", "workers", "web", "kiosk_client", "config", "tests"}
BESIDE = {
    "CHANGELOG.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "pyproject.toml",
    "requirements.lock",
    "requirements-dev.lock",
}
# Written apart, so that this file does not find itself.
MARKS = re.compile("|".join(rf"\b{left}{right}\b" for left, right in (("TO", "DO"), ("FIX", "ME"), ("XX", "X"))))
READS_ENVIRONMENT = re.compile(r"\bos\.(environ|getenv)|from os import .*(environ|getenv)")
LUA = sorted(FUNCTIONS.glob("*_v*.lua"))


def tracked() -> list[Path]:
    """Every file of the project; all of a folder where there is no git."""
    found = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if found.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in found.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_nothing_else_stands_at_the_root() -> None:
    top = {path.relative_to(ROOT).parts[0] for path in tracked()}
    assert {name for name in top if not name.startswith(".")} - ROOMS - BESIDE == set()


def test_no_mark_of_unfinished_work_is_left() -> None:
    found = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:  # a picture
            continue
        found += [f"{path.relative_to(ROOT)}: {mark[0]}" for mark in MARKS.finditer(text)]
    assert found == []


def fields_of_lines(path: Path) -> set[str]:
    """Every name under which a line of the log says something, in this file."""
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    logged = [call for call in calls if isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) == "_log"]
    names = {field.arg for call in logged for field in call.keywords if field.arg is not None}
    return names - {"exc_info"}  # told as `error` and `where`


def fields_of_files() -> dict[str, set[str]]:
    """Path → what its lines of the log say; without the tests."""
    ours = [path for path in tracked() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] != "tests"]
    told = {path.relative_to(ROOT).as_posix(): fields_of_lines(path) for path in ours}
    assert len([path for path, fields in told.items() if fields]) > 5
    return told


def test_no_line_of_the_log_says_what_is_left_out_of_it() -> None:
    """A field that is not on the list is dropped: whoever reads the line would find nothing in it."""
    dropped = {path: fields - FIELDS for path, fields in fields_of_files().items()}
    assert {path: fields for path, fields in dropped.items() if fields} == {}


def test_the_list_of_the_log_has_no_field_that_no_line_says() -> None:
    said = set().union(*fields_of_files().values())
    assert FIELDS - said == {"event", "level", "logger", "timestamp", "where", "dropped"}, "of every line, or of faults"


def test_only_the_settings_read_the_environment() -> None:
    readers = {
        path.relative_to(ROOT).as_posix()
        for path in tracked()
        if path.suffix == ".py"
        and path.relative_to(ROOT).parts[0] != "tests"
        and READS_ENVIRONMENT.search(path.read_text(encoding="utf-8"))
    }
    assert readers == {"config/settings.py"}


@pytest.mark.parametrize("path", LUA, ids=lambda path: path.stem)
def test_a_lua_file_opens_with_its_contract(path: Path) -> None:
    does, parts = contract(path)
    assert does.endswith(".")
    assert list(parts)[:4] == ["KEYS", "ARGS", "GIVES", "REFUSES"]
    assert all(parts.values())


@pytest.mark.parametrize("path", LUA, ids=lambda path: path.stem)
def test_a_lua_file_registers_the_function_of_its_name(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    names = re.findall(r"register_function(?:\(|\{function_name = )'(\w+)'", text)
    assert names == [path.stem]
    assert re.search(r"_v[1-9]\d*$", path.stem)
    assert f"local function {path.stem}(keys, args)" in text


@pytest.mark.parametrize("path", LUA, ids=lambda path: path.stem)
def test_every_refusal_of_a_lua_file_is_in_its_contract(path: Path) -> None:
    raised = set(re.findall(r"refusal\('(\w+)'", path.read_text(encoding="utf-8")))
    _, parts = contract(path)
    everywhere = {"Peek", "StaleDay", "OtherBody"}  # said once, in the prelude
    assert raised - everywhere <= set(re.findall(r"[A-Z]\w+", parts["REFUSES"]))
