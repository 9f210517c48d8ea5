"""The addresses of the touch page: the page, its state (asked again and again), and the touches.

Only the machine's own browser may touch: another name for this machine, or a page from elsewhere, is refused.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

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
FILES = ("touch.css", "touch.js", "keypad.js", "words.js")
TYPED_BYTES = 256  # a number and a code; more is not our page
ASK_S = 5.0  # so long an unchanged state is kept waiting; the page calls itself stale after twice that
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class TypedNumber(msgspec.Struct, forbid_unknown_fields=True):
    """As it was typed; in a body, where no list of addresses keeps it."""

    number: Typed
    code: Typed


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
        try:
            typed = msgspec.json.decode(await request.body(), type=TypedNumber)
        except (msgspec.DecodeError, UnicodeError):
            return Response(status_code=400, headers=HEADERS)
        return _touch(lambda: machine.check_in(typed.number, typed.code))

    touches: dict[str, Callable[[Request], Awaitable[Response]]] = {
        "/choose/{lane}": choose,
        "/print-again": print_again,
        "/from-home": come_from_home,
        "/typing": keep_typing,
        "/check-in": check_in,
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
    ticket = kiosk.ticket
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
        "sentence": kiosk.sentence,
        "why": kiosk.why,
    }


def _touch(act: Callable[[], None]) -> Response:
    """204 when it was taken; 409 where the screen has moved on (the page draws the state anyway)."""
    try:
        act()
    except NotNow:
        return Response(status_code=409, headers=HEADERS)
    return Response(status_code=204, headers=HEADERS)
