"""What a topic keeps for those who come back: bounded in frames and in bytes."""

import pytest

from hub.fanout.feed import RING, RING_BYTES, Feed
from hub.fanout.mailbox import Frame
from hub.wire.position import Position


@pytest.mark.parametrize(("size", "kept"), [(200, RING), (RING_BYTES // 4, 4), (RING_BYTES + 1, 0)])
def test_it_keeps_so_many_and_no_more_bytes(size: int, kept: int) -> None:
    feed = Feed(Position("e", 0, 0))
    places = [Position("e", ms, 0) for ms in range(1, RING + 10)]
    for place in places:
        feed.add(place, place.ms, Frame(str(place.ms), size))
    oldest = places[-1 - kept]
    helped = feed.since(oldest)
    assert helped is not None
    assert [frame.text for frame in helped] == [str(place.ms) for place in places[len(places) - kept :]]
    assert feed.since(places[-2 - kept]) is None
    assert feed.since(Position("e", 0, 0)) is None
