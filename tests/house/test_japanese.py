"""One thing has one word, wherever residents, staff and operators read it: the table stands in the README."""

import re

import pytest

from tests.house.documents import ROOT

ROOMS = ("config", "hub", "kiosk_client", "web", "workers")
WRITTEN = {".py", ".js", ".html", ".toml", ".lua"}
READ_ALOUD = ("web/static/spoken.js", "かた")
TABLE = (ROOT / "README.md").read_text(encoding="utf-8").split("## Words in Japanese")[1].split("\n## ")[0]
SETTLED = re.findall(r"^\| [^|]+ \| ([^ |]+) \| ([^ |]+)[^|]*\|$", TABLE, re.MULTILINE)[1:]  # below the rule
TEXTS = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for room in ROOMS
    for path in (ROOT / room).rglob("*")
    if path.suffix in WRITTEN
}


@pytest.mark.parametrize(("word", "others"), SETTLED)
def test_a_thing_is_called_by_its_one_word(word: str, others: str) -> None:
    assert any(word in text for text in TEXTS.values()), "a word that nobody uses"
    found = {(path, other) for other in others.split("、") for path, text in TEXTS.items() if other in text}
    assert found - {READ_ALOUD} == set(), f"it is called {word}"


def test_the_table_of_words_was_found() -> None:
    assert len(SETTLED) == TABLE.count("\n| ") - 2
