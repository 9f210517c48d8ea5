"""Ranks: integers between neighbours, below every newcomer, exact in a double."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from hub.desk.order import STEP, first_rank, place_of_arrival, place_of_return, rank_at, rank_between, spread


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


@given(st.integers(0, 2000), st.integers(1, 2**33 - 2))
def test_spread_ranks_leave_room_everywhere(count: int, last_arrival: int) -> None:
    if count > last_arrival:
        return
    ranks = spread(count, last_arrival)
    assert len(ranks) == count
    edges = [0, *ranks, first_rank(last_arrival + 1)]
    assert all(high - low >= 2 for low, high in itertools.pairwise(edges))
    assert max(edges) <= 2**53, "a double holds every rank exactly"


def test_who_returns_waits_for_the_next_few() -> None:
    assert place_of_return(10, 2) == 2
    assert place_of_return(1, 2) == 1
    assert place_of_return(0, 2) == 0


def test_who_is_transferred_stands_where_the_arrival_says() -> None:
    ranks = [first_rank(2), first_rank(5)]
    assert [place_of_arrival(ranks, arrival) for arrival in (1, 2, 3, 5, 9)] == [0, 1, 1, 2, 2]
