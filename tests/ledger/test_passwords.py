"""Handlers come in with a password: guessing opens nothing and disturbs nobody, and no secret is anywhere."""

import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from hub.desk.refusals import NameTaken, NotSignedIn, PasswordWeak, SignInLocked, SignInWrong
from hub.ledger import people as rules
from hub.ledger.connection import sqlite_url, transaction
from hub.ledger.operations import Ledger
from hub.ledger.people import WRONG_TRIES, People
from hub.ledger.tables import CHAINS, JOURNAL, PEOPLE, SESSIONS
from hub.wire.roles import Role
from tests.ledger.handlers import CLI, DAY, GOOD, Clock, House, house, refused

__all__ = ["house"]


def test_a_wrong_password_and_a_wrong_name_are_told_alike(house: House) -> None:
    house.add("sato")
    for name, password in (("sato", "x" * 12), ("sato", ""), ("sato", "x" * 100_000), ("nobody", "x" * 12), ("", "")):
        refused(SignInWrong, house.people.sign_in, name, password)
    assert {who for _, who, _ in house.of_kind("SignInRefused")} == {"staff:sato"}


def test_the_same_keys_on_another_keyboard_are_the_same_password(house: House) -> None:
    token = house.people.sign_in("sato", house.add("sato")).token
    house.people.change_password(token, house.given["sato"], "ｶｻと①２３ABCDEFG")
    assert house.people.sign_in("sato", "カサと123ABCDEFG").person.name == "sato"


@pytest.mark.timeout(600)  # on a machine with much else to do
def test_ten_thousand_guesses_open_nothing_and_disturb_nobody(house: House) -> None:
    for name in ("sato", "ito"):
        house.add(name)
    outcomes = {SignInWrong: 0, SignInLocked: 0}
    for guess in range(10_000):
        with pytest.raises((SignInWrong, SignInLocked)) as refusal:
            house.people.sign_in("sato", f"guess number {guess}")
        outcomes[refusal.type] += 1
        if refusal.type is SignInLocked:
            house.clock.ms += 20_000  # who guesses waits
        if guess % 1000 == 0:
            assert house.is_in(house.sign_in("ito"))
    assert sum(outcomes.values()) == 10_000
    assert outcomes[SignInWrong] < 10_000 // 20, "a lock-out is a quarter of an hour at last"
    refused(SignInLocked, house.people.sign_in, "sato", house.given["sato"])
    house.clock.ms += rules.LONGEST_LOCK_MS
    assert house.is_in(house.sign_in("sato"))


def test_a_lock_out_doubles_and_the_right_password_begins_anew(house: House) -> None:
    house.add("sato")
    for _ in range(WRONG_TRIES):
        refused(SignInWrong, house.people.sign_in, "sato", "x" * 12)
    for minutes in (1, 2, 4, 8, 15, 15):
        house.clock.ms += minutes * rules.MINUTE - 1
        refused(SignInLocked, house.people.sign_in, "sato", house.given["sato"])
        house.clock.ms += 1
        refused(SignInWrong, house.people.sign_in, "sato", "x" * 12)
    house.people.unlock("sato", CLI)
    house.sign_in("sato")
    for _ in range(WRONG_TRIES - 1):
        refused(SignInWrong, house.people.sign_in, "sato", "x" * 12)
    house.sign_in("sato")


def test_many_who_guess_at_the_same_moment_have_no_more_tries(house: House) -> None:
    house.add("sato")

    def guess(number: int) -> type[Exception]:
        try:
            house.people.sign_in("sato", f"guess number {number}")
        except (SignInWrong, SignInLocked) as refusal:
            return type(refusal)
        raise AssertionError("a guess was right")

    with ThreadPoolExecutor(8) as beside:
        outcomes = list(beside.map(guess, range(40)))
    assert outcomes.count(SignInWrong) == WRONG_TRIES
    assert len(house.of_kind("SignInRefused")) == WRONG_TRIES
    assert len(house.of_kind("AccountLocked")) == 1


@pytest.mark.parametrize(
    "weak",
    [
        "",
        "short",
        "a" * 12,
        "121212121212",
        "x" * 129,
        "my password 99",
        "sato likes tea",
        "ABCDEFGH-2026!",
        "tab\tin the middle",
    ],
)
def test_a_weak_password_is_refused(house: House, weak: str) -> None:
    house.add("sato")
    token = house.sign_in("sato")
    refused(PasswordWeak, house.people.change_password, token, house.given["sato"], weak)
    refused(PasswordWeak, house.people.change_password, token, house.given["sato"], house.given["sato"])
    assert house.is_in(token)


def test_guessing_the_old_password_with_a_stolen_session_is_counted_too(house: House) -> None:
    house.add("sato")
    token = house.sign_in("sato")
    for _ in range(WRONG_TRIES):
        refused(SignInWrong, house.people.change_password, token, "x" * 12, GOOD)
    refused(SignInLocked, house.people.change_password, token, house.given["sato"], GOOD)


def test_a_reset_password_is_for_one_sign_in_and_ends_a_lock_out(house: House) -> None:
    house.add("sato")
    token = house.sign_in("sato")
    for _ in range(WRONG_TRIES):
        refused(SignInWrong, house.people.sign_in, "sato", "x" * 12)
    given = house.people.reset_password("sato", CLI)
    assert not house.is_in(token)
    assert house.people.sign_in("sato", given).person.must_change


def test_no_secret_is_in_any_table(house: House) -> None:
    house.add("sato")
    first = house.sign_in("sato")
    token = house.people.change_password(first, house.given["sato"], GOOD)
    refused(SignInWrong, house.people.sign_in, "my-address@example.jp", "planted wrong password")
    refused(SignInWrong, house.people.sign_in, "sato", "planted wrong password")
    with transaction(house.ledger.engine, writes=False) as connection:
        kept = "\n".join(
            str(row) for table in (PEOPLE, SESSIONS, JOURNAL, CHAINS) for row in connection.execute(sa.select(table))
        )
    assert "sato" in kept
    for secret in (first, token, GOOD, house.given["sato"], "planted wrong", "example.jp"):
        assert secret not in kept


def test_real_hashes_are_argon2id_and_cost_the_same_for_nobody(ledger: Ledger) -> None:
    people = People(ledger, now_ms=Clock())
    given = people.add("sato", "佐藤", Role.COUNTER, DAY, DAY, CLI)
    with transaction(ledger.engine, writes=False) as connection:
        kept = connection.execute(sa.select(PEOPLE.c.password).where(PEOPLE.c.office == ledger.office)).scalar_one()
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert people.sign_in("sato", given).person.name == "sato"
    refused(SignInWrong, people.sign_in, "nobody", given)


def test_a_name_without_an_account_is_hashed_once_too(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    computed = count()
    verify = PasswordHasher.verify

    def counting(hasher: PasswordHasher, kept: str, told: str) -> bool:
        next(computed)
        return verify(hasher, kept, told)

    monkeypatch.setattr(PasswordHasher, "verify", counting)
    house.add("sato")
    refused(SignInWrong, house.people.sign_in, "sato", "x" * 12)
    refused(SignInWrong, house.people.sign_in, "nobody", "x" * 12)
    assert next(computed) == 2


class Between(PasswordHasher):
    """While one password is hashed, something else happens."""

    happens: Callable[[], object] | None = None

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        happens, self.happens = self.happens, None
        if happens is not None:
            happens()
        return super().hash(password, salt=salt)


def test_who_is_put_out_while_his_password_is_hashed_does_not_come_back(house: House) -> None:
    given = house.add("sato")
    slow = Between(time_cost=1, memory_cost=8, parallelism=1)
    people = People(house.ledger, hasher=slow, now_ms=house.clock)
    token = house.sign_in("sato")
    slow.happens = lambda: house.people.end_sessions("sato", CLI, "by_operator")
    refused(NotSignedIn, people.change_password, token, given, GOOD)
    assert not house.is_in(token)
    assert house.sign_in("sato")
    assert house.of_kind("PasswordChanged") == []


def test_no_answer_about_a_new_password_tells_that_the_old_one_was_right(house: House) -> None:
    given = house.add("sato")
    token = house.sign_in("sato")
    for old in (given, "x" * 12):
        refused(PasswordWeak, house.people.change_password, token, old, "short")
    assert house.of_kind("SignInRefused") == []


@pytest.mark.parametrize(
    ("chosen", "typed"),
    [
        ("가나다라마바사아자차카타" * 10, unicodedata.normalize("NFD", "가나다라마바사아자차카타" * 10)),
        ("👩‍👩‍👧 と 🍵 と 蔵王の 鷹", "👩‍👩‍👧 と 🍵 と 蔵王の 鷹"),
        ("ﷺ の 12 文字以上", "صلى الله عليه وسلم の 12 文字以上"),
        ("\ue000外字の入った十二文字の語\ue001", "\ue000外字の入った十二文字の語\ue001"),
        ("to be or not to be, that is", "to be or not to be, that is"),
    ],
    ids=["letters typed apart", "joined signs", "one sign for many letters", "letters of the ward's own", "short name"],
)
def test_any_writing_is_a_password(house: House, chosen: str, typed: str) -> None:
    token = house.people.sign_in("to", house.add("to")).token
    house.people.change_password(token, house.given["to"], chosen)
    assert house.people.sign_in("to", typed).person.name == "to"


def test_no_secret_is_in_the_file_itself(tmp_path: Path, office_name: str) -> None:
    """What was deleted or rolled back still stands in pages that no query shows."""
    ledger = Ledger(sqlite_url(tmp_path / "ledger.sqlite"), office_name)
    ledger.prepare()
    house = House(ledger)
    planted = [house.add("sato"), "planted-wrong-password", "planted@example.jp", GOOD]
    planted += [token := house.sign_in("sato"), house.sign_in("sato")]
    refused(SignInWrong, house.people.sign_in, "sato", planted[1])
    refused(SignInWrong, house.people.sign_in, planted[2], planted[1])
    planted.append(house.people.change_password(token, planted[0], GOOD))
    planted.append(house.people.reset_password("sato", CLI))
    with pytest.raises(NameTaken):
        house.add("sato")
    house.people.sign_out(planted[-2])
    files = [path for path in tmp_path.iterdir() if path.name.startswith("ledger.sqlite")]
    kept = b"".join(path.read_bytes() for path in files)
    ledger.close()
    assert any(path.name.endswith("-wal") for path in files)
    assert b"HandlerAdded" in kept
    assert "satoさん".encode() in kept
    for secret in planted:
        assert secret.encode() not in kept
