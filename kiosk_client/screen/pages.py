"""The addresses of the touch page: the page, its state (asked again and again), and the touches.

Only the machine's own browser may touch: another name for this machine, or a page from elsewhere, is refused.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from hub.wire.giving import giving, next_opening
from hub.wire.messages import Typed
from kiosk_client.kiosk import NotNow
from kiosk_client.machine import Machine, View
from kiosk_client.screen.own_browser import OwnBrowserOnly

HERE = Path(__file__).parent
FILES = ("touch.css", "telephone.css", "touch.js", "keypad.js", "dial.js", "words.js", "icon.svg")
TYPED_BYTES = 256  # a number and a code; more is not our page
ASK_S = 5.0  # so long an unchanged state is kept waiting; the page calls itself stale after twice that
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


_M = TypeVar("_M", bound=msgspec.Struct)


class TypedNumber(msgspec.Struct, forbid_unknown_fields=True):
    """As it was typed; in a body, where no list of addresses keeps it."""

    number: Typed
    code: Typed


class DialledNumber(msgspec.Struct, forbid_unknown_fields=True):
    telephone: Typed


class Confirmed(msgspec.Struct, forbid_unknown_fields=True):
    """How whoever dialled wishes to be told, and in which language."""

    by: Literal["sms", "voice"]
    language: Literal["ja", "en"]


def touch_app(machine: Machine) -> Starlette:
    async def page(request: Request) -> Response:
        return FileResponse(HERE / "page.html", headers=HEADERS)

    async def file(request: Request) -> Response:
        return FileResponse(HERE / request.url.path.rpartition("/")[2], headers=HEADERS)

    async def state(request: Request) -> Response:
        """`?seen=N`: waits until the state is another than number N."""
        seen = request.query_params.get("seen", "")
        view = await machine.news(int(seen) if seen.isdecimal() else 0, ASK_S)
        return JSONResponse(as_fields(view), headers=HEADERS)

    async def choose(request: Request) -> Response:
        return _touch(lambda: machine.choose(request.path_params["lane"]))

    async def print_again(request: Request) -> Response:
        return _touch(machine.print_again)

    async def leave(request: Request) -> Response:
        return _touch(machine.leave)

    async def come_from_home(request: Request) -> Response:
        return _touch(machine.come_from_home)

    async def keep_typing(request: Request) -> Response:
        return _touch(machine.keep_typing)

    async def check_in(request: Request) -> Response:
        return await _said(request, TypedNumber, lambda typed: machine.check_in(typed.number, typed.code))

    async def wish_by_phone(request: Request) -> Response:
        return _touch(machine.wish_by_phone)

    async def agree(request: Request) -> Response:
        return _touch(machine.agree)

    async def dial(request: Request) -> Response:
        return await _said(request, DialledNumber, lambda dialled: machine.dial(dialled.telephone))

    async def dial_again(request: Request) -> Response:
        return _touch(machine.dial_again)

    async def confirm(request: Request) -> Response:
        return await _said(request, Confirmed, lambda confirmed: machine.confirm(confirmed.by, confirmed.language))

    touches: dict[str, Callable[[Request], Awaitable[Response]]] = {
        "/choose/{lane}": choose,
        "/print-again": print_again,
        "/from-home": come_from_home,
        "/typing": keep_typing,
        "/check-in": check_in,
        "/by-phone": wish_by_phone,
        "/agree": agree,
        "/dial": dial,
        "/dial-again": dial_again,
        "/confirm": confirm,
        "/leave": leave,
    }
    return Starlette(
        routes=[
            Route("/", page),
            *(Route(f"/{name}", file) for name in FILES),
            Route("/state", state),
            *(Route(path, touch, methods=["POST"], max_body_size=TYPED_BYTES) for path, touch in touches.items()),
        ],
        middleware=[Middleware(OwnBrowserOnly)],
    )


def as_fields(view: View) -> dict[str, Any]:
    """The view as the page reads it."""
    kiosk = view.kiosk
    ticket, purpose = kiosk.ticket, view.purpose
    return {
        "version": view.version,
        "state": kiosk.state,
        "fresh": view.is_fresh,
        "office": view.office,
        "lanes": [
            {
                "lane": lane.lane,
                "name": lane.name,
                "waiting": lane.waiting,
                "giving": giving(lane, view.at),
                "opens": next_opening(lane, view.at),
            }
            for lane in view.lanes
        ],
        "lane": kiosk.lane,
        "number": ticket.number if ticket else None,
        "ahead": ticket.ahead if ticket else None,
        "code": ticket.code if ticket else None,
        "counters": view.counters,
        "checks_in": view.checks_in,
        "device_code": view.device_code,
        "purpose": {"version": purpose.version, "text": purpose.text} if purpose else None,
        "telephone": kiosk.dialled.telephone if kiosk.dialled else None,
        "ways": kiosk.dialled.ways if kiosk.dialled else (),
        "sentence": kiosk.sentence,
        "why": kiosk.why,
    }


async def _said(request: Request, kind: type[_M], act: Callable[[_M], None]) -> Response:
    """A touch that says something in its body; 400 where it is not that."""
    try:
        said = msgspec.json.decode(await request.body(), type=kind)
    except (msgspec.DecodeError, UnicodeError):
        return Response(status_code=400, headers=HEADERS)
    return _touch(lambda: act(said))


def _touch(act: Callable[[], None]) -> Response:
    """204 when it was taken; 409 where the screen has moved on (the page draws the state anyway)."""
    try:
        act()
    except NotNow:
        return Response(status_code=409, headers=HEADERS)
    return Response(status_code=204, headers=HEADERS)
