"""When an office gives numbers: rules of the week, holidays, special days. Pure: the moment comes from outside.

Times of day are minutes since midnight in Tokyo, moments are epoch milliseconds of office time. A business day ends at
midnight, so no window reaches over it: who gives numbers at night writes two.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias

DAY_MINUTES = 24 * 60
TOKYO_MINUTES = 9 * 60  # ahead of UTC; no summer time since 1951
MINUTE_MS = 60_000
FURTHEST_DAYS = 400  # nobody is told of an opening farther away than a year

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEKDAY_LETTERS = "月火水木金土日"
NTH_DAYS = frozenset(f"{weekday}{nth}" for weekday in WEEKDAYS for nth in range(1, 6))  # sun4: the fourth Sunday
HOLIDAY = "holiday"
DAY_NAMES = frozenset({*WEEKDAYS, *NTH_DAYS, HOLIDAY})

Window: TypeAlias = tuple[int, int]  # from … until before, epoch milliseconds


@dataclass(frozen=True, slots=True)
class Opening:
    """A rule of the week. `lanes` empty: all lanes. Weekdays mean no holidays; `holiday` means those."""

    days: frozenset[str]
    opens: int
    closes: int
    lanes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SpecialDay:
    """Instead of the rules of the week. `date`: `2026-12-28`, or `12-29` for every year. Closed unless it opens."""

    date: str
    opens: int = 0
    closes: int = 0
    lanes: frozenset[str] = frozenset()


def _never(day: date) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Hours:
    """Without any rule numbers are given at all hours; with special days alone, on every other day.

    `is_holiday`: the calendar of the land, which is none of an office's own.
    """

    openings: tuple[Opening, ...] = ()
    special_days: tuple[SpecialDay, ...] = ()
    is_holiday: Callable[[date], bool] = field(default=_never, repr=False, compare=False)

    @property
    def is_always(self) -> bool:
        return not self.openings and not self.special_days

    def is_open(self, lane: str, day: str, at: int) -> bool:
        """Whether the business day `day` (YYYY-MM-DD) has the lane open at that moment."""
        return self.is_always or any(opens <= at < closes for opens, closes in self.windows(lane, day))

    def windows(self, lane: str, day: str) -> tuple[Window, ...]:
        """When the lane is open on a day, in order; what touches is one window."""
        today = date.fromisoformat(day)
        midnight = _midnight(today)
        joined: list[tuple[int, int]] = []
        for opens, closes in sorted(self._minutes(lane, today)):
            if joined and opens <= joined[-1][1]:
                opens, closes = joined[-1][0], max(closes, joined.pop()[1])
            joined.append((opens, closes))
        return tuple(((midnight + opens) * MINUTE_MS, (midnight + closes) * MINUTE_MS) for opens, closes in joined)

    def following(self, lane: str, at: int) -> Iterator[Window]:
        """The window that `at` lies in and those after it, for about a year."""
        today = day_of(at)
        for ahead in range(FURTHEST_DAYS):
            day = (today + timedelta(days=ahead)).isoformat()
            yield from (window for window in self.windows(lane, day) if window[1] > at)

    def _minutes(self, lane: str, today: date) -> Iterator[tuple[int, int]]:
        special = [
            day
            for day in self.special_days
            if day.date in (today.isoformat(), today.isoformat()[5:]) and (not day.lanes or lane in day.lanes)
        ]
        if special:
            yield from ((day.opens, day.closes) for day in special if day.opens < day.closes)
        elif not self.openings:
            yield 0, DAY_MINUTES
        else:
            names = self._names(today)
            for rule in self.openings:
                if names & rule.days and (not rule.lanes or lane in rule.lanes):
                    yield rule.opens, rule.closes

    def _names(self, today: date) -> frozenset[str]:
        if self.is_holiday(today):
            return frozenset({HOLIDAY})
        weekday = WEEKDAYS[today.weekday()]
        return frozenset({weekday, f"{weekday}{(today.day + 6) // 7}"})


_EPOCH = date(1970, 1, 1).toordinal()


def end_of(day: str) -> int:
    """The midnight after a day (YYYY-MM-DD), in epoch milliseconds."""
    return (_midnight(date.fromisoformat(day)) + DAY_MINUTES) * MINUTE_MS


def _midnight(day: date) -> int:
    """Where a day begins in Tokyo, in minutes since 1970."""
    return (day.toordinal() - _EPOCH) * DAY_MINUTES - TOKYO_MINUTES


def day_of(at: int) -> date:
    """The date in Tokyo."""
    return date.fromordinal(_EPOCH + (at // MINUTE_MS + TOKYO_MINUTES) // DAY_MINUTES)


def moment_text(at: int) -> str:
    """`11月30日（月）8:30`, as residents read it."""
    there = datetime.fromtimestamp(at / 1000, UTC) + timedelta(minutes=TOKYO_MINUTES)
    return f"{there.month}月{there.day}日（{WEEKDAY_LETTERS[there.weekday()]}）{there.hour}:{there:%M}"


ALWAYS = Hours()
