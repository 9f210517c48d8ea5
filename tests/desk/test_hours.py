"""Hours: the week, its fourth Sunday, holidays, days of their own; and what a closed lane says."""

from datetime import date, datetime

import pytest

from hub.desk.hours import ALWAYS, Hours, Opening, SpecialDay, end_of, moment_text
from hub.desk.lane import Lane, Office
from hub.desk.refusals import LaneClosed, WebClosed

HOLIDAYS = {date(2026, 11, 23), date(2026, 11, 3)}
WEEK = Opening(frozenset({"mon", "tue", "wed", "thu", "fri"}), 510, 1020)
LATE = Opening(frozenset({"tue"}), 1020, 1140, frozenset({"moves"}))
FOURTH = Opening(frozenset({"sun4"}), 540, 1020)
NEW_YEAR = tuple(SpecialDay(day) for day in ("12-29", "12-30", "12-31", "01-02", "01-03"))
WARD = Hours((WEEK, LATE, FOURTH), (*NEW_YEAR, SpecialDay("2026-11-25", 780, 900)), HOLIDAYS.__contains__)


def at(moment: str) -> int:
    """Epoch milliseconds of a time in Tokyo."""
    return int(datetime.fromisoformat(f"{moment}+09:00").timestamp() * 1000)


def clock(hours: Hours, lane: str, day: str) -> list[str]:
    """The windows of a day as a clock on the wall there shows them."""
    return [f"{moment_text(opens)}–{moment_text(closes)}" for opens, closes in hours.windows(lane, day)]


@pytest.mark.parametrize(
    ("lane", "day", "windows"),
    [
        ("seal", "2026-11-24", ["11月24日（火）8:30–11月24日（火）17:00"]),
        ("moves", "2026-11-24", ["11月24日（火）8:30–11月24日（火）19:00"]),  # what touches is one window
        ("moves", "2026-11-25", ["11月25日（水）13:00–11月25日（水）15:00"]),  # a day with hours of its own
        ("seal", "2026-11-22", ["11月22日（日）9:00–11月22日（日）17:00"]),  # the fourth Sunday
        ("seal", "2026-11-15", []),  # the third
        ("seal", "2026-11-28", []),  # Saturday
        ("seal", "2026-11-23", []),  # Monday, 勤労感謝の日
        ("moves", "2026-11-03", []),  # Tuesday, 文化の日: no evening either
        ("seal", "2026-12-29", []),
        ("seal", "2027-12-29", []),  # every year
    ],
)
def test_a_day_has_the_windows_of_its_rules(lane: str, day: str, windows: list[str]) -> None:
    assert clock(WARD, lane, day) == windows


def test_on_a_holiday_only_the_rule_for_holidays_holds() -> None:
    hours = Hours((WEEK, Opening(frozenset({"holiday"}), 600, 720)), is_holiday=HOLIDAYS.__contains__)
    assert clock(hours, "seal", "2026-11-23") == ["11月23日（月）10:00–11月23日（月）12:00"]
    assert clock(hours, "seal", "2026-11-24") == ["11月24日（火）8:30–11月24日（火）17:00"]


def test_a_special_day_of_some_lanes_leaves_the_others_alone() -> None:
    hours = Hours((WEEK,), (SpecialDay("2026-11-24", lanes=frozenset({"moves"})),))
    assert clock(hours, "moves", "2026-11-24") == []
    assert clock(hours, "seal", "2026-11-24") == ["11月24日（火）8:30–11月24日（火）17:00"]


def test_special_days_alone_leave_every_other_day_open() -> None:
    hours = Hours((), NEW_YEAR)
    assert hours.is_open("seal", "2026-11-24", at("2026-11-24T03:00"))
    assert not hours.is_open("seal", "2026-12-29", at("2026-12-29T12:00"))


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [("08:29:59.999", False), ("08:30", True), ("16:59:59.999", True), ("17:00", False), ("00:00", False)],
)
def test_a_window_opens_on_the_minute_and_closes_before_it(moment: str, is_open: bool) -> None:
    assert WARD.is_open("seal", "2026-11-24", at(f"2026-11-24T{moment}")) is is_open


def test_a_night_is_two_windows_on_two_days() -> None:
    night = Hours((Opening(frozenset({"fri"}), 1320, 1440), Opening(frozenset({"sat"}), 0, 120)))
    friday, saturday = "2026-11-27", "2026-11-28"
    assert night.is_open("seal", friday, at("2026-11-27T23:59:59.999"))
    assert night.is_open("seal", saturday, at("2026-11-28T00:00"))
    assert not night.is_open("seal", friday, at("2026-11-28T00:00:00.200")), "the day of yesterday has ended"
    assert not night.is_open("seal", saturday, at("2026-11-28T02:00"))
    assert night.windows("seal", friday)[-1][1] == end_of(friday) == at("2026-11-28T00:00")


def test_without_hours_a_lane_is_always_open_also_while_a_day_is_late_to_end() -> None:
    assert ALWAYS.is_open("seal", "2026-11-24", at("2026-11-25T00:00:00.200"))


@pytest.mark.parametrize(
    ("lane", "moment", "opens"),
    [
        ("seal", "2026-11-20T20:00", "2026-11-22T09:00"),  # Friday evening: the fourth Sunday
        ("seal", "2026-11-22T17:00", "2026-11-24T08:30"),  # over the holiday
        ("moves", "2026-11-24T18:59", "2026-11-24T08:30"),  # it is open: since when
        ("seal", "2026-11-24T18:59", "2026-11-25T13:00"),
        ("seal", "2026-12-28T17:00", "2027-01-04T08:30"),  # 1 January is a Friday here, and no holiday of this test
    ],
)
def test_the_next_opening_is_found_over_everything_closed(lane: str, moment: str, opens: str) -> None:
    hours = Hours((WEEK, LATE, FOURTH), WARD.special_days, lambda day: day in HOLIDAYS or day == date(2027, 1, 1))
    office = Office("ward", "区役所", (Lane(lane, "異動", "A", 1, 9),), (), hours=hours)
    assert office.next_opening(lane, at(moment)) == at(opens)


def test_the_web_opens_when_both_it_and_the_lane_do() -> None:
    office = Office("ward", "区役所", (), (), web_open=600, web_close=720, hours=WARD)
    assert office.next_opening("moves", at("2026-11-24T09:00"), on_web=True) == at("2026-11-24T10:00")
    assert office.next_opening("moves", at("2026-11-24T12:00"), on_web=True) == at("2026-11-26T10:00"), (
        "not on the 25th"
    )
    assert office.next_opening("moves", at("2026-11-24T12:00")) == at("2026-11-24T08:30")


def test_a_lane_that_never_opens_again_says_only_that_it_is_closed() -> None:
    never = Office("ward", "区役所", (), (), hours=Hours((LATE,)))
    assert never.next_opening("seal", at("2026-11-24T12:00")) is None


def test_a_closed_lane_says_when_it_opens() -> None:
    opens = str(at("2026-11-30T08:30"))
    assert LaneClosed(lane="seal", opens=opens).said == (
        "ただいまは、この業務の受付時間外です。次の受付は 11月30日（月）8:30 からです。"
    )
    assert WebClosed(opens=opens).said.endswith("次の受付は 11月30日（月）8:30 からです。")
    assert LaneClosed(lane="seal", opens="").said == "ただいまは、この業務の受付時間外です。"
