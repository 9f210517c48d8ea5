"""What a ticket is and where it may go next. Nothing here knows the time, Redis or the audience."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Where a ticket stands. The last three are ends: nothing follows them."""

    EXPECTED = "expected"  # taken on the web, the resident is not here yet
    WAITING = "waiting"
    CALLED = "called"
    SERVING = "serving"
    HELD = "held"
    ABSENT = "absent"
    BACK_OFFICE = "back_office"
    SERVED = "served"
    CANCELLED = "cancelled"
    LAPSED = "lapsed"


class Action(StrEnum):
    """What may be done to a ticket; imperative, because it is a request."""

    ISSUE = "issue"
    EXPECT = "expect"  # a number from home: the resident is still to come
    CHECK_IN = "check_in"
    CALL = "call"
    RECALL = "recall"
    MARK_ABSENT = "absent"
    RETURN = "return"
    FINISH = "done"
    CANCEL = "cancel"
    TRANSFER = "transfer"
    TAKE_BACK = "take_back"  # the call was a mistake
    HOLD = "hold"
    REVIEW = "review"  # from the first counter to the back office
    READY = "ready"  # from there to the delivery lane
    PUSH_BACK = "push_back"
    LAPSE = "lapse"
    CLOSE = "close"  # the business day ends


ENDS = frozenset({State.SERVED, State.CANCELLED, State.LAPSED})
AT_COUNTER = frozenset({State.CALLED, State.SERVING})

MOVES: dict[tuple[State | None, Action], State] = {
    (None, Action.ISSUE): State.WAITING,
    (None, Action.EXPECT): State.EXPECTED,
    (State.EXPECTED, Action.CHECK_IN): State.WAITING,
    (State.WAITING, Action.CALL): State.CALLED,
    (State.HELD, Action.CALL): State.CALLED,
    (State.CALLED, Action.TAKE_BACK): State.WAITING,
    (State.CALLED, Action.RECALL): State.CALLED,
    (State.CALLED, Action.MARK_ABSENT): State.ABSENT,
    (State.ABSENT, Action.RETURN): State.WAITING,
    (State.CALLED, Action.FINISH): State.SERVED,
    (State.SERVING, Action.FINISH): State.SERVED,
    (State.EXPECTED, Action.CANCEL): State.CANCELLED,
    (State.WAITING, Action.CANCEL): State.CANCELLED,
    (State.CALLED, Action.CANCEL): State.CANCELLED,
    (State.HELD, Action.CANCEL): State.CANCELLED,
    (State.ABSENT, Action.CANCEL): State.CANCELLED,
    (State.WAITING, Action.TRANSFER): State.WAITING,
    (State.CALLED, Action.TRANSFER): State.WAITING,
    (State.SERVING, Action.TRANSFER): State.WAITING,
    (State.HELD, Action.TRANSFER): State.WAITING,
    (State.ABSENT, Action.TRANSFER): State.WAITING,
    (State.BACK_OFFICE, Action.TRANSFER): State.WAITING,
    (State.CALLED, Action.HOLD): State.HELD,
    (State.CALLED, Action.REVIEW): State.BACK_OFFICE,
    (State.BACK_OFFICE, Action.READY): State.WAITING,
    (State.WAITING, Action.PUSH_BACK): State.WAITING,
    **{(state, Action.LAPSE): State.LAPSED for state in State if state not in ENDS | AT_COUNTER},
    **{(state, Action.CLOSE): State.LAPSED for state in State if state not in ENDS},
}


@dataclass(frozen=True, slots=True)
class Ticket:
    """One resident's place.

    `arrival` is the office-wide counter of the day, given once: the ticket's public id.
    `number` is what the paper says, band and prefix included ("A105"). `rank` orders the
    lane and is no history. `calls` counts calls since the ticket last waited.
    `counter` is where it was last called to, kept after it left so that a missed number can say where. `called_from` is
    where it stood before that call. `for_counter`: the only counter that may call it. `until`: a missed number may come
    back before then (epoch milliseconds, office time). `is_priority`: its first rank was given by the rule of
    priorities (`order.place_of_priority`).
    """

    arrival: int
    number: str
    lane: str
    rank: int
    state: State
    source: str
    issued_at: int  # epoch milliseconds, office time
    counter: str | None = None
    calls: int = 0
    called_at: int | None = None  # of the latest call, epoch milliseconds, office time
    is_priority: bool = False
    called_from: State | None = None
    for_counter: str = ""
    pushed: int = 0  # how often its resident had it pushed back
    until: int | None = None

    @property
    def is_at_counter(self) -> bool:
        return self.state in AT_COUNTER
