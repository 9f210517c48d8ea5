"""Who may say what: one closed table for every message and page that is not open to all. Nothing here knows a name.

A pair that stands nowhere in MAY is refused. The table in README.md is made from it, and a test tries each cell.
"""

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """Of a person or of a device; each has one."""

    COUNTER = "counter"
    MANAGER = "manager"
    AD_DESK = "ad_desk"
    OPERATOR = "operator"
    AUDITOR = "auditor"
    WALL = "wall"
    KIOSK = "kiosk"
    DESK = "desk"  # a machine at a counter: it says which counter, and nothing without a person


PEOPLE = (Role.COUNTER, Role.MANAGER, Role.AD_DESK, Role.OPERATOR, Role.AUDITOR)
DEVICES = (Role.WALL, Role.KIOSK, Role.DESK)


class Act(StrEnum):
    """What is asked for: `desk …`, `wall …`, `kiosk …` are a socket's messages by their type, `open …` joining one."""

    OPEN_WALL = "open wall"
    OPEN_DESK = "open desk"
    OPEN_KIOSK = "open kiosk"
    DESK_ISSUE = "desk issue"
    DESK_NEXT = "desk next"
    DESK_CALL = "desk call"
    DESK_TAKE_BACK = "desk take_back"
    DESK_RECALL = "desk recall"
    DESK_ABSENT = "desk absent"
    DESK_DONE = "desk done"
    DESK_HOLD = "desk hold"
    DESK_REVIEW = "desk review"
    DESK_READY = "desk ready"
    DESK_RETURN = "desk return"
    DESK_CANCEL = "desk cancel"
    DESK_TRANSFER = "desk transfer"
    DESK_CHECK_IN = "desk check_in"
    DESK_PAUSE = "desk pause"
    DESK_RESUME = "desk resume"
    DESK_REISSUE = "desk reissue"
    DESK_LAPSE = "desk lapse"
    DESK_CLOSING = "desk closing"
    DESK_REASSIGN = "desk reassign"
    DESK_ANNOUNCE = "desk announce"
    DESK_WITHDRAW = "desk withdraw"
    WALL_SHOWN = "wall shown"
    KIOSK_ISSUE = "kiosk issue"
    KIOSK_CHECK_IN = "kiosk check_in"
    KIOSK_PURPOSE = "kiosk purpose"
    KIOSK_READ_BACK = "kiosk read_back"
    KIOSK_NOTIFY = "kiosk notify"
    SEE_ADMIN = "see admin"
    SEE_PEOPLE = "see people"
    CHANGE_PEOPLE = "change people"
    UNLOCK_PEOPLE = "unlock people"  # end a lock-out or somebody's sessions
    SEE_DEVICES = "see devices"
    CHANGE_DEVICES = "change devices"
    SEE_OPERATIONS = "see operations"
    SEE_FAIRNESS = "see fairness"  # who was called before whom on a day, and why
    SEE_OVERVIEW = "see overview"  # all lanes and counters at once


_STAFF = frozenset({Role.COUNTER, Role.MANAGER})
_MANAGER = frozenset({Role.MANAGER})
_KIOSK = frozenset({Role.KIOSK})

MAY: Mapping[Act, frozenset[Role]] = {
    Act.OPEN_WALL: frozenset({Role.WALL}),
    Act.OPEN_DESK: _STAFF,
    Act.OPEN_KIOSK: _KIOSK,
    Act.DESK_ISSUE: _STAFF,
    Act.DESK_NEXT: _STAFF,
    Act.DESK_CALL: _STAFF,
    Act.DESK_TAKE_BACK: _STAFF,
    Act.DESK_RECALL: _STAFF,
    Act.DESK_ABSENT: _STAFF,
    Act.DESK_DONE: _STAFF,
    Act.DESK_HOLD: _STAFF,
    Act.DESK_REVIEW: _STAFF,
    Act.DESK_READY: _STAFF,
    Act.DESK_RETURN: _STAFF,
    Act.DESK_CANCEL: _STAFF,
    Act.DESK_TRANSFER: _STAFF,
    Act.DESK_CHECK_IN: _STAFF,
    Act.DESK_PAUSE: _STAFF,
    Act.DESK_RESUME: _STAFF,
    Act.DESK_REISSUE: _STAFF,
    Act.DESK_LAPSE: _STAFF,
    Act.DESK_CLOSING: _MANAGER,
    Act.DESK_REASSIGN: _MANAGER,
    Act.DESK_ANNOUNCE: _MANAGER,
    Act.DESK_WITHDRAW: _MANAGER,
    Act.WALL_SHOWN: frozenset({Role.WALL}),
    Act.KIOSK_ISSUE: _KIOSK,
    Act.KIOSK_CHECK_IN: _KIOSK,
    Act.KIOSK_PURPOSE: _KIOSK,
    Act.KIOSK_READ_BACK: _KIOSK,
    Act.KIOSK_NOTIFY: _KIOSK,
    Act.SEE_ADMIN: frozenset({Role.MANAGER, Role.OPERATOR, Role.AUDITOR}),
    Act.SEE_PEOPLE: frozenset({Role.MANAGER, Role.OPERATOR, Role.AUDITOR}),
    Act.CHANGE_PEOPLE: frozenset({Role.OPERATOR}),
    Act.UNLOCK_PEOPLE: frozenset({Role.MANAGER, Role.OPERATOR}),
    Act.SEE_DEVICES: frozenset({Role.MANAGER, Role.OPERATOR, Role.AUDITOR}),
    Act.CHANGE_DEVICES: frozenset({Role.MANAGER, Role.OPERATOR}),
    Act.SEE_OPERATIONS: frozenset({Role.OPERATOR, Role.AUDITOR}),
    Act.SEE_FAIRNESS: frozenset({Role.MANAGER, Role.AUDITOR}),
    Act.SEE_OVERVIEW: _MANAGER,
}


def may(role: Role, act: Act) -> bool:
    return role in MAY.get(act, frozenset())
