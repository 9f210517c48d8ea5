"""Who stands before whom. A rank is an integer in a lane; a rule gives it when something happens, never a clock.

A newcomer's rank is arrival × 2^20, so a million places lie free between two neighbours. Whoever comes in between
gets the middle of the gap; a closed gap spreads the whole lane anew (`spread`), below every newcomer to come.
Ranks stay below 2^53, so that a double holds each exactly (Redis scores, JavaScript): 8,589,934,591 arrivals a day.
"""

from collections.abc import Sequence

STEP = 1 << 20


def first_rank(arrival: int) -> int:
    return arrival * STEP


def rank_between(low: int, high: int) -> int | None:
    """The middle of the open gap low … high, or None where no integer lies between."""
    return (low + high) // 2 if high - low >= 2 else None


def rank_at(ranks: Sequence[int], place: int, last_arrival: int) -> int | None:
    """The rank that puts a ticket after the first `place` of the lane's ascending `ranks`; None: the gap is closed.

    Behind the last of the lane still means before every newcomer: the ceiling is the next arrival's first rank.
    """
    low = ranks[place - 1] if place > 0 else 0
    high = ranks[place] if place < len(ranks) else first_rank(last_arrival + 1)
    return rank_between(low, high)


def spread(count: int, last_arrival: int) -> list[int]:
    """`count` ascending ranks with even gaps, all below the next newcomer's."""
    step = first_rank(last_arrival + 1) // (count + 1)
    return [step * place for place in range(1, count + 1)]


def place_of_return(waiting: int, return_after: int) -> int:
    """A resident who was absent stands after the next `return_after` who wait: not first, never behind newcomers."""
    return min(waiting, return_after)


def place_of_arrival(ranks: Sequence[int], arrival: int) -> int:
    """A transferred ticket stands where its arrival puts it: behind all who have its first rank or less."""
    return sum(1 for rank in ranks if rank <= first_rank(arrival))
