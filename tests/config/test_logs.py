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


def test_letters_stay_readable(stream: io.StringIO) -> None:
    structlog.get_logger().info("開始", why="窓口")
    assert "窓口" in stream.getvalue()
