"""A ticket as a recorded day shows it. Pure; used by `retelling` and `ordering`."""

from dataclasses import dataclass

from msgspec import UNSET, UnsetType

from hub.desk.explanation import Placed
from hub.desk.ticket import State
from hub.wire import messages as m


@dataclass(slots=True)
class Seen:
    """`calls` and `waited_anew` count all day; `issued_in` is the lane of its number. `placed`: what put it where it
    stands, beside its arrival; None: a photograph alone shows it, so nobody can say.
    """

    number: str
    lane: str
    issued_in: str | None
    state: State
    rank: int | UnsetType = UNSET
    counter: str | None = None
    calls: int = 0
    waited_anew: int = 0
    for_counter: str = ""
    until: int | None = None
    is_shown: bool = False  # the present call, on some wall
    placed: frozenset[Placed] | None = None


def shown_in(snapshot: m.Snapshot) -> dict[int, Seen]:
    """Everybody whom a snapshot shows, by arrival."""
    shown: dict[int, Seen] = {}
    for lane in snapshot.lanes:
        for waiting in [] if lane.queue is UNSET else lane.queue:
            seen = Seen(waiting.number, lane.lane, None, State.WAITING, waiting.rank)
            seen.for_counter = waiting.for_counter or ""
            shown[waiting.arrival] = seen
    for call in snapshot.called:
        shown[call.arrival] = Seen(call.number, call.lane, None, State.CALLED, counter=call.counter, calls=1)
    for missed in snapshot.missed:
        seen = Seen(missed.number, missed.lane, None, State.ABSENT, counter=missed.counter, calls=1, until=missed.until)
        shown[missed.arrival] = seen
    for state, among in ((State.HELD, snapshot.held), (State.BACK_OFFICE, snapshot.in_review)):
        for aside in [] if among is UNSET else among:
            seen = Seen(aside.number, aside.lane, None, state, counter=aside.counter, calls=1)
            shown[aside.arrival] = seen
    return shown
