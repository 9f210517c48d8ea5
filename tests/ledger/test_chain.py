"""Whoever touches the chain is found: by us, and by a page of Python that knows nothing of us."""

import json
import runpy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.desk.facts import FACTS
from hub.ledger.connection import sqlite_url
from hub.ledger.heads import KEY_FILE, WrongHead, read_head, read_key
from hub.ledger.kept import KEPT
from hub.ledger.operations import Ledger
from hub.ledger.tables import OPERATIONS
from hub.ledger.verifying import verify
from tests.ledger.chains import DAY, forged, keep, linked, rows_of, sign, verdict_of_strangers
from tests.postgresql import PostgreSql

ENTRIES = 10_000
MIDDLE = 4_999  # the place in the list of the entry 5,000

Rows = list[dict[str, Any]]


class Chain(NamedTuple):
    """A day of 10,000 entries, over and signed."""

    ledger: Ledger
    head: Path
    rows: Rows


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def chain(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    folder = tmp_path_factory.mktemp("chain")
    url = sqlite_url(folder / "ledger.sqlite")
    if request.param == "postgresql":
        server: PostgreSql = request.getfixturevalue("postgresql_server")
        url = server.url
    ledger = Ledger(url, f"chain-{folder.name}")
    ledger.prepare()
    keep(ledger, DAY, ENTRIES)
    head = sign(ledger, folder / "heads", Ed25519PrivateKey.generate())
    yield Chain(ledger, head, rows_of(ledger))
    ledger.close()


def places(chain: Chain) -> list[tuple[str, int, str]]:
    """The head that was handed out, from its file."""
    head = read_head(chain.head, read_key(chain.head.with_name(KEY_FILE)))
    return [(head.day, head.seq, head.hash)]


def seen_by_all(chain: Chain, folder: Path, *, at: int | None = None) -> bool:
    """Whether both see, without a head, that the chain was touched; if so, at which entry first."""
    verdict, strangers = verify(chain.ledger), verdict_of_strangers(chain.ledger, folder)
    assert verdict.is_whole == (strangers.returncode == 0), (verdict.faults, strangers)
    if at is not None:
        assert verdict.faults[0].seq == at
        assert strangers.stderr == f"NOT WHOLE at entry {at}\n"
    return not verdict.is_whole


def test_a_chain_that_nobody_touched_is_whole(chain: Chain, tmp_path: Path) -> None:
    verdict = verify(chain.ledger, places(chain))
    assert (verdict.faults, verdict.first, verdict.last, verdict.count) == ([], 1, ENTRIES, ENTRIES)
    said = verdict_of_strangers(chain.ledger, tmp_path, chain.head)
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout == f"whole: {ENTRIES} entries, last {ENTRIES} {verdict.hash}\n"


OTHER: dict[str, Any] = {
    "seq": 20_000,
    "day": "2026-11-25",
    "position": "1-1",
    "type": "TicketRecalled",
    "at": 1,
    "who": "staff:sato",
    "request": "another",
    "fields": '{"arrival":1,"lane":"certificates","number":"A1","rank":1,"source":"web"}',
    "hash": "0" * 64,
}


@pytest.mark.parametrize(("column", "other"), OTHER.items())
def test_a_changed_column_is_found(chain: Chain, tmp_path: Path, column: str, other: object) -> None:
    rows = [dict(row) for row in chain.rows]
    rows[MIDDLE][column] = other
    with forged(chain.ledger, rows):
        assert seen_by_all(chain, tmp_path, at=MIDDLE + 1)


def test_every_column_was_tried() -> None:
    assert {*OTHER, "office"} == set(
        OPERATIONS.columns.keys()
    )  # of another office's chain it is one more, or a gap here


@pytest.mark.parametrize("fields", ["", "{", "null", '{"a": 1}', "[]", '{"arrival":1,"arrival":1}'])
def test_fields_that_nobody_here_writes_are_found(chain: Chain, fields: str) -> None:
    rows = [dict(row) for row in chain.rows]
    rows[MIDDLE]["fields"] = fields
    with forged(chain.ledger, rows):
        assert verify(chain.ledger).faults[0].seq == MIDDLE + 1


@pytest.mark.parametrize("spelled", ["", "not a hash", "0" * 63])
def test_a_hash_that_is_none_is_found(chain: Chain, spelled: str) -> None:
    rows = [dict(row) for row in chain.rows]
    rows[MIDDLE]["hash"] = spelled
    with forged(chain.ledger, rows):
        assert verify(chain.ledger).faults[0].seq == MIDDLE + 1


def without_one(rows: Rows) -> Rows:
    return rows[:MIDDLE] + rows[MIDDLE + 1 :]


def without_one_and_renumbered(rows: Rows) -> Rows:
    return rows[:MIDDLE] + [{**row, "seq": row["seq"] - 1} for row in rows[MIDDLE + 1 :]]


def without_the_first(rows: Rows) -> Rows:
    return rows[1:]


def two_changed_places(rows: Rows) -> Rows:
    one, two = rows[MIDDLE], rows[MIDDLE + 1]
    swapped = [{**two, "seq": one["seq"]}, {**one, "seq": two["seq"]}]
    return rows[:MIDDLE] + swapped + rows[MIDDLE + 2 :]


def one_changed_and_its_own_hash_made_to_fit(rows: Rows) -> Rows:
    return [*rows[:MIDDLE], {**rows[MIDDLE], "who": "staff:sato", "hash": "f" * 64}, *rows[MIDDLE + 1 :]]


@pytest.mark.parametrize(
    ("touch", "at"),
    [
        (without_one, MIDDLE + 1),
        (without_one_and_renumbered, MIDDLE + 1),
        (two_changed_places, MIDDLE + 1),
        (one_changed_and_its_own_hash_made_to_fit, MIDDLE + 1),
        (without_the_first, 2),
    ],
)
def test_a_removed_or_moved_entry_is_found(
    chain: Chain, tmp_path: Path, touch: Callable[[Rows], Rows], at: int
) -> None:
    with forged(chain.ledger, touch(chain.rows)):
        assert seen_by_all(chain, tmp_path, at=at)


def test_a_cut_tail_is_found_by_the_end_that_stands_beside_it(chain: Chain) -> None:
    with forged(chain.ledger, chain.rows[:-10]):
        (fault,) = verify(chain.ledger).faults
        assert fault.seq == ENTRIES


def test_a_cut_tail_and_end_are_found_by_a_signed_head(chain: Chain, tmp_path: Path) -> None:
    with forged(chain.ledger, chain.rows[:-10], end=True):
        assert not seen_by_all(chain, tmp_path)  # this is what the heads are for
        assert [fault.seq for fault in verify(chain.ledger, places(chain)).faults] == [ENTRIES]
        assert verdict_of_strangers(chain.ledger, tmp_path, chain.head).returncode == 1


def test_a_chain_made_anew_is_found_by_a_signed_head(chain: Chain, tmp_path: Path) -> None:
    rows = [dict(row) for row in chain.rows]
    rows[MIDDLE]["who"] = "staff:sato"
    with forged(chain.ledger, linked(chain.ledger, rows), end=True):
        assert not seen_by_all(chain, tmp_path)
        assert [fault.seq for fault in verify(chain.ledger, places(chain)).faults] == [ENTRIES]
        assert verdict_of_strangers(chain.ledger, tmp_path, chain.head).returncode == 1


def test_the_forger_of_these_stories_can_do_it(chain: Chain) -> None:
    assert linked(chain.ledger, chain.rows) == chain.rows
    assert verify(chain.ledger, places(chain)).is_whole  # and nothing of the stories above has stayed


def test_a_line_of_an_export_that_is_written_another_way_is_found(chain: Chain, tmp_path: Path) -> None:
    """`{"who":"staff:sato", …, "who":"staff:suzuki"}` has the right hash, and a reader sees the wrong name first."""
    assert verdict_of_strangers(chain.ledger, tmp_path).returncode == 0
    file = tmp_path / "ledger.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    lines[MIDDLE + 1] = lines[MIDDLE + 1].replace("{", '{"who":"staff:sato",', 1)
    file.write_text("".join(lines), encoding="utf-8")
    with pytest.raises(SystemExit, match=f"NOT WHOLE at entry {MIDDLE + 1}"):
        runpy.run_path(str(tmp_path / "verify_export.py"))["main"](str(file))


def test_an_export_whose_beginning_was_cut_away_is_found(chain: Chain, tmp_path: Path) -> None:
    """Its first line may say what it likes; the chain itself has to say what stood before."""
    assert verdict_of_strangers(chain.ledger, tmp_path).returncode == 0
    file = tmp_path / "ledger.jsonl"
    start, *entries = file.read_text(encoding="utf-8").splitlines(keepends=True)
    later = {**json.loads(start), "first": MIDDLE + 1, "previous": json.loads(entries[MIDDLE - 1])["hash"]}
    file.write_text("".join([json.dumps(later) + "\n", *entries[MIDDLE:]]), encoding="utf-8")
    with pytest.raises(SystemExit, match=f"NOT WHOLE: nothing says what stood before entry {MIDDLE + 1}"):
        runpy.run_path(str(tmp_path / "verify_export.py"))["main"](str(file))


def test_a_head_that_was_touched_is_none(chain: Chain, tmp_path: Path) -> None:
    key = read_key(chain.head.with_name(KEY_FILE))
    for name in (chain.head.name, chain.head.name + ".sig"):
        (tmp_path / name).write_bytes(chain.head.with_name(name).read_bytes())
    copy = tmp_path / chain.head.name
    assert read_head(copy, key).count == ENTRIES
    copy.write_text(copy.read_text().replace(DAY, "2026-11-23"))
    with pytest.raises(WrongHead, match="署名が正しくありません"):
        read_head(copy, key)


def test_the_verifier_is_short_enough_to_be_read() -> None:
    from hub.ledger import verify_export

    text = Path(verify_export.__file__).read_text(encoding="utf-8")
    code = [line for line in text.split('"""', 2)[2].splitlines() if line.strip()]
    assert len(code) <= 30


def test_somebody_has_decided_what_is_kept_of_every_fact() -> None:
    assert set(KEPT) == set(FACTS)
