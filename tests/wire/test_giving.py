"""Whether a lane gives numbers, told alike by the hub's page, the ticket machine and the browser's script."""

import pytest

from hub.wire.giving import Giving, giving, next_opening
from hub.wire.messages import LaneState
from tests.wire.lanes import AT, STATES


@pytest.mark.parametrize(("lane", "is_so", "opens"), STATES.values(), ids=STATES.keys())
def test_a_lane_gives_numbers_or_says_why_not(lane: LaneState, is_so: Giving, opens: int | None) -> None:
    assert giving(lane, AT) is is_so
    if is_so is Giving.CLOSED:
        assert next_opening(lane, AT) == opens
