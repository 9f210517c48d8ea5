"""What may stand in a line of the log, and what never does."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from config import logs

CANARY = "somebody@example.jp"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    written = io.StringIO()
    logs.set_up(written)
    yield written
    structlog.reset_defaults()
    root.handlers = handlers
    root.setLevel(level)


def only_line(stream: io.StringIO) -> dict[str, Any]:
    (line,) = stream.getvalue().splitlines()
    assert CANARY not in line
    found: dict[str, Any] = json.loads(line)
    assert set(found) <= logs.FIELDS
    return found


def fail() -> None:
    raise ValueError(f"no such address: {CANARY}")


def test_a_line_tells_what_is_on_the_list_and_names_what_is_not(stream: io.StringIO) -> None:
    structlog.get_logger("hub.somewhere").warning("the day is late", day="2026-11-24", contact=CANARY)
    line = only_line(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "the day is late",
        "level": "warning",
        "logger": "hub.somewhere",
        "day": "2026-11-24",
        "dropped": ["contact"],
    }


def test_an_exception_is_told_by_type_and_place(stream: io.StringIO) -> None:
    try:
        try:
            fail()
        except ValueError as error:
            raise RuntimeError(CANARY) from error
    except RuntimeError:
        structlog.get_logger().exception("it failed")
    line = only_line(stream)
    assert line["error"] == "RuntimeError < ValueError"
    assert line["where"][-1].endswith("test_an_exception_is_told_by_type_and_place")
    assert line["where"][-1].startswith("test_logs.py:")


def test_libraries_speak_the_same_way_and_shortly(stream: io.StringIO) -> None:
    try:
        fail()
    except ValueError:
        logging.getLogger("uvicorn.error").exception("Exception in %s\n<object with %s>", "an application", CANARY)
    line = only_line(stream)
    assert line["event"] == "Exception in an application"
    assert (line["error"], line["where"][-1].split(" ")[-1]) == ("ValueError", "fail")


def test_addresses_of_residents_are_not_written(stream: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").info('203.0.113.7:4711 - "WebSocket /ws/board" [accepted]')
    logging.getLogger("uvicorn.access").info("203.0.113.7:4711 GET /")
    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    "contact",
    [
        "taro..yamada@docomo.ne.jp",
        "taro%40docomo.ne.jp",
        "ｔａｒｏ＠ｄｏｃｏｍｏ．ｎｅ．ｊｐ",
        "0312345678",
        "03-1234-5678",
        "03 1234 5678",
        "03(1234)5678",
        "0467-12-3456",
        "04992-1-2345",
        "0120-123-456",
        "050-1234-5678",
        "09012345678",
        "090-12345678",
        "０９０１２３４５６７８",
        "０３ー１２３４ー５６７８",
        "03\u22121234\u22125678",
        "+81 3-1234-5678",
        "+81(0)90-1234-5678",
        "%2B819012345678",
        "U" + "4af49806" * 4,
    ],
)
@pytest.mark.parametrize("around", ["{}", "宛先は{}です", "sent to {}, code 550"])
def test_what_looks_like_a_contact_is_withheld_wherever_it_stands(
    stream: io.StringIO, contact: str, around: str
) -> None:
    structlog.get_logger().info(around.format(contact), why=around.format(contact))
    line = only_line(stream)
    assert line["event"] == line["why"] == around.format(logs.WITHHELD)


@pytest.mark.parametrize(
    "told",
    [
        "2026-11-24",
        "2026-01-02 03:04:05.012345",
        "2026-11-24T09:00:00.000000+09:00",
        "00:10",
        "1795708680911-0",
        "a1:1795708680911-0 b2:1795708680912-1",
        "lapse-17-1795708680911",
        "09" * 32,
        "0123456789abcdef",
        "e0312345678f4a10",
        "0123e456-0123-4567-8901-012345678901",
        "01234567-0123-4567-8901-012345678901",
        "q3oZ4lqWlT0mW1x7mBv2aA",
        "0.0312345678",
        "0 of 12345 and 0000",
        "A101 0042",
        "127.0.0.1:8080",
        "/desk/told/17",
        "（全角）：１２人",
    ],
)
def test_ids_times_and_figures_are_left_as_they_are(stream: io.StringIO, told: str) -> None:
    structlog.get_logger().info("looked at", why=told, position=told, key=told)
    line = only_line(stream)
    assert line["why"] == line["position"] == line["key"] == told


def test_letters_stay_readable(stream: io.StringIO) -> None:
    structlog.get_logger().info("開始", why="窓口")
    assert "窓口" in stream.getvalue()
