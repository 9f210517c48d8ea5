"""One epoch of an office as this hub knows it: the picture of the day, why it came so, what each topic was told.

Pure: facts in, frames out. The same facts give the same frames, positions and snapshots on every hub.
"""

from msgspec.structs import replace

from hub.desk.chronicle import Chronicle
from hub.desk.facts import ContactErased, ContactGiven, ContactUsed, DayClosed, DayOpened, Fact, SlipReissued
from hub.desk.lane import Office
from hub.desk.picture import DoesNotFit, Picture
from hub.fanout import topics, views
from hub.fanout.feed import Feed, Place
from hub.fanout.mailbox import Frame
from hub.wire import messages as wire
from hub.wire.position import Position

START: Place = (0, 0)  # before the first fact of any day


class World:
    """`place` is that of the latest fact in the day's stream; `at` the latest office time that was heard of."""

    def __init__(self, epoch: str, day: str, office: Office) -> None:
        self.epoch, self.day, self.office = epoch, day, office
        self.place = START
        self.at = 0
        self.is_closed = False
        self.picture = Picture(day)
        self.chronicle = Chronicle(office)
        self._opened_at = 0
        self._feeds: dict[str, Feed] = {}

    def learn(self, place: Place, fact: Fact) -> list[tuple[str, Frame]]:
        """Apply a fact; give one frame for each topic it touches. Raises DoesNotFit, and is then of no more use."""
        if place <= self.place:
            raise DoesNotFit(f"place {place} after {self.place}")
        if isinstance(fact, DayOpened) != (self.place == START):
            raise DoesNotFit(f"{type(fact).__name__} at {place}: a day's stream opens once, with DayOpened")
        if self.is_closed:
            raise DoesNotFit(f"{type(fact).__name__} at {place}, after the day was closed")
        if isinstance(fact, DayClosed):
            # Nobody is told of it, so nobody's picture changes: what was told last stands until the next day's world.
            self.is_closed = True
        else:
            self.picture.apply(fact)
        self.chronicle.learn(fact)
        self.place, self.at = place, max(self.at, fact.at)
        if isinstance(fact, DayOpened):
            self._opened_at = fact.at
        if isinstance(fact, DayOpened | DayClosed | SlipReissued | ContactGiven | ContactUsed | ContactErased):
            return []
        return [(topic, self._tell(topic, fact)) for topic in topics.touched_topics(fact)]

    def feed(self, topic: str) -> Feed:
        feed = self._feeds.get(topic)
        if feed is None:
            feed = self._feeds[topic] = Feed(Position(self.epoch, *START), self._opened_at)
        return feed

    def snapshot(self, topic: str) -> Frame:
        """The topic's snapshot at its position, encoded once for all who join there."""
        feed = self.feed(topic)
        if feed.snapshot is None:
            feed.snapshot = Frame.of(self._whole(topic))
        return feed.snapshot

    def present(self, topic: str) -> wire.Snapshot:
        """The same for a page: `at` is the latest office time."""
        return replace(self._whole(topic), at=self.at)

    def beat(self, topic: str) -> Frame:
        return self.feed(topic).beat(self.at)

    def _whole(self, topic: str) -> wire.Snapshot:
        feed = self.feed(topic)
        if feed.whole is None:
            at = feed.at or self._opened_at
            feed.whole = views.snapshot_of(topic, self.picture, self.office, feed.position, at)
        return feed.whole

    def _tell(self, topic: str, fact: views.ToldFact) -> Frame:
        feed = self.feed(topic)
        position = Position(self.epoch, *self.place)
        frame = Frame.of(views.frame_of(fact, topic, self.picture, self.office, position, prev=feed.position))
        feed.add(position, fact.at, frame)
        return frame
