"""`junban erase`: one number's contact at once, and what it says; wrong use of it and of the end of an agreement."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from config import erase_command
from config.cli import main
from config.erase_command import EraseCommand, NotErased
from config.ledger import LedgerSettings
from config.now import now_ms
from hub.ledger.asked import Asks
from hub.ledger.connection import LedgerUnusable, sqlite_url
from hub.ledger.journal import Author
from tests.config.test_end_command import OFFICE
from tests.workers.erasing import Night, night
from tests.workers.test_asked import asked_of

BY = Author("cli:sato", "q3oZ4lqWlT0mW1x7mBv2aA")


@pytest.fixture
async def at_night(tmp_path: Path) -> AsyncIterator[Night]:
    async with night(tmp_path) as made:
        yield made


def command(at_night: Night, said: list[str]) -> EraseCommand:
    settings = LedgerSettings(at_night.folder, SecretStr(sqlite_url(at_night.folder / "ledger.sqlite")))
    return EraseCommand(settings, at_night.office.office, said.append, BY)


@contextlib.asynccontextmanager
async def kept(at_night: Night) -> AsyncIterator[None]:
    """With a keeper that has its turns."""
    asked = asked_of(at_night, Asks(at_night.ledger), now_ms=now_ms())

    async def turn() -> None:
        while True:
            await asked.turn()
            await at_night.archiver.turn()
            await at_night.turn()
            await asyncio.sleep(0.05)

    keeper = asyncio.create_task(turn())
    try:
        yield
    finally:
        keeper.cancel()
        await asyncio.wait({keeper})


async def test_it_says_what_was_erased_and_verified(at_night: Night) -> None:
    subscription = await at_night.give()
    said: list[str] = []
    async with kept(at_night):
        await asyncio.to_thread(command(at_night, said).run, "A101")
    (sentence,) = said
    assert "A101 の電子メールアドレスを" in sentence
    assert "に消去し、ファイルに残っていないことを" in sentence
    assert subscription in sentence


async def test_it_says_so_to_a_program(at_night: Night) -> None:
    subscription = await at_night.give()
    said: list[str] = []
    async with kept(at_night):
        await asyncio.to_thread(lambda: command(at_night, said).run("A101", as_json=True))
    (told,) = map(json.loads, said)
    (one,) = told["erased"]
    assert (told["ok"], told["number"], one["subscription"], one["carrier"]) == (True, "A101", subscription, "email")
    assert one["erased_at"] <= one["verified_at"]


async def test_it_refuses_where_there_is_none(at_night: Night) -> None:
    await at_night.give()
    async with kept(at_night):
        with pytest.raises(NotErased, match="A102 の連絡先はありません"):
            await asyncio.to_thread(command(at_night, []).run, "A102")


async def test_without_a_keeper_it_says_that_nothing_was_erased(
    at_night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    await at_night.give()
    monkeypatch.setattr(erase_command, "ANSWERED_WITHIN_S", 0.5)
    with pytest.raises(NotErased, match="A101 の連絡先は消去していません"):
        await asyncio.to_thread(command(at_night, []).run, "A101")


def test_without_a_ledger_there_is_nobody_to_ask(tmp_path: Path) -> None:
    from tests.model.desks import small_office

    settings = LedgerSettings(tmp_path, SecretStr(sqlite_url(tmp_path / "none.sqlite")))
    with pytest.raises(LedgerUnusable, match="台帳がまだありません"):
        EraseCommand(settings, small_office("ward"), print, BY).run("A101")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "--now --agreement のどちらかを書いてください"),
        (("--now", "a 101"), "--now の値が正しくありません"),
        (("--now", "A101", "--agreement", "ward"), "一緒に使えません"),
        (("--now", "A101", "--to", "back"), "--to は --agreement と一緒に使ってください"),
        (("--agreement", "ward", "--to", "back", "--json"), "--json は --now と一緒に使ってください"),
        (("--agreement", "ward", "--to", "back"), "--issued --issuer --addressee も書いてください"),
    ],
)
def test_wrong_use_is_one_sentence(
    words: tuple[str, ...],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "office.toml").write_text(OFFICE, encoding="utf-8")
    monkeypatch.setenv("JUNBAN_OFFICE", str(tmp_path / "office.toml"))
    assert main(["erase", *words]) == 2
    assert said in capsys.readouterr().err
