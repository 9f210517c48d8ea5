"""The office as its file describes it: lanes, counters and rules of one ward office, checked before anything starts.

Everything wrong with a file is told at once: a fault in one lane does not hide the faults between the others.
"""

import re
import tomllib
from collections import Counter as Count
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from config.faults import Fault, Faulty, faults_of, key_of, own_fault
from hub.desk.lane import Counter, Lane, Office, Purpose

PRACTICE_OFFICE = Path(__file__).with_name("office.toml")


def _written(pattern: str, remedy: str) -> AfterValidator:
    """Text that matches wholly, or the remedy."""
    form = re.compile(pattern)

    def check(text: str) -> str:
        if form.fullmatch(text) is None:
            raise own_fault(remedy)
        return text

    return AfterValidator(check)


# Keys travel in Redis keys, paths and frames. A name of 40 letters is what a wall has room for. A digit in the prefix
# of one lane would make numbers of another.
Key = Annotated[str, _written(r"[a-z0-9_-]{1,32}", "英小文字・数字・_・- の 1〜32 文字で書いてください。")]
Name = Annotated[str, _written(r"[^\x00-\x1f\x7f]{1,40}", "改行などを含まない 1〜40 文字で書いてください。")]
Prose = Annotated[
    str,
    _written(
        r"(?=.*\S)[^\x00-\x09\x0b-\x1f\x7f]{1,2000}", "改行のほかの制御文字を含まない 1〜2,000 文字で書いてください。"
    ),
]
Version = Annotated[str, _written(r"[A-Za-z0-9._-]{1,32}", "英数字と . _ - の 1〜32 文字で書いてください。")]
Prefix = Annotated[str, _written(r"[A-Z]{0,3}", "英大文字 3 文字以内で書いてください（空でもかまいません）。")]

TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00"
Time = Annotated[str, _written(TIME, "HH:MM の形で書いてください（24:00 まで）。")]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class LaneEntry(_Entry):
    """One `[[lanes]]`."""

    key: Key = Field(description="Short name of the lane in addresses and day files.")
    name: Name = Field(description="What residents read.")
    prefix: Prefix = Field(description="Letters before the figure: `A` gives `A101`.")
    first: int = Field(ge=0, le=99_999, description="First figure of the number band.")
    last: int = Field(ge=0, le=99_999, description="Last figure; after it the lane is closed for the day.")


class CounterEntry(_Entry):
    """One `[[counters]]`."""

    key: Key = Field(description="Short name of the counter.")
    name: Name = Field(description="What the wall shows: 1番窓口.")
    lanes: list[Key] = Field(min_length=1, max_length=32, description="Keys of the lanes that it calls from.")


class LineEntry(_Entry):
    """`[notices.line]`."""

    purpose: Prose = Field(description="The same for LINE, and what LINE itself learns, keeps and does with it.")
    purpose_version: Version = Field(description="Version of that text.")


class PhoneEntry(_Entry):
    """`[notices.phone]`."""

    purpose: Prose = Field(description="The same for telephone numbers, and what telephone carriers keep.")
    purpose_version: Version = Field(description="Version of that text.")
    consent: Prose = Field(
        description="The ward's consent to the telephone carrier: date, number and whose. Without it there is no"
        " telephone: the carrier keeps a record of each call."
    )


class NoticesEntry(_Entry):
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


class OfficeFile(_Entry):
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
    lanes: list[LaneEntry] = Field(min_length=1, max_length=32, description="The waiting lines.")
    counters: list[CounterEntry] = Field(min_length=1, max_length=200, description="The windows where staff sits.")

    def office(self) -> Office:
        return Office(
            key=self.key,
            name=self.name,
            lanes=tuple(Lane(lane.key, lane.name, lane.prefix, lane.first, lane.last) for lane in self.lanes),
            counters=tuple(Counter(seat.key, seat.name, tuple(seat.lanes)) for seat in self.counters),
            return_after=self.return_after,
            web_open=_minutes(self.web_open),
            web_close=_minutes(self.web_close),
            web_check_in=self.web_check_in,
            purpose=_purpose(self.notices),
            line_purpose=_purpose(self.notices.line) if self.notices else None,
            phone_purpose=_purpose(self.notices.phone) if self.notices else None,
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
    for group in ("lanes", "counters"):
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
    for path, counter in counters:
        if len(set(counter.lanes)) < len(counter.lanes):
            yield f"{path}.lanes", "同じ業務が 2 回あります。1 回だけ書いてください。"
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


def _minutes(time: str) -> int:
    return int(time[:2]) * 60 + int(time[3:])


_E = TypeVar("_E", bound=_Entry)


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
