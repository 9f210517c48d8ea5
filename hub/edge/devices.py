"""How screens and machines come in: they ask, show a code, and are known by their token as soon as somebody typed it.

A program sends its token by itself; a browser holds it as a cookie, is let in by loading its page, and never sees it.
No answer but the first holds a token, and none a code that another device shows.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from hub.desk.refusals import CodeTries, ForeignPage, NotSignedIn, Refusal
from hub.edge.access import DEVICE_COOKIE, bearer, is_program, token_of
from hub.edge.answers import as_json, refused, status_of
from hub.edge.asked import Asked
from hub.edge.commands import FAULT
from hub.edge.guards import Guard
from hub.edge.tries import MINUTE_S, Tries
from hub.ledger.devices import Device, Devices
from hub.ledger.journal import Author
from hub.wire import codes
from hub.wire import devices as wire
from hub.wire.roles import Role

_log = structlog.get_logger("hub.edge.devices")

ASKS = 20  # a minute and process: every machine of an office within three minutes of a power cut
COOKIE_SECONDS = 400 * 24 * 3600  # as long as a browser keeps any; each day of use begins it anew
HUB = Author("hub")

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]


class Pages(Protocol):
    """What a screen shows that is not let in. `until`: real ms."""

    def enrol(self, role: Role, place: str, code: str, until: int) -> Response: ...
    def elsewhere(self, asked: Role, device: Device) -> Response: ...
    def not_now(self, refusal: str, status: int) -> Response: ...


class Gate:
    """One hub's, on the inside listener only. `lets_all_in`: in a practice office, where nobody types codes."""

    def __init__(
        self,
        devices: Devices,
        pages: Pages,
        guard: Guard,
        *,
        version: str,
        is_secure: bool = False,
        lets_all_in: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._devices, self._pages, self._guard = devices, pages, guard
        self._version, self._is_secure, self._lets_all_in = version, is_secure, lets_all_in
        self._asks = Tries(ASKS, MINUTE_S, monotonic)

    def routes(self) -> list[BaseRoute]:
        answers = {"/device/ask": self._ask, "/device/state": self._state, "/device/turn": self._turn}
        return [Route(path, self._answering(answer), methods=["POST"]) for path, answer in answers.items()]

    def page(self, role: Role, place_of: Callable[[Request], str], show: Endpoint) -> Endpoint:
        """GET of a page for the device of this role at this place. Another browser is shown how it is let in.

        `place_of` raises HTTPException(404) for what is no place.
        """

        async def endpoint(request: Request) -> Response:
            place, token = place_of(request), _held(request)
            try:
                device = await asyncio.to_thread(self._devices.find, token, version=self._version) if token else None
                if device is None:
                    return await self._enrolling(request, role, place, token)
                if (device.role, device.place) != (role, place):
                    return self._pages.elsewhere(role, device)
                fresh = await asyncio.to_thread(self._devices.turn, token)
                response = await show(request)
                if fresh:
                    self._hand(response, fresh)
                return response
            except Refusal as refusal:
                return self._pages.not_now(refusal.sentence, status_of(refusal))

        return endpoint

    async def place(self, request: Request, role: Role) -> str | None:
        """Where the device of this role stands that asks; None for any other. Raises LedgerAway."""
        token = _held(request)
        device = await asyncio.to_thread(self._devices.find, token, version=self._version) if token else None
        return device.place if device is not None and device.role is role else None

    async def _enrolling(self, request: Request, role: Role, place: str, token: str) -> Response:
        """The code of who waits already, else a new one."""
        waiting = await asyncio.to_thread(self._devices.asked, token) if token else None
        if waiting is not None and (waiting.role, waiting.place) == (role, place):
            return self._pages.enrol(role, place, codes.shown_code(codes.device_code_of(token)), waiting.until)
        if not self._asks.take(""):
            raise CodeTries
        asking = await asyncio.to_thread(self._devices.ask, role, place, self._version)
        if self._lets_all_in:
            await asyncio.to_thread(self._devices.let_in, asking.code, "", HUB)
            response: Response = RedirectResponse(request.url.path, 303)
            if request.url.query:
                response.headers["location"] += f"?{request.url.query}"
        else:
            response = self._pages.enrol(role, place, asking.code, asking.until_ms)
        self._hand(response, asking.token)
        return response

    async def _ask(self, request: Request, asked: Asked) -> msgspec.Struct:
        if request.headers.getlist("origin"):
            raise ForeignPage  # a browser loads its page instead, and its scripts never hold a token
        wanted = asked.as_json(wire.Ask)
        if not self._asks.take(""):
            raise CodeTries
        asking = await asyncio.to_thread(self._devices.ask, Role(wanted.role), wanted.place, wanted.version)
        return wire.Asked(asking.token, asking.code, asking.until_ms)

    async def _state(self, request: Request, asked: Asked) -> msgspec.Struct:
        token = _said(request) if is_program(request) else self._cookie(request)
        device = await asyncio.to_thread(self._devices.find, token) if token else None
        if device is not None:
            return wire.Standing("in", place=device.place)
        waiting = await asyncio.to_thread(self._devices.asked, token) if token else None
        return wire.Standing("unknown") if waiting is None else wire.Standing("waiting", until=waiting.until)

    async def _turn(self, request: Request, asked: Asked) -> msgspec.Struct:
        token = _said(request)
        if not token or await asyncio.to_thread(self._devices.find, token) is None:
            raise NotSignedIn
        return wire.Turned(await asyncio.to_thread(self._devices.turn, token))

    def _cookie(self, request: Request) -> str:
        headers = request.headers
        hosts, origins, sites = (headers.getlist(name) for name in ("host", "origin", "sec-fetch-site"))
        if not self._guard.allows_by_cookie(request.scope["scheme"], hosts, origins, sites):
            raise ForeignPage
        return _held(request)

    def _answering(self, answer: "Callable[[Request, Asked], Awaitable[msgspec.Struct]]") -> Endpoint:
        async def endpoint(request: Request) -> Response:
            asked = Asked(request)
            try:
                await asked.read()
                return as_json(await answer(request, asked))
            except Refusal as refusal:
                return refused(refusal)
            except Exception:
                _log.exception("request failed", path=request.url.path)
                return as_json({"refusal": FAULT}, 500)

        return endpoint

    def _hand(self, response: Response, token: str) -> None:
        response.set_cookie(
            DEVICE_COOKIE, token, max_age=COOKIE_SECONDS, httponly=True, samesite="strict", secure=self._is_secure
        )


def _held(request: Request) -> str:
    """The token that a browser holds, or ''."""
    return token_of(request.cookies.get(DEVICE_COOKIE, ""))


def _said(request: Request) -> str:
    """The token that a program says, or ''."""
    return token_of(bearer(request))
