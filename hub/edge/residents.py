"""What a resident asks about his own ticket, over HTTP: take a number, see it, give it back. JSON or a plain form.

Whoever shows a ticket's secret, or its number and code, may act for it. The cookie opens nothing: it only keeps a
browser at one live number in each lane.
"""

import asyncio
import hashlib
import hmac
import re
import time
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar
from urllib.parse import parse_qsl

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from hub.desk import requests as ask
from hub.desk.refusals import (
    BadMessage,
    ForeignPage,
    HasNumber,
    NotUnderstood,
    NotYours,
    Refusal,
    StoreAway,
    TooManyTries,
    WebClosed,
)
from hub.desk.requests import Answer, Stamp
from hub.desk.ticket import State
from hub.edge.commands import FAULT
from hub.edge.guards import Guard
from hub.edge.tries import Tries
from hub.fanout.relay import Relay
from hub.wire import codes
from hub.wire import messages as wire
from hub.wire.tickets import BODY_BYTES, Cancel, Find, Take, TakeByForm, Told

_log = structlog.get_logger("hub.edge.residents")

WHO = "web"
COOKIE = "junban"
_COOKIE = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)
NO_STORE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

MINUTE = 60.0
WRONG_CODES = 5  # a minute and number: forty bits stay out of reach for the day
TAKEN = 60  # a minute and process; six times the known bursts at the machines
REACH_S = 2.0  # for the fact of a ticket just given to come back

_M = TypeVar("_M", bound=msgspec.Struct)


class Desk(Protocol):
    """The store's lanes in earnest. Everything may raise a Refusal."""

    async def do(self, stamp: Stamp, request: ask.Request) -> Answer: ...
    async def holder_of(self, day: str, secret: str) -> int | None: ...
    async def secret_of(self, day: str, arrival: int) -> str | None: ...


class Pages(Protocol):
    """Answers to plain forms."""

    def ticket(self, told: Told, news: str = "") -> Response: ...
    def refused(self, refusal: wire.RefusalBody, status: int, number: str = "") -> Response: ...


class Residents:
    """The resident's requests of one hub; the same for both listeners."""

    def __init__(
        self,
        relay: Relay,
        desk: Desk,
        pages: Pages,
        *,
        is_secure: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._relay, self._desk, self._pages, self._is_secure = relay, desk, pages, is_secure
        self._wrong = Tries(WRONG_CODES, MINUTE, monotonic)
        self._taken = Tries(TAKEN, MINUTE, monotonic)

    def routes(self, guard: Guard) -> list[Route]:
        """`POST /tickets`, `/t/find`, `/t/cancel`; whoever loads such an address anew comes to `/t`."""
        answers = {"/tickets": self._take, "/t/find": self._find, "/t/cancel": self._cancel}
        routes = [Route(path, self._guarded(answer, guard), methods=["POST"]) for path, answer in answers.items()]
        return routes + [Route(path, _to_page, methods=["GET"]) for path in answers]

    def _guarded(self, answer: Callable[["Asked"], Awaitable[Response]], guard: Guard) -> Any:
        async def endpoint(request: Request) -> Response:
            asked = Asked(request)
            try:
                headers = request.headers
                if not guard.allows(request.scope["scheme"], headers.getlist("host"), headers.getlist("origin")):
                    raise ForeignPage
                await asked.read()
                return await answer(asked)
            except Refusal as refusal:
                return self._refuse(asked, refusal)
            except Exception:
                _log.exception("request failed", path=request.url.path)
                return self._say_no(asked, FAULT, 500)

        return endpoint

    async def _take(self, asked: "Asked") -> Response:
        wanted = asked.as_form(TakeByForm) if asked.is_form else asked.as_json(Take)
        secret = codes.digest_of(wanted.secret) if isinstance(wanted, TakeByForm) else wanted.secret
        day, office = self._day(), self._relay.office
        office.lane(wanted.lane)
        if self._relay.world is None or not office.is_web_open(self._relay.world.at):
            raise WebClosed
        if not self._taken.take(""):
            raise TooManyTries
        # A browser's first number: made from the request, so that a double press is one browser.
        cookie = asked.cookie or _fold(f"holder {wanted.id}")
        holder = hashlib.sha256(cookie.encode()).hexdigest()
        request = ask.Issue(wanted.lane, WHO, secret, holder, is_expected=office.web_check_in)
        try:
            answer = await self._desk.do(Stamp(day, WHO, wanted.id), request)
        except HasNumber as refusal:
            return await self._show_held(asked, refusal, day)
        told = await self._told(day, answer.arrival or 0, secret)
        response = self._show(asked, told, "番号をお取りしました。")
        response.set_cookie(COOKIE, cookie, httponly=True, samesite="strict", secure=self._is_secure)
        return response

    async def _show_held(self, asked: "Asked", refusal: HasNumber, day: str) -> Response:
        """The cookie has shown who holds it: the number is told again, with the code that opens it."""
        arrival = int(refusal.details["ticket"])
        told = await self._told(day, arrival, await self._desk.secret_of(day, arrival) or "")
        if asked.is_form:
            return self._pages.ticket(told, refusal.sentence)
        return self._refuse(asked, HasNumber(ticket=str(arrival), number=told.number, code=told.code))

    async def _find(self, asked: "Asked") -> Response:
        day, arrival, secret = await self.owned(asked.read_as(Find))
        return self._show(asked, await self._told(day, arrival, secret))

    async def _cancel(self, asked: "Asked") -> Response:
        wanted = asked.read_as(Cancel)
        day, arrival, secret = await self.owned(wanted)
        told = await self._told(day, arrival, secret)
        answer = await self._desk.do(Stamp(day, WHO, wanted.id), ask.Cancel(arrival))
        return self._show(asked, msgspec.structs.replace(told, state=str(answer.state), ahead=None, counter=None))

    async def owned(self, wanted: Find | Cancel) -> tuple[str, int, str]:
        """Day, arrival and digest of the ticket that the asker has shown to be his. Raises NotYours, TooManyTries."""
        day = self._day()
        if wanted.secret is not None:
            digest = codes.digest_of(wanted.secret)
            arrival = await self._desk.holder_of(day, digest)
            if arrival is None:
                raise NotYours
            return day, arrival, digest
        number = codes.read_number(wanted.number)
        code = codes.read_code(wanted.code)
        world = self._relay.world
        known = world.picture.numbers.get(number) if world else None
        if known is None or code is None:
            raise NotYours
        if not self._wrong.take(f"{day} {number}"):
            raise TooManyTries
        secret = await self._desk.secret_of(day, known)
        if not secret or not hmac.compare_digest(codes.code_of(secret), code):
            raise NotYours
        self._wrong.give_back(f"{day} {number}")
        return day, known, secret

    def _day(self) -> str:
        day = self._relay.day
        if day is None:
            raise StoreAway
        return day

    async def _told(self, day: str, arrival: int, secret: str) -> Told:
        try:
            async with asyncio.timeout(REACH_S):
                found = await self._relay.ticket(arrival)
        except TimeoutError:
            found = None
        if found is None:
            raise StoreAway
        ticket, ahead = found
        return Told(
            day=day,
            arrival=arrival,
            number=ticket.number,
            lane=ticket.lane,
            state=str(ticket.state),
            code=codes.code_of(secret) if secret else "",
            ahead=ahead if ticket.state is State.WAITING else None,
            counter=ticket.counter if ticket.is_at_counter or ticket.state is State.ABSENT else None,
        )

    def _show(self, asked: "Asked", told: Told, news: str = "") -> Response:
        return self._pages.ticket(told, news) if asked.is_form else _json(told)

    def _refuse(self, asked: "Asked", refusal: Refusal) -> Response:
        body = wire.RefusalBody(refusal.code, refusal.sentence, refusal.again, dict(refusal.details))
        status = 403 if isinstance(refusal, ForeignPage) else 400 if isinstance(refusal, NotUnderstood) else 409
        return self._say_no(asked, body, 503 if refusal.again else status)

    def _say_no(self, asked: "Asked", body: wire.RefusalBody, status: int) -> Response:
        if asked.is_form:
            return self._pages.refused(body, status, asked.fields.get("number", "")[:32])
        return _json({"refusal": body}, status)


class Asked:
    """One request: what kind it is, and its body read once within bounds."""

    def __init__(self, request: Request) -> None:
        self._request = request
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        self.is_form = kind == "application/x-www-form-urlencoded"
        self.is_json = kind == "application/json"
        self.fields: dict[str, str] = {}
        self._body = b""
        held = request.cookies.get(COOKIE, "")
        self.cookie = held if _COOKIE.fullmatch(held) else None

    async def read(self) -> None:
        if not (self.is_form or self.is_json):
            raise BadMessage
        async for chunk in self._request.stream():
            self._body += chunk
            if len(self._body) > BODY_BYTES:
                raise BadMessage
        if self.is_form:
            try:
                self.fields = dict(parse_qsl(self._body.decode("ascii"), max_num_fields=8, errors="strict"))
            except ValueError as error:
                raise BadMessage from error

    def read_as(self, kind: type[_M]) -> _M:
        return self.as_form(kind) if self.is_form else self.as_json(kind)

    def as_form(self, kind: type[_M]) -> _M:
        try:
            return msgspec.convert(self.fields, kind)
        except msgspec.ValidationError as error:
            raise BadMessage from error

    def as_json(self, kind: type[_M]) -> _M:
        try:
            return msgspec.json.decode(self._body, type=kind)
        except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
            raise BadMessage from error


def _fold(text: str) -> str:
    """128 bits of a text's digest, as 22 characters."""
    return urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:16]).rstrip(b"=").decode()


def _json(told: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(told), status, NO_STORE, "application/json")


async def _to_page(request: Request) -> Response:
    return RedirectResponse("/t", 303, NO_STORE)
