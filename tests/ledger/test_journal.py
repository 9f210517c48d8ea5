"""What people and devices did moves into the chain once, in order, and only what the allow-list names."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from hub.ledger.connection import transaction
from hub.ledger.journal import Author, note, tokyo_day
from hub.ledger.kept import NOTED, SHAPES, UNKNOWN, WITHHELD, NotKept
from hub.ledger.operations import Ledger
from hub.ledger.tables import JOURNAL
from hub.ledger.verifying import verify
from tests.ledger.chains import NOON
from tests.postgresql import PostgreSql

STAFF = Author("staff:sato", "request-1")
WELL_FORMED = {
    "role": "counter",
    "number": "A101",
    "designated": "2026-04-01",
    "trained": "",
    "device": "wall-3k9f2a",
    "act": "act a_desk",
    "date": "2026-11-24",
    "given": "2026-11-24",
    "held": "2026-11-24",
    "key": "0123456789abcdef",
    "method": "key+unlink",
    "verified_until": "2026-11-25T00:10:02.123+09:00",
    "contacts": "12",
    "files": "7",
    "keys": "1",
    "last_hash": "0a" * 32,
    "first_day": "2026-11-01",
    "last_day": "",
}


def do(ledger: Ledger, kind: str = "SignedIn", at: int = NOON, **told: str) -> None:
    with transaction(ledger.engine, writes=True) as connection:
        note(connection, ledger.office, kind, at, STAFF, told or {"name": "sato", "role": "counter"})


def slip_in(ledger: Ledger, kind: str, fields: str, who: str = "staff:sato") -> None:
    """Past `note`, by somebody with the database."""
    row = {"office": ledger.office, "type": kind, "at": NOON, "who": who, "request": "", "fields": fields}
    with transaction(ledger.engine, writes=True) as connection:
        connection.execute(sa.insert(JOURNAL).values(row))


def left(ledger: Ledger) -> int:
    with transaction(ledger.engine, writes=False) as connection:
        mine = sa.select(sa.func.count()).select_from(JOURNAL).where(JOURNAL.c.office == ledger.office)
        return connection.execute(mine).scalar_one()


def chained(ledger: Ledger) -> list[dict[str, Any]]:
    return [json.loads(entry.text) for entry in ledger.entries()]


def test_notes_move_in_their_order_and_a_batch_at_a_time(ledger: Ledger) -> None:
    for n in range(5):
        do(ledger, at=NOON + n)
    assert [ledger.chain_journal(most=2) for _ in range(4)] == [2, 2, 1, 0]
    entries = chained(ledger)
    assert [entry["at"] for entry in entries] == [NOON + n for n in range(5)]
    assert entries[0]["fields"] == {"name": "sato", "role": "counter"}
    assert (entries[0]["who"], entries[0]["request"], entries[0]["type"]) == ("staff:sato", "request-1", "SignedIn")
    assert len({entry["position"] for entry in entries}) == 5
    assert all(entry["position"].startswith("own:") for entry in entries)
    assert left(ledger) == 0
    assert verify(ledger).is_whole


def test_a_note_belongs_to_the_day_of_tokyo(ledger: Ledger) -> None:
    midnight = NOON + 12 * 3_600_000
    assert (tokyo_day(midnight - 1), tokyo_day(midnight)) == ("2026-11-24", "2026-11-25")
    for at in (midnight - 1, midnight):
        do(ledger, at=at)
    ledger.chain_journal()
    assert [entry["day"] for entry in chained(ledger)] == ["2026-11-24", "2026-11-25"]


@pytest.mark.parametrize("kind", NOTED)
def test_every_kind_passes_when_it_is_as_it_must_be(ledger: Ledger, kind: str) -> None:
    told = {field: WELL_FORMED.get(field, "sato") for field in NOTED[kind]}
    assert all(SHAPES[field].fullmatch(text) for field, text in told.items())
    slip_in(ledger, kind, json.dumps(told))
    ledger.chain_journal()
    (entry,) = chained(ledger)
    assert (entry["type"], entry["fields"]) == (kind, told)


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ('{"name": "sato", "why": "a@example.test"}', {"name": "sato", "why": WITHHELD}),
        ('{"name": "090-1234-5678", "why": "left"}', {"name": WITHHELD, "why": "left"}),
        ('{"name": "sato", "why": "left", "address": "a@example.test"}', {"name": "sato", "why": "left"}),
        ('{"name": "sato"}', {"name": "sato", "why": WITHHELD}),
        ('{"name": ["a@example.test"], "why": null}', {"name": WITHHELD, "why": WITHHELD}),
        ("no json: a@example.test", {"name": WITHHELD, "why": WITHHELD}),
        ('"a@example.test"', {"name": WITHHELD, "why": WITHHELD}),
    ],
)
def test_what_does_not_pass_is_withheld_and_never_lost(ledger: Ledger, fields: str, kept: dict[str, str]) -> None:
    slip_in(ledger, "SignedOut", fields, who="a@example.test")
    ledger.chain_journal()
    (entry,) = chained(ledger)
    assert (entry["type"], entry["fields"], entry["who"]) == ("SignedOut", kept, WITHHELD)
    assert "example" not in str(chained(ledger))
    assert left(ledger) == 0


def test_a_kind_that_nobody_has_allowed_leaves_that_there_was_one(ledger: Ledger) -> None:
    slip_in(ledger, "ContactShown", '{"name": "a@example.test"}')
    ledger.chain_journal()
    (entry,) = chained(ledger)
    assert (entry["type"], entry["fields"]) == (UNKNOWN, {})


def test_a_note_outside_of_the_allow_list_is_not_even_taken(ledger: Ledger) -> None:
    with pytest.raises(NotKept):
        do(ledger, "SignedIn", name="sato", role="counter", password="secret-1")
    with pytest.raises(NotKept):
        do(ledger, "ContactShown", name="sato")
    assert left(ledger) == 0


def test_notes_of_many_at_once_are_each_in_the_chain_once(ledger: Ledger, ledger_url: str) -> None:
    """Writers and two archivers beside each other; on PostgreSQL a smaller id may become visible later."""
    other = Ledger(ledger_url, ledger.office)

    def write(writer: int) -> None:
        for n in range(20):
            do(ledger, at=NOON + writer * 100 + n)

    def move(book: Ledger) -> None:
        while len(list(ledger.entries())) < 80:
            book.chain_journal(most=7)

    with ThreadPoolExecutor(6) as pool:
        done = [pool.submit(write, writer) for writer in range(4)] + [
            pool.submit(move, book) for book in (ledger, other)
        ]
    for each in done:
        each.result()
    other.close()
    assert sorted(entry["at"] for entry in chained(ledger)) == [NOON + w * 100 + n for w in range(4) for n in range(20)]
    assert left(ledger) == 0
    assert verify(ledger).is_whole


def test_a_note_that_becomes_visible_late_is_not_lost(postgresql_server: PostgreSql, office_name: str) -> None:
    """On PostgreSQL a slower writer may have the smaller id, and commit while the archiver moves what it has seen."""
    ledger = Ledger(postgresql_server.url, office_name)
    ledger.prepare()
    with ledger.engine.connect() as slow:
        note(slow, office_name, "SignedIn", NOON, STAFF, {"name": "slow", "role": "counter"})
        do(ledger, name="quick", role="counter")

        @sa.event.listens_for(ledger.engine, "before_cursor_execute")
        def commit_just_then(connection: object, cursor: object, statement: str, *_: object) -> None:
            if statement.startswith("DELETE FROM journal") and slow.in_transaction():
                slow.commit()

        assert ledger.chain_journal() == 1
        assert not slow.in_transaction()
    assert ledger.chain_journal() == 1
    assert [entry["fields"]["name"] for entry in chained(ledger)] == ["quick", "slow"]
    ledger.close()
