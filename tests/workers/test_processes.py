"""`junban worker email` and `junban keeper` as they are started in earnest: a wish arrives as a letter."""

import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from config import processes
from config.embedded import EmbeddedValkey
from config.posts import JUNBAN
from hub.desk.notices import NoticeState, Trigger
from hub.ledger.connection import sqlite_url
from hub.ledger.operations import Ledger
from hub.store.days import Days, Lag
from tests.eventually import WITHIN_S, eventually
from tests.workers.postbox import Postbox, postbox
from tests.workers.ward import EMAIL, MASTER, Ward, ward
from workers.keys import KeyHost

OFFICE = """
key = "{key}"
name = "さくら区役所"
lanes = [ {{ key = "certificates", name = "証明", prefix = "A", first = 101, last = 199 }} ]
counters = [ {{ key = "2", name = "2番窓口", lanes = ["certificates"] }} ]
"""
TO = "canary-7@example.test"
PASSWORD = "pass-canary"

NO_MAIL = {"JUNBAN_SMTP_URL": "", "JUNBAN_MAIL_FROM": ""}
SECRET = "of-a-carrier"
CARRIERS: dict[str, dict[str, str]] = {
    "email": {},
    "line": NO_MAIL | {"JUNBAN_LINE_TOKEN": SECRET, "JUNBAN_LINE_SECRET": SECRET, "JUNBAN_LINE_ACCOUNT": "@123abcde"},
    "line begun": NO_MAIL | {"JUNBAN_LINE_TOKEN": SECRET},
    "phone": NO_MAIL
    | {"JUNBAN_PHONE_ACCOUNT": "AC1", "JUNBAN_PHONE_TOKEN": SECRET, "JUNBAN_PHONE_FROM": "+81312345678"},
}

Start = Callable[..., processes.Child]


@pytest.fixture
def box() -> Iterator[Postbox]:
    with postbox() as opened:
        yield opened


@pytest.fixture
def start(valkey_server: EmbeddedValkey, office_name: str, tmp_path: Path, box: Postbox) -> Iterator[Start]:
    """Starts a verb on this office; its lines go to `VERB.log`, its sign of life to `VERB.alive`."""
    (tmp_path / "office.toml").write_text(OFFICE.format(key=office_name), encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JUNBAN_")} | {
        "PYTHONPATH": ":".join(sys.path),
        "JUNBAN_REDIS_URL": valkey_server.url,
        "JUNBAN_OFFICE": str(tmp_path / "office.toml"),
        "JUNBAN_SMTP_URL": f"smtp://127.0.0.1:{box.port}?starttls=never",
        "JUNBAN_MAIL_FROM": "junban@city.example.jp",
        "JUNBAN_KEY_DIR": str(tmp_path / "keys"),
        "JUNBAN_MASTER_KEY": MASTER.hex(),
        "JUNBAN_PUBLIC_URL": "https://junban.example.jp",
        "JUNBAN_SEARCH_DIRS": str(tmp_path),
        "JUNBAN_LEDGER_URL": sqlite_url(tmp_path / "ledger.sqlite"),
        "JUNBAN_LEDGER_KEY_DIR": str(tmp_path),
    }
    begun: list[processes.Child] = []

    def go(*words: str, **more: Any) -> processes.Child:
        command = [*JUNBAN, *words, "--alive", str(tmp_path / f"{words[0]}.alive")]
        with (tmp_path / f"{words[0]}.log").open("ab") as log:
            begun.append(
                processes.start(command, name=words[0], environment=environment | more, stdout=log, stderr=log)
            )
        return begun[-1]

    yield go
    for child in begun:
        child.kill()


async def told(office: Ward, ticket: int, **wanted: NoticeState) -> bool:
    return await office.states(ticket) == {Trigger(name): state for name, state in wanted.items()}


async def today_and_tomorrow(office: Ward) -> bool:
    """The keys of both days are there."""
    return len(await office.contacts.published()) == 2


def facts_in(book: Ledger, day: str) -> list[str]:
    """Where they stood in the stream; that the keeper began its work is a note and no fact."""
    return [entry.position for entry in book.day_entries(day) if not entry.position.startswith("own:")]


async def test_a_wish_becomes_two_letters_and_both_processes_end_in_order(
    valkey_server: EmbeddedValkey, office_name: str, tmp_path: Path, box: Postbox, start: Start
) -> None:
    async with ward(valkey_server.url, office_name, tmp_path / "keys") as office:
        keeper, worker = start("keeper"), start("worker", "email")
        third = [await office.take() for _ in range(3)][-1]
        await office.wish(third, TO)
        await eventually(lambda: told(office, third, registered=NoticeState.ACCEPTED))
        await office.call()
        await eventually(lambda: told(office, third, registered=NoticeState.ACCEPTED, near=NoticeState.ACCEPTED))
        assert [letter.to for letter in box.letters] == [TO, TO]
        assert box.connections == 1  # kept from one job to the next
        await eventually(lambda: today_and_tomorrow(office))
        book = Ledger(sqlite_url(tmp_path / "ledger.sqlite"), office_name)
        facts: Any = office.client.xlen(office.names.facts(office.day))
        count = await facts
        await eventually(lambda: len(facts_in(book, office.day)) == count)
        book.close()
        for verb in ("keeper", "worker"):
            await eventually((tmp_path / f"{verb}.alive").exists)
            seen = (tmp_path / f"{verb}.alive").stat().st_mtime_ns
            await eventually(lambda: (tmp_path / f"{verb}.alive").stat().st_mtime_ns > seen)  # noqa: B023
        assert [keeper.stop(grace_s=WITHIN_S), worker.stop(grace_s=WITHIN_S)] == [0, 0]
    for log in tmp_path.glob("*.log"):
        text = log.read_text()
        assert "canary" not in text
        assert MASTER.hex() not in text
        assert "Traceback" not in text


async def test_a_keeper_without_a_mail_server_archives(
    valkey_server: EmbeddedValkey, office_name: str, tmp_path: Path, start: Start
) -> None:
    none = dict.fromkeys(("JUNBAN_SMTP_URL", "JUNBAN_MAIL_FROM", "JUNBAN_KEY_DIR", "JUNBAN_MASTER_KEY"), "")
    async with ward(valkey_server.url, office_name, tmp_path / "keys") as office:
        before = await office.contacts.published()
        keeper = start("keeper", **none)
        await office.take()
        days = Days(office.client, office.office)
        await eventually((tmp_path / "ledger-signing.pem").exists)
        book = Ledger(sqlite_url(tmp_path / "ledger.sqlite"), office_name)
        await eventually((tmp_path / "ledger.sqlite").exists)
        await eventually(lambda: told_all(days))
        assert len(facts_in(book, office.day)) == 2
        book.close()
        assert await office.contacts.published() == before  # no key is made for what nobody can send
        await eventually((tmp_path / "keeper.alive").exists)
        assert keeper.stop(grace_s=WITHIN_S) == 0
    assert (tmp_path / "ledger-signing.pem").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "ledger.sqlite").stat().st_mode & 0o077 == 0


async def told_all(days: Days) -> bool:
    """The archiver has turned and left nothing."""
    return await days.lag() == Lag()


async def test_a_killed_worker_is_followed_by_another(
    valkey_server: EmbeddedValkey, office_name: str, tmp_path: Path, box: Postbox, start: Start
) -> None:
    async with ward(valkey_server.url, office_name, tmp_path / "keys") as office:
        start("keeper")
        first = start("worker", "email")
        ticket = await office.take()
        await office.wish(ticket, TO)
        await eventually(lambda: len(box.letters) == 2)
        first.kill()
        other = await office.take()
        await office.wish(other, "next@example.test", ahead=20)
        start("worker", "email")
        await eventually(lambda: len(box.letters) == 4)
        assert [letter.to for letter in box.letters].count(TO) == 2


async def test_a_worker_taken_over_ends_with_a_sentence(
    valkey_server: EmbeddedValkey, office_name: str, tmp_path: Path, start: Start, box: Postbox
) -> None:
    async with ward(valkey_server.url, office_name, tmp_path / "keys") as office:
        start("keeper")
        worker = start("worker", "email")
        await office.wish(await office.take(), TO)
        await eventually(lambda: len(box.letters) == 2)
        await office.outbox.take_over(EMAIL, office.day)
        await office.wish(await office.take(), TO)
        await eventually(lambda: not worker.is_running)
        assert worker.exit_code == 1
        assert "この送信手段（email）は別のワーカーが" in (tmp_path / "worker.log").read_text().splitlines()[-1]


async def test_a_wrong_master_key_is_said_and_the_worker_goes_on(
    valkey_server: EmbeddedValkey, office_name: str, tmp_path: Path, start: Start, box: Postbox
) -> None:
    async with ward(valkey_server.url, office_name, tmp_path / "keys") as office:
        keeper = start("keeper", JUNBAN_MASTER_KEY="0" * 64)
        await office.wish(await office.take(), TO)
        await eventually(lambda: "JUNBAN_MASTER_KEY" in (tmp_path / "keeper.log").read_text())
        assert keeper.is_running
        assert box.letters == []


def test_a_stop_while_the_store_is_away_is_heard(tmp_path: Path, start: Start) -> None:
    import anyio

    for words in (["worker", "email"], ["keeper"]):
        child = start(*words, JUNBAN_REDIS_URL=f"unix://{tmp_path}/nobody")
        anyio.run(eventually, (tmp_path / f"{words[0]}.alive").exists)
        assert child.stop(grace_s=WITHIN_S) == 0


@pytest.mark.parametrize("carrier", CARRIERS.values(), ids=CARRIERS)
async def test_a_keeper_without_a_master_key_says_so_and_still_destroys(
    valkey_server: EmbeddedValkey, office_name: str, tmp_path: Path, start: Start, carrier: dict[str, str]
) -> None:
    KeyHost(tmp_path / "keys", MASTER).ensure("2020-01-01")
    async with ward(valkey_server.url, office_name, tmp_path / "keys") as office:
        before = await office.contacts.published()
        keeper = start("keeper", JUNBAN_MASTER_KEY="", **carrier)
        await eventually(lambda: not (tmp_path / "keys" / "2020-01-01.key").exists(), 30.0)
        assert await office.contacts.published() == before, "no key is made"
        assert keeper.stop(grace_s=WITHIN_S) == 0
    assert "番号の発行と呼び出しは続きます" in (tmp_path / "keeper.log").read_text()


async def test_no_process_leaves_a_core_file(
    valkey_server: EmbeddedValkey, office_name: str, tmp_path: Path, start: Start
) -> None:
    async with ward(valkey_server.url, office_name, tmp_path / "keys"):
        keeper = start("keeper")
        limits = Path(f"/proc/{keeper.pid}/limits")
        await eventually(lambda: re.search(r"Max core file size +0 ", limits.read_text()), 20.0)
