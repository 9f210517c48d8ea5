"""What the touch screen shows, and what may follow what. Nothing here knows the hub, the printer or the time."""

from dataclasses import dataclass, field, replace
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
    READING = auto()  # what telephone numbers are kept for
    DIALLING = auto()
    READING_BACK = auto()  # the hub has not answered yet
    READ_BACK = auto()  # is it this number, and how shall it be told?
    LEAVING = auto()  # the hub has not answered yet
    LEFT_NUMBER = auto()  # whoever took the number is told by telephone
    NOT_LEFT = auto()  # no telephone number is kept, and the screen says why


class Event(StrEnum):
    CHOSEN = auto()
    ANSWERED = auto()
    REFUSED = auto()
    PRINTED = auto()
    PRINTER_FAILED = auto()
    PRINT_AGAIN = auto()
    FROM_HOME = auto()  # "I took a number from home"
    BY_PHONE = auto()  # wishes to be told by telephone
    AGREED = auto()  # to what the number is kept for
    CONFIRMED = auto()  # it is the right number
    DIAL_AGAIN = auto()
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
    (State.PRINTED, Event.BY_PHONE): State.READING,
    (State.READING, Event.AGREED): State.DIALLING,
    (State.READING, Event.LEFT): State.CHOOSING,
    (State.DIALLING, Event.TOUCHED): State.DIALLING,
    (State.DIALLING, Event.TYPED): State.READING_BACK,
    (State.DIALLING, Event.LEFT): State.CHOOSING,
    (State.READING_BACK, Event.ANSWERED): State.READ_BACK,
    (State.READING_BACK, Event.REFUSED): State.NOT_LEFT,
    (State.READ_BACK, Event.CONFIRMED): State.LEAVING,
    (State.READ_BACK, Event.DIAL_AGAIN): State.DIALLING,
    (State.READ_BACK, Event.LEFT): State.CHOOSING,
    (State.LEAVING, Event.ANSWERED): State.LEFT_NUMBER,
    (State.LEAVING, Event.REFUSED): State.NOT_LEFT,
    (State.LEFT_NUMBER, Event.LEFT): State.CHOOSING,
    (State.NOT_LEFT, Event.DIAL_AGAIN): State.DIALLING,
    (State.NOT_LEFT, Event.LEFT): State.CHOOSING,
}

# How long a state stands with nobody touching anything. Those that are not here end by what the hub or printer says.
SHOWN_SECONDS: dict[State, float] = {
    State.PRINTED: 12,  # the paper says the same; long enough to read what else is offered
    State.REFUSED: 15,
    State.UNPRINTED: 120,  # a number and a code have to be copied by hand
    State.TYPING: 60,  # since the last key: the number is looked for in a bag
    State.CHECKED_IN: 20,  # there is no paper to read it from again
    State.NOT_CHECKED_IN: 30,
    State.READING: 60,
    State.DIALLING: 40,  # since the last key: the next one in the line must not read it
    State.READ_BACK: 40,
    State.LEFT_NUMBER: 15,
    State.NOT_LEFT: 30,
}
# From here on the screen knows no telephone number any more, whatever it says.
FORGETS = frozenset({State.DIALLING, State.LEFT_NUMBER, State.NOT_LEFT})


class NotNow(Exception):
    """The screen is in another state: a second touch, or one that came too late."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """`code` is empty for a number from home: its holder has it."""

    number: str
    ahead: int | None
    code: str = ""


@dataclass(frozen=True, slots=True)
class Dialled:
    """A telephone number as the hub understood it, and how it can be reached: `sms`, `voice`. Never printed."""

    telephone: str = field(repr=False)
    ways: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kiosk:
    """`lane` from CHOSEN on, `ticket` from ANSWERED on, `sentence` and `why` (a word for programs) while refused.

    `dialled` only while it is read back and left.
    """

    state: State = State.CHOOSING
    lane: str | None = None
    ticket: Ticket | None = None
    sentence: str | None = None
    why: str | None = None
    dialled: Dialled | None = None

    def after(
        self,
        event: Event,
        *,
        lane: str | None = None,
        ticket: Ticket | None = None,
        sentence: str | None = None,
        why: str | None = None,
        dialled: Dialled | None = None,
    ) -> "Kiosk":
        """The next screen. Raises NotNow."""
        state = MOVES.get((self.state, event))
        if state is None:
            raise NotNow(f"{event} while {self.state}")
        if state is State.CHOOSING:
            return Kiosk()
        lane, ticket = lane or self.lane, ticket or self.ticket
        dialled = None if state in FORGETS else dialled or self.dialled
        return replace(self, state=state, lane=lane, ticket=ticket, sentence=sentence, why=why, dialled=dialled)
