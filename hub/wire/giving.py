"""Whether a lane gives numbers at a moment, as every screen reckons it from what the hub told of the lane.

The browser's `static/giving.js` says the same.
"""

from enum import StrEnum

from msgspec import UNSET

from hub.wire.messages import LaneState


class Giving(StrEnum):
    OPEN = "open"
    PAUSED = "paused"  # by staff, for the time being
    CLOSED = "closed"  # outside its hours
    OVER = "over"  # staff announced its closing: no more today


def giving(lane: LaneState, at: int) -> Giving:
    """`at`: office time in epoch milliseconds."""
    if lane.closing:
        return Giving.OVER
    if lane.hours is not UNSET and not any(opens <= at < closes for opens, closes in lane.hours):
        return Giving.CLOSED
    return Giving.PAUSED if lane.paused else Giving.OPEN


def next_opening(lane: LaneState, at: int) -> int | None:
    """When a closed lane opens; None where the hub has told of no opening."""
    hours = [] if lane.hours is UNSET else lane.hours
    return next((opens for opens, _ in hours if opens > at), None)
