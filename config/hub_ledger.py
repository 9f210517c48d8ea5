"""A hub's side of the ledger: who may come in. One that is away is waited for, and nobody new gets in meanwhile."""

import asyncio
import contextlib
from typing import NoReturn

import structlog

from config.now import now_ms
from hub.edge.access import Access
from hub.ledger.connection import LedgerUnusable
from hub.ledger.devices import Devices
from hub.ledger.operations import Ledger
from hub.ledger.people import People
from hub.ledger.refused import RefusedActs

_log = structlog.get_logger("config.hub_ledger")

ASK_AGAIN_EVERY_S = 1.0  # one that is away is asked so often whether it is back


class HubLedger:
    """One office's, for as long as a hub runs. Raises LedgerUnusable for a URL that is none of a ledger."""

    def __init__(self, url: str, office: str, *, access_every_s: float) -> None:
        self.ledger = Ledger(url, office)
        self.people = People(self.ledger, now_ms=now_ms)
        self.devices = Devices(self.ledger, now_ms)
        self.access = Access(self.people, self.devices, RefusedActs(self.ledger, now_ms), every_s=access_every_s)
        self._is_prepared = False

    async def prepare(self) -> None:
        """Its tables stand from here on; if it is away, that is said."""
        try:
            await asyncio.to_thread(self.ledger.prepare)
        except LedgerUnusable as error:
            _log.error("ledger not prepared: nobody can be let in", why=str(error))
        else:
            self._is_prepared = True

    async def attend(self) -> NoReturn:
        """Look after who is connected, as soon as there is a ledger to ask."""
        while not self._is_prepared:
            await asyncio.sleep(ASK_AGAIN_EVERY_S)
            with contextlib.suppress(LedgerUnusable):  # it was said once
                await asyncio.to_thread(self.ledger.prepare)
                self._is_prepared = True
                _log.info("ledger prepared")
        await self.access.run()

    async def close(self) -> None:
        await self.access.close()
        await asyncio.to_thread(self.ledger.close)
