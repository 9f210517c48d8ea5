"""What a day's listeners heard and its askers were answered, merged by position. Pure: it records and never judges."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from msgspec import UNSET
from msgspec.structs import replace

from hub.desk.notices import Carrier
from hub.wire.client_side import Screen
from hub.wire.messages import AnswerBody, AnyFact, CounterReassigned, DeskRequest, FactFrame, HubFrame, Snapshot
from hub.wire.position import Position

Place = tuple[int, int]
WHOLE = "desk"  # the topic that is told of everybody, and of every lane of a counter


@dataclass(frozen=True, slots=True)
class Photograph:
    """A snapshot that a listener was told at `place`. `since`: where it stood before, None for one that came new.

    What happened between the two may have been told to nobody.
    """

    place: Place
    since: Place | None
    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class Visitor:
    """What became of one customer at the machine. `refusal`: the office gave no number, and why."""

    arrival: int | None
    number: str | None = None
    lane: str | None = None
    refusal: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """One contact (`address`: as its `carrier` has it) that was left for a ticket, with so many people `ahead`.

    `at`: the office time (epoch milliseconds) before which the office surely had it; None: it was refused, or nobody
    answered. `registered`, `near`: how the two notices stood at the end, if anybody was told (`is_told`); `since_then`:
    those of what happened afterwards, by what they are about, the latest of each.
    """

    arrival: int
    address: str
    ahead: int
    at: int | None = None
    refusal: str | None = None
    is_told: bool = False
    registered: str | None = None
    near: str | None = None
    since_then: Mapping[str, str] = field(default_factory=dict)
    carrier: Carrier = Carrier.EMAIL


@dataclass(frozen=True, slots=True)
class Letter:
    """One message to one contact, as it arrived. `subject`: of a mail; of another what it says.

    `message_id`: what its carrier knows it by, '' where it knows nothing. `at`: the office time (epoch milliseconds)
    before which it was surely not begun; 0 where nobody knows.
    """

    to: str
    subject: str
    message_id: str
    carrier: Carrier = Carrier.EMAIL
    at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """One office day as it was heard from outside.

    `counters` with their lanes as the day begins, and those with `weights` with the weight of each lane. `facts` by
    place in the day's stream (epochs change when the store restarts, the stream survives), `answers` as (request,
    answer). `is_closed`: the office day ended before everybody had left. `is_shared`: others took numbers too.
    `contradictions`: two listeners were told different things of one place, two replies differ, a clerk complains.
    """

    counters: Mapping[str, Sequence[str]]
    facts: Mapping[Place, AnyFact]
    photographs: Sequence[Photograph]
    answers: Sequence[tuple[DeskRequest, AnswerBody]]
    visitors: Sequence[Visitor]
    is_closed: bool = False
    is_shared: bool = False
    contradictions: Sequence[str] = ()
    contacts: Sequence[Contact] = ()
    letters: Sequence[Letter] = ()
    weights: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(slots=True)
class Recording:
    """Of one business day; other days are left out. Topics without ranks (the board) do not belong here."""

    day: str
    facts: dict[Place, AnyFact] = field(default_factory=dict)
    photographs: list[Photograph] = field(default_factory=list)
    answers: list[tuple[DeskRequest, AnswerBody]] = field(default_factory=list)
    contradictions: list[str] = field(default_factory=list)
    _stands: dict[Screen, Place] = field(default_factory=dict)

    def hear(self, screen: Screen, frame: HubFrame) -> None:
        """A frame that was news to `screen`."""
        if screen.day != self.day:
            return
        if isinstance(frame, Snapshot):
            position = Position.parse(frame.position)
            if position is not None:
                self.photographs.append(Photograph(position.place, self._stands.get(screen), frame))
        elif isinstance(frame, AnyFact) and (screen.topic == WHOLE or not isinstance(frame, CounterReassigned)):
            self._hear_fact(frame)  # a lane's topic says of a counter only whether it serves that lane
        if screen.position is not None:
            self._stands[screen] = screen.position.place

    def answered(self, request: DeskRequest, answer: AnswerBody) -> None:
        self.answers.append((request, answer))

    def _hear_fact(self, frame: AnyFact) -> None:
        position = Position.parse(frame.position)
        if position is None:
            return
        fact = replace(frame, position="", prev="")  # these differ from topic to topic
        if isinstance(fact, FactFrame):
            fact = replace(fact, waiting={})
        known = self.facts.setdefault(position.place, fact)
        if known == fact:
            return
        merged = _merged(known, fact)
        if merged is None:
            self.contradictions.append(f"{position} が画面により違います: {known} と {fact}")
        else:
            self.facts[position.place] = merged


def _merged(one: AnyFact, other: AnyFact) -> AnyFact | None:
    """The same fact where one of the two did not show everything (a rank, what staff alone is told); else None."""
    if type(one) is not type(other):
        return None
    merged = one
    for name in one.__struct_fields__:
        shown, also = getattr(one, name), getattr(other, name)
        if shown is UNSET:
            merged = replace(merged, **{name: also})
        elif also is not UNSET and also != shown:
            return None
    return merged
