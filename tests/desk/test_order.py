"""Ranks: integers between neighbours, below every newcomer, exact in a double."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from hub.desk.order import (
    STEP,
    first_rank,
    make_room,
    place_of_arrival,
    place_of_return,
    rank_at,
    rank_between,
    rank_of_arrival,
)


def test_newcomers_stand_a_million_places_apart() -> None:
    assert first_rank(2) - first_rank(1) == STEP == 2**20


def test_a_closed_gap_has_no_rank() -> None:
    assert rank_between(5, 7) == 6
    assert rank_between(5, 6) is None


@given(st.lists(st.integers(1, 2**30), unique=True, max_size=30).map(sorted), st.data())
def test_a_rank_stands_where_it_was_asked_for_and_before_every_newcomer(ranks: list[int], data: st.DataObject) -> None:
    last_arrival = (max(ranks, default=0) // STEP) + 1
    place = data.draw(st.integers(0, len(ranks)))
    rank = rank_at(ranks, place, last_arrival)
    if rank is not None:
        assert sorted([*ranks, rank]).index(rank) == place
        assert rank not in ranks
        assert 0 < rank < first_rank(last_arrival + 1)


@given(st.integers(1, 400), st.data())
def test_where_the_gap_is_closed_only_neighbours_move_and_the_order_stays(count: int, data: st.DataObject) -> None:
    ranks = [first_rank(arrival) for arrival in range(1, count + 1)]
    place = data.draw(st.integers(0, count))
    below = ranks[place - 1] if place else 0
    crowd = data.draw(st.integers(1, 30))
    closed = sorted({*ranks, *range(below + 1, below + 1 + crowd)})
    at = closed.index(below + 1) if data.draw(st.booleans()) else closed.index(below + crowd)
    mine, moved = make_room(closed, at, count + crowd)
    anew = [moved.get(rank, rank) for rank in closed]
    assert anew == sorted(set(anew))
    assert sorted([*anew, mine]).index(mine) == at
    assert len(moved) <= 2 * crowd + 2, "those far away keep the rank that tells of their arrival"
    assert 0 < mine < first_rank(count + crowd + 1)
    edges = [0, *sorted([*anew, mine])]
    assert all(high - low >= 1 for low, high in itertools.pairwise(edges))


def test_who_returns_waits_for_the_next_few() -> None:
    assert place_of_return(10, 2) == 2
    assert place_of_return(1, 2) == 1
    assert place_of_return(0, 2) == 0


def test_who_joins_late_stands_before_the_first_who_came_later() -> None:
    assert [place_of_arrival([2, 5], arrival) for arrival in (1, 3, 9)] == [0, 1, 2]
    assert place_of_arrival([5, 1, 7], 6) == 2, "1 came back and stands where the rule of return put it"
    ranks = [first_rank(2), first_rank(5)]
    assert rank_of_arrival(ranks, 1, 3, 9) == first_rank(3)
    assert rank_of_arrival([first_rank(4), first_rank(5)], 1, 3, 9) == (first_rank(4) + first_rank(5)) // 2
    assert rank_of_arrival([7, 8], 1, 3, 9) is None
