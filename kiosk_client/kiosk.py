"""What the touch screen shows, and what may follow what. Nothing here knows the hub, the printer or the time."""

from dataclasses import dataclass, replace
from enum import StrEnum, auto


class State(StrEnum):
    CHOOSING = auto()
    ASKING = auto()  # the hub has not answered yet: there may be a ticket or not
    SAFE = auto()  # the number is given; its slip is being printed
    PRINTED = auto()
    UNPRINTED = auto()  # the number is given, the printer failed: the screen is the slip
    REFUSED = auto()  # there is no ticket, and the screen says why


class Event(StrEnum):
    CHOSEN = auto()
    ANSWERED = auto()
    REFUSED = auto()
    PRINTED = auto()
    PRINTER_FAILED = auto()
    PRINT_AGAIN = auto()
    LEFT = auto()  # touched "back", or nobody touched anything for a while


MOVES: dict[tuple[State, Event], State] = {
    (State.CHOOSING, Event.CHOSEN): State.ASKING,
    (State.ASKING, Event.ANSWERED): State.SAFE,
    (State.ASKING, Event.REFUSED): State.REFUSED,
    (State.SAFE, Event.PRINTED): State.PRINTED,
    (State.SAFE, Event.PRINTER_FAILED): State.UNPRINTED,
    (State.UNPRINTED, Event.PRINT_AGAIN): State.SAFE,
    (State.UNPRINTED, Event.LEFT): State.CHOOSING,
    (State.PRINTED, Event.LEFT): State.CHOOSING,
    (State.REFUSED, Event.LEFT): State.CHOOSING,
}

# How long a state stands with nobody touching anything. Those that are not here end by what the hub or printer says.
SHOWN_SECONDS: dict[State, float] = {
    State.PRINTED: 8,  # the paper says the same
    State.REFUSED: 15,
    State.UNPRINTED: 120,  # a number and a code have to be copied by hand
}


class NotNow(Exception):
    """The screen is in another state: a second touch, or one that came too late."""


@dataclass(frozen=True, slots=True)
class Ticket:
    number: str
    ahead: int | None
    code: str


@dataclass(frozen=True, slots=True)
class Kiosk:
    """`lane` from CHOSEN on, `ticket` from ANSWERED on, `sentence` while REFUSED."""

    state: State = State.CHOOSING
    lane: str | None = None
    ticket: Ticket | None = None
    sentence: str | None = None

    def after(
        self, event: Event, *, lane: str | None = None, ticket: Ticket | None = None, sentence: str | None = None
    ) -> "Kiosk":
        """The next screen. Raises NotNow."""
        state = MOVES.get((self.state, event))
        if state is None:
            raise NotNow(f"{event} while {self.state}")
        if state is State.CHOOSING:
            return Kiosk()
        return replace(self, state=state, lane=lane or self.lane, ticket=ticket or self.ticket, sentence=sentence)
