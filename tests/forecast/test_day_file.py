"""A day file becomes customers, or every fault in it at once."""

import pytest

from hub.forecast.day import Customer
from hub.forecast.day_file import FAULTS_SHOWN, FaultyDay, missing_lanes, read_day

HEADER = "arrived_at,lane,source,service_seconds,left_at\n"
LANES = ("certificates", "moves")


def faults(text: str, lanes: tuple[str, ...] | None = None) -> list[str]:
    with pytest.raises(FaultyDay) as caught:
        read_day(text, lanes)
    return caught.value.faults


def test_rows_become_customers_in_order_of_arrival() -> None:
    text = HEADER + "09:00:05,moves,kiosk,60,\r\n08:59:00,certificates,web,90.4,\r\n\r\n"
    assert read_day(text, LANES) == [
        Customer(arrived_at=32340, lane="certificates", source="web", service_seconds=90),
        Customer(arrived_at=32405, lane="moves", source="kiosk", service_seconds=60),
    ]


def test_a_customer_without_service_gave_up_at_that_time() -> None:
    [customer] = read_day(HEADER + "09:00:00,moves,kiosk,,09:10:00\n")
    assert (customer.service_seconds, customer.left_at) == (None, 33000)


def test_every_column_is_read() -> None:
    text = (
        "\ufeffarrived_at,lane,source,service_seconds,contact,walk_minutes,left_at,priority\n"
        "9:00:00, moves ,desk,60,email,10,,2\n"
    )
    assert read_day(text) == [
        Customer(
            arrived_at=32400,
            lane="moves",
            source="desk",
            service_seconds=60,
            contact="email",
            walk_minutes=10,
            priority=2,
        )
    ]


@pytest.mark.parametrize(
    "written", ["09:00:00", "2026-11-24T09:00:00", "2026-11-24 09:00:00.9", "2026-11-24T00:00:00Z"]
)
def test_times_are_of_the_office_day_in_both_forms(written: str) -> None:
    assert read_day(HEADER + f"{written},moves,kiosk,60,\n")[0].arrived_at == 32400


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["1 行目", "見出し"]),
        (",,\n", ["1 行目", "見出し"]),
        ("arrived_at,lane,source\n", ["service_seconds がありません"]),
        ("arrived_at,lane,source,service_seconds,mood\n", ["'mood'"]),
        ("arrived_at,lane,source,service_seconds,lane\n", ["lane が二度"]),
        (HEADER, ["一人も"]),
        (HEADER + "09:00:00,moves,kiosk,60\n", ["2 行目", "4 個"]),
        (HEADER + "9 o'clock,moves,kiosk,60,\n", ["2 行目", "9 o'clock", "HH:MM:SS"]),
        (HEADER + "24:00:00,moves,kiosk,60,\n", ["24:00:00"]),
        (HEADER + "2026-11-24,moves,kiosk,60,\n", ["日付だけ"]),
        (HEADER + "09:00:00,moves,kiosk,-3,\n", ["service_seconds", "-3"]),
        (HEADER + "09:00:00,moves,kiosk,1e9,\n", ["1e9"]),
        (HEADER + "09:00:00,moves,pigeon,60,\n", ["pigeon", "kiosk"]),
        (HEADER + "09:00:00,,kiosk,60,\n", ["lane が空"]),
        (HEADER + ",moves,kiosk,60,\n", ["arrived_at が空"]),
        (HEADER + "09:00:00,moves,kiosk,,\n", ["left_at もなく"]),
        (HEADER + "09:00:00,moves,kiosk,,08:00:00\n", ["より前"]),
        (HEADER + '09:00:00,moves,kiosk,"60,\n', ["CSV"]),
    ],
)
def test_a_faulty_file_is_refused_by_line_and_word(text: str, found: list[str]) -> None:
    said = "\n".join(faults(text))
    assert all(word in said for word in found), said


def test_all_faults_are_told_in_one_go() -> None:
    text = HEADER + "x,moves,kiosk,y,z\n09:00:00,moves,kiosk,60,\n2026-11-24T09:00:00,moon,kiosk,60,\n"
    text += "2026-11-25T09:00:00,mars,kiosk,60,\n"
    said = faults(text, LANES)
    assert [line.split(" ")[0] for line in said[:4]] == ["2", "2", "2", "5"]
    assert "別の日" in said[3]
    assert all(word in said[4] for word in ("moon（1 人）", "mars（1 人）", "certificates"))


def test_a_file_that_is_wrong_everywhere_is_not_printed_whole() -> None:
    said = faults(HEADER + "x,moves,kiosk,60,\n" * (FAULTS_SHOWN + 7))
    assert len(said) == FAULTS_SHOWN + 1
    assert "7 件" in said[-1]


def test_an_office_with_every_lane_lacks_none() -> None:
    assert missing_lanes(["moves", "moves"], LANES) is None
