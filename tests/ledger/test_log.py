"""The log is read newest first, page by page, without a hole and without a repetition; what waits is told as such."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from hub.desk.facts import TicketCalled, TicketIssued
from hub.ledger.connection import sqlite_url, transaction
from hub.ledger.journal import Author, note
from hub.ledger.log import MOST_UNCHAINED, Log
from hub.ledger.operations import Ledger, Stream
from tests.postgresql import PostgreSql

DAY = "2026-11-24"
MIDNIGHT_MS = 1_795_446_000_000  # the first of that day in Tokyo


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(sqlite_url(tmp_path / "ledger.sqlite"), "ward")
    ledger.prepare()
    yield ledger
    ledger.close()


def chain(ledger: Ledger, count: int, day: str = DAY) -> None:
    facts = [
        (
            f"{i}-0",
            TicketIssued(
                at=i, who="kiosk", request=f"r{i}", arrival=i, number=f"A{i}", lane="a", rank=i, source="kiosk"
            )
            if i % 2
            else TicketCalled(
                at=i, who="staff:sato", request=f"r{i}", arrival=i, number=f"A{i}", lane="a", counter="1"
            ),
        )
        for i in range(1, count + 1)
    ]
    ledger.append(day, Stream(), facts, accounted=count, removed=0)


def wait(ledger: Ledger, at: int, name: str = "sato", who: str = "staff:sato", office: str = "ward") -> None:
    with transaction(ledger.engine, writes=True) as connection:
        note(connection, office, "SignedIn", at, Author(who), {"name": name, "role": "counter"})


def test_pages_follow_each_other_to_the_first_entry(ledger: Ledger) -> None:
    chain(ledger, 25)
    log, seen, before = Log(ledger), list[int | None](), None
    for _ in range(3):
        page = log.page(before_seq=before, limit=10)
        seen += [entry.seq for entry in page.entries]
        before = page.before_seq
    assert seen == list(range(25, 0, -1))
    assert before is None


def test_a_page_that_is_just_full_is_the_last(ledger: Ledger) -> None:
    chain(ledger, 10)
    assert log_seqs(ledger) == list(range(10, 0, -1))
    assert Log(ledger).page(limit=10).before_seq is None


def test_what_waits_for_the_chain_stands_first_and_on_the_first_page_only(ledger: Ledger) -> None:
    chain(ledger, 3)
    wait(ledger, 500)
    wait(ledger, 600, name="suzuki")
    page = Log(ledger).page(limit=2)
    assert [(entry.seq, entry.at) for entry in page.entries] == [(None, 600), (None, 500), (3, 3), (2, 2)]
    assert page.entries[0].fields == {"name": "suzuki", "role": "counter"}
    assert page.unchained == 2
    older = Log(ledger).page(before_seq=page.before_seq, limit=2)
    assert [entry.seq for entry in older.entries] == [1]
    assert older.unchained == 0


def test_a_note_that_is_moved_while_the_log_is_read_is_told_once(
    postgresql_server: PostgreSql, office_name: str
) -> None:
    reading, moving = (Ledger(postgresql_server.url, office_name) for _ in range(2))
    reading.prepare()
    for at in (500, 600):
        wait(reading, at, office=office_name)
    moved: list[int] = []

    @sa.event.listens_for(reading.engine, "after_cursor_execute")
    def move(*told: object) -> None:
        """The archiver has its turn after the first thing that was read."""
        if not moved:
            moved.append(moving.chain_journal())

    page = Log(reading).page()
    assert moved == [2]
    assert sorted(entry.at for entry in page.entries) == [500, 600]
    assert page.unchained == sum(entry.seq is None for entry in page.entries)
    reading.close()
    moving.close()


def test_a_journal_that_nobody_empties_is_told_by_its_length(ledger: Ledger) -> None:
    for at in range(MOST_UNCHAINED + 7):
        wait(ledger, at)
    page = Log(ledger).page()
    assert len(page.entries) == MOST_UNCHAINED
    assert page.unchained == MOST_UNCHAINED + 7
    assert page.entries[0].at == MOST_UNCHAINED + 6


def test_entries_are_found_by_day_person_and_kind(ledger: Ledger) -> None:
    chain(ledger, 4)
    chain(ledger, 4, "2026-11-25")
    for at in (MIDNIGHT_MS - 1, MIDNIGHT_MS, MIDNIGHT_MS + 86_400_000 - 1, MIDNIGHT_MS + 86_400_000):
        wait(ledger, at)
    wait(ledger, MIDNIGHT_MS, who="staff:mori")
    log = Log(ledger)
    assert [entry.seq for entry in log.page(day=DAY, who="staff:sato").entries] == [None, None, 4, 2]
    assert {entry.who for entry in log.page(who="staff:mori").entries} == {"staff:mori"}
    assert [entry.seq for entry in log.page(kind="TicketIssued").entries] == [7, 5, 3, 1]
    assert log.page(kind="TicketIssued", who="staff:sato").entries == ()
    assert log.page(day="2020-01-01").entries == ()
    for who in ("cli", "cli:sato", "cli_other"):
        wait(ledger, MIDNIGHT_MS, who=who)
    assert {entry.who for entry in log.page(who="cli").entries} == {"cli", "cli:sato"}, "whoever typed it"
    assert {entry.who for entry in log.page(who="cli:sato").entries} == {"cli:sato"}


def test_another_office_is_not_told(ledger: Ledger) -> None:
    chain(ledger, 2)
    wait(ledger, 1, office="elsewhere")
    assert log_seqs(ledger) == [2, 1]


def test_a_day_that_is_none_is_refused(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="isoformat"):
        Log(ledger).page(day="yesterday")


def log_seqs(ledger: Ledger) -> list[int | None]:
    return [entry.seq for entry in Log(ledger).page(limit=10).entries]
