"""Sockets to the hub that come back after a loss, each with delays of its own; what is said on them is unknown here."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from time import monotonic

from msgspec.structs import replace
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from config.practice.entering import Nobody, Pass
from hub.forecast.day import Chance
from hub.wire.codec import read_frame
from hub.wire.messages import Close, Snapshot

FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 2.0
JOINED_WITHIN_S = 15.0  # a hub that starts with a full day behind it takes a second or two
LIVED_S = 1.0  # a socket that held so long was a good one: the next loss starts with a short pause again
LONGEST_FRAME = 1 << 23  # a desk snapshot with every ticket of a peak day waiting stays well below

NOT_SIGNED_IN = 401
NOBODY = Nobody()

Talk = Callable[[ClientConnection], Awaitable[None]]


class NotWanted(Exception):
    """The hub says that coming back does not help: a wrong address, or a message that it cannot read."""


def dial(address: str, headers: Mapping[str, str] | None = None) -> connect:
    """A connection that goes nowhere but to the hub: no proxy from the environment, no reconnecting of its own."""
    return connect(
        address,
        additional_headers=dict(headers or {}),
        proxy=None,
        compression=None,
        open_timeout=5,
        close_timeout=1,
        ping_interval=5,
        ping_timeout=10,
        max_size=LONGEST_FRAME,
    )


async def stay_connected(address: Callable[[], str], talk: Talk, chance: Chance, entry: Pass = NOBODY) -> None:
    """Connect, talk until that ends for any reason of the network, and again, until cancelled.

    Who was put out shows his pass anew. Raises NotWanted, and NotLetIn where the pass is no good.
    """
    losses = 0
    while True:
        began, shown = monotonic(), entry.headers
        try:
            async with dial(address(), shown) as socket:
                await talk(socket)
        except InvalidStatus as error:
            if error.response.status_code == NOT_SIGNED_IN:
                await entry.renew(shown)
            elif 400 <= error.response.status_code < 500:
                raise NotWanted(f"{address()} にハブは {error.response.status_code} と答えました。") from error
        except ConnectionClosed as error:
            if error.rcvd is not None and error.rcvd.code == Close.SIGNED_OUT:
                await entry.renew(shown)
            elif error.rcvd is not None and 4400 <= error.rcvd.code < 4500:
                raise NotWanted(f"ハブは {address()} を {error.rcvd.code} で閉じました。") from error
        except (OSError, WebSocketException):  # a TimeoutError is an OSError
            pass
        losses = 1 if monotonic() - began > LIVED_S else losses + 1
        await asyncio.sleep(pause_s(losses, chance))


def pause_s(losses: int, chance: Chance) -> float:
    """Longer after each loss in a row, and never the same for two."""
    return min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(losses, 10)) * (0.5 + chance.random() / 2)


async def fresh_snapshot(address: str, headers: Mapping[str, str] | None = None) -> Snapshot:
    """What a new listener is told, without its time. A hub that is just coming up says `away` first.

    Raises OSError (TimeoutError after JOINED_WITHIN_S) and WebSocketException.
    """
    async with asyncio.timeout(JOINED_WITHIN_S), dial(address, headers) as socket:
        while True:
            frame = read_frame(await socket.recv(decode=False))
            if isinstance(frame, Snapshot):
                return replace(frame, at=0)
