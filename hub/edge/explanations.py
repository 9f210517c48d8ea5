"""Why a number was called when it was, over HTTP: one ticket for the desk, a whole day for managers and auditors.

The open day comes from this hub's picture, a past one from the ledger. No answer holds a contact or a person.
"""

import asyncio
import re
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from hub.desk.chronicle import Chronicle
from hub.desk.refusals import Refusal, StoreAway, UnknownTicket
from hub.edge.access import Principal
from hub.edge.answers import as_json, refused
from hub.edge.staff import Staff
from hub.fanout.relay import Relay
from hub.ledger.past_days import PastDays
from hub.wire.codes import read_number
from hub.wire.roles import Act

LONGEST_NUMBER = 32  # as it is typed
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


class Pages(Protocol):
    """What is said: sentences for one ticket, a report for a day (`chronicle` None: nothing is known of that day)."""

    def why(self, chronicle: Chronicle, arrival: int) -> list[str]: ...
    def fairness(self, viewer: Principal, day: str, chronicle: Chronicle | None, *, is_open: bool) -> Response: ...
    def fairness_json(self, day: str, chronicle: Chronicle) -> object: ...


class Explanations:
    """One hub's, on the inside listener only."""

    def __init__(self, staff: Staff, relay: Relay, past: PastDays, pages: Pages) -> None:
        self._staff, self._relay, self._past, self._pages = staff, relay, past, pages

    def routes(self) -> list[BaseRoute]:
        page = self._staff.page
        return [
            Route("/desk/why", page(Act.OPEN_DESK, self._why), methods=["GET"]),
            Route("/audit/fairness", page(Act.SEE_FAIRNESS, self._fairness), methods=["GET"]),
            Route("/audit/fairness.json", page(Act.SEE_FAIRNESS, self._fairness_json), methods=["GET"]),
        ]

    async def _why(self, request: Request, viewer: Principal) -> Response:
        """`number` as it was typed → {number, lines}; a refusal as in a reply."""
        try:
            chronicle = self._present()
            number = read_number(request.query_params.get("number", "")[:LONGEST_NUMBER])
            arrival = self._relay.arrival_of(number)
            if arrival is None:
                raise UnknownTicket
        except Refusal as refusal:
            return refused(refusal)
        return as_json({"number": number, "lines": self._pages.why(chronicle, arrival)})

    async def _fairness(self, request: Request, viewer: Principal) -> Response:
        day, chronicle = await self._day(request)
        is_open = day == self._relay.day
        return await asyncio.to_thread(self._pages.fairness, viewer, day, chronicle, is_open=is_open)

    async def _fairness_json(self, request: Request, viewer: Principal) -> Response:
        day, chronicle = await self._day(request)
        if chronicle is None:
            return as_json({"day": day}, 404)
        return as_json(await asyncio.to_thread(self._pages.fairness_json, day, chronicle))

    async def _day(self, request: Request) -> tuple[str, Chronicle | None]:
        """The day asked for (the open one where none is), and what is known of it. Raises StoreAway, LedgerUnusable."""
        asked = request.query_params.get("day", "")
        if not _DAY.fullmatch(asked) or asked == self._relay.day:
            return self._relay.day or "", self._present().copy()
        told = await asyncio.to_thread(self._past.facts, asked)
        if not told:
            return asked, None
        chronicle = Chronicle(self._relay.office)
        for fact in told:
            chronicle.learn(fact)
        return asked, chronicle

    def _present(self) -> Chronicle:
        if self._relay.world is None:
            raise StoreAway
        return self._relay.world.chronicle
