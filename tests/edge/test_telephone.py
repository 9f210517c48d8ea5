"""Every telephone number has a stated outcome, however it was typed."""

import pytest

from hub.edge.telephone import read_telephone
from hub.store.sealing import By

BOTH, VOICE, NONE = (By.SMS, By.VOICE), (By.VOICE,), ()

NUMBERS: list[tuple[str, str, tuple[By, ...]]] = [
    ("090-1234-5678", "+819012345678", BOTH),
    ("０９０－１２３４－５６７８", "+819012345678", BOTH),
    ("+81 90 1234 5678", "+819012345678", BOTH),
    ("0312345678", "+81312345678", VOICE),
    ("03-1234-5678", "+81312345678", VOICE),
    ("050-1234-5678", "+815012345678", VOICE),
    ("0120-123-456", "", NONE),
    ("0990-123456", "", NONE),
    ("070-1234-5678", "+817012345678", BOTH),
    ("060-1234-5678", "+816012345678", BOTH),  # given to mobile phones since 2024, as phonenumbers knows
    ("020-12345678", "", NONE),
    ("110", "", NONE),
    ("119", "", NONE),
    ("0570-012345", "", NONE),
    ("+1 202 555 0123", "", NONE),
    ("+882 16 12345678", "", NONE),
    ("090-1234-567", "", NONE),
    ("080123456789", "", NONE),
    ("+819012345678;ext=5", "", NONE),
    ("tel:+81-90-1234-5678", "+819012345678", BOTH),
    ("0901234 5678 内線12", "", NONE),
    ("<script>", "", NONE),
    ("9" * 40, "", NONE),
    ("٠٩٠-1234-5678", "+819012345678", BOTH),
    ("+8190 1234 5678\r\nX: y", "", NONE),
    ("", "", NONE),
    ("090-1234-5678\x00", "", NONE),
    ("\u202e090-1234-5678", "", NONE),
    ("090-1234-5678 " * 1000, "", NONE),
]


@pytest.mark.parametrize(("typed", "number", "ways"), NUMBERS, ids=lambda value: ascii(value)[:30])
def test_a_number_is_understood_or_refused(typed: str, number: str, ways: tuple[By, ...]) -> None:
    found = read_telephone(typed)
    assert (found.number if found else "", found.ways if found else ()) == (number, ways)


def test_a_number_is_shown_as_it_is_written_in_japan() -> None:
    found = read_telephone("+819012345678")
    assert found is not None
    assert found.shown == "090-1234-5678"
