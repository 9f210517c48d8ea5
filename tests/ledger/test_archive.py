"""Every fact reaches the ledger once and in order; what cannot is said; and a stream goes only after it was kept."""

import asyncio
import contextlib
import json
import sqlite3
from pathlib import Path

import pytest
import redis
import sqlalchemy as sa
import structlog

from config.embedded import EmbeddedValkey
from hub.desk.refusals import StoreAway
from hub.ledger.connection import LedgerUnusable, sqlite_url, transaction
from hub.ledger.journal import Author
from hub.ledger.kept import SEGMENT
from hub.ledger.operations import Ledger
from hub.ledger.retention import close_before
from hub.ledger.tables import HEADS, OPERATIONS
from hub.ledger.verifying import verify
from hub.store.connection import connect
from hub.store.days import Days, Lag
from tests.ledger.chains import forged, linked, rows_of
from tests.ledger.office import ArchivedOffice, later, trim
from tests.model.desks import DAY
from tests.postgresql import PostgreSql
from workers.archive import ANEW, DIFFERS, UNREADABLE, Archiver
from workers.dispatch import Duties

BY = Author("cli:sato", "q3oZ4lqWlT0mW1x7mBv2aA")


async def test_every_fact_is_archived_once_and_in_order(office: ArchivedOffice) -> None:
    await office.work(40)
    await office.turn()
    await office.turn()
    await office.work(3)
    await office.turn()
    facts = await office.stream()
    assert len(facts) > 80
    assert office.holds(facts)
    assert verify(office.ledger).is_whole
    assert office.gaps() == []


async def test_three_days_without_an_archiver_lose_nothing_and_streams_go_only_afterwards(
    office: ArchivedOffice,
) -> None:
    told = {}
    for n in range(4):
        await office.desk.open_day(later(n))
        await office.work(5, day=later(n))
    for n in range(4):
        told[later(n)] = await office.stream(later(n))
        assert len(told[later(n)]) > 10
    await office.another_archiver(settled_s=3600).turn()  # hubs may still read yesterday
    assert [await office.stream(later(n)) for n in range(4)] == list(told.values())
    await office.turn()
    for n in range(4):
        assert office.holds(told[later(n)], later(n))
        assert bool(await office.stream(later(n))) == (n == 3)
    assert list((await office.days.list()).opened) == [later(3)]
    assert [head[0] for head in office.ledger.heads()] == [later(0), later(1), later(2)]
    assert sorted(path.name.removeprefix(office.ledger.office) for path in (office.folder / "heads").iterdir()) == [
        *(f"-{later(n)}.head.json{more}" for n in range(3) for more in ("", ".sig")),
        "ledger-key.pem",
    ]
    assert verify(office.ledger, [head[:3] for head in office.ledger.heads()]).is_whole


async def test_what_is_not_in_the_ledger_word_for_word_is_not_deleted(office: ArchivedOffice) -> None:
    await office.work(3)
    await office.turn()
    _, position = office.positions()[:2]
    with transaction(office.ledger.engine, writes=True) as connection:
        of_one = sa.and_(OPERATIONS.c.office == office.ledger.office, OPERATIONS.c.position == position)
        connection.execute(sa.update(OPERATIONS).where(of_one).values(who="staff:sato"))
    await office.desk.open_day(later(1))
    await office.turn()
    await office.turn()
    assert await office.stream()
    assert (await office.days.lag()).why == DIFFERS


async def test_a_chain_made_anew_is_given_no_fresh_signature(office: ArchivedOffice) -> None:
    """Whoever has the database takes the old head out of it as well, and the archiver would sign the day again."""
    await office.work(3)
    await office.turn()
    await office.desk.open_day(later(1))
    await office.turn()
    handed = {path.name: path.read_bytes() for path in (office.folder / "heads").iterdir()}
    assert len(handed) == 3
    rows = rows_of(office.ledger)
    rows[1]["who"] = "staff:sato"
    with structlog.testing.capture_logs() as said, forged(office.ledger, linked(office.ledger, rows), end=True):
        with transaction(office.ledger.engine, writes=True) as connection:
            connection.execute(sa.delete(HEADS).where(HEADS.c.office == office.ledger.office))
        await office.turn()
        await office.turn()
        assert (await office.days.lag()).why == ANEW
        assert office.ledger.heads() == []
    assert [line["day"] for line in said if line["event"] == ANEW] == [DAY]
    assert {path.name: path.read_bytes() for path in (office.folder / "heads").iterdir()} == handed
    await office.turn()  # the true chain is back: its head is the one that was signed
    assert (await office.days.lag()).why == ""
    assert [head[0] for head in office.ledger.heads()] == [DAY]


async def test_facts_cut_from_the_middle_leave_a_gap_with_their_number(office: ArchivedOffice) -> None:
    await office.work(3)
    await office.turn()
    archived = await office.stream()
    await office.work(4)
    new = (await office.stream())[len(archived) :]
    await trim(office.desk.client, office.desk.keys.facts(DAY), [position for position, _ in new[:3]])
    await office.turn()
    await office.turn()
    assert office.gaps() == [{"after": archived[-1][0], "before": new[3][0], "missing": "3"}]
    assert office.positions() == [position for position, _ in [*archived, *new[3:]]]


async def test_facts_cut_twice_at_the_end_of_an_open_day_leave_gaps_and_stop_nothing(office: ArchivedOffice) -> None:
    await office.work(3)
    await office.turn()
    archived, cut = await office.stream(), []
    for count in (1, 2):
        await office.work(count)
        new = (await office.stream())[len(archived) :]
        await trim(office.desk.client, office.desk.keys.facts(DAY), [position for position, _ in new])
        await office.turn()
        cut.append(str(len(new)))
    await office.work(1)
    await office.turn()
    assert office.positions() == [position for position, _ in await office.stream()]
    assert [gap["missing"] for gap in office.gaps()] == cut
    assert verify(office.ledger).is_whole


async def test_facts_cut_from_the_head_leave_a_gap(office: ArchivedOffice) -> None:
    await office.work(3)
    facts = await office.stream()
    await trim(office.desk.client, office.desk.keys.facts(DAY), [position for position, _ in facts[:2]])
    await office.turn()
    assert office.gaps() == [{"after": "", "before": facts[2][0], "missing": "2"}]
    assert office.positions() == [position for position, _ in facts[2:]]


async def test_archived_facts_may_be_cut_without_a_gap(office: ArchivedOffice) -> None:
    await office.work(3)
    await office.turn()
    await trim(office.desk.client, office.desk.keys.facts(DAY), [position for position, _ in await office.stream()])
    await office.work(1)
    await office.turn()
    assert office.gaps() == []
    assert len(office.positions()) == len(set(office.positions())) > 8


async def test_a_stream_that_is_gone_before_its_day_is_kept_leaves_a_gap(office: ArchivedOffice) -> None:
    await office.work(2)
    await office.turn()
    last = office.positions()[-1]
    await office.work(2)
    await office.desk.open_day(later(1))
    await office.client.delete(office.desk.keys.facts(DAY))
    await office.turn()
    assert office.gaps() == [{"after": last, "before": "", "missing": ""}]
    assert office.ledger.streams()[DAY].last_seq is not None


async def test_a_store_that_came_back_older_leaves_a_gap_and_goes_on(
    valkey_server: EmbeddedValkey, office: ArchivedOffice
) -> None:
    key = office.desk.keys.facts(DAY)
    await office.work(2)
    before = await office.stream()
    with contextlib.closing(redis.Redis.from_url(valkey_server.url)) as raw:
        backup = raw.dump(key)
        assert backup
    await office.work(2)
    await office.turn()
    archived = office.positions()
    with contextlib.closing(redis.Redis.from_url(valkey_server.url)) as raw:
        raw.restore(key, 0, backup, replace=True)
    assert await office.stream() == before
    await office.client.xadd(key, dict(before[-1][1]))
    await office.turn()
    (gap,) = office.gaps()
    assert gap["after"] == archived[-1]
    assert office.positions()[: len(archived)] == archived
    assert office.positions()[-1] == (await office.stream())[-1][0]
    assert len(office.positions()) == len(set(office.positions()))


async def test_a_fact_that_nobody_can_read_stops_its_day_and_no_other(office: ArchivedOffice) -> None:
    await office.work(2)
    facts = await office.stream()
    await office.client.xadd(office.desk.keys.facts(DAY), {"type": "NextYearsFact", "at": "1"})
    await office.work(1)
    await office.desk.open_day(later(1))
    await office.work(2, day=later(1))
    with structlog.testing.capture_logs() as said:
        for _ in range(3):
            await office.turn()
    assert [line["event"] for line in said].count(UNREADABLE) == 1
    assert office.positions() == [position for position, _ in facts]
    assert office.holds(await office.stream(later(1)), later(1))
    assert await office.stream()  # never deleted: the release that knows it finds it
    lag = await office.days.lag()
    assert lag.why == UNREADABLE
    assert lag.behind >= 3


async def test_two_archivers_at_once_keep_each_fact_once(
    valkey_server: EmbeddedValkey, office: ArchivedOffice, ledger_url: str
) -> None:
    other_book = Ledger(ledger_url, office.ledger.office)
    client = connect(valkey_server.url)
    other = Archiver(Days(client, office.desk.office), other_book, office.folder / "heads", office.archiver._key)
    try:
        for _ in range(10):
            await office.work(4)
            await asyncio.gather(office.turn(), other.turn())
        await office.desk.open_day(later(1))
        facts = await office.stream()
        await asyncio.gather(office.turn(), other.turn())
    finally:
        other_book.close()
        await client.aclose()
    assert office.holds(facts)
    assert verify(office.ledger).is_whole


async def test_a_ledger_that_is_away_is_told_and_archived_into_when_it_is_back(
    request: pytest.FixtureRequest, office: ArchivedOffice, ledger_url: str
) -> None:
    """SQLite: the disk is full (the file may not grow). PostgreSQL: it is stopped."""
    await office.work(2)
    await office.turn()
    kept = office.positions()
    duties = Duties({"archive": office.turn})
    server: PostgreSql | None = None
    if ledger_url.startswith("postgresql"):
        server = request.getfixturevalue("postgresql_server")
        server.stop()
    else:
        full(office.ledger, True)
    try:
        await office.work(200)
        with structlog.testing.capture_logs() as said:
            await duties.turn()
            await duties.turn()
        lines = [line for line in said if line["event"] == "duty failed"]
        assert len(lines) == 1
        assert "JUNBAN_LEDGER_URL" in lines[0]["why"]
        assert "staff" not in str(said)
        lag = await office.days.lag()
        assert (lag.is_told, lag.why) == (True, "LedgerUnusable")
        assert lag.behind == len(await office.stream()) - len(kept)
    finally:
        if server is not None:
            server.start()
        else:
            full(office.ledger, False)
    await duties.turn()
    assert office.holds(await office.stream())
    assert await office.days.lag() == Lag()
    assert verify(office.ledger).is_whole


def full(ledger: Ledger, is_full: bool) -> None:
    @sa.event.listens_for(ledger.engine, "checkout")
    def limit(connection: sqlite3.Connection, *_: object) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count={pages if is_full else 1 << 30}")


async def test_a_store_that_is_away_stops_nothing_that_needs_no_store(tmp_path: Path, ledger: Ledger) -> None:
    from hub.ledger.journal import Author, note
    from tests.ledger.office import KEY
    from tests.model.desks import small_office

    client = connect(f"unix://{tmp_path}/nobody")
    archiver = Archiver(Days(client, small_office(ledger.office)), ledger, tmp_path / "heads", KEY)
    with transaction(ledger.engine, writes=True) as connection:
        note(connection, ledger.office, "SignedOut", 1, Author("staff:sato"), {"name": "sato", "why": "signed_out"})
    with pytest.raises(StoreAway):
        await archiver.turn()
    assert [entry.position for entry in ledger.entries()] != []
    await client.aclose()


async def test_what_survives_retention_is_an_allow_list(office: ArchivedOffice) -> None:
    for n in range(3):
        await office.desk.open_day(later(n))
        await office.work(3, day=later(n))
        await office.turn()
    heads = [head[:3] for head in office.ledger.heads()]
    segment = close_before(office.ledger, later(2), today=later(2), at=7, by=BY)
    assert segment is not None
    assert (segment.first, segment.first_day, segment.last_day) == (1, later(0), later(1))
    with transaction(office.ledger.engine, writes=False) as connection:
        rows = connection.execute(sa.select(OPERATIONS).where(OPERATIONS.c.office == office.ledger.office)).all()
    assert {row.day for row in rows} == {later(2)}
    (closing,) = [row for row in rows if row.type == SEGMENT]
    assert (closing.who, closing.request) == (BY.who, BY.request), "whoever typed it"
    assert set(json.loads(closing.fields)) == {
        "first", "last", "first_day", "last_day", "count", "last_hash",
    }  # fmt: skip
    verdict = verify(office.ledger, heads)
    assert (verdict.faults, verdict.first) == ([], segment.last + 1)
    await office.work(2, day=later(2))
    await office.turn()
    assert office.holds(await office.stream(later(2)), later(2))
    assert verify(office.ledger).is_whole
    assert close_before(office.ledger, later(2), today=later(2), at=8, by=BY) is None


async def test_a_folder_that_is_no_ledger_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("something else, for certain")
    for url in (sqlite_url(tmp_path / "a file"), sqlite_url(tmp_path / "a file" / "below"), sqlite_url(tmp_path)):
        book = Ledger(url, "ward")
        with pytest.raises(LedgerUnusable, match="JUNBAN_LEDGER_URL"):
            book.prepare()
        book.close()
