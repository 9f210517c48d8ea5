"""Why a number was called before one that waited: a reason for each pair, in words for staff and for the resident.

Pure and from outside: it judges a call by who stood where, not by what the desk decided. A pair that no rule of the
office allows is UNEXPLAINED, and then something is wrong.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum


class Placed(StrEnum):
    """What put a ticket where it stands, beside its arrival."""

    BY_PRIORITY = "by_priority"
    CHECKED_IN = "checked_in"  # from home, where the arrival puts it
    RETURNED = "returned"
    PUSHED_BACK = "pushed_back"
    TRANSFERRED = "transferred"
    READY = "ready"  # the back office has done its part
    PUT_BACK = "put_back"  # to where it stood before a call that was a mistake


class Reason(StrEnum):
    """Why one was called before another. `they`: of the one who was called; `you`: of the one who waits."""

    ANOTHER_LANE = "another_lane"
    TURN = "turn"  # of the lanes at a counter where they weigh differently
    LANE_CHOSEN = "lane_chosen"  # staff called from one of several lanes
    CHOSEN = "chosen"  # staff called this very number, for a reason of the office's list
    RESUMED = "resumed"  # they were in hand already, and held
    KEPT_FOR = "kept_for"  # you wait for one counter
    YOU_RETURNED = "you_returned"
    YOU_PUSHED_BACK = "you_pushed_back"
    PRIORITY = "priority"
    THEY_RETURNED = "they_returned"
    TRANSFERRED = "transferred"
    READY = "ready"
    CHECKED_IN = "checked_in"
    PUT_BACK = "put_back"
    TAKEN_BACK = "taken_back"  # the call was a mistake and is void
    UNEXPLAINED = "unexplained"


# For one who waits, of the number that was called. Why somebody has priority or was chosen is nobody's business.
TO_RESIDENT: dict[Reason, str] = {
    Reason.ANOTHER_LANE: "別の手続きの番号です。",
    Reason.TURN: "別の手続きの番号です。",
    Reason.LANE_CHOSEN: "別の手続きの番号です。",
    Reason.CHOSEN: "事情により、職員が先にお呼びした番号です。",
    Reason.RESUMED: "手続きの途中でお待ちいただいていた番号です。",
    Reason.KEPT_FOR: "別の窓口でお呼びした番号です。あなたの番号は、担当の窓口からお呼びします。",
    Reason.YOU_RETURNED: "あなたの番号は、お戻りになったときの順番でお待ちいただいています。",
    Reason.YOU_PUSHED_BACK: "あなたの番号は、ご希望により順番を後にしています。",
    Reason.PRIORITY: "優先してご案内する番号です。",
    Reason.THEY_RETURNED: "一度お呼びしたあと、お戻りになった番号です。",
    Reason.TRANSFERRED: "別の窓口から引き継いだ番号です。",
    Reason.READY: "交付の準備ができた順にお呼びしています。",
    Reason.CHECKED_IN: "来庁の受付を済ませた番号です。",
    Reason.PUT_BACK: "呼び間違いのあと、元の順番に戻した番号です。",
    Reason.TAKEN_BACK: "誤ってお呼びした番号で、お呼び出しを取り消しました。",
    Reason.UNEXPLAINED: "順番を確かめています。恐れ入りますが、職員にお尋ねください。",
}

# For staff and auditors, as a noun.
TO_STAFF: dict[Reason, str] = {
    Reason.ANOTHER_LANE: "別の業務",
    Reason.TURN: "窓口の業務の配分",
    Reason.LANE_CHOSEN: "業務を選んで呼び出し",
    Reason.CHOSEN: "番号を選んで呼び出し",
    Reason.RESUMED: "保留からの再開",
    Reason.KEPT_FOR: "窓口の指定",
    Reason.YOU_RETURNED: "待っていた番号の不在からの復帰",
    Reason.YOU_PUSHED_BACK: "待っていた番号の本人希望による後回し",
    Reason.PRIORITY: "優先",
    Reason.THEY_RETURNED: "不在からの復帰",
    Reason.TRANSFERRED: "転送",
    Reason.READY: "交付の準備ができた順",
    Reason.CHECKED_IN: "来庁の受付",
    Reason.PUT_BACK: "呼び間違いのあと元の順番",
    Reason.TAKEN_BACK: "呼び間違い（取り消し済み）",
    Reason.UNEXPLAINED: "説明できない順番",
}

ACROSS = frozenset({Reason.ANOTHER_LANE, Reason.TURN, Reason.LANE_CHOSEN})  # they waited in different lanes

# Within a lane, where a later arrival stands before an earlier one: by what. The first that fits is told.
_BY_YOU = {Placed.RETURNED: Reason.YOU_RETURNED, Placed.PUSHED_BACK: Reason.YOU_PUSHED_BACK}
_BY_THEM = {
    Placed.BY_PRIORITY: Reason.PRIORITY,
    Placed.RETURNED: Reason.THEY_RETURNED,
    Placed.TRANSFERRED: Reason.TRANSFERRED,
    Placed.READY: Reason.READY,
    Placed.CHECKED_IN: Reason.CHECKED_IN,
    Placed.PUT_BACK: Reason.PUT_BACK,
}


@dataclass(frozen=True, slots=True)
class Standing:
    """A ticket that waits. `placed`: all that moved it in this lane. `for_counter`: the only one that may call it."""

    arrival: int
    lane: str
    rank: int
    placed: frozenset[Placed] = frozenset()
    for_counter: str = ""

    @property
    def place(self) -> tuple[int, int]:
        return self.rank, self.arrival


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it was made. `who`: where it stood until then.

    `lanes`: those that the counter serves. `turn`: of its lane, 0 where all weigh the same. `chosen`: why this very
    number, '' for whose turn it was. `was_held`: it did not wait, it was in hand.
    """

    who: Standing
    counter: str
    lanes: Collection[str]
    turn: int = 0
    chosen: str = ""
    was_held: bool = False
    is_taken_back: bool = False


def why(call: Call, other: Standing) -> Reason | None:
    """Why the called one went before `other`, who waited meanwhile. None: it was its turn, nobody was passed."""
    reason = _why(call, other)
    return Reason.TAKEN_BACK if call.is_taken_back and reason not in {None, *ACROSS} else reason


def _why(call: Call, other: Standing) -> Reason | None:
    came_first = other.arrival < call.who.arrival
    if call.was_held:
        return Reason.RESUMED if came_first else None
    if other.lane != call.who.lane:
        return _across(call, other, came_first=came_first)
    if other.place < call.who.place:
        return _out_of_turn(call, other) or Reason.UNEXPLAINED
    return _within(call.who, other) if came_first else None


def _across(call: Call, other: Standing, *, came_first: bool) -> Reason | None:
    stood_first = other.lane in call.lanes and not call.turn and other.place < call.who.place
    if not (came_first or stood_first):
        return None
    if other.lane not in call.lanes:
        return Reason.ANOTHER_LANE
    if call.turn:
        return Reason.TURN
    return Reason.LANE_CHOSEN if stood_first and not _out_of_turn(call, other) else Reason.ANOTHER_LANE


def _out_of_turn(call: Call, other: Standing) -> Reason | None:
    """Why one may be called who does not stand first."""
    if call.chosen:
        return Reason.CHOSEN
    return Reason.KEPT_FOR if other.for_counter not in ("", call.counter) else None


def _within(they: Standing, you: Standing) -> Reason:
    for placed, reason in _BY_YOU.items():
        if placed in you.placed:
            return reason
    for placed, reason in _BY_THEM.items():
        if placed in they.placed:
            return reason
    return Reason.READY if Placed.READY in you.placed else Reason.UNEXPLAINED
