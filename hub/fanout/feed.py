"""One topic's news: where it stands, what it told lately, and its present state encoded once for all who join."""

from bisect import bisect_right
from collections import deque
from dataclasses import dataclass, field

from hub.fanout.mailbox import Frame
from hub.wire.messages import Beat, Snapshot
from hub.wire.position import Position

# Frames kept for those who come back. At one fact a second that is four minutes: longer than a hub's restart or a
# telephone's way through the lift. 256 facts are about 60 kB; who missed more is served cheaper by a snapshot.
RING = 256
# A fact that renumbers a lane lists the rank of everybody in it, 100 kB with 5,000 waiting: so the ring has a bottom in
# bytes too. Half a mailbox (`Depth.size`): whoever is helped with frames can take them all in at once.
RING_BYTES = 512 * 1024

Place = tuple[int, int]


@dataclass(slots=True)
class Feed:
    """`position` is that of the topic's latest fact. Positions of other topics' facts mean nothing here."""

    position: Position
    at: int = 0  # of the latest fact, office time
    whole: Snapshot | None = None  # the topic at its present position, once somebody asked for it
    snapshot: Frame | None = None  # the same, encoded
    _floor: Place = field(init=False)  # whoever knows this place or a later one can be helped with frames
    _places: deque[Place] = field(default_factory=deque)
    _frames: deque[Frame] = field(default_factory=deque)
    _size: int = 0
    _beat: tuple[Place, int, Frame] | None = None

    def __post_init__(self) -> None:
        self._floor = self.position.place

    def add(self, position: Position, at: int, frame: Frame) -> None:
        """The topic's next fact."""
        self._places.append(position.place)
        self._frames.append(frame)
        self._size += frame.size
        while len(self._frames) > RING or self._size > RING_BYTES:
            self._floor = self._places.popleft()
            self._size -= self._frames.popleft().size
        self.position, self.at, self.whole, self.snapshot = position, at, None, None

    def since(self, after: Position) -> list[Frame] | None:
        """The frames that follow `after`; None where that is no position of this topic, or one of too long ago."""
        if after.epoch != self.position.epoch:
            return None
        if after.place == self._floor:
            return list(self._frames)
        known = bisect_right(self._places, after.place)
        if known == 0 or self._places[known - 1] != after.place:
            return None
        return list(self._frames)[known:]

    def beat(self, at: int) -> Frame:
        """That nothing was missed up to office time `at`, encoded once for all who are told so at that time."""
        if self._beat is None or self._beat[:2] != (self.position.place, at):
            self._beat = (self.position.place, at, Frame.of(Beat(str(self.position), at)))
        return self._beat[2]
