"""The two locks agree, cover what pyproject asks for, and name no place where packages come from."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")
PINNED = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)


def pins(lock: str) -> dict[str, str]:
    return dict(PINNED.findall((ROOT / lock).read_text()))


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=~! ;]", requirement)[0].lower() for requirement in requirements}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert not re.search(r"://|^\s*--(?!hash=)|^[./]", text, re.MULTILINE)


@pytest.mark.parametrize("lock", LOCKS)
def test_everything_locked_has_a_hash(lock: str) -> None:
    entries = re.split(r"^(?=[a-z0-9-]+==)", (ROOT / lock).read_text(), flags=re.MULTILINE)[1:]
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert len(entries) == len(pins(lock))


def test_the_locks_agree() -> None:
    assert pins(LOCKS[0]).items() <= pins(LOCKS[1]).items()


def test_what_pyproject_asks_for_is_locked() -> None:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups, project = pyproject["dependency-groups"], pyproject["project"]
    runtime = names(project["dependencies"] + project["optional-dependencies"]["office"] + groups["build"])
    assert runtime <= pins(LOCKS[0]).keys()
    assert runtime | names(groups["dev"]) <= pins(LOCKS[1]).keys()
