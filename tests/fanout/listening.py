"""A screen with a mailbox: it hears what was put there, and can be held against a fresh snapshot."""

from msgspec.structs import replace

from hub.fanout.mailbox import Mailbox
from hub.fanout.world import World
from hub.wire import codec
from hub.wire import messages as wire
from hub.wire.client_side import Heard, Screen
from hub.wire.position import Position


class Listener:
    """One topic's screen behind one mailbox."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox
        self.screen = Screen()
        self.heard: list[Heard] = []
        self.frames: list[wire.HubFrame] = []

    async def hear(self) -> list[Heard]:
        """Everything that lies in the mailbox now."""
        now: list[Heard] = []
        while len(self.mailbox):
            now.append(await self.hear_one())
        return now

    async def hear_one(self) -> Heard:
        frame = codec.read_frame((await self.mailbox.get()).text)
        assert frame is not None
        self.frames.append(frame)
        self.heard.append(self.screen.hear(frame))
        return self.heard[-1]

    def types(self) -> list[str]:
        return [type(frame).__name__ for frame in self.frames]

    @property
    def position(self) -> Position:
        assert self.screen.position is not None
        return self.screen.position


def timeless(snapshot: wire.Snapshot) -> wire.Snapshot:
    """Beats move `at` on a screen; everything else must be equal to the letter."""
    return replace(snapshot, at=0)


def fresh(world: World, topic: str) -> wire.Snapshot:
    found = codec.read_frame(world.snapshot(topic).text)
    assert isinstance(found, wire.Snapshot)
    return timeless(found)
