"""Ranks: integers between neighbours, below every newcomer, exact in a double."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from hub.desk.order import (
    HEAVIEST,
    SHARE,
    STEP,
    first_rank,
    make_room,
    place_of_arrival,
    place_of_priority,
    place_of_return,
    rank_at,
    rank_between,
    rank_of_arrival,
    rank_of_priority,
    turn_of,
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


def test_who_stands_by_priority_is_not_asked_when_he_came() -> None:
    assert place_of_arrival([0, 5, 9], 7) == 2


def test_a_priority_ticket_leaves_its_share_of_ordinary_ones_before_it() -> None:
    ordinary, priority = False, True
    assert place_of_priority([ordinary] * 5, 3, None) == 0, "the first of the day"
    assert place_of_priority([ordinary] * 5, 3, 0) == 2, "one was called just now"
    assert place_of_priority([ordinary] * 5, 3, 1) == 1
    assert place_of_priority([ordinary] * 5, 3, 7) == 0
    assert place_of_priority([priority, *[ordinary] * 5], 3, 0) == 3
    assert place_of_priority([ordinary, priority, ordinary], 3, None) == 3, "so few wait that it stands last"
    assert place_of_priority([], 3, 0) == 0


def test_a_priority_ticket_passes_nobody_of_other_lanes_whom_the_passed_one_would_not() -> None:
    assert rank_of_priority([first_rank(20), first_rank(30)], 1, 40) == first_rank(30) - STEP // 2
    assert rank_of_priority([first_rank(20)], 0, 40) == first_rank(20) - STEP // 2
    assert rank_of_priority([first_rank(20)], 1, 40) == first_rank(40), "it passes nobody"
    assert rank_of_priority([7, 8], 1, 40) is None


def test_turns_stay_whole() -> None:
    assert all(SHARE % weight == 0 for weight in range(1, HEAVIEST + 1))


@given(st.lists(st.integers(1, HEAVIEST), min_size=2, max_size=6), st.integers(0, 5), st.data())
def test_whoever_waits_is_called_within_the_bound_of_the_weights(
    weights: list[int], chosen: int, data: st.DataObject
) -> None:
    """The others come and go as they like; one lane has somebody waiting from some moment on."""
    lanes = {f"lane-{place}": weight for place, weight in enumerate(weights)}
    mine = f"lane-{chosen % len(weights)}"
    bound = sum(weight // lanes[mine] + 1 for lane, weight in lanes.items() if lane != mine)
    turns: dict[str, int] = {}
    begins, passed = data.draw(st.integers(0, 30)), 0
    for call in range(begins + bound + 1):
        others = data.draw(st.sets(st.sampled_from(sorted(lanes.keys() - {mine})), min_size=1))
        waiting = others | {mine} if call >= begins else others
        turn = {lane: turn_of(turns, lane, lanes[lane]) for lane in waiting}
        lane = min(sorted(waiting - {mine}) + sorted(waiting & {mine}), key=lambda key: turn[key])  # never by luck
        turns[lane] = turn[lane]
        if lane == mine:
            return
        passed += call >= begins
    raise AssertionError(f"passed {passed} times, at most {bound} were promised")


@given(st.lists(st.integers(1, HEAVIEST), min_size=2, max_size=6))
def test_lanes_that_always_have_somebody_are_called_as_they_weigh(weights: list[int]) -> None:
    turns: dict[str, int] = {}
    calls = dict.fromkeys(map(str, range(len(weights))), 0)
    rounds = 20
    for _ in range(rounds * sum(weights)):
        turn = {lane: turn_of(turns, lane, weights[int(lane)]) for lane in calls}
        lane = min(calls, key=lambda key: turn[key])
        turns[lane] = turn[lane]
        calls[lane] += 1
    assert all(abs(calls[lane] - rounds * weights[int(lane)]) <= weights[int(lane)] for lane in calls)
