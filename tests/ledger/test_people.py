"""Handlers come in with a password and go out by rule; each step is noted once, and no secret is anywhere."""

import json
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from threading import Barrier

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from hub.desk.refusals import (
    BadMessage,
    LastOperator,
    LedgerAway,
    NameTaken,
    NotDesignated,
    NotSignedIn,
    PasswordWeak,
    Refusal,
    SignInLocked,
    SignInWrong,
    UnknownPerson,
    WrongDates,
    WrongName,
    WrongShown,
)
from hub.ledger import people as rules
from hub.ledger.connection import sqlite_url, transaction
from hub.ledger.journal import Author
from hub.ledger.operations import Ledger
from hub.ledger.people import IDLE_MS, LONGEST_MS, USED_EVERY_MS, WRONG_TRIES, People, Person
from hub.ledger.tables import CHAINS, JOURNAL, PEOPLE, SESSIONS
from hub.wire.roles import Role

CLI = Author("cli")
DAY = "2026-04-01"
GOOD = "こまつな と 7 本の傘"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # ten thousand tries are about counting


@dataclass
class Clock:
    ms: int = 1_790_000_000_000  # September 2026

    def __call__(self) -> int:
        return self.ms


@dataclass
class House:
    ledger: Ledger
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.people = People(self.ledger, hasher=CHEAP, now_ms=self.clock)
        self.given: dict[str, str] = {}

    def add(self, name: str, role: Role = Role.COUNTER, designated: str = DAY, trained: str = DAY) -> str:
        self.given[name] = self.people.add(name, f"{name}さん", role, designated, trained, CLI)
        return self.given[name]

    def sign_in(self, name: str) -> str:
        return self.people.sign_in(name, self.given[name]).token

    def is_in(self, token: str) -> bool:
        return self.people.session(token, is_used=False) is not None

    def noted(self) -> list[tuple[str, str, str]]:
        """Kind, who, and about whom and why."""
        with transaction(self.ledger.engine, writes=False) as connection:
            rows = connection.execute(
                sa.select(JOURNAL).where(JOURNAL.c.office == self.ledger.office).order_by(JOURNAL.c.id)
            ).all()
        told = [(row.type, row.who, json.loads(row.fields)) for row in rows]
        return [
            (kind, who, " ".join(fields.get(name, "") for name in ("name", "why")).strip())
            for kind, who, fields in told
        ]

    def of_kind(self, *kinds: str) -> list[tuple[str, str, str]]:
        return [one for one in self.noted() if one[0] in kinds]


@pytest.fixture
def house(ledger: Ledger) -> House:
    return House(ledger)


def refused(kind: type[Refusal], act: Callable[..., object], *told: object) -> None:
    with pytest.raises(kind):
        act(*told)


def test_a_handler_comes_in_and_is_known_by_his_token(house: House) -> None:
    given = house.add("sato", Role.MANAGER)
    signed_in = house.people.sign_in("sato", given)
    session = house.people.session(signed_in.token, is_used=True)
    assert session
    assert session.person == signed_in.person == Person("sato", "satoさん", Role.MANAGER, DAY, DAY, True, 0, 0)
    assert house.people.alive([session.hash, "another"]) == {session.hash}
    assert len(signed_in.token) == 43
    assert house.people.session("x" * 43, is_used=True) is None
    assert house.noted() == [("HandlerAdded", "cli", "sato"), ("SignedIn", "staff:sato", "sato")]


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
    ("designated", "trained"), [("", ""), (DAY, ""), ("", DAY)], ids=["neither", "designated only", "trained only"]
)
def test_without_designation_and_training_there_is_no_access(house: House, designated: str, trained: str) -> None:
    given = house.add("sato", designated=designated, trained=trained)
    refused(NotDesignated, house.people.sign_in, "sato", given)
    refused(SignInWrong, house.people.sign_in, "sato", "x" * 12)
    house.people.change("sato", shown="佐藤", role=Role.COUNTER, designated=DAY, trained=DAY, by=CLI)
    assert house.is_in(house.sign_in("sato"))


def test_a_date_that_is_taken_away_ends_the_session(house: House) -> None:
    house.add("sato")
    token = house.sign_in("sato")
    house.people.change("sato", shown="佐藤", role=Role.COUNTER, designated="", trained=DAY, by=CLI)
    assert not house.is_in(token)
    assert house.of_kind("SessionsEnded") == [("SessionsEnded", "cli", "sato not_designated")]


def test_a_session_ends_after_half_an_hour_without_use(house: House) -> None:
    house.add("sato")
    used, idle = house.sign_in("sato"), house.sign_in("sato")
    house.clock.ms += IDLE_MS - 1
    assert house.people.session(used, is_used=True)
    house.clock.ms += 1
    assert house.is_in(used)
    assert not house.is_in(idle)
    session = house.people.session(used, is_used=False)
    assert session
    house.clock.ms += IDLE_MS
    assert house.people.alive([session.hash]) == set()
    assert house.of_kind("SignedOut") == [("SignedOut", "hub", "sato idle")] * 2


def test_a_session_ends_after_twelve_hours_however_much_it_is_used(house: House) -> None:
    house.add("sato")
    token = house.sign_in("sato")
    for _ in range(LONGEST_MS // (20 * rules.MINUTE) - 1):
        house.clock.ms += 20 * rules.MINUTE
        assert house.people.session(token, is_used=True)
    house.clock.ms += 20 * rules.MINUTE
    assert house.people.session(token, is_used=True) is None


def test_use_is_written_at_most_once_a_minute(house: House) -> None:
    house.add("sato")
    token = house.sign_in("sato")

    def seen_at() -> int:
        with transaction(house.ledger.engine, writes=False) as connection:
            return int(
                connection.execute(
                    sa.select(SESSIONS.c.seen_at).where(SESSIONS.c.office == house.ledger.office)
                ).scalar_one()
            )

    before = seen_at()
    house.clock.ms += USED_EVERY_MS - 1
    house.people.session(token, is_used=True)
    assert seen_at() == before
    house.clock.ms += 1
    house.people.session(token, is_used=True)
    assert seen_at() == before + USED_EVERY_MS


def test_signing_out_ends_one_session_and_end_sessions_all(house: House) -> None:
    house.add("sato")
    first, second, third = (house.sign_in("sato") for _ in range(3))
    house.people.sign_out(first)
    house.people.sign_out(first)
    assert [house.is_in(token) for token in (first, second, third)] == [False, True, True]
    assert house.people.end_sessions("sato", Author("staff:ito", "r1"), "by_operator") == 2
    assert not house.is_in(second)
    assert house.of_kind("SignedOut", "SessionsEnded") == [
        ("SignedOut", "staff:sato", "sato signed_out"),
        ("SessionsEnded", "staff:ito", "sato by_operator"),
    ]


def test_a_changed_password_ends_every_session_but_the_new_one(house: House) -> None:
    house.add("sato")
    first, second = house.sign_in("sato"), house.sign_in("sato")
    refused(SignInWrong, house.people.change_password, first, "x" * 12, GOOD)
    refused(NotSignedIn, house.people.change_password, "x" * 43, house.given["sato"], GOOD)
    fresh = house.people.change_password(first, house.given["sato"], GOOD)
    assert [house.is_in(token) for token in (first, second, fresh)] == [False, False, True]
    refused(SignInWrong, house.people.sign_in, "sato", house.given["sato"])
    assert house.people.sign_in("sato", GOOD).person.must_change is False


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


def test_an_ended_account_is_out_and_can_be_restored(house: House) -> None:
    house.add("boss", Role.OPERATOR)
    house.add("sato")
    token = house.sign_in("sato")
    for _ in range(2):
        house.people.end("sato", CLI)
    assert not house.is_in(token)
    refused(SignInWrong, house.people.sign_in, "sato", house.given["sato"])
    for _ in range(2):
        house.people.restore("sato", CLI)
    assert not house.is_in(token)
    assert house.is_in(house.sign_in("sato"))
    assert len(house.of_kind("HandlerEnded", "HandlerRestored")) == 2


def test_another_role_ends_the_sessions_and_another_name_does_not(house: House) -> None:
    house.add("sato")
    token = house.sign_in("sato")
    house.people.change("sato", shown="佐藤 花子", role=Role.COUNTER, designated=DAY, trained=DAY, by=CLI)
    assert house.is_in(token)
    house.people.change("sato", shown="佐藤 花子", role=Role.MANAGER, designated=DAY, trained=DAY, by=CLI)
    assert not house.is_in(token)


def test_a_reset_password_is_for_one_sign_in_and_ends_a_lock_out(house: House) -> None:
    house.add("sato")
    token = house.sign_in("sato")
    for _ in range(WRONG_TRIES):
        refused(SignInWrong, house.people.sign_in, "sato", "x" * 12)
    given = house.people.reset_password("sato", CLI)
    assert not house.is_in(token)
    assert house.people.sign_in("sato", given).person.must_change


def test_somebody_can_always_add_handlers(house: House) -> None:
    house.add("boss", Role.OPERATOR)
    house.add("next", Role.OPERATOR, trained="")
    change = dict[str, object](shown="長", role=Role.OPERATOR, designated=DAY, trained=DAY, by=CLI)
    refused(LastOperator, house.people.end, "boss", CLI)
    for other in ({"role": Role.AUDITOR}, {"designated": ""}):
        with pytest.raises(LastOperator):
            house.people.change("boss", **(change | other))  # type: ignore[arg-type]
    house.people.change("next", **change)  # type: ignore[arg-type]
    house.people.end("boss", CLI)
    refused(LastOperator, house.people.end, "next", CLI)


def test_what_is_no_handler_is_refused(house: House) -> None:
    house.add("sato")
    add = house.people.add
    for name in ("", "a", "Sato", "佐藤", "sa to", "1sato", "s" * 33, "sato\n", "s@example.jp"):
        refused(WrongName, add, name, "佐藤", Role.COUNTER, DAY, DAY, CLI)
    for shown in ("", "  ", "佐" * 41, "佐\n藤"):
        refused(WrongShown, add, "ito", shown, Role.COUNTER, DAY, DAY, CLI)
    for day in ("2026-02-30", "20260401", "yesterday", "2999-01-01"):
        refused(WrongDates, add, "ito", "伊藤", Role.COUNTER, day, DAY, CLI)
        refused(WrongDates, add, "ito", "伊藤", Role.COUNTER, DAY, day, CLI)
    refused(BadMessage, add, "ito", "伊藤", Role.WALL, DAY, DAY, CLI)
    refused(NameTaken, add, "sato", "佐藤", Role.COUNTER, DAY, DAY, CLI)
    for act in (house.people.end, house.people.restore, house.people.unlock, house.people.reset_password):
        refused(UnknownPerson, act, "nobody", CLI)
    assert [person.name for person in house.people.list()] == ["sato"]


def test_two_offices_do_not_know_each_others_handlers(house: House, ledger_url: str) -> None:
    house.add("sato")
    token = house.sign_in("sato")
    other = Ledger(ledger_url, f"{house.ledger.office}-b")
    other.prepare()
    theirs = People(other, hasher=CHEAP, now_ms=house.clock)
    assert theirs.is_empty()
    assert theirs.session(token, is_used=True) is None
    theirs.sign_out(token)
    other.close()
    assert house.is_in(token)


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


def test_a_ledger_that_is_away_is_a_refusal(house: House, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("gone")
    away = People(Ledger(sqlite_url(folder / "no" / "ledger.sqlite"), "ward"), hasher=CHEAP, now_ms=house.clock)
    refused(LedgerAway, away.list)
    refused(LedgerAway, away.sign_in, "sato", "x" * 12)
    refused(LedgerAway, away.alive, ["x"])


def test_access_is_a_matter_of_the_day() -> None:
    person = Person("sato", "佐藤", Role.COUNTER, "2026-04-01", "2026-04-02", False, 0, 0)
    assert [person.has_access(day) for day in ("2026-04-01", "2026-04-02", "2027-01-01")] == [False, True, True]
    assert not replace(person, ended_at=1).has_access("2026-05-01")


def test_of_two_last_operators_who_end_each_other_one_stays(house: House) -> None:
    for turn in range(12):
        names = [f"boss{turn}a", f"boss{turn}b"]
        for name in names:
            house.add(name, Role.OPERATOR)
        for person in house.people.list():
            if person.name not in names and not person.ended_at:
                house.people.end(person.name, CLI)
        begin = Barrier(2)

        def end(name: str, begin: Barrier = begin) -> bool:
            begin.wait(10)
            try:
                house.people.end(name, CLI)
            except LastOperator:
                return False
            return True

        with ThreadPoolExecutor(2) as beside:
            assert sorted(beside.map(end, names)) == [False, True]


def test_of_two_who_add_the_same_account_one_is_told_that_it_is_taken(house: House) -> None:
    for turn in range(8):
        begin = Barrier(2)

        def add(shown: str, turn: int = turn, begin: Barrier = begin) -> bool:
            begin.wait(10)
            try:
                house.people.add(f"sato{turn}", shown, Role.COUNTER, DAY, DAY, CLI)
            except NameTaken:
                return False
            return True

        with ThreadPoolExecutor(2) as beside:
            assert sorted(beside.map(add, ("佐藤", "左東"))) == [False, True]
    assert len(house.of_kind("HandlerAdded")) == 8


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


@pytest.mark.parametrize("name", ["sa\0to", "\ud800", "sato'; --", "sato ", "ＳＡＴＯ", "x" * 1_000_000])
def test_a_name_that_is_none_is_wrong_like_any_other_and_never_asked_for(house: House, name: str) -> None:
    house.add("sato")
    refused(SignInWrong, house.people.sign_in, name, "x" * 12)
    refused(SignInWrong, house.people.sign_in, "sato", "\ud800\0" * 6)
    for act in (house.people.end, house.people.restore, house.people.unlock, house.people.reset_password):
        refused(UnknownPerson, act, name, CLI)
    assert house.people.session(name, is_used=True) is None
    assert {told for kind, _, told in house.of_kind("SignInRefused")} == {"sato wrong"}


@pytest.mark.parametrize("which", ["designated", "trained"])
def test_a_date_that_is_not_yet_here_gives_no_access(house: House, which: str) -> None:
    house.clock.ms = 1_790_002_800_000  # 2026-09-22T00:00 in Tokyo
    today = "2026-09-22"
    designated, trained = (today, DAY) if which == "designated" else (DAY, today)
    given = house.add("sato", designated=designated, trained=trained)
    token = house.sign_in("sato")
    house.clock.ms -= 1
    refused(NotDesignated, house.people.sign_in, "sato", given)
    assert not house.is_in(token)
    house.clock.ms += 1
    assert house.is_in(token)


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
