"""What the ledger keeps: an allow-list. A kind of fact that is not in it is refused, a field that is not is left out.

A text that does not look as its field must look is withheld: what was put into the wrong field (an address, a
telephone number) is not kept for years. Nothing here reads or writes.
"""

import json
import re
from collections.abc import Mapping
from typing import TypeAlias

from hub.desk.facts import Fact, to_fields

Kept: TypeAlias = dict[str, int | str]

_TICKET = ("arrival", "number", "lane")

# Beside these every entry has day, position, type, at, who and request.
KEPT: dict[str, tuple[str, ...]] = {
    "DayOpened": (),
    "DayClosed": (),
    "TicketIssued": (*_TICKET, "rank", "source", "is_priority"),
    "TicketExpected": (*_TICKET, "rank", "source"),
    "TicketCheckedIn": (*_TICKET, "rank"),
    "TicketCalled": (*_TICKET, "counter", "turn", "reason"),
    "CallTakenBack": (*_TICKET, "counter", "state", "rank"),
    "TicketRecalled": (*_TICKET, "counter", "calls"),
    "TicketMarkedAbsent": (*_TICKET, "counter", "until"),
    "TicketReturned": (*_TICKET, "rank"),
    "TicketHeld": (*_TICKET, "counter"),
    "TicketSentToReview": (*_TICKET, "counter"),
    "TicketReady": (*_TICKET, "from_lane", "rank"),
    "TicketPushedBack": (*_TICKET, "rank"),
    "TicketServed": (*_TICKET, "counter"),
    "TicketCancelled": _TICKET,
    "TicketLapsed": (*_TICKET, "why"),
    "TicketTransferred": (*_TICKET, "from_lane", "rank", "for_counter"),
    "SlipReissued": _TICKET,
    "LaneRenumbered": ("lane", "ranks"),
    "LanePaused": ("lane", "reason"),
    "LaneResumed": ("lane",),
    "ClosingAnnounced": ("lane", "still_waiting"),
    "ContactGiven": ("arrival", "carrier", "subscription", "ahead", "purpose"),
    "ContactUsed": ("arrival", "carrier", "subscription", "trigger", "outcome", "times"),
    "ContactErased": ("arrival", "carrier", "subscription", "ending"),
    "CounterReassigned": ("counter", "lanes", "former"),
    "AnnouncementPosted": ("until",),  # its text is free: a name in it could never be erased
    "AnnouncementWithdrawn": (),
    "WallJoined": ("wall",),
    "WallLeft": ("wall",),
    "CallShown": (*_TICKET, "calls", "wall"),
}

# Entries that the ledger makes itself.
GAP, SEGMENT, UNKNOWN = "GapFound", "SegmentClosed", "NoteWithheld"
OWN: dict[str, tuple[str, ...]] = {
    GAP: ("after", "before", "missing"),
    SEGMENT: ("first", "last", "first_day", "last_day", "count", "last_hash"),
    UNKNOWN: (),  # a note of the journal whose kind nobody has allowed: that there was one, and whose
}

# What people and devices do (`hub.ledger.journal`). `name` is the account, `device` its id.
NOTED: dict[str, tuple[str, ...]] = {
    "SignedIn": ("name", "role"),
    "SignInRefused": ("name", "why"),  # of an account that there is; what else was typed is not kept
    "SignedOut": ("name", "why"),
    "SessionsEnded": ("name", "why"),
    "AccountLocked": ("name",),
    "AccountUnlocked": ("name",),
    "PasswordChanged": ("name",),
    "PasswordReset": ("name",),
    "HandlerAdded": ("name", "role", "designated", "trained"),
    "HandlerChanged": ("name", "role", "designated", "trained"),
    "HandlerEnded": ("name",),
    "HandlerRestored": ("name",),
    "DeviceEnrolled": ("device", "role", "place"),
    "DeviceRevoked": ("device",),
    "DeviceRotated": ("device",),
    "ActRefused": ("act", "role"),
    # What the eraser did (`hub.ledger.erasures`). `given`, `date`: real dates in Tokyo; `until`: a real moment there.
    "KeyDestroyed": ("date", "key"),
    "ContactDestroyed": ("subscription", "carrier", "given", "ending", "method", "key"),
    "ErasureVerified": ("verified_until", "method", "contacts", "files"),
    # Somebody asked for a ticket's contact to be erased at once (`hub.ledger.asked`), and what came of it.
    "ErasureAsked": ("number",),
    "ErasureAnswered": ("number", "date", "contacts"),
    # What the ward and the contractor tell each other once a year or when something happened (`hub.ledger.audits`).
    "AuditHeld": ("held", "kind", "result"),
    "OfficeHandedBack": ("contacts", "keys", "last_hash"),
    # What leaves the ledger for good (`hub.ledger.taken`), and what is done to the machine by hand.
    "RecordsTaken": ("what", "first_day", "last_day"),
    "KeysRewrapped": ("keys",),
    "ProcessStarted": ("process",),
    "ProcessStopped": ("process",),
}

WITHHELD = "?"
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
_KEY = r"[a-z0-9_-]{1,32}"
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_ID = r"[A-Za-z0-9_-]{0,64}"
NAME = r"[a-z][a-z0-9._-]{1,31}"  # of an account
INTEGERS = frozenset({"at", "arrival", "rank", "calls", "ahead", "turn", "until", "still_waiting", "times"})
SHAPES: dict[str, re.Pattern[str]] = {
    field: re.compile(shape, re.ASCII)
    for field, shape in {
        "who": r"[a-z][a-z0-9:._-]{0,63}",
        "request": _ID,
        "number": r"[A-Z]{0,3}[0-9]{1,5}",
        "lane": _KEY,
        "from_lane": _KEY,
        "lanes": rf"{_KEY}(?: {_KEY})*",
        "former": rf"(?:{_KEY}(?: {_KEY})*)?",
        "counter": _KEY,
        "for_counter": r"[a-z0-9_-]{0,32}",
        "reason": r"[a-z0-9_-]{0,32}",  # key of the office's list: nobody writes about a resident in free text
        "state": r"[a-z_]{1,16}",
        "wall": _KEY,
        "source": r"[a-z_-]{0,32}",
        "is_priority": r"1?",
        "ranks": r"(?:[0-9]+:[0-9]+(?: (?!$)|$))*",
        "carrier": r"[a-z]{1,16}",
        "subscription": _ID,
        "purpose": r"[A-Za-z0-9._/-]{0,64}",
        "trigger": r"[a-z]{1,16}",
        "outcome": r"[a-z]{1,16}",
        "ending": r"[a-z_]{1,32}",
        "name": NAME,
        "role": r"[a-z_]{1,16}",
        "why": r"[a-z_]{1,32}",
        "designated": r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2})?",
        "trained": r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2})?",
        "device": r"[a-z]{1,8}-[a-z0-9]{6}",
        "place": _KEY,
        "act": r"[a-z_]{1,16} [a-z_]{1,16}",
        "date": _DATE,
        "given": _DATE,
        "held": _DATE,
        "key": r"[0-9a-f]{16}|",
        "method": r"[a-z+]{0,64}",
        "verified_until": r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}\+09:00",
        "contacts": r"[0-9]{1,7}",
        "files": r"[0-9]{1,7}",
        "keys": r"[0-9]{1,7}",
        "kind": r"[a-z_]{1,16}",
        "result": r"[a-z_]{1,16}",
        "last_hash": r"[0-9a-f]{64}|",
        "what": r"[a-z_]{1,16}",
        "process": r"[a-z_]{1,16}",
        "first_day": rf"(?:{_DATE})?",
        "last_day": rf"(?:{_DATE})?",
    }.items()
}
# Their shape leaves no room for a telephone number, and may look like one.
_EXACT = frozenset({"ranks", "designated", "trained", "date", "given", "held", "first_day", "last_day"})
_A_TELEPHONE_NUMBER = re.compile(r"\+?[0-9][0-9-]{8,14}", re.ASCII)
_A_LINE_ID = re.compile(r"[UCR][0-9a-f]{32}", re.ASCII)


class NotKept(Exception):
    """A fact type that the allow-list does not name: nobody has decided what may be kept of it."""


def kept_of(fact: Fact) -> Kept:
    """`at`, `who`, `request` and the allowed fields of a fact, as integers and texts. Raises NotKept."""
    kind = type(fact).__name__
    if kind not in KEPT:
        raise NotKept(kind)
    flat = to_fields(fact)
    return {field: _allowed(field, flat[field]) for field in ("at", "who", "request", *KEPT[kind])}


def kept_note(kind: str, told: Mapping[str, str]) -> Kept:
    """The allowed fields of what somebody did. Raises NotKept also for a field too many or too few."""
    if told.keys() != set(NOTED.get(kind, ())):
        raise NotKept(kind)
    return {field: _allowed(field, told[field]) for field in NOTED[kind]}


def kept_of_note(kind: str, fields: str) -> tuple[str, Kept]:
    """Kind and fields of a note as it stands in the journal (JSON). What does not pass is withheld, never lost."""
    if kind not in NOTED:
        return UNKNOWN, {}
    try:
        told = json.loads(fields)
    except ValueError:
        told = None
    told = told if isinstance(told, dict) else {}
    return kind, {field: _allowed(field, str(told.get(field, WITHHELD))) for field in NOTED[kind]}


def kept_of_stamp(at: int, who: str, request: str) -> Kept:
    """When, who, and by which request, of a note."""
    return {"at": at, "who": _allowed("who", who), "request": _allowed("request", request)}


def canonical(entry: Mapping[str, object]) -> str:
    """JSON with sorted keys and without spaces: the one text of an entry that is hashed."""
    return _CANONICAL.encode(entry)


def _allowed(field: str, text: str) -> int | str:
    if field in INTEGERS:
        return int(text)
    is_contact = _A_TELEPHONE_NUMBER.fullmatch(text) or _A_LINE_ID.fullmatch(text)
    if SHAPES[field].fullmatch(text) is None or (field not in _EXACT and is_contact):
        return WITHHELD
    return text
