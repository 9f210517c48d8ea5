"""How a listener comes in: ears, photograph, release. A plain function: nothing comes between listening and reading."""

from hub.fanout.mailbox import Frame, Mailbox
from hub.fanout.registry import Pace, Registry
from hub.fanout.world import World
from hub.wire.messages import Away
from hub.wire.position import Position

AWAY = Frame.of(Away())


def join(
    registry: Registry, world: World | None, *, is_away: bool, topic: str, pace: Pace, after: Position | None
) -> Mailbox:
    """A mailbox that holds what the listener must know first, and gets everything that follows."""
    mailbox = registry.open(topic, pace)  # ears: from here on every fact of the topic lands behind what is put now
    for frame in first_frames(world, is_away=is_away, topic=topic, after=after):  # photograph
        mailbox.put(frame)
    return mailbox  # release: its writer starts


def first_frames(world: World | None, *, is_away: bool, topic: str, after: Position | None) -> list[Frame]:
    """The facts since `after` where the topic still has them, else the snapshot; then a beat.

    Instead of the beat `away` while the store cannot be reached. Without a world it is `away` alone; the snapshot comes
    to all as soon as there is one.
    """
    if world is None:
        return [AWAY]
    missed = None if after is None else world.feed(topic).since(after)
    known = [world.snapshot(topic)] if missed is None else missed
    return [*known, AWAY if is_away else world.beat(topic)]
