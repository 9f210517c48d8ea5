"""How long a session lasts, and what ends it before its time."""

import sqlalchemy as sa

from hub.desk.refusals import NotSignedIn, SignInWrong
from hub.ledger import people as rules
from hub.ledger.connection import transaction
from hub.ledger.journal import Author
from hub.ledger.people import IDLE_MS, LONGEST_MS, USED_EVERY_MS
from hub.ledger.tables import SESSIONS
from hub.wire.roles import Role
from tests.ledger.handlers import CLI, DAY, GOOD, House, house, refused

__all__ = ["house"]


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
