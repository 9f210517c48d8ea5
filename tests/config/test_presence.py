"""A process that began and ended in order is in the log, and no ledger keeps it waiting."""

from collections.abc import Callable
from pathlib import Path

import pytest

from config import presence
from config.presence import KEEPER, noted
from hub.ledger.connection import sqlite_url
from hub.ledger.journal import Author
from hub.ledger.log import Log
from hub.ledger.operations import Ledger
from tests.eventually import eventually

BY = Author("keeper")
Told = Callable[[], list[tuple[str, str, str]]]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return sqlite_url(tmp_path / "ledger.sqlite")


@pytest.fixture
def told(url: str) -> Told:
    """What the log says, the oldest first."""

    def told() -> list[tuple[str, str, str]]:
        book = Ledger(url, "ward")
        entries = Log(book).page().entries
        book.close()
        return [(entry.type, entry.who, str(entry.fields["process"])) for entry in reversed(entries)]

    return told


async def test_a_beginning_and_an_orderly_end_are_noted(url: str, told: Told) -> None:
    Ledger(url, "ward").prepare()
    with noted(Ledger(url, "ward"), KEEPER, BY):
        await eventually(lambda: told() == [("ProcessStarted", "keeper", "keeper")])
    assert [kind for kind, _, _ in told()] == ["ProcessStarted", "ProcessStopped"]


async def test_a_ledger_that_is_made_later_is_waited_for_beside_the_work(
    url: str, told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "AGAIN_S", 0.01)
    with noted(Ledger(url, "ward"), KEEPER, BY):
        assert not list(tmp_path.iterdir()), "and nobody makes one in passing"
        Ledger(url, "ward").prepare()
        await eventually(lambda: len(told()) == 1)
    assert len(told()) == 2


def test_without_a_ledger_it_ends_all_the_same(url: str, tmp_path: Path) -> None:
    with noted(Ledger(url, "ward"), KEEPER, BY):
        pass
    assert not list(tmp_path.iterdir())
