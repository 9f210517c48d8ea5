"""A device is let in once by a code that only its own screen shows, and is known by its token until it is put out."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
import sqlalchemy as sa

from hub.desk.refusals import BadMessage, CodeTries, LedgerAway, UnknownCode, UnknownDevice
from hub.ledger.connection import sqlite_url, transaction
from hub.ledger.devices import CODE_MS, SEEN_MS, TURN_AGAIN_MS, TURN_MS, WAITING, Device, Devices
from hub.ledger.journal import Author
from hub.ledger.operations import Ledger
from hub.ledger.tables import DEVICES, ENROLMENTS, JOURNAL
from hub.wire.codes import device_code_of, read_code, shown_code
from hub.wire.roles import Role

SATO = Author("staff:sato", "request-1")
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass
class Clock:
    """Real time as the story goes."""

    ms: int = 1_790_000_000_000

    def __call__(self) -> int:
        return self.ms


@dataclass
class House:
    """Devices of one office, its ledger, and what was noted."""

    ledger: Ledger
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.devices = Devices(self.ledger, self.clock)

    def enrolled(self, role: Role = Role.WALL, place: str = "hall") -> tuple[str, Device]:
        asking = self.devices.ask(role, place, "1.0")
        return asking.token, self.devices.let_in(asking.code, "", SATO)

    def noted(self) -> list[tuple[str, str, str]]:
        with transaction(self.ledger.engine, writes=False) as connection:
            rows = sa.select(JOURNAL).where(JOURNAL.c.office == self.ledger.office).order_by(JOURNAL.c.id)
            return [(row.type, row.who, row.fields) for row in connection.execute(rows)]

    def kept(self) -> str:
        """Every row of every table about devices, as text."""
        with transaction(self.ledger.engine, writes=False) as connection:
            return "\n".join(
                str(row) for table in (DEVICES, ENROLMENTS, JOURNAL) for row in connection.execute(sa.select(table))
            )


@pytest.fixture
def house(ledger: Ledger) -> House:
    return House(ledger)


@pytest.fixture
def house_here(tmp_path_factory: pytest.TempPathFactory, office_name: str) -> Iterator[House]:
    """On SQLite alone: for what is long and the same on both."""
    book = Ledger(sqlite_url(tmp_path_factory.mktemp("ledger") / "ledger.sqlite"), office_name)
    book.prepare()
    yield House(book)
    book.close()


def test_a_device_that_asks_waits_and_is_let_in_by_its_code(house: House) -> None:
    asking = house.devices.ask(Role.WALL, "hall", "0.9")
    (waiting,) = house.devices.waiting()
    assert (waiting.role, waiting.place, waiting.version) == (Role.WALL, "hall", "0.9")
    assert waiting.until == asking.until_ms == house.clock.ms + CODE_MS
    assert house.devices.is_waiting(asking.token) == asking.until_ms
    assert house.devices.find(asking.token) is None
    device = house.devices.let_in(asking.code, "", SATO)
    assert house.devices.find(asking.token) == device
    assert house.devices.list() == [device]
    assert house.devices.alive([device.id, "wall-000000"]) == {device.id}
    assert (house.devices.waiting(), house.devices.is_waiting(asking.token)) == ([], None)
    told = f'{{"device": "{device.id}", "role": "wall", "place": "hall"}}'
    assert house.noted() == [("DeviceEnrolled", "staff:sato", told)]


def test_whoever_lets_it_in_may_say_where_it_stands(house: House) -> None:
    asking = house.devices.ask(Role.DESK, "1", "")
    assert house.devices.let_in(asking.code, "2", SATO).place == "2"


@pytest.mark.parametrize("typed", [str.lower, lambda code: code.replace("-", ""), lambda code: f" {code} "])
def test_a_code_is_understood_as_people_type_it(house: House, typed: object) -> None:
    asking = house.devices.ask(Role.WALL, "hall", "")
    assert callable(typed)
    house.devices.let_in(typed(asking.code), "", SATO)


def test_full_width_letters_are_the_same_code(house: House) -> None:
    asking = house.devices.ask(Role.WALL, "hall", "")
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in asking.code)
    house.devices.let_in(wide, "", SATO)


def test_a_code_lets_in_once(house: House) -> None:
    asking = house.devices.ask(Role.WALL, "hall", "")
    house.devices.let_in(asking.code, "", SATO)
    with pytest.raises(UnknownCode):
        house.devices.let_in(asking.code, "", SATO)
    assert len(house.devices.list()) == 1


def test_two_who_type_a_code_at_once_let_in_one_device(house: House) -> None:
    asking = house.devices.ask(Role.WALL, "hall", "")

    def type_it(_: int) -> bool:
        try:
            house.devices.let_in(asking.code, "", SATO)
        except UnknownCode:
            return False
        return True

    with ThreadPoolExecutor(4) as people:
        assert sorted(people.map(type_it, range(4))) == [False, False, False, True]
    assert len(house.devices.list()) == len(house.noted()) == 1


def test_a_code_ends_after_ten_minutes_and_its_row_is_swept(house: House) -> None:
    asking = house.devices.ask(Role.WALL, "hall", "")
    house.clock.ms += CODE_MS - 1
    assert house.devices.is_waiting(asking.token)
    house.clock.ms += 1
    assert (house.devices.waiting(), house.devices.is_waiting(asking.token)) == ([], None)
    with pytest.raises(UnknownCode):
        house.devices.let_in(asking.code, "", SATO)
    house.devices.ask(Role.WALL, "hall", "")
    with transaction(house.ledger.engine, writes=False) as connection:
        left = connection.execute(sa.select(ENROLMENTS).where(ENROLMENTS.c.office == house.ledger.office)).all()
    assert len(left) == 1


def test_fifty_may_wait_and_the_next_comes_later(house: House) -> None:
    codes = {house.devices.ask(Role.KIOSK, "entrance", "").code for _ in range(WAITING)}
    assert len(codes) == WAITING
    with pytest.raises(CodeTries):
        house.devices.ask(Role.KIOSK, "entrance", "")
    house.clock.ms += CODE_MS
    house.devices.ask(Role.KIOSK, "entrance", "")


def test_many_that_ask_at_once_are_no_more_than_fifty(house: House) -> None:
    def come(_: int) -> str:
        try:
            return house.devices.ask(Role.KIOSK, "entrance", "").code
        except CodeTries:
            return ""

    with ThreadPoolExecutor(8) as machines:
        codes = list(machines.map(come, range(WAITING + 14)))
    assert len({code for code in codes if code}) == WAITING == len(house.devices.waiting())
    assert codes.count("") == 14


@pytest.mark.timeout(600)  # on a machine with much else to do
def test_a_hundred_thousand_guesses_let_nobody_in_and_disturb_nobody(house_here: House) -> None:
    house, chance = house_here, random.Random(5)
    asked = [house.devices.ask(Role.WALL, "hall", "") for _ in range(WAITING)]
    shown = [asking.code.replace("-", "") for asking in asked]
    guesses = {code[:place] + letter + code[place + 1 :] for code in shown for place in range(8) for letter in LETTERS}
    while len(guesses) < 100_000 + WAITING:
        guesses.add("".join(chance.choices(LETTERS, k=8)))
    hits = 0
    for guess in guesses.difference(shown):
        try:
            house.devices.let_in(guess, "", SATO)
        except UnknownCode:
            continue
        hits += 1
    assert hits == 0
    assert len(house.devices.waiting()) == WAITING
    assert len({house.devices.let_in(asking.code, "", SATO).id for asking in asked}) == WAITING


@pytest.mark.parametrize("typed", ["", "ABCD", "ABCD-EFGU", "ABCD-EFGH-J", "'; --", "\0" * 8])
def test_what_is_no_code_is_unknown(house: House, typed: str) -> None:
    with pytest.raises(UnknownCode):
        house.devices.let_in(typed, "", SATO)


@pytest.mark.parametrize(
    ("role", "place", "version"),
    [(Role.OPERATOR, "hall", ""), (Role.WALL, "", ""), (Role.WALL, "../hall", ""), (Role.WALL, "hall", "<b>")],
)
def test_only_devices_may_ask_and_only_for_a_place(house: House, role: Role, place: str, version: str) -> None:
    with pytest.raises(BadMessage):
        house.devices.ask(role, place, version)


def test_neither_token_nor_code_stands_in_the_ledger(house: House) -> None:
    asking = house.devices.ask(Role.WALL, "hall", "")
    token, _ = house.enrolled()
    house.clock.ms += TURN_MS
    turned = house.devices.turn(token)
    assert turned
    kept = house.kept()
    for secret in (asking.token, asking.code, asking.code.replace("-", ""), token, turned):
        assert secret not in kept


def test_the_code_follows_from_the_token(house: House) -> None:
    asking = house.devices.ask(Role.WALL, "hall", "")
    assert shown_code(device_code_of(asking.token)) == asking.code
    assert read_code(asking.code) == device_code_of(asking.token)


def test_seen_is_written_once_a_minute_and_a_new_version_at_once(house: House) -> None:
    token, device = house.enrolled()
    house.clock.ms += SEEN_MS - 1
    assert (known := house.devices.find(token))
    assert known.seen_at == device.seen_at
    assert (known := house.devices.find(token, version="1.1"))
    assert known.version == "1.1"
    house.clock.ms += SEEN_MS
    assert (known := house.devices.find(token))
    assert known.seen_at == house.clock.ms
    assert house.devices.list() == [known]


def test_a_day_old_token_is_turned_and_the_old_one_holds_until_the_new_is_used(house: House) -> None:
    old, device = house.enrolled()
    house.clock.ms += TURN_MS - 1
    assert house.devices.turn(old) is None
    house.clock.ms += 1
    new = house.devices.turn(old)
    assert new
    assert (known := house.devices.find(old))
    assert known.id == device.id
    assert (known := house.devices.find(new))
    assert known.id == device.id
    assert house.devices.find(old) is None
    assert house.devices.turn(new) is None  # it is of today
    assert house.noted()[1:] == [("DeviceRotated", f"device:{device.id}", f'{{"device": "{device.id}"}}')]


def test_a_lost_answer_locks_nobody_out(house: House) -> None:
    old, device = house.enrolled()
    house.clock.ms += TURN_MS
    lost = house.devices.turn(old)
    assert lost
    assert house.devices.turn(old) is None  # two that ask at once: the second keeps what it has
    house.clock.ms += TURN_AGAIN_MS
    again = house.devices.turn(old)
    assert again
    assert house.devices.find(lost) is None
    assert (known := house.devices.find(again))
    assert known.id == device.id
    assert house.devices.find(old) is None


def test_two_that_use_the_new_token_at_once_have_turned_it_once(house: House) -> None:
    old, _ = house.enrolled()
    house.clock.ms += TURN_MS
    new = house.devices.turn(old) or ""
    with ThreadPoolExecutor(4) as sockets:
        assert all(sockets.map(lambda _: house.devices.find(new), range(8)))
    assert [kind for kind, _, _ in house.noted()] == ["DeviceEnrolled", "DeviceRotated"]


def test_who_is_put_out_is_out_with_every_token_and_stays_in_the_list(house: House) -> None:
    old, device = house.enrolled()
    house.clock.ms += TURN_MS
    new = house.devices.turn(old) or ""
    house.devices.revoke(device.id, SATO)
    assert (house.devices.find(old), house.devices.find(new), house.devices.turn(old)) == (None, None, None)
    assert house.devices.alive([device.id]) == set()
    assert [each.ended_at for each in house.devices.list()] == [house.clock.ms]
    house.devices.revoke(device.id, SATO)
    assert [kind for kind, _, _ in house.noted()] == ["DeviceEnrolled", "DeviceRevoked"]


def test_who_was_never_in_cannot_be_put_out(house: House) -> None:
    with pytest.raises(UnknownDevice):
        house.devices.revoke("wall-000000", SATO)


def test_an_office_knows_its_own_devices_only(house: House) -> None:
    token, device = house.enrolled()
    asking = house.devices.ask(Role.WALL, "hall", "")
    book = Ledger(house.ledger.engine.url.render_as_string(False), f"{house.ledger.office}-b")
    other = Devices(book, house.clock)
    assert other.find(token) is None
    assert (other.list(), other.waiting(), other.alive([device.id])) == ([], [], set())
    with pytest.raises(UnknownCode):
        other.let_in(asking.code, "", SATO)
    with pytest.raises(UnknownDevice):
        other.revoke(device.id, SATO)
    book.close()


def test_a_note_that_cannot_be_written_lets_nobody_in(house: House) -> None:
    asking = house.devices.ask(Role.WALL, "hall", "")
    with transaction(house.ledger.engine, writes=True) as connection:
        connection.execute(sa.text("ALTER TABLE journal RENAME TO lost"))
    try:
        with pytest.raises(LedgerAway):
            house.devices.let_in(asking.code, "", SATO)
    finally:
        with transaction(house.ledger.engine, writes=True) as connection:
            connection.execute(sa.text("ALTER TABLE lost RENAME TO journal"))
    assert house.devices.list() == []
    house.devices.let_in(asking.code, "", SATO)


def test_a_ledger_that_is_away_is_a_refusal_without_the_database_s_words(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    nowhere = tmp_path_factory.mktemp("away") / "no" / "folder.sqlite"
    devices = Devices(Ledger(sqlite_url(nowhere), "ward"), Clock())
    with pytest.raises(LedgerAway) as told:
        devices.find("a" * 43)
    assert str(told.value) == "LedgerAway"
