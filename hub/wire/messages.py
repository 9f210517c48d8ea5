"""Every message between hub and screens as a type. Frames from the hub carry no secret and nothing about a person.

Screens ignore fields and types that they do not know; the hub refuses what it does not know (`forbid_unknown_fields`).
Times are epoch milliseconds of office time; `day` is YYYY-MM-DD in Asia/Tokyo; positions are `EPOCH:MS-SEQ`.
"""

from typing import Annotated, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

CLIENT_FRAME_BYTES = 4096  # the longest request is a transfer of ~200 bytes; more is not one of our screens

RequestId = Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{22,64}\\Z")]  # 22 characters of base64url hold 128 bits
Key = Annotated[str, Meta(pattern="^[a-z0-9_-]{1,32}\\Z")]
KeyOrNone = Annotated[str, Meta(pattern="^[a-z0-9_-]{0,32}\\Z")]
Secret = Annotated[str, Meta(pattern="^[0-9a-f]{64}\\Z")]
SecretText = Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{22}\\Z")]  # as `secret_text` of hub/wire/codes.py makes it
Arrival = Annotated[int, Meta(ge=1, le=2**33 - 1)]
Typed = Annotated[str, Meta(max_length=32)]  # by hand, full width and all
FURTHEST_AHEAD = 20  # people: well within those that the desk looks at
Ahead = Annotated[int, Meta(ge=1, le=FURTHEST_AHEAD)]


# From the hub: the world -------------------------------------------------------------------------------------------


class WaitingNumber(Struct, frozen=True):
    """`for_counter`: only that counter may call it; not there where any counter of the lane may. `since`: when the
    number was taken; on the desk's topic only.
    """

    arrival: int
    number: str
    rank: int
    for_counter: str | UnsetType = UNSET
    since: int | UnsetType = UNSET


class CalledNumber(Struct, frozen=True):
    """`shown`: the walls that have shown this very call; on the desk's topic only."""

    arrival: int
    number: str
    lane: str
    counter: str
    calls: int
    called_at: int
    shown: list[str] | UnsetType = UNSET


class MissedNumber(Struct, frozen=True):
    """It may come back before `until` (epoch milliseconds, office time)."""

    arrival: int
    number: str
    lane: str
    counter: str
    until: int


class AsideNumber(Struct, frozen=True):
    """Held, or in the back office. `counter`: which one put it aside."""

    arrival: int
    number: str
    lane: str
    counter: str


class LaneState(Struct, frozen=True):
    """`queue` (ascending rank) only where the topic shows it: a lane's own topic and the desk.

    `paused`: it gives no numbers for the time being; `reason` (key of the office's list) only at the desk. `hours`:
    from … until before, today's and the next after it; absent where numbers are given at all hours. `closing`: no more
    numbers of it today. `offered`: false where it gives none ever, but delivers what the back office is ready with.
    `delivery`: the lane where its numbers wait again after the back office; absent where it has no second stage.
    `given`: how many of its numbers were taken today; only at the desk.
    """

    lane: str
    name: str
    waiting: int
    queue: list[WaitingNumber] | UnsetType = UNSET
    closing: bool = False
    offered: bool = True
    delivery: str | UnsetType = UNSET
    paused: bool = False
    reason: str | UnsetType = UNSET
    hours: list[tuple[int, int]] | UnsetType = UNSET
    given: int | UnsetType = UNSET


class CounterState(Struct, frozen=True):
    """`lanes` that it serves today; `weights` beside them, empty: all weigh the same, and the counter calls who came
    first. The topic of a lane says of each counter only whether it serves that lane.
    """

    counter: str
    name: str
    lanes: list[str]
    weights: list[int] = []


class Announcement(Struct, frozen=True):
    """What walls say beside the calls, until before that moment (epoch milliseconds, office time)."""

    text: str
    until: int


class PriorityClass(Struct, frozen=True):
    """`given_by`: at which kind of place such a number may be taken, of `kiosk` and `desk`."""

    priority: str
    name: str
    given_by: list[str]


class Reason(Struct, frozen=True):
    reason: str
    name: str


class DeskRules(Struct, frozen=True):
    """What a desk page counts down to. Absent may be said from that many calls and seconds after the latest on;
    who has waited for `long_wait_minutes` is marked.
    """

    absent_after_calls: int
    absent_after_seconds: int
    long_wait_minutes: int


class Snapshot(Struct, frozen=True, tag="snapshot"):
    """The whole of a topic at a position. `called` newest call first, the others in order of arrival.

    The topic of a lane holds that lane and its tickets only; the board and the desk hold all. Only the desk is told
    `pause_reasons`, `reasons` (of calls out of order), who is `held`, what is `in_review`, and `by_priority`: today's
    arrivals that were placed by priority, ascending. `walls`: those of today, on which every call is to be
    shown; on the desk's topic only, as `rules`.
    """

    topic: str
    position: str
    at: int
    day: str
    office: str
    lanes: list[LaneState]
    called: list[CalledNumber]
    missed: list[MissedNumber]
    counters: list[CounterState]
    checks_in: bool = False  # a number from home waits only from checking in; a hub before this field did not say
    priorities: list[PriorityClass] = []
    pause_reasons: list[Reason] = []
    by_priority: list[int] = []
    reasons: list[Reason] = []
    held: list[AsideNumber] | UnsetType = UNSET
    in_review: list[AsideNumber] | UnsetType = UNSET
    walls: list[str] | UnsetType = UNSET
    rules: DeskRules | UnsetType = UNSET
    announcement: Announcement | UnsetType = UNSET  # on the board and the desk, while there is one


# From the hub: what happened ---------------------------------------------------------------------------------------


class _Told(Struct, frozen=True):
    """Accept iff `prev` ≤ mine < `position` (same epoch), else resume."""

    position: str
    prev: str
    at: int


class FactFrame(_Told, frozen=True):
    """`waiting`: the count of each lane it touched."""

    lane: str
    waiting: dict[str, int]


class TicketFrame(FactFrame, frozen=True):
    """Where it waits from now on, the desk is told `since` when: the number was taken then."""

    arrival: int
    number: str


class TicketIssued(TicketFrame, frozen=True, tag=True):
    """`priority`: placed by it; only at the desk."""

    rank: int | UnsetType = UNSET
    priority: bool | UnsetType = UNSET
    since: int | UnsetType = UNSET


class TicketExpected(TicketFrame, frozen=True, tag=True):
    """A number was taken from home; nobody waits for it yet."""


class TicketCheckedIn(TicketFrame, frozen=True, tag=True):
    rank: int | UnsetType = UNSET
    since: int | UnsetType = UNSET


class TicketCalled(TicketFrame, frozen=True, tag=True):
    """Only at the desk: `turn` of its lane at a counter whose lanes weigh differently, else 0; `reason`, a key of the
    office's list, where it was chosen out of order, else empty.
    """

    counter: str
    turn: int | UnsetType = UNSET
    reason: str | UnsetType = UNSET


class CallTakenBack(TicketFrame, frozen=True, tag=True):
    """The call was a mistake. It stands again where it stood: `state` is `waiting` or `held`."""

    counter: str
    state: str
    rank: int | UnsetType = UNSET
    for_counter: str | UnsetType = UNSET
    since: int | UnsetType = UNSET


class TicketRecalled(TicketFrame, frozen=True, tag=True):
    counter: str
    calls: int


class TicketMarkedAbsent(TicketFrame, frozen=True, tag=True):
    counter: str
    until: int


class TicketReturned(TicketFrame, frozen=True, tag=True):
    rank: int | UnsetType = UNSET
    for_counter: str | UnsetType = UNSET
    since: int | UnsetType = UNSET


class TicketHeld(TicketFrame, frozen=True, tag=True):
    """It will be called again to a counter."""

    counter: str


class TicketSentToReview(TicketFrame, frozen=True, tag=True):
    """The back office goes on with it."""

    counter: str


class TicketReady(TicketFrame, frozen=True, tag=True):
    """It waits in `lane`, to be called for delivery by any of its counters."""

    from_lane: str
    rank: int | UnsetType = UNSET
    since: int | UnsetType = UNSET


class TicketPushedBack(TicketFrame, frozen=True, tag=True):
    """By its resident: the next few go first."""

    rank: int | UnsetType = UNSET
    for_counter: str | UnsetType = UNSET
    since: int | UnsetType = UNSET


class TicketServed(TicketFrame, frozen=True, tag=True):
    counter: str


class TicketCancelled(TicketFrame, frozen=True, tag=True):
    pass


class TicketLapsed(TicketFrame, frozen=True, tag=True):
    """`why`: `missed`, its time to come back was over; `closing`, the lane closed."""

    why: str


class TicketTransferred(TicketFrame, frozen=True, tag=True):
    from_lane: str
    rank: int | UnsetType = UNSET
    for_counter: str | UnsetType = UNSET
    since: int | UnsetType = UNSET


class LaneRenumbered(FactFrame, frozen=True, tag=True):
    """Only on topics that show ranks: the lane's order is unchanged, its ranks are these (arrival as text → rank)."""

    ranks: dict[str, int]


class LanePaused(FactFrame, frozen=True, tag=True):
    """It gives no numbers for the time being; who waits is called as before. `reason` only at the desk."""

    reason: str | UnsetType = UNSET


class LaneResumed(FactFrame, frozen=True, tag=True):
    pass


class ClosingAnnounced(FactFrame, frozen=True, tag=True):
    """No more numbers of the lane today. Who waits in it is served or told otherwise by staff."""


class CounterReassigned(_Told, frozen=True, tag=True):
    """It serves these lanes from now on, as its `CounterState` has them."""

    counter: str
    lanes: list[str]
    weights: list[int]


class AnnouncementPosted(_Told, frozen=True, tag=True):
    """Only on the board and the desk: walls say this until then, in place of what they said before."""

    text: str
    until: int


class AnnouncementWithdrawn(_Told, frozen=True, tag=True):
    pass


class CallShown(TicketFrame, frozen=True, tag=True):
    """Only on the desk's topic: a wall has painted this call."""

    calls: int
    wall: str


class WallJoined(_Told, frozen=True, tag=True):
    """Only on the desk's topic: from here on every call is to be shown on this wall too."""

    wall: str


class WallLeft(_Told, frozen=True, tag=True):
    """Only on the desk's topic: it was put out for good."""

    wall: str


TicketNews: TypeAlias = (
    TicketIssued
    | TicketExpected
    | TicketCheckedIn
    | TicketCalled
    | CallTakenBack
    | TicketRecalled
    | TicketMarkedAbsent
    | TicketReturned
    | TicketHeld
    | TicketSentToReview
    | TicketReady
    | TicketPushedBack
    | TicketServed
    | TicketCancelled
    | TicketLapsed
    | TicketTransferred
)
LaneNews: TypeAlias = LaneRenumbered | LanePaused | LaneResumed | ClosingAnnounced
WallNews: TypeAlias = CallShown | WallJoined | WallLeft
OfficeNews: TypeAlias = CounterReassigned | AnnouncementPosted | AnnouncementWithdrawn
AnyFact: TypeAlias = TicketNews | LaneNews | WallNews | OfficeNews


# From the hub: in between ------------------------------------------------------------------------------------------


class Beat(Struct, frozen=True, tag="beat"):
    """What you have is the present state. After two missed beats a screen says that it is stale."""

    position: str
    at: int


class Away(Struct, frozen=True, tag="away"):
    """The hub cannot reach the live queue: what you have may be old. A beat or a snapshot ends it."""


class RefusalBody(Struct, frozen=True):
    code: str
    sentence: str
    again: bool
    details: dict[str, str]


class PurposeText(Struct, frozen=True):
    """What an office keeps a contact for, to be read before one is given; a wish names its `mark`."""

    version: str
    text: str
    mark: str


class AnswerBody(Struct, frozen=True):
    """Where the ticket stands now; for `next` the ticket called (nulls: nobody waits) and `finished`, who left. For
    what is asked of a lane only that. `code`: of a slip that the desk gave out, to be written on it by hand; this once.

    `shown_before`, for `shown` only: on how many walls that call had been shown until then. `purpose`, for `purpose`
    only. `to` and `ways` (`sms`, `voice`): a telephone number as it was understood, to whoever gave it, this once.
    """

    arrival: int | None
    number: str | None
    lane: str | None
    state: str | None
    ahead: int | None
    finished: int | None
    code: str | UnsetType = UNSET
    shown_before: int | UnsetType = UNSET
    purpose: PurposeText | UnsetType = UNSET
    to: str | UnsetType = UNSET
    ways: list[str] | UnsetType = UNSET


class Reply(Struct, frozen=True, tag="reply", omit_defaults=True):
    """Exactly one of `answer` and `refusal`. `id` repeats the request's, null where none could be read."""

    id: str | None
    answer: AnswerBody | UnsetType = UNSET
    refusal: RefusalBody | UnsetType = UNSET


HubFrame: TypeAlias = Snapshot | AnyFact | Beat | Away | Reply


# To the hub --------------------------------------------------------------------------------------------------------


class _Request(Struct, frozen=True, forbid_unknown_fields=True, tag_field="type"):
    id: RequestId


class Issue(_Request, frozen=True, tag="issue"):
    """`secret`: SHA-256 of the taker's secret (hexadecimal). Without it only staff can act for the ticket.

    `priority`: key of the class, without it none. It is neither told nor kept of which class a number is.
    """

    lane: Key
    secret: Secret | UnsetType = UNSET
    priority: Key | UnsetType = UNSET


class Next(_Request, frozen=True, tag="next"):
    counter: Key
    current: Arrival | None
    lanes: Annotated[list[Key], Meta(max_length=32)] = []


class Call(_Request, frozen=True, tag="call"):
    """A number out of order, for a `reason` of the office's list; one that is held needs none."""

    counter: Key
    ticket: Arrival
    current: Arrival | None
    reason: KeyOrNone = ""


class TakeBack(_Request, frozen=True, tag="take_back"):
    """The counter's call was a mistake."""

    counter: Key
    ticket: Arrival


class Recall(_Request, frozen=True, tag="recall"):
    counter: Key
    ticket: Arrival


class MarkAbsent(_Request, frozen=True, tag="absent"):
    counter: Key
    ticket: Arrival


class Done(_Request, frozen=True, tag="done"):
    counter: Key
    ticket: Arrival


class Hold(_Request, frozen=True, tag="hold"):
    counter: Key
    ticket: Arrival


class Review(_Request, frozen=True, tag="review"):
    """The back office goes on with it."""

    counter: Key
    ticket: Arrival


class Ready(_Request, frozen=True, tag="ready"):
    """The back office has done its part."""

    ticket: Arrival


class Lapse(_Request, frozen=True, tag="lapse"):
    """Nobody will serve it today: its time to come back is over, or its lane closes."""

    ticket: Arrival


class AnnounceClosing(_Request, frozen=True, tag="closing"):
    lane: Key


class Reissue(_Request, frozen=True, tag="reissue"):
    """A slip was lost. `secret` as in `issue`; the answer brings the new code."""

    ticket: Arrival
    secret: Secret


class Return(_Request, frozen=True, tag="return"):
    ticket: Arrival


class CheckIn(_Request, frozen=True, tag="check_in"):
    """The resident who took this number from home stands here: staff see him."""

    number: Typed


class Cancel(_Request, frozen=True, tag="cancel"):
    ticket: Arrival


class Transfer(_Request, frozen=True, tag="transfer"):
    """With a `counter` that one alone may call it."""

    ticket: Arrival
    lane: Key
    counter: KeyOrNone = ""


class Pause(_Request, frozen=True, tag="pause"):
    """`reason`: key of the office's list."""

    lane: Key
    reason: Key


class Resume(_Request, frozen=True, tag="resume"):
    lane: Key


class Reassign(_Request, frozen=True, tag="reassign"):
    """Until the day is over the counter serves these lanes alone."""

    counter: Key
    lanes: Annotated[list[Key], Meta(max_length=32)]


class Announce(_Request, frozen=True, tag="announce"):
    """One line of at most 60 characters for all walls; about the office, never about a person."""

    text: str
    minutes: int


class Withdraw(_Request, frozen=True, tag="withdraw"):
    pass


class CheckInByCode(_Request, frozen=True, tag="check_in"):
    """The same at a machine, which sees nobody: the code shows that it is his number."""

    number: Typed
    code: Typed


class AskPurpose(_Request, frozen=True, tag="purpose"):
    """What telephone numbers are kept for: asked before a machine offers to take one."""


class ReadBack(_Request, frozen=True, tag="read_back"):
    """How a number that was dialled is understood, and how it can be reached. Nothing is kept of it."""

    telephone: Typed

    def __repr__(self) -> str:
        return "ReadBack(…)"  # it must not get into a traceback or a log


class NotifyDialled(_Request, frozen=True, tag="notify"):
    """Whoever took this number here wishes to be told. `secret` of the slip; `purpose`: the mark of the text shown."""

    secret: SecretText
    telephone: Typed
    by: Literal["sms", "voice"]
    language: Literal["ja", "en"]
    ahead: Ahead
    purpose: Annotated[str, Meta(max_length=64)]

    def __repr__(self) -> str:
        return "NotifyDialled(…)"


class Shown(_Request, frozen=True, tag="shown"):
    """This wall has painted a call. `calls` and `called_at` say which call of the ticket, as the wall was told."""

    ticket: Arrival
    calls: Annotated[int, Meta(ge=1, le=9999)]
    called_at: Annotated[int, Meta(ge=0, le=2**53 - 1)]


OfTicket: TypeAlias = (
    Call | TakeBack | Recall | MarkAbsent | Done | Hold | Review | Ready | Return | Cancel | Transfer | Lapse | Reissue
)
OfLane: TypeAlias = Pause | Resume | AnnounceClosing
OfOffice: TypeAlias = Reassign | Announce | Withdraw
DeskRequest: TypeAlias = Issue | Next | OfTicket | OfLane | OfOffice | CheckIn
OfTelephone: TypeAlias = AskPurpose | ReadBack | NotifyDialled
KioskRequest: TypeAlias = Issue | CheckInByCode | OfTelephone
WallRequest: TypeAlias = Shown

# Why the hub closes a socket, and whether to come back -------------------------------------------------------------


class Close:
    """Close codes: 1012 and 4000–4099 come back (with jitter), 4400–4499 do not."""

    RESTART: Literal[1012] = 1012
    SLOW: Literal[4000] = 4000  # the listener's mailbox overran
    BAD_MESSAGE: Literal[4400] = 4400  # not text, longer than CLIENT_FRAME_BYTES, too many, or where nothing is asked
    SIGNED_OUT: Literal[4401] = 4401  # the session is over, or the device was revoked
