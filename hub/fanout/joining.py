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
    """A mailbox that holds what the listener must know first, and gets everything that follows.

    That is the facts since `after` where the topic still has them, else the snapshot; then a beat, or `away` while the
    store cannot be reached. Without a world it is `away` alone; the snapshot comes to all as soon as there is one.
    """
    mailbox = registry.open(topic, pace)  # ears: from here on every fact of the topic lands behind what is put now
    if world is None:
        mailbox.put(AWAY)
        return mailbox
    missed = None if after is None else world.feed(topic).since(after)  # photograph
    for frame in [world.snapshot(topic)] if missed is None else missed:
        mailbox.put(frame)
    mailbox.put(AWAY if is_away else world.beat(topic))
    return mailbox  # release: its writer starts
