"""Erasing on request: one number's contact goes at once, who asked is in the ledger, an old request does nothing."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from hub.desk.notices import Ending
from hub.ledger.asked import Answer, Ask, Asks
from hub.ledger.journal import Author
from hub.ledger.tables import JOURNAL
from hub.store.sealing import Contact
from tests.workers.erasing import Night, night
from workers.asked import ANSWERED_WITHIN_MS, AskedErasures

NOW_MS = 1_795_000_000_000
NUMBER = "A101"
BY = Author("cli:sato", "q3oZ4lqWlT0mW1x7mBv2aA")


@pytest.fixture
async def at_night(tmp_path: Path) -> AsyncIterator[Night]:
    async with night(tmp_path) as made:
        yield made


def asked_of(at_night: Night, asks: Asks, *, now_ms: int = NOW_MS) -> AskedErasures:
    return AskedErasures(at_night.office.lanes, at_night.erasing, asks, now_ms=lambda: now_ms)


async def test_who_asks_has_one_numbers_contact_erased_at_once_and_verified_at_the_next_turn(at_night: Night) -> None:
    mine, other = await at_night.give(), await at_night.give("other@example.test")
    sealed = await at_night.office.contacts.sealed(mine)
    assert sealed is not None
    request = Asks(at_night.ledger).ask(NUMBER, BY, NOW_MS)
    asks = Asks(at_night.ledger)
    await asked_of(at_night, asks).turn()
    assert await at_night.erasing.kept([mine, other]) == {other}
    assert asks.answer_to(request) == Answer(at_night.office.day, 1)
    await at_night.archiver.turn()
    await at_night.turn()
    assert at_night.files_with(sealed.encode()) == [], "who asked waits for it"
    first, second = at_night.handled()
    assert (first.number, first.ending) == (NUMBER, Ending.OFFICE)
    assert first.erased_ms is not None
    assert first.verified_ms is not None
    assert second.erased_ms is None
    (erased,) = at_night.noted("ContactErased")
    assert (erased.who, erased.request) == (BY.who, f"{request}-email")
    assert [(entry.who, entry.request, entry.fields["number"]) for entry in at_night.noted("ErasureAsked")] == [
        (BY.who, request, NUMBER)
    ]
    assert [entry.fields["contacts"] for entry in at_night.noted("ErasureAnswered")] == ["1"]


@pytest.mark.parametrize("number", ["A101", "Z999"])
async def test_where_there_is_none_it_is_said(at_night: Night, number: str) -> None:
    await at_night.office.take()  # A101, whose resident left no contact
    asks = Asks(at_night.ledger)
    request = asks.ask(number, BY, NOW_MS)
    await asked_of(at_night, asks).turn()
    assert asks.answer_to(request) == Answer(at_night.office.day, 0)
    assert await at_night.erasing.traces(1 << 52) == []


async def test_what_was_asked_long_ago_is_done_no_more(at_night: Night) -> None:
    mine = await at_night.give()
    asks = Asks(at_night.ledger)
    request = asks.ask(NUMBER, BY, NOW_MS)
    await asked_of(at_night, asks, now_ms=NOW_MS + ANSWERED_WITHIN_MS + 1).turn()
    assert await at_night.erasing.kept([mine]) == {mine}, "the number may be somebody else's by now"
    assert asks.answer_to(request) is None


async def test_killed_before_it_could_answer_it_gives_the_same_answer(at_night: Night) -> None:
    await at_night.give()

    class Killed(Exception):
        pass

    class DiesAtAnswering(Asks):
        def answer(self, ask: Ask, told: Answer, at: int) -> None:
            raise Killed

    dying = DiesAtAnswering(at_night.ledger)
    request = dying.ask(NUMBER, BY, NOW_MS)
    with pytest.raises(Killed):
        await asked_of(at_night, dying).turn()
    await at_night.archiver.turn()
    asks = Asks(at_night.ledger)
    await asked_of(at_night, asks).turn()
    assert asks.answer_to(request) == Answer(at_night.office.day, 1)
    await at_night.archiver.turn()
    assert len(at_night.noted("ContactErased")) == 1
    await asked_of(at_night, Asks(at_night.ledger)).turn()
    await at_night.archiver.turn()
    assert len(at_night.noted("ErasureAnswered")) == 1, "once"


async def test_an_ask_that_somebody_wrote_by_hand_keeps_nobody_from_the_next(at_night: Night) -> None:
    await at_night.give()
    asks = Asks(at_night.ledger)
    with at_night.ledger.engine.begin() as connection:
        for kind, fields in (("ErasureAsked", {}), ("ErasureAnswered", {"contacts": "many"})):
            row = {"office": "ward", "type": kind, "at": NOW_MS, "who": "cli", "request": f"by-hand-{kind}"}
            connection.execute(sa.insert(JOURNAL).values(**row, fields=json.dumps(fields)))
    request = asks.ask(NUMBER, BY, NOW_MS)
    await asked_of(at_night, asks).turn()
    assert asks.answer_to(request) == Answer(at_night.office.day, 1)


async def test_nothing_of_the_contact_stands_in_what_was_noted(at_night: Night) -> None:
    await at_night.give("canary-asked@example.test")
    asks = Asks(at_night.ledger)
    asks.ask(NUMBER, BY, NOW_MS)
    await asked_of(at_night, asks).turn()
    await at_night.archiver.turn()
    told = "".join(entry.text for entry in at_night.ledger.entries())
    assert "ErasureAnswered" in told
    assert "canary-asked" not in told
    assert "canary-asked" not in repr(Contact("canary-asked@example.test", ""))
