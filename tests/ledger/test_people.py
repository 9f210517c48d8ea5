"""Who is a handler, with which role and from which day on: accounts are added, changed, ended and restored by rule."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

from hub.desk.refusals import (
    BadMessage,
    LastOperator,
    LedgerAway,
    NameTaken,
    NotDesignated,
    SignInWrong,
    UnknownPerson,
    WrongDates,
    WrongName,
    WrongShown,
)
from hub.ledger.connection import sqlite_url
from hub.ledger.operations import Ledger
from hub.ledger.people import People, Person
from hub.wire.roles import Role
from tests.ledger.handlers import CHEAP, CLI, DAY, House, house, refused

__all__ = ["house"]


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


@pytest.mark.parametrize(
    ("designated", "trained"), [("", ""), (DAY, ""), ("", DAY)], ids=["neither", "designated only", "trained only"]
)
def test_without_designation_and_training_there_is_no_access(house: House, designated: str, trained: str) -> None:
    given = house.add("sato", designated=designated, trained=trained)
    refused(NotDesignated, house.people.sign_in, "sato", given)
    refused(SignInWrong, house.people.sign_in, "sato", "x" * 12)
    house.people.change("sato", shown="佐藤", role=Role.COUNTER, designated=DAY, trained=DAY, by=CLI)
    assert house.is_in(house.sign_in("sato"))


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
            begin.wait(60)
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
            begin.wait(60)
            try:
                house.people.add(f"sato{turn}", shown, Role.COUNTER, DAY, DAY, CLI)
            except NameTaken:
                return False
            return True

        with ThreadPoolExecutor(2) as beside:
            assert sorted(beside.map(add, ("佐藤", "左東"))) == [False, True]
    assert len(house.of_kind("HandlerAdded")) == 8


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
