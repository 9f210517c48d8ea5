"""A document that can be wrong is a document that can fail: README, the key book, and what they promise."""

import argparse
import functools
import re
import shlex
from pathlib import Path

import pytest

from config.cli import parser
from config.commands.asking import Parser
from tests.house.documents import ROOT, TABLES, written

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [path.relative_to(ROOT) for path in (ROOT / "README.md", *ROOT.glob("[a-z]*/**/*.md"))]
TYPED = re.compile(r"^ *junban (.*)$", re.MULTILINE)  # in a block, to be copied
MEANT = {"DIR": "data", "N": "9000", "URL": "http://127.0.0.1:8081", "ROLE": "counter", "KEY": "genkan"}
COMMAND = re.compile(r"^\| `junban (.*?)` \|", re.MULTILINE)


@pytest.mark.parametrize("name", TABLES)
def test_a_table_says_what_the_code_says(name: str) -> None:
    page, make = TABLES[name]
    assert written(name) == make(), f"{page} is behind: python -m tests.house.documents"


@functools.cache
def verbs(below: argparse.ArgumentParser | None = None) -> dict[str, Parser]:
    """What can be typed; `ledger verify` is a verb of its own, `handler`, another word for `user`, is none."""
    found: dict[str, Parser] = {}
    for action in (below or parser())._actions:
        for name, verb in dict(action.choices).items() if isinstance(action, argparse._SubParsersAction) else ():
            if not verb.prog.endswith(f" {name}"):
                continue  # another word
            own = verbs(verb)
            found |= {f"{name} {act}": parsed for act, parsed in own.items()} if own else {name: verb}
    return found


def verb_of(command: str) -> str:
    words = command.split()
    return next(name for name in (" ".join(words[:2]), words[0]) if name in verbs())


def test_every_command_of_the_readme_can_be_typed() -> None:
    commands = [*COMMAND.findall(README), *TYPED.findall(README)]
    assert commands
    typed = parser()
    for command in commands:
        for word, value in MEANT.items():
            command = re.sub(rf" {word}\b", f" {value}", command)
        words = shlex.split(command)
        assert typed.parse_args(words).verb == words[0]


def test_every_make_verb_that_is_typed_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert {"demo", "install"} <= set(re.findall(r"^ *make ([a-z]+)$", README, re.MULTILINE)) <= targets


def test_every_verb_and_option_is_in_the_readme() -> None:
    described = COMMAND.findall(README)
    assert {verb_of(command) for command in described} == set(verbs())
    for name, verb in verbs().items():
        if verb.fill is not None:
            continue  # its many options stand in its own --help
        options = {action.option_strings[-1] for action in verb._actions if action.option_strings} - {"--help"}
        told = {word for command in described if verb_of(command) == name for word in re.findall(r"--[\w-]+", command)}
        assert told == options, name


def test_every_make_verb_of_the_readme_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z]+)\b(?=`|$)", README, re.MULTILINE))
    assert {"demo", "test", "help"} <= named <= targets


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_path_that_a_page_names_exists(page: Path) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    rooms = r"(?:hub|workers|web|kiosk_client|config|tests)"
    named = set(re.findall(rf"`({rooms}/[\w./-]+)`", text))
    linked = set(re.findall(r"\]\((?!https?:|#)([^)]+)\)", text))
    missing = {path for path in named if not (ROOT / path).exists()}
    missing |= {path for path in linked if not (ROOT / page.parent / path).exists()}
    assert missing == set()


def test_the_words_of_the_readme_are_each_said_once() -> None:
    table = README.split("## Words")[1].split("\n## ")[0]
    words = re.findall(r"^\| ([a-z, ]+) \|", table, re.MULTILINE)[1:]
    each = [word.strip() for row in words for word in row.split(",")]
    assert len(each) == len(set(each)) > 10
