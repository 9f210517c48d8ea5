"""Lanes that give numbers or not, for every screen that must say so."""

from msgspec.structs import replace

from hub.wire.giving import Giving
from hub.wire.messages import LaneState

HOUR = 3_600_000
AT = 1795478400000  # 9:00 on 2026-11-24 in Tokyo
LANE = LaneState("certificates", "証明", 3)
OPEN = [(AT - HOUR, AT + 8 * HOUR), (AT + 23 * HOUR, AT + 32 * HOUR)]

STATES: dict[str, tuple[LaneState, Giving, int | None]] = {
    "at all hours": (LANE, Giving.OPEN, None),
    "within its hours": (replace(LANE, hours=OPEN), Giving.OPEN, None),
    "on the minute": (replace(LANE, hours=[(AT, AT + HOUR)]), Giving.OPEN, None),
    "a moment before": (replace(LANE, hours=[(AT + 1, AT + HOUR)]), Giving.CLOSED, AT + 1),
    "closed just now": (replace(LANE, hours=[(AT - HOUR, AT), OPEN[1]]), Giving.CLOSED, OPEN[1][0]),
    "closed for a year": (replace(LANE, hours=[]), Giving.CLOSED, None),
    "paused": (replace(LANE, hours=OPEN, paused=True), Giving.PAUSED, None),
    "paused and closed": (replace(LANE, hours=[OPEN[1]], paused=True), Giving.CLOSED, OPEN[1][0]),
    "over": (replace(LANE, hours=OPEN, paused=True, closing=True), Giving.OVER, None),
}
