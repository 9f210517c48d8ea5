"""The office as its file describes it: lanes, counters and rules of one ward office, checked before anything starts.

Everything wrong with a file is told at once: a fault in one lane does not hide the faults between the others.
"""

import re
import tomllib
from collections import Counter as Count
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, ValidationError

from config.faults import Fault, Faulty, faults_of, key_of
from config.office_hours import HoursEntry, SpecialDayEntry, hours_of, impossible_hours
from config.office_words import TIME, Entry, Key, Name, Prefix, Prose, Time, Version, minutes
from hub.desk.lane import Absence, Counter, Lane, Office, Priority, Purpose, PushBacks, Reason
from hub.desk.order import HEAVIEST

PRACTICE_OFFICE = Path(__file__).with_name("office.toml")


class LaneEntry(Entry):
    """One `[[lanes]]`."""

    key: Key = Field(description="Short name of the lane in addresses and day files.")
    name: Name = Field(description="What residents read.")
    prefix: Prefix = Field(description="Letters before the figure: `A` gives `A101`.")
    first: int = Field(ge=0, le=99_999, description="First figure of the number band.")
    last: int = Field(ge=0, le=99_999, description="Last figure; after it the lane is closed for the day.")
    step: int = Field(default=1, ge=1, le=100, description="From one number to the next.")
    cap: int | None = Field(default=None, ge=1, le=99_999, description="So many numbers a day and no more.")
    delivery: Key | None = Field(
        default=None, description="Key of the lane where a number waits again once the back office is ready with it."
    )
    gives_numbers: bool = Field(
        default=True, description="Numbers of this lane are given; `false` for one that is for delivery alone."
    )


class CounterEntry(Entry):
    """One `[[counters]]`."""

    key: Key = Field(description="Short name of the counter.")
    name: Name = Field(description="What the wall shows: 1番窓口.")
    lanes: list[Key] = Field(min_length=1, max_length=32, description="Keys of the lanes that it calls from.")
    weights: dict[Key, Annotated[int, Field(ge=1, le=HEAVIEST)]] = Field(
        default={},
        description="How often a lane is called from beside the others, 1 to 10: `{ moves = 3 }`. One that is not named"
        " weighs 1; where all weigh the same, whoever came first is called.",
    )


class LineEntry(Entry):
    """`[notices.line]`."""

    purpose: Prose = Field(description="The same for LINE, and what LINE itself learns, keeps and does with it.")
    purpose_version: Version = Field(description="Version of that text.")


class PhoneEntry(Entry):
    """`[notices.phone]`."""

    purpose: Prose = Field(description="The same for telephone numbers, and what telephone carriers keep.")
    purpose_version: Version = Field(description="Version of that text.")
    consent: Prose = Field(
        description="The ward's consent to the telephone carrier: date, number and whose. Without it there is no"
        " telephone: the carrier keeps a record of each call."
    )


class PriorityEntry(Entry):
    """One `[[priorities]]`."""

    key: Key = Field(description="Short name of the class; it is neither kept nor told of a number.")
    name: Name = Field(description="What staff, or the ticket machine, offers.")
    every: int = Field(ge=2, le=100, description="At most every so many-th who is called from a lane is one of these.")
    given_by: list[Literal["kiosk", "desk"]] = Field(
        min_length=1, description="Where such a number may be taken: `desk` for staff, `kiosk` for ticket machines."
    )


class ReasonEntry(Entry):
    """One `[[pause_reasons]]` or `[[reasons]]`."""

    key: Key = Field(description="Short name of the reason, as it is kept.")
    name: Name = Field(description="What staff chooses.")


class NoticesEntry(Entry):
    """`[notices]`."""

    purpose: Prose = Field(
        description="What residents read before they leave an e-mail address: what it is for, what is kept, when it is"
        " erased, how to stop."
    )
    purpose_version: Version = Field(
        description="Version of that text, recorded with each consent; give a new one with each new text."
    )
    line: LineEntry | None = Field(default=None, description="Notices by LINE; without this table none are offered.")
    phone: PhoneEntry | None = Field(
        default=None, description="Notices by telephone; without this table none are offered."
    )


class OfficeFile(Entry):
    """The whole file."""

    key: Key = Field(description="Short name of the office; all its data in the store carries it.")
    name: Name = Field(description="What residents read.")
    return_after: int = Field(
        default=2, ge=0, le=50, description="A resident who was absent and comes back waits after that many others."
    )
    web_open: Time = Field(
        default="08:30", description="From when on numbers are given on the web, `HH:MM`; in practice at all hours."
    )
    web_close: Time = Field(default="17:00", description="Until when; `24:00` is the end of the day.")
    web_check_in: bool = Field(
        default=False, description="Whoever took a number on the web waits only from checking in at the office."
    )
    notices: NoticesEntry | None = Field(
        default=None, description="Notices by e-mail; without this table none are offered."
    )
    hours: list[HoursEntry] = Field(default=[], description="When numbers are given; without any at all hours.")
    special_days: list[SpecialDayEntry] = Field(default=[], description="Days with other hours, or closed.")
    hours_in_practice: bool = Field(default=False, description="They hold in practice too; else that is always open.")
    priorities: list[PriorityEntry] = Field(default=[], max_length=8, description="Who may be called before others.")
    pause_reasons: list[ReasonEntry] = Field(
        default=[], max_length=16, description="Why staff may pause a lane; without any it cannot be paused."
    )
    reasons: list[ReasonEntry] = Field(
        default=[],
        max_length=16,
        description="Why staff may call a number out of order; without any none can be chosen.",
    )
    absent_after_calls: int = Field(
        default=2, ge=1, le=9, description="A number may be marked absent after so many calls…"
    )
    absent_after_seconds: int = Field(
        default=20, ge=0, le=600, description="… and so long after the latest, which leaves its resident time to come."
    )
    missed_minutes: int = Field(
        default=30, ge=1, le=1440, description="A missed number may come back for so long; then it lapses."
    )
    push_back_times: int = Field(
        default=2, ge=0, le=9, description="How often a resident may let others go first; 0: not at all."
    )
    push_back_places: int = Field(default=5, ge=1, le=20, description="At most how many of them at a time.")
    long_wait_minutes: int = Field(
        default=45, ge=1, le=1440, description="Who has waited for so long is marked at the desks."
    )
    lanes: list[LaneEntry] = Field(min_length=1, max_length=32, description="The waiting lines.")
    counters: list[CounterEntry] = Field(min_length=1, max_length=200, description="The windows where staff sits.")

    def office(self) -> Office:
        return Office(
            key=self.key,
            name=self.name,
            lanes=tuple(
                Lane(
                    lane.key,
                    lane.name,
                    lane.prefix,
                    lane.first,
                    lane.last,
                    lane.step,
                    lane.cap,
                    lane.delivery or "",
                    lane.gives_numbers,
                )
                for lane in self.lanes
            ),
            counters=tuple(
                Counter(seat.key, seat.name, tuple(seat.lanes), tuple(seat.weights.get(key, 1) for key in seat.lanes))
                for seat in self.counters
            ),
            return_after=self.return_after,
            web_open=minutes(self.web_open),
            web_close=minutes(self.web_close),
            web_check_in=self.web_check_in,
            purpose=_purpose(self.notices),
            line_purpose=_purpose(self.notices.line) if self.notices else None,
            phone_purpose=_purpose(self.notices.phone) if self.notices else None,
            priorities=tuple(
                Priority(entry.key, entry.name, entry.every, frozenset(entry.given_by)) for entry in self.priorities
            ),
            pause_reasons=tuple(Reason(entry.key, entry.name) for entry in self.pause_reasons),
            reasons=tuple(Reason(entry.key, entry.name) for entry in self.reasons),
            absence=Absence(self.absent_after_calls, self.absent_after_seconds, self.missed_minutes),
            push_backs=PushBacks(self.push_back_times, self.push_back_places),
            hours=hours_of(self.hours, self.special_days),
            hours_in_practice=self.hours_in_practice,
            long_wait_minutes=self.long_wait_minutes,
        )


def read_office(path: Path) -> Office:
    """The office of a file. Raises Faulty with everything that is wrong with it."""
    where = str(path)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Faulty(
            [Fault(where, "", f"ファイルを読めません（{error.strerror}）。JUNBAN_OFFICE を確かめてください。")]
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeError) as error:
        raise Faulty([Fault(where, "", f"TOML として読めません（{error}）。その行を直してください。")]) from error
    faults = []
    try:
        file = OfficeFile.model_validate(table)
    except ValidationError as error:
        file, faults = None, faults_of(error, where)
    faults += [Fault(where, key, remedy) for key, remedy in _contradictions(table)]
    if file is None or faults:
        raise Faulty(faults)
    return file.office()


def _contradictions(table: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(key, remedy) for what is wrong between entries that are sound by themselves."""
    opens, closes = (table.get(name, OfficeFile.model_fields[name].default) for name in ("web_open", "web_close"))
    if all(isinstance(time, str) and re.fullmatch(TIME, time) for time in (opens, closes)) and opens >= closes:
        yield "web_close", f"web_open {opens} が web_close {closes} より前になっていません。時刻を直してください。"
    lanes, counters = list(_sound(table, "lanes", LaneEntry)), list(_sound(table, "counters", CounterEntry))
    named = set(_keys(table, "lanes"))
    yield from impossible_hours(
        list(_sound(table, "hours", HoursEntry)),
        list(_sound(table, "special_days", SpecialDayEntry)),
        {lane.key: path for path, lane in lanes},
    )
    for group in ("lanes", "counters", "priorities", "pause_reasons", "reasons"):
        for key, times in Count(_keys(table, group)).items():
            if times > 1:
                yield group, f"key {key} が {times} 回あります。それぞれ別の key にしてください。"
    for path, lane in lanes:
        if lane.first > lane.last:
            yield f"{path}.first", f"first {lane.first} が last {lane.last} より大きいです。入れ替えてください。"
    for (path, lane), (_, other) in combinations(lanes, 2):
        if lane.prefix == other.prefix and lane.first <= other.last and other.first <= lane.last:
            yield (
                path,
                f"番号の範囲が {other.key} と重なります（prefix {lane.prefix!r}）。"
                "prefix を変えるか、first と last を離してください。",
            )
    for path, lane in lanes:
        if lane.delivery is not None and named and lane.delivery not in named:
            yield f"{path}.delivery", f"業務 {lane.delivery} は lanes にありません。つづりを確かめてください。"
    for path, counter in counters:
        if len(set(counter.lanes)) < len(counter.lanes):
            yield f"{path}.lanes", "同じ業務が 2 回あります。1 回だけ書いてください。"
        for lane_key in counter.weights:
            if lane_key not in counter.lanes:
                yield f"{path}.weights", f"業務 {lane_key} はこの窓口の lanes にありません。つづりを確かめてください。"
        for lane_key in counter.lanes:
            if named and lane_key not in named:
                yield f"{path}.lanes", f"業務 {lane_key} は lanes にありません。つづりを確かめてください。"
    served = {key for _, counter in counters for key in counter.lanes}
    if isinstance(table.get("counters"), list) and len(counters) == len(table["counters"]):
        for path, lane in lanes:
            if lane.key not in served:
                yield path, f"業務 {lane.key} を扱う窓口がありません。counters のどれかの lanes に加えてください。"


def _purpose(entry: NoticesEntry | LineEntry | PhoneEntry | None) -> Purpose | None:
    return Purpose(entry.purpose_version, entry.purpose.strip()) if entry else None


_E = TypeVar("_E", bound=Entry)


def _sound(table: dict[str, Any], group: str, kind: type[_E]) -> Iterator[tuple[str, _E]]:
    """(path, entry) for each entry that has no fault of its own."""
    for place, raw in enumerate(_list(table, group)):
        try:
            yield key_of([group, place]), kind.model_validate(raw)
        except ValidationError:
            continue


def _keys(table: dict[str, Any], group: str) -> list[str]:
    return [raw["key"] for raw in _list(table, group) if isinstance(raw, dict) and isinstance(raw.get("key"), str)]


def _list(table: dict[str, Any], group: str) -> list[Any]:
    found = table.get(group)
    return found if isinstance(found, list) else []
