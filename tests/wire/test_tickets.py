"""What a browser says about a ticket has the same bounds whether a script or a plain form says it."""

import msgspec
import pytest

from hub.wire.messages import FURTHEST_AHEAD, Ahead
from hub.wire.tickets import FURTHEST_MINUTES, AheadText, Minutes, MinutesText


def reads(figure: int, number: object, text: object) -> tuple[bool, bool]:
    """Whether a script may say this figure, and whether a form may."""

    def is_read(told: int | str, kind: object) -> bool:
        try:
            msgspec.convert(told, type=kind)
        except msgspec.ValidationError:
            return False
        return True

    return is_read(figure, number), is_read(str(figure), text)


@pytest.mark.parametrize("figure", range(-1, FURTHEST_AHEAD + 11))
def test_a_form_may_ask_for_as_many_people_ahead_as_a_script(figure: int) -> None:
    is_within = 1 <= figure <= FURTHEST_AHEAD
    assert reads(figure, Ahead, AheadText) == (is_within, is_within)


@pytest.mark.parametrize("figure", range(-1, FURTHEST_MINUTES + 11))
def test_a_form_may_ask_for_as_many_minutes_of_walking_as_a_script(figure: int) -> None:
    is_within = 0 <= figure <= FURTHEST_MINUTES
    assert reads(figure, Minutes, MinutesText) == (is_within, is_within)
