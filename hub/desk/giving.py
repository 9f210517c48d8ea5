"""Whether a lane gives numbers just now, and which is the next. No number is given twice, no band ever wraps."""

from hub.desk.facts import Fact, LanePaused, LaneResumed
from hub.desk.lane import Lane, Office
from hub.desk.picture import Picture
from hub.desk.refusals import LaneClosed, LaneClosing, LaneExhausted, LaneFull, LaneIsPaused, LaneNotPaused
from hub.desk.requests import Answer, Pause, Resume, Stamp


def next_number(office: Office, picture: Picture, lane: Lane, at: int) -> str:
    """Raises LaneClosed, LaneIsPaused, LaneClosing, LaneFull, LaneExhausted."""
    if not office.hours.is_open(lane.key, picture.day or "", at):
        raise closed(office, lane.key, at)
    if lane.key in picture.paused:
        raise LaneIsPaused(lane=lane.key)
    if lane.key in picture.closing:
        raise LaneClosing()
    given = picture.issued.get(lane.key, 0)
    if lane.cap is not None and given >= lane.cap:
        raise LaneFull(lane=lane.key)
    figure = lane.first + given * lane.step
    while lane.number(figure) in picture.numbers:
        figure += lane.step  # the band was moved during the day
    if figure > lane.last:
        raise LaneExhausted(lane=lane.key)
    return lane.number(figure)


def closed(office: Office, lane: str, at: int) -> LaneClosed:
    """Why the lane gives no number now: with when it does again."""
    opens = office.next_opening(lane, at)
    return LaneClosed(lane=lane, opens="" if opens is None else str(opens))


def pause(office: Office, picture: Picture, stamp: Stamp, request: Pause, at: int) -> tuple[Answer, list[Fact]]:
    lane, reason = office.lane(request.lane).key, office.pause_reason(request.reason)
    if lane in picture.paused:
        raise LaneIsPaused(lane=lane)
    fact = LanePaused(at=at, who=stamp.who, request=stamp.request, lane=lane, reason=reason)
    return Answer(lane=lane), [fact]


def resume(office: Office, picture: Picture, stamp: Stamp, request: Resume, at: int) -> tuple[Answer, list[Fact]]:
    lane = office.lane(request.lane).key
    if lane not in picture.paused:
        raise LaneNotPaused(lane=lane)
    return Answer(lane=lane), [LaneResumed(at=at, who=stamp.who, request=stamp.request, lane=lane)]
