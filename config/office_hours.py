"""When an office gives numbers, as its file says it: `[[hours]]` of the week and `[[special_days]]`.

A business day ends at midnight, so no entry reaches over it.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Annotated

import jpholiday
from pydantic import AfterValidator, Field

from config.faults import own_fault
from config.office_words import Entry, Key, Name, Time, minutes
from hub.desk.hours import DAY_NAMES, Hours, Opening, SpecialDay

LEAP_YEAR = 2028  # 02-29 is a day of some years


def _day_name(text: str) -> str:
    if text not in DAY_NAMES:
        raise own_fault("mon〜sun、第 4 日曜なら sun4、祝日なら holiday と書いてください。")
    return text


def _date(text: str) -> str:
    try:
        date.fromisoformat(text if len(text) == 10 else f"{LEAP_YEAR}-{text}")
    except ValueError:
        raise own_fault("ある日付を 2026-12-28 か、毎年なら 12-28 の形で書いてください。") from None
    return text


DayName = Annotated[str, AfterValidator(_day_name)]
Date = Annotated[str, AfterValidator(_date)]


class HoursEntry(Entry):
    """One `[[hours]]`."""

    days: list[DayName] = Field(
        min_length=1,
        description="`mon` … `sun`, `sun4` for the fourth Sunday, `holiday` for Japanese holidays; on one of these only"
        " entries with `holiday` hold.",
    )
    open: Time = Field(description="From when on numbers are given, `HH:MM` in Tokyo.")
    close: Time = Field(description="Until when; `24:00` is the end of the day.")
    lanes: list[Key] = Field(default=[], description="Keys of the lanes it is about; without it all of them.")


class SpecialDayEntry(Entry):
    """One `[[special_days]]`."""

    name: Name = Field(description="What the day is: for those who read the file.")
    dates: list[Date] = Field(
        min_length=1, description="`2026-12-28`, or `12-29` for every year. The hours of the week do not hold on them."
    )
    open: Time | None = Field(default=None, description="From when on numbers are given; without both it is closed.")
    close: Time | None = Field(default=None, description="Until when.")
    lanes: list[Key] = Field(default=[], description="Keys of the lanes it is about; without it all of them.")


def hours_of(openings: Sequence[HoursEntry], special_days: Sequence[SpecialDayEntry]) -> Hours:
    return Hours(
        openings=tuple(
            Opening(frozenset(entry.days), minutes(entry.open), minutes(entry.close), frozenset(entry.lanes))
            for entry in openings
        ),
        special_days=tuple(
            SpecialDay(day, minutes(entry.open or "00:00"), minutes(entry.close or "00:00"), frozenset(entry.lanes))
            for entry in special_days
            for day in entry.dates
        ),
        is_holiday=is_holiday,
    )


@lru_cache(maxsize=1000)  # a page asks for the days around today again and again
def is_holiday(day: date) -> bool:
    """A national holiday of Japan or the day off instead of one."""
    return bool(jpholiday.is_holiday(day))


def impossible_hours(
    openings: Sequence[tuple[str, HoursEntry]],
    special_days: Sequence[tuple[str, SpecialDayEntry]],
    lanes: Mapping[str, str],
) -> Iterator[tuple[str, str]]:
    """(key, remedy) for hours that cannot be. `openings`, `special_days`: path and entry; `lanes`: key → path."""
    entries: list[tuple[str, HoursEntry | SpecialDayEntry]] = [*openings, *special_days]
    for path, entry in entries:
        if (entry.open is None) != (entry.close is None):
            yield path, "open と close は両方書くか、終日閉じるなら両方とも書かないでください。"
        elif entry.open is not None and entry.close is not None and entry.open >= entry.close:
            yield (
                f"{path}.close",
                f"open {entry.open} が close {entry.close} より前になっていません。"
                "日をまたぐときは 24:00 までと 00:00 からの 2 つに分けてください。",
            )
        for key in entry.lanes:
            if lanes and key not in lanes:
                yield f"{path}.lanes", f"業務 {key} は lanes にありません。つづりを確かめてください。"
    seen: dict[tuple[str, str], str] = {}
    for path, special in special_days:
        for day in special.dates:
            for lane in special.lanes or lanes:
                if seen.setdefault((day, lane), path) != path and special.open is None:
                    yield path, f"{day} の業務 {lane} は {seen[day, lane]} にもあります。どちらかを削除してください。"
    if openings:
        for lane, path in lanes.items():
            if not any(not entry.lanes or lane in entry.lanes for _, entry in openings):
                yield path, f"業務 {lane} の受付時間がありません。hours のどれかの lanes に加えてください。"
