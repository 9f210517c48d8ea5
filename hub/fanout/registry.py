"""Who listens to which topic, and how often each is told that nothing was missed. It tells; it never waits."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum

from hub.fanout import topics
from hub.fanout.crowd import Bounds, Crowd, OneByOne, Turns
from hub.fanout.mailbox import Depth, Frame, Mailbox


class Pace(StrEnum):
    """How often a listener gets a beat."""

    WALL = "wall"  # walls, desks, kiosks: staff and a whole room rely on them
    TAB = "tab"  # residents' telephones: fewer beats, longer batteries


class Registry:
    """All listeners of this process: those with a mailbox, and crowds of those who only listen.

    `frames` counts what was told to each, `overruns` the listeners that were too slow.
    """

    def __init__(self, depth: Depth | None = None, bounds: Bounds | None = None) -> None:
        self.frames = 0
        self.overruns = 0
        self._depth = depth or Depth()
        self._bounds = bounds or Bounds()
        self._turns = Turns()
        self._crowds: dict[tuple[str, Pace], Crowd] = {}  # as many as there are topics; an empty one stays
        self._listeners: dict[str, dict[Pace, dict[Mailbox, None]]] = {}  # dicts keep the order of joining

    def open(self, topic: str, pace: Pace) -> Mailbox:
        """A new listener's mailbox; from now on everything told to the topic lands in it."""
        mailbox = Mailbox(self._depth)
        self._listeners.setdefault(topic, {}).setdefault(pace, {})[mailbox] = None
        return mailbox

    def crowd(
        self,
        topic: str,
        pace: Pace,
        picture: Callable[[], Sequence[Frame]],
        framed: Callable[[str], bytes],
        together: Callable[[], OneByOne],
    ) -> Crowd:
        """Those who only listen to a topic; made for the first of them."""
        crowd = self._crowds.get((topic, pace))
        if crowd is None:
            crowd = self._crowds[topic, pace] = Crowd(
                picture, framed, together, self._overrun, self._turns, self._bounds
            )
        return crowd

    def leave(self, topic: str, pace: Pace, mailbox: Mailbox) -> None:
        """The listener is gone. May be repeated."""
        paces = self._listeners.get(topic, {})
        if mailbox in paces.get(pace, {}):
            del paces[pace][mailbox]
            if not paces[pace]:
                del paces[pace]
            if not paces:
                del self._listeners[topic]

    def tell(self, topic: str, frame: Frame, paces: Iterable[Pace] = Pace) -> None:
        """Put one frame into every mailbox of a topic, and tell its crowds; or those that go at the given paces."""
        listeners = self._listeners.get(topic, {})
        for pace in paces:
            for mailbox in listeners.get(pace, ()):
                self.overruns += mailbox.put(frame)
                self.frames += 1
            crowd = self._crowds.get((topic, pace))
            if crowd:
                crowd.tell(frame)
                self.frames += len(crowd)

    def topics(self) -> list[str]:
        """Topics that somebody listens to."""
        return list({**self._listeners, **{topic: None for (topic, _), crowd in self._crowds.items() if crowd}})

    def __len__(self) -> int:
        in_mailboxes = sum(len(mailboxes) for paces in self._listeners.values() for mailboxes in paces.values())
        return in_mailboxes + sum(map(len, self._crowds.values()))

    def counts(self) -> Counter[str]:
        """Listeners by kind of topic; every kind is named, also with nobody there."""
        counted = Counter({topics.BOARD: 0, "lanes": 0, topics.DESK: 0})
        for topic, paces in self._listeners.items():
            counted[topics.kind_of(topic)] += sum(map(len, paces.values()))
        for (topic, _), crowd in self._crowds.items():
            counted[topics.kind_of(topic)] += len(crowd)
        return counted

    def _overrun(self) -> None:
        self.overruns += 1
