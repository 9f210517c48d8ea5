"""Who stands before whom, and whose turn it is. A rank is an integer in a lane; a rule gives it when something happens,
never a clock.

A newcomer's rank is arrival × 2^20, so a million places lie free between two neighbours. Whoever comes in between
gets the middle of the gap; where the gap is closed, the nearest neighbours move apart (`make_room`).
Ranks stay below 2^53, so that a double holds each exactly (Redis scores, JavaScript): 8,589,934,591 arrivals a day.

**Priority** (`place_of_priority`). With `every` = k such a ticket stands as far in front as k − 1 ordinary tickets
between it and the priority ticket before it allow: the last one that waits, else the one called last. Whoever waits in
a lane is therefore passed there by at most 1 + ⌊n / (k − 1)⌋ of them, n being the ordinary tickets that stood before
him at any time (one that comes back there counts again). Whom staff choose out of order, with a reason, passes besides.
It stands right before the one it passes, also as seen from other lanes, and keeps that rank: no clock moves it up.

**Turns** (`turn_of`). A counter whose lanes weigh the same calls the smallest rank of all. Where they weigh differently
it calls from the lane whose turn is the lowest number, the smaller rank where two are equal. A lane's turn is SHARE /
weight behind its last turn there, but never before the counter's latest: who had nobody waiting saves nothing up. So
between two calls from a lane that has somebody waiting lie at most Σ (⌊other weight / its weight⌋ + 1) calls from the
other lanes of the counter, and nobody starves.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence

STEP = 1 << 20
SHARE = 2520  # the least number that every weight from 1 to 10 divides: turns stay whole
HEAVIEST = 10
ROOM = 1 << 10  # between neighbours that had to move: ten more insertions into the same gap before they move again


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


def make_room(ranks: Sequence[int], place: int, last_arrival: int) -> tuple[int, dict[int, int]]:
    """A rank after the first `place` of `ranks` where the gap is closed, and the neighbours' new ranks (old → new).

    Only as many neighbours move as are needed to have ROOM between each two again; whoever is farther away, and every
    newcomer to come, keeps a rank that tells of the arrival.
    """
    first, end = place, place
    while True:
        low = ranks[first - 1] if first > 0 else 0
        high = ranks[end] if end < len(ranks) else first_rank(last_arrival + 1)
        step = (high - low) // (end - first + 2)
        if step >= ROOM:
            break
        first, end = max(0, first - 1), min(len(ranks), end + 1)
    anew = [low + step * (n + 1) for n in range(end - first + 1)]
    mine = anew.pop(place - first)
    return mine, dict(zip(ranks[first:end], anew, strict=True))


def place_of_rank(ranks: Sequence[int], rank: int) -> int:
    """How many of a lane's ascending `ranks` are smaller."""
    return bisect_left(ranks, rank)


def place_of_return(waiting: int, return_after: int) -> int:
    """A resident who was absent stands after the next `return_after` who wait: not first, nor behind newcomers."""
    return min(waiting, return_after)


def place_of_arrival(arrivals: Sequence[int], arrival: int) -> int:
    """Who joins a lane late stands right before the first there who came after him.

    `arrivals` as they wait, 0 for whoever stands there by priority: of him it cannot be said who comes first.
    """
    return next((place for place, other in enumerate(arrivals) if other > arrival), len(arrivals))


def place_of_priority(line: Sequence[bool], every: int, since: int | None) -> int:
    """How many who wait stay before a new priority ticket. `line`: who of them has priority, first of all first.

    `since`: ordinary tickets called in their turn since the last call of a priority ticket; None: there was none today.
    """
    last = next((place for place in reversed(range(len(line))) if line[place]), None)
    if last is not None:
        return min(last + every, len(line))
    return 0 if since is None else min(max(0, every - 1 - since), len(line))


def rank_of_priority(ranks: Sequence[int], place: int, arrival: int) -> int | None:
    """Right before the one at `place`, its first rank where nobody is passed; None: the gap is closed."""
    if place == len(ranks):
        return first_rank(arrival)
    high = ranks[place]
    return rank_between(max(ranks[place - 1] if place > 0 else 0, high - STEP), high)


def turn_of(turns: Mapping[str, int], lane: str, weight: int) -> int:
    """A lane's next turn at a counter. `turns`: lane → its last turn there. Every turn is at least 1."""
    latest = max(turns.values(), default=1)
    return max(latest, turns[lane] + SHARE // weight) if lane in turns else latest


def rank_of_arrival(ranks: Sequence[int], place: int, arrival: int, last_arrival: int) -> int | None:
    """Its first rank if that lies in the gap at `place`, else the middle of the gap; None: the gap is closed."""
    low = ranks[place - 1] if place > 0 else 0
    high = ranks[place] if place < len(ranks) else first_rank(last_arrival + 1)
    return first_rank(arrival) if low < first_rank(arrival) < high else rank_between(low, high)
