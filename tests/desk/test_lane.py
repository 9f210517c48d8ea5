"""When an office gives numbers on the web, and what it records of a consent."""

import pytest

from hub.desk.lane import Office, Purpose

MIDNIGHT = 1795446000000  # the first minute of 2026-11-24 in Tokyo


@pytest.mark.parametrize(
    ("minute", "is_open"), [(0, False), (509, False), (510, True), (1019, True), (1020, False), (1439, False)]
)
def test_numbers_are_given_on_the_web_from_opening_until_before_closing(minute: int, is_open: bool) -> None:
    office = Office("ward", "区役所", (), (), web_open=510, web_close=1020)
    assert office.is_web_open(MIDNIGHT + minute * 60_000 + 59_999) is is_open
    assert Office("ward", "区役所", (), ()).is_web_open(MIDNIGHT + minute * 60_000)


def test_another_text_is_another_mark_also_where_its_version_was_forgotten() -> None:
    mark = Purpose("2026-11-1", "順番のお知らせだけに使います。").mark
    assert mark == "2026-11-1/4ba3f1fb"
    assert Purpose("2026-11-1", "ほかにも使います。").mark != mark
    assert Purpose("2026-11-2", "順番のお知らせだけに使います。").mark != mark
