"""A small office, and days in it that come out of a seed: whatever the desk refuses simply does not happen."""

import random

from hub.desk.lane import Counter, Lane, Office
from hub.desk.requests import Cancel, Done, Issue, MarkAbsent, Next, Recall, Request, Return, Transfer

CERTIFICATES, MOVES = "certificates", "moves"

OFFICE = Office(
    key="ward",
    name="さくら区役所 戸籍住民課",
    lanes=(Lane(CERTIFICATES, "証明", "A", 101, 399), Lane(MOVES, "住民異動", "B", 401, 699)),
    counters=(
        Counter("1", "1番窓口", (CERTIFICATES, MOVES)),
        Counter("2", "2番窓口", (CERTIFICATES,)),
        Counter("3", "3番窓口", (MOVES,)),
    ),
    return_after=2,
)


def any_request(chance: random.Random, at_counter: dict[str, int], last_arrival: int) -> Request:
    """Something that might be asked now, sensible or not."""
    lane = chance.choice([CERTIFICATES, MOVES])
    counter = chance.choice("123")
    ticket = chance.randint(max(1, last_arrival - 12), last_arrival + 1)
    current = at_counter.get(counter)
    kinds: list[Request] = [
        Issue(lane, "kiosk"),
        Issue(lane, "kiosk"),
        Next(counter, current),
        Next(counter, current),
        Recall(counter, current or ticket),
        MarkAbsent(counter, current or ticket),
        Done(counter, current or ticket),
        Return(ticket),
        Cancel(ticket),
        Transfer(ticket, lane),
    ]
    return chance.choice(kinds)
