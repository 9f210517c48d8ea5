"""Which walls are connected to this hub, and that the open day knows each of them. It holds who is here, and no rule.

A wall counts for the day from the first second that any hub has seen it; one that nobody lets in any more counts no
longer. Both are found by looking, again and again: so they hold across midnight, outages and several hubs.
"""

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable, Collection
from typing import NoReturn, Protocol

import structlog

from hub.desk.refusals import Refusal
from hub.desk.requests import Answer, JoinWall, LeaveWall, Request, Stamp
from hub.edge.access import Principal
from hub.fanout.relay import Relay

_log = structlog.get_logger("hub.edge.walls")

EVERY_S = 1.0
LOOKS_PER_LEDGER = 5  # who was put out for good is asked of the ledger: a wall that is dark says nothing by itself
HUB = "hub"


class Teller(Protocol):
    """The store's lanes in earnest. Raises a Refusal, and then nothing has changed."""

    async def do(self, stamp: Stamp, request: Request) -> Answer: ...


class Walls:
    """One hub's. `enrolled`: the screens for which a wall is let in; it blocks, and raises LedgerAway."""

    def __init__(
        self, relay: Relay, teller: Teller, enrolled: Callable[[], Collection[str]], *, every_s: float = EVERY_S
    ) -> None:
        self._relay, self._teller, self._enrolled, self._every_s = relay, teller, enrolled, every_s
        self._here: Counter[Principal] = Counter()

    def come(self, principal: Principal) -> Callable[[], None]:
        """A wall's socket is open; what comes back ends that."""
        self._here[principal] += 1

        def go() -> None:
            self._here[principal] -= 1
            self._here += Counter()  # who is here no more is not kept

        return go

    async def run(self) -> NoReturn:
        while True:
            for turn in range(LOOKS_PER_LEDGER):
                await asyncio.sleep(self._every_s)
                try:
                    await self._join()
                    if turn == 0:
                        await self._put_out()
                except Refusal:
                    pass  # the store, the day or the ledger: the next look finds it as it is then
                except Exception:
                    _log.exception("walls not looked at")

    async def _join(self) -> None:
        for principal in list(self._here):
            day, known = self._known()
            if day is not None and principal.place not in known:
                await self._teller.do(_stamp(day, principal.who), JoinWall(principal.place))

    async def _put_out(self) -> None:
        day, known = self._known()
        if day is None or not known:
            return
        enrolled = set(await asyncio.to_thread(self._enrolled)) | {principal.place for principal in self._here}
        for wall in known:
            if wall not in enrolled:
                await self._teller.do(_stamp(day, HUB), LeaveWall(wall))

    def _known(self) -> tuple[str | None, Collection[str]]:
        """The open day and its walls; no day while nobody can know."""
        world = self._relay.world
        if world is None or self._relay.is_away:
            return None, ()
        return world.day, tuple(world.picture.walls)


def _stamp(day: str, who: str) -> Stamp:
    return Stamp(day, who, secrets.token_urlsafe(16))
