"""The look through files, and that what it could not see is never called clean: in the ledger, the alarm, the check."""

import contextlib
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from config.office_process import OfficeProcess
from config.searched import LINES, faults_of_search, places
from config.settings import Machine
from hub.edge.erasure import ErasureWatch
from tests.workers.erasing import Night, night
from workers.erase import SETTING, Unread, Unsearched
from workers.search import Wanted, blind, search

CANARY = "c" * 32
WANTED = Wanted(canaries=frozenset({CANARY}))
TEXT = f"canary-{CANARY}@canary.invalid\n"
SENDS = {
    "JUNBAN_SMTP_URL": "smtp://mail.example.jp",
    "JUNBAN_MAIL_FROM": "junban@city.example.jp",
    "JUNBAN_MASTER_KEY": "0" * 64,
}


@pytest.fixture
async def at_night(tmp_path: Path) -> AsyncIterator[Night]:
    async with night(tmp_path) as made:
        yield made


@contextlib.contextmanager
def as_somebody_else() -> Iterator[None]:
    """As a user who may read nothing that is private; whoever is not root is refused by a file's mode already."""
    me = os.geteuid()
    if me == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(me)


def closed(folder: Path) -> Path:
    folder.mkdir()
    (folder / "mail.log").write_text(TEXT)
    folder.chmod(0)
    return folder


@pytest.fixture
def open_to_all(tmp_path: Path) -> Path:
    """A folder in which somebody else sees what its files' own modes let him see."""
    for folder in (tmp_path, *tmp_path.parents[:3]):
        if folder.stat().st_uid == os.geteuid() and folder != Path("/tmp"):
            folder.chmod(0o755)
    return tmp_path


def test_a_canary_is_found_in_a_folder_and_in_a_file_that_is_named(tmp_path: Path) -> None:
    log = tmp_path / "deep" / "hub.log"
    log.parent.mkdir()
    log.write_text(TEXT)
    for place in (tmp_path, log):
        found = search([place], WANTED)
        assert (found.files, found.hits, found.unread) == (1, [log], [])


def test_a_place_that_is_not_there_is_unread(tmp_path: Path) -> None:
    gone = tmp_path / "no" / "such"
    assert search([tmp_path, gone], WANTED).unread == blind([tmp_path, gone]) == [gone]


def test_a_folder_that_cannot_be_listed_is_unread_as_a_place_and_below_one(open_to_all: Path) -> None:
    folder = closed(open_to_all / "spool")
    with as_somebody_else():
        assert search([folder], WANTED).unread == blind([folder]) == [folder]
        assert blind([open_to_all]) == []
        assert search([open_to_all], WANTED).unread == [folder]
    folder.chmod(0o700)


def test_files_that_can_be_listed_and_not_opened_are_unread(open_to_all: Path) -> None:
    folder = closed(open_to_all / "spool")
    folder.chmod(0o744)
    with as_somebody_else():
        assert search([open_to_all], WANTED).unread == [folder / "mail.log"]


def test_nothing_to_look_at_is_no_file() -> None:
    assert search([], WANTED).files == 0


async def told(at_night: Night) -> str:
    """As `/ready` says it."""
    watch = ErasureWatch(at_night.erasing.told)
    await watch.look()
    return watch.why_alarming()


async def test_without_a_place_nothing_is_verified_and_the_alarm_says_what_to_set(at_night: Night) -> None:
    await at_night.give()
    at_night.eraser = at_night.another_eraser(places=[])
    await at_night.come()
    with pytest.raises(Unsearched, match=SETTING):
        await at_night.turn()
    assert at_night.noted("ErasureVerified") == []
    assert [one.verified_ms for one in at_night.handled()] == [None]
    assert (await told(at_night)).endswith(f": {SETTING}")
    assert await at_night.eraser.dates(), "contacts are taken until it is overdue"


async def test_empty_folders_verify_nothing(at_night: Night) -> None:
    await at_night.give()
    at_night.eraser = at_night.another_eraser(places=[at_night.logs])
    await at_night.come()
    with pytest.raises(Unread, match=SETTING):
        await at_night.turn()
    assert at_night.noted("ErasureVerified") == []
    (at_night.logs / "hub.log").write_text("{}\n")
    at_night.eraser = at_night.another_eraser(places=[at_night.logs])
    await at_night.turn()
    assert [entry.fields["files"] for entry in at_night.noted("ErasureVerified")] == ["1"]


async def test_a_place_that_is_missing_is_told_at_once_and_closes_until_it_is_there(at_night: Night) -> None:
    spool = at_night.folder / "spool"
    at_night.eraser = at_night.another_eraser(places=[at_night.server.folder, spool])
    with pytest.raises(Unread):
        await at_night.turn()
    assert await at_night.eraser.dates() == [], "what nobody can look through takes no contact"
    assert await told(at_night) == f"erasure: not everything can be looked through: {spool}"
    spool.mkdir()
    await at_night.turn()
    assert len(await at_night.eraser.dates()) == 2
    assert await told(at_night) == ""


async def test_the_alarm_names_the_place_and_never_what_lies_below_it(at_night: Night) -> None:
    spool = at_night.folder / "spool"
    eraser = at_night.another_eraser(places=[at_night.server.folder, spool])
    assert eraser._unread(spool / "taro@example.test").place == str(spool)


async def test_an_eraser_that_says_nothing_is_missed_where_no_contact_is_taken_only_for_what_is_there_still(
    at_night: Night,
) -> None:
    assert (await at_night.erasing.told_while_owed()).is_told, "an office that never took any"
    await at_night.give()
    assert not (await at_night.erasing.told_while_owed()).is_told
    await at_night.come()
    await at_night.turn()
    assert (await at_night.erasing.told_while_owed()).is_told


def test_our_own_store_is_looked_through_and_a_foreign_one_only_where_it_is_named(tmp_path: Path) -> None:
    own = [place for place in places([], tmp_path / "store") if place != LINES]
    assert own == [tmp_path / "store"]
    assert [place for place in places([tmp_path], tmp_path / "store") if place != LINES] == [tmp_path]
    assert places([], None) == [], "its own log alone would make it no search"


def test_an_office_on_a_store_of_somebody_else_is_looked_through_where_he_names_its_files(tmp_path: Path) -> None:
    def searched(**more: Any) -> tuple[Path, ...]:
        return OfficeProcess(Machine(**more), tmp_path, lambda _: None, practice=False).machine.search_dirs

    assert searched() == (tmp_path,)
    given = {"redis_url": "unix:///nowhere"}
    assert searched(**given) == (), "its own folder alone would be no search"
    assert searched(**given, search_dirs=(tmp_path / "valkey",)) == (tmp_path / "valkey", tmp_path)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"JUNBAN_SEARCH_DIRS": "/no/such/dir"}, "/no/such/dir"),
        (SENDS | {"JUNBAN_SEARCH_DIRS": "/no/such/dir"}, "/no/such/dir"),
    ],
)
def test_a_check_finds_that_nothing_could_be_verified(more: dict[str, str], says: str) -> None:
    (fault,) = faults_of_search(Machine.from_environment(more))
    assert fault.key == SETTING
    assert says in fault.remedy


def test_a_check_is_content_with_folders_that_are_there_and_with_our_own_store(tmp_path: Path) -> None:
    for more in ({"JUNBAN_SEARCH_DIRS": str(tmp_path)}, {}, {"JUNBAN_REDIS_URL": "unix:///nowhere"}):
        assert faults_of_search(Machine.from_environment(SENDS | more)) == []
