"""Who may practise: made once, kept as long as it holds, and never where an office is in earnest."""

import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from config.office_folder import PRACTICE_MARK, WrongFolder
from config.practice.credentials import (
    FILE,
    KIOSKS,
    LETTERS,
    PEOPLE,
    WALLS,
    Credentials,
    CredentialsUnreadable,
    PracticePass,
    new_password,
    read_credentials,
)
from hub.ledger.connection import sqlite_url
from hub.ledger.devices import Devices
from hub.ledger.journal import Author, tokyo_day
from hub.ledger.operations import Ledger
from hub.ledger.people import People
from hub.wire.roles import Role
from tests.doors import real_ms

BY = Author("cli")


@pytest.fixture
def ledger(tmp_path: Path, office_name: str) -> Iterator[Ledger]:
    (tmp_path / PRACTICE_MARK).touch()
    with closing(Ledger(sqlite_url(tmp_path / "ledger.sqlite"), office_name)) as ledger:
        yield ledger


def made(folder: Path, ledger: Ledger) -> Credentials:
    return PracticePass(folder, ledger).make()


def test_everybody_in_the_file_gets_in_as_what_he_is(tmp_path: Path, ledger: Ledger) -> None:
    credentials = made(tmp_path, ledger)
    people, devices = People(ledger, now_ms=real_ms), Devices(ledger, real_ms)
    assert [person.role for person in credentials.people] == list(PEOPLE)
    for person in credentials.people:
        signed_in = people.sign_in(person.name, person.password).person
        assert (signed_in.role, signed_in.must_change) == (person.role, False)
        assert signed_in.designated == signed_in.trained == tokyo_day(real_ms())
    assert dict.fromkeys(WALLS, Role.WALL) | dict.fromkeys(KIOSKS, Role.KIOSK) == {
        device.place: device.role for device in credentials.devices
    }
    for device in credentials.devices:
        found = devices.find(device.token)
        assert found
        assert (found.role, found.place) == (device.role, device.place)


def test_the_file_is_for_its_user_alone_and_says_who_gets_in(tmp_path: Path, ledger: Ledger) -> None:
    credentials = made(tmp_path, ledger)
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    told = msgspec.json.decode((tmp_path / FILE).read_bytes())
    assert told.keys() == {"people", "devices"}
    assert told["people"][0].keys() == {"name", "password", "role"}
    assert told["devices"][0].keys() == {"role", "place", "token"}
    assert read_credentials(tmp_path / FILE) == credentials
    assert not list(tmp_path.glob(".*"))


def test_a_kept_folder_keeps_its_people_and_devices(tmp_path: Path, ledger: Ledger) -> None:
    first = made(tmp_path, ledger)
    assert made(tmp_path, ledger) == first
    assert len(People(ledger, now_ms=real_ms).list()) == len(PEOPLE)
    assert len(Devices(ledger, real_ms).list()) == len(first.devices)


def test_whoever_was_changed_in_practice_can_practise_again(tmp_path: Path, ledger: Ledger) -> None:
    first = made(tmp_path, ledger)
    people, devices = People(ledger, now_ms=real_ms), Devices(ledger, real_ms)
    changed, ended, other_role, locked, same = first.people
    token = people.sign_in(changed.name, changed.password).token
    people.change_password(token, changed.password, new_password())
    people.end(ended.name, BY)
    today = tokyo_day(real_ms())
    people.change(other_role.name, shown="x", role=Role.COUNTER, designated=today, trained="", by=BY)
    people.reset_password(locked.name, BY)
    devices.revoke(next(one.id for one in devices.list() if one.place == WALLS[0]), BY)
    again = made(tmp_path, ledger)
    for before, now in zip(first.people, again.people, strict=True):
        assert (before == now) is (before is same)
        assert people.sign_in(now.name, now.password).person.role is now.role
    assert again.tokens(Role.WALL)[WALLS[0]] != first.tokens(Role.WALL)[WALLS[0]]
    assert again.tokens(Role.WALL)[WALLS[1]] == first.tokens(Role.WALL)[WALLS[1]]
    assert made(tmp_path, ledger) == again


def test_without_its_file_a_folder_gets_new_passwords(tmp_path: Path, ledger: Ledger) -> None:
    first = made(tmp_path, ledger)
    (tmp_path / FILE).write_text("{")
    again = made(tmp_path, ledger)
    people = People(ledger, now_ms=real_ms)
    assert not {person.password for person in first.people} & {person.password for person in again.people}
    assert all(people.sign_in(person.name, person.password) for person in again.people)


def test_an_office_in_earnest_never_gets_them(tmp_path: Path, ledger: Ledger) -> None:
    (tmp_path / PRACTICE_MARK).unlink()
    with pytest.raises(WrongFolder, match="練習用のデータではない"):
        PracticePass(tmp_path, ledger)
    assert not (tmp_path / "ledger.sqlite").exists()


def test_a_file_that_is_none_says_where_it_is_found(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("{}x")
    for name in ("nothing", "text"):
        with pytest.raises(CredentialsUnreadable, match=rf"{name} を読めません（.*）。.*DIR/{FILE}"):
            read_credentials(tmp_path / name)


def test_a_password_can_be_typed_and_is_no_two_times_the_same() -> None:
    passwords = {new_password() for _ in range(200)}
    assert len(passwords) == 200
    assert all(set(password) <= {*LETTERS, "-"} and len(password) == 19 for password in passwords)
