"""The tree of refusals: drawn in its docstring, one sentence each, comparable."""

import re

from hub.desk import refusals
from hub.desk.refusals import NotCurrent, Refusal, StaleDay, TryAgain, every_refusal


def test_the_docstring_draws_the_whole_tree() -> None:
    drawn = set(re.findall(r"[├└]── (\w+)", refusals.__doc__ or ""))
    assert drawn | {"Refusal"} == set(every_refusal())


def test_only_what_may_succeed_later_says_so() -> None:
    for kind in every_refusal().values():
        assert kind.again is issubclass(kind, TryAgain)


def test_every_refusal_says_what_to_do_in_a_sentence_of_its_own() -> None:
    sentences = [kind.sentence for kind in every_refusal().values()]
    assert all(sentence.endswith("。") for sentence in sentences)
    assert len(set(sentences)) == len(sentences)


def test_refusals_are_equal_by_kind_and_details() -> None:
    assert NotCurrent(counter="1") == NotCurrent(counter="1")
    assert len({NotCurrent(counter="1"), NotCurrent(counter="1"), NotCurrent(counter="2")}) == 2
    assert NotCurrent() != StaleDay()
    assert StaleDay() != "StaleDay"
    assert str(StaleDay(day="2026-11-24")) == "StaleDay {'day': '2026-11-24'}"
    assert str(Refusal()) == "Refusal"
