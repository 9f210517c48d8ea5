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
    TYPING = auto()  # somebody took a number from home and types it
    CHECKING = auto()  # the hub has not answered yet
    CHECKED_IN = auto()  # he waits from now on; there is no slip
    NOT_CHECKED_IN = auto()  # the screen says why


class Event(StrEnum):
    CHOSEN = auto()
    ANSWERED = auto()
    REFUSED = auto()
    PRINTED = auto()
    PRINTER_FAILED = auto()
    PRINT_AGAIN = auto()
    FROM_HOME = auto()  # "I took a number from home"
    TOUCHED = auto()  # is still typing
    TYPED = auto()
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
    (State.CHOOSING, Event.FROM_HOME): State.TYPING,
    (State.TYPING, Event.TOUCHED): State.TYPING,
    (State.TYPING, Event.TYPED): State.CHECKING,
    (State.TYPING, Event.LEFT): State.CHOOSING,
    (State.CHECKING, Event.ANSWERED): State.CHECKED_IN,
    (State.CHECKING, Event.REFUSED): State.NOT_CHECKED_IN,
    (State.CHECKED_IN, Event.LEFT): State.CHOOSING,
    (State.NOT_CHECKED_IN, Event.FROM_HOME): State.TYPING,
    (State.NOT_CHECKED_IN, Event.LEFT): State.CHOOSING,
}

# How long a state stands with nobody touching anything. Those that are not here end by what the hub or printer says.
SHOWN_SECONDS: dict[State, float] = {
    State.PRINTED: 8,  # the paper says the same
    State.REFUSED: 15,
    State.UNPRINTED: 120,  # a number and a code have to be copied by hand
    State.TYPING: 60,  # since the last key: the number is looked for in a bag
    State.CHECKED_IN: 20,  # there is no paper to read it from again
    State.NOT_CHECKED_IN: 30,
}


class NotNow(Exception):
    """The screen is in another state: a second touch, or one that came too late."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """`code` is empty for a number from home: its holder has it."""

    number: str
    ahead: int | None
    code: str = ""


@dataclass(frozen=True, slots=True)
class Kiosk:
    """`lane` from CHOSEN on, `ticket` from ANSWERED on, `sentence` and `why` (a word for programs) while refused."""

    state: State = State.CHOOSING
    lane: str | None = None
    ticket: Ticket | None = None
    sentence: str | None = None
    why: str | None = None

    def after(
        self,
        event: Event,
        *,
        lane: str | None = None,
        ticket: Ticket | None = None,
        sentence: str | None = None,
        why: str | None = None,
    ) -> "Kiosk":
        """The next screen. Raises NotNow."""
        state = MOVES.get((self.state, event))
        if state is None:
            raise NotNow(f"{event} while {self.state}")
        if state is State.CHOOSING:
            return Kiosk()
        lane, ticket = lane or self.lane, ticket or self.ticket
        return replace(self, state=state, lane=lane, ticket=ticket, sentence=sentence, why=why)
