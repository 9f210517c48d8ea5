"""What every request about a ticket goes through: the guard, the body, whose ticket it is, and how it is told.

Whoever shows a ticket's secret, or its number and code, may act for it. Nothing else about a request says who asks.
"""

import asyncio
import contextlib
import hashlib
import hmac
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, TypeAlias

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from hub.desk import requests as ask
from hub.desk.explanation import TO_RESIDENT
from hub.desk.lane import Office
from hub.desk.notices import Trigger
from hub.desk.refusals import (
    ForeignPage,
    NoContact,
    NotYours,
    Refusal,
    StoreAway,
    TooManyTries,
    TryAgain,
)
from hub.desk.requests import Answer, Stamp
from hub.desk.ticket import State, Ticket
from hub.edge.answers import as_json, body_of, status_of
from hub.edge.asked import Asked
from hub.edge.commands import FAULT
from hub.edge.guards import Guard
from hub.edge.tries import MINUTE_S, Tries
from hub.fanout.relay import Relay
from hub.store.lanes import SealedContact, Wished
from hub.wire import codes
from hub.wire import messages as wire
from hub.wire.tickets import Find, Notice, Passed, Sent, Told

_log = structlog.get_logger("hub.edge.reception")

WHO = "web"
WRONG_CODES = 5  # a minute and number: forty bits stay out of reach for the day
PASSED_SHOWN = 3  # the latest: who looks up at the wall asks about the one that was just called
REACH_S = 2.0  # for the fact of a ticket just given to come back

Answerer: TypeAlias = Callable[[Asked], Awaitable[Response]]


class Desk(Protocol):
    """The store's lanes in earnest. Everything may raise a Refusal."""

    async def do(self, stamp: Stamp, request: ask.Request, contact: SealedContact | None = None) -> Answer: ...
    async def holder_of(self, day: str, secret: str) -> int | None: ...
    async def secret_of(self, day: str, arrival: int) -> str | None: ...
    async def notices_of(self, day: str, arrival: int) -> list[Wished]: ...
    async def stop_of(self, day: str, token: str) -> ask.Stop | None: ...
    async def stops_of(self, day: str, owner: str) -> list[ask.Stop]: ...


class Pages(Protocol):
    """Answers to plain forms."""

    def ticket(self, told: Told, news: str = "", refusal: str = "", status: int = 200) -> Response: ...
    def refused(self, refusal: wire.RefusalBody, status: int, number: str = "") -> Response: ...
    def stop(self, *, is_done: bool = False) -> Response: ...
    def stop_refused(self, refusal: wire.RefusalBody, status: int) -> Response: ...


class Reception:
    """One hub's; the same for both listeners and for everything that a resident asks."""

    def __init__(
        self, relay: Relay, desk: Desk, pages: Pages, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.relay, self.desk, self.pages, self.monotonic = relay, desk, pages, monotonic
        self._wrong = Tries(WRONG_CODES, MINUTE_S, monotonic)

    @property
    def office(self) -> Office:
        return self.relay.office

    def routes(self, answers: Mapping[str, Answerer], guard: Guard) -> list[Route]:
        """Each path by POST; whoever loads such an address anew comes to `/t`."""
        routes = [Route(path, self._guarded(path, answer, guard), methods=["POST"]) for path, answer in answers.items()]
        return routes + [Route(path, _to_page, methods=["GET"]) for path in answers]

    def _guarded(self, path: str, answer: Answerer, guard: Guard) -> Any:
        async def endpoint(request: Request) -> Response:
            asked = Asked(request)
            try:
                headers = request.headers
                if not guard.allows(request.scope["scheme"], headers.getlist("host"), headers.getlist("origin")):
                    raise ForeignPage
                await asked.read()
                return await answer(asked)
            except Refusal as refusal:
                return self.refuse(asked, refusal)
            except Exception:
                _log.exception("request failed", path=path)
                return self._say_no(asked, FAULT, 500)

        return endpoint

    def day(self) -> str:
        """The business day. Raises StoreAway before there is one."""
        day = self.relay.day
        if day is None:
            raise StoreAway
        return day

    async def owned(self, wanted: Find) -> tuple[str, int, str]:
        """Day, arrival and digest of the ticket that the asker has shown to be his. Raises NotYours, TooManyTries."""
        day = self.day()
        if wanted.secret is not None:
            digest = codes.digest_of(wanted.secret)
            arrival = await self.desk.holder_of(day, digest)
            if arrival is None:
                raise NotYours
            return day, arrival, digest
        number = codes.read_number(wanted.number)
        code = codes.read_code(wanted.code)
        world = self.relay.world
        known = world.picture.numbers.get(number) if world else None
        if known is None or code is None:
            raise NotYours
        if not self._wrong.take(f"{day} {number}"):
            raise TooManyTries
        try:
            secret = await self.desk.secret_of(day, known)
        except TryAgain:
            self._wrong.give_back(f"{day} {number}")  # nobody has looked at the code
            raise
        if not secret or not hmac.compare_digest(codes.code_of(secret), code):
            raise NotYours
        self._wrong.give_back(f"{day} {number}")
        return day, known, secret

    async def erase(self, day: str, stop: ask.Stop | None, id: str = "") -> None:
        """Nothing happens where nothing is kept: it is as he wishes. `id`: of a request that may come again."""
        if stop is not None:
            with contextlib.suppress(NoContact):
                await self.desk.do(Stamp(day, WHO, id or secrets.token_urlsafe(16)), stop)

    async def told(self, day: str, arrival: int, secret: str) -> Told:
        """The ticket as it stands, with its notices. Raises StoreAway."""
        try:
            async with asyncio.timeout(REACH_S):
                found = await self.relay.ticket(arrival)
        except TimeoutError:
            found = None
        if found is None:
            raise StoreAway
        ticket, ahead = found
        rule = self.office.push_backs
        return Told(
            day=day,
            arrival=arrival,
            number=ticket.number,
            lane=ticket.lane,
            state=str(ticket.state),
            code=codes.code_of(secret) if secret else "",
            ahead=ahead if ticket.state is State.WAITING else None,
            counter=ticket.counter if ticket.is_at_counter or ticket.state is State.ABSENT else None,
            until=ticket.until if ticket.state is State.ABSENT else None,
            push_backs=max(0, rule.times - ticket.pushed) if ticket.state is State.WAITING else 0,
            places=rule.places,
            notices=[_notice(wished) for wished in await self.desk.notices_of(day, arrival)],
            passed=self._passed(ticket) if ticket.state is State.WAITING else [],
        )

    def _passed(self, ticket: Ticket) -> list[Passed]:
        """The latest numbers that went before it though they were taken later, each once."""
        world, latest = self.relay.world, dict[str, Passed]()
        for passing in reversed(world.chronicle.passed_by(ticket.arrival) if world else []):
            if len(latest) == PASSED_SHOWN:
                break
            latest.setdefault(passing.number, Passed(passing.number, TO_RESIDENT[passing.reason]))
        return list(latest.values())

    def show(self, asked: Asked, told: Told, news: str = "") -> Response:
        return self.pages.ticket(told, news) if asked.is_form else as_json(told)

    async def refuse_on_page(self, asked: Asked, refusal: Refusal, day: str, arrival: int, secret: str) -> Response:
        """A form gets the ticket's own page back with the sentence on it."""
        if not asked.is_form:
            return self.refuse(asked, refusal)
        told = await self.told(day, arrival, secret)
        return self.pages.ticket(told, refusal=refusal.sentence, status=status_of(refusal))

    def refuse(self, asked: Asked, refusal: Refusal) -> Response:
        return self._say_no(asked, body_of(refusal), status_of(refusal))

    def _say_no(self, asked: Asked, body: wire.RefusalBody, status: int) -> Response:
        if asked.is_form:
            return self.pages.refused(body, status, asked.fields.get("number", "")[:32])
        return as_json({"refusal": body}, status)


def kept_id(path: str, asked: str) -> str:
    """What a resident's request id is kept as. The id itself stands nowhere, so what is made with it as a key can be
    made again by nobody but the asker.
    """
    return hashlib.sha256(f"{path} {asked}".encode()).hexdigest()


def _notice(wished: Wished) -> Notice:
    registered, near = (wished.notices.get(trigger) for trigger in (Trigger.REGISTERED, Trigger.NEAR))
    return Notice(
        carrier=str(wished.carrier),
        ahead=wished.ahead,
        registered=registered and str(registered),
        near=near and str(near),
        ended=str(wished.ended or ""),
        minutes=wished.minutes,
        sent=sorted(
            (Sent(str(about), str(state), wished.since[about]) for about, state in wished.notices.items()),
            key=lambda sent: sent.at,
        ),
    )


async def _to_page(request: Request) -> Response:
    return RedirectResponse("/t", 303)
