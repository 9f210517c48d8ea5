"""Facts on the stream and back."""

from dataclasses import replace
from typing import get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.desk.facts import FACTS, Fact, LaneRenumbered, TicketIssued, UnreadableFact, from_fields, to_fields

ISSUED = TicketIssued(
    at=1, who="kiosk", request="r", arrival=7, number="A103", lane="certificates", rank=7 << 20, source="kiosk"
)


KEYS = st.lists(st.from_regex(r"[a-z0-9_-]{1,32}", fullmatch=True)).map(tuple)


def any_fact(name: str) -> st.SearchStrategy[Fact]:
    """Lanes are told as keys of an office file: none is empty or has a space in it."""
    of_keys = {field for field, kind in get_type_hints(FACTS[name]).items() if kind == tuple[str, ...]}
    return st.builds(FACTS[name], **dict.fromkeys(of_keys, KEYS))


@given(st.sampled_from(sorted(FACTS)).flatmap(any_fact))
def test_every_fact_comes_back_as_it_went(fact: Fact) -> None:
    assert from_fields(to_fields(fact)) == fact


def test_a_fact_is_flat_texts_with_its_type() -> None:
    assert to_fields(ISSUED)["type"] == "TicketIssued"
    assert to_fields(ISSUED)["rank"] == "7340032"
    renumbered = LaneRenumbered(at=1, who="desk", request="r", lane="moves", ranks={3: 10, 4: 20})
    assert to_fields(renumbered)["ranks"] == "3:10 4:20"


def test_fields_of_a_newer_hub_are_ignored() -> None:
    assert from_fields(to_fields(ISSUED) | {"mood": "sunny"}) == ISSUED


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"type": "TicketEaten"},
        {"type": "TicketIssued"},
        to_fields(ISSUED) | {"rank": "first"},
        {"type": "LaneRenumbered", "at": "1", "who": "", "request": "", "lane": "moves", "ranks": "3"},
    ],
)
def test_what_is_no_fact_is_never_skipped(broken: dict[str, str]) -> None:
    with pytest.raises(UnreadableFact):
        from_fields(broken)


def test_what_an_older_release_did_not_tell_has_its_default() -> None:
    old = {"type": "TicketIssued", "at": "1", "who": "k", "request": "r", "arrival": "1", "number": "A1", "lane": "a"}
    fact = from_fields(old | {"rank": "5", "source": "kiosk"})
    assert isinstance(fact, TicketIssued)
    assert not fact.is_priority
    assert from_fields(old | {"rank": "5", "source": "kiosk", "is_priority": "1"}) == replace(fact, is_priority=True)
    with pytest.raises(UnreadableFact):
        from_fields(old | {"rank": "5", "source": "kiosk", "is_priority": "yes"})
