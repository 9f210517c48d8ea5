"""The pages and what they are made of: the first state is drawn here, so that a page tells it without JavaScript.

Public: the crowding of all lanes. Inside: walls and the desk. Nothing here asks the store; the hub gives its picture.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from hub.wire.messages import Snapshot
from web.models import Board, counter_choices, em_of, room_for

Present: TypeAlias = Callable[[], Snapshot | None]  # the board now; None: the store is away, or the hub has just begun

HERE = Path(__file__).parent
SCREEN_OR_COUNTER = re.compile(r"[a-z0-9_-]{1,32}", re.ASCII)  # as `Key` on the wire

TAB_BEAT_SECONDS = 25  # as the protocol page says
INSIDE_BEAT_SECONDS = 10
RELOAD_SECONDS = 30  # without JavaScript: often enough to be useful, seldom enough for a whole waiting room

PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
STATIC_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",  # asked anew each time (ETag): after an upgrade no page runs old parts
}

_templates = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.globals.update(em_of=em_of, room_for=room_for)


def public_routes(present: Present) -> list[BaseRoute]:
    """What anyone may see: `/`."""

    async def crowding(request: Request) -> Response:
        whole = present()
        return _page(
            "crowding.html",
            board=Board.of(whole) if whole else None,
            socket="/ws/board",
            beat=TAB_BEAT_SECONDS,
            reload=RELOAD_SECONDS,
        )

    return [Route("/", crowding, name="crowding")]


def inside_routes(present: Present) -> list[BaseRoute]:
    """What stands in the office: `/wall/SCREEN`, `/desk` to choose a counter, `/desk?counter=KEY` to work at one."""

    async def wall(request: Request) -> Response:
        screen = request.path_params["screen"]
        if not SCREEN_OR_COUNTER.fullmatch(screen):
            raise HTTPException(404)
        whole = present()
        return _page(
            "wall.html",
            board=Board.of(whole) if whole else None,
            screen=screen,
            socket=f"/ws/wall/{screen}",
            beat=INSIDE_BEAT_SECONDS,
            reload=RELOAD_SECONDS,
        )

    async def desk(request: Request) -> Response:
        whole = present()
        choices = counter_choices(whole) if whole else []
        asked = request.query_params.get("counter", "")
        chosen = next((choice for choice in choices if choice.key == asked), None)
        # While the store is away nobody knows the counters: the page opens with the one asked for and fills itself in.
        is_known = chosen is not None or (whole is None and SCREEN_OR_COUNTER.fullmatch(asked) is not None)
        return _page(
            "desk.html" if is_known else "counters.html",
            office=whole.office if whole else "",
            choices=choices,
            chosen=chosen,
            counter=asked,
            is_away=whole is None,
            socket="/ws/desk",
            beat=INSIDE_BEAT_SECONDS,
            reload=RELOAD_SECONDS,
        )

    return [Route("/wall/{screen}", wall, name="wall"), Route("/desk", desk, name="desk")]


def static_routes() -> list[BaseRoute]:
    """What the pages load, all of it from here."""
    return [Mount("/static", _Static(directory=HERE / "static"), name="static")]


class _Static(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(STATIC_HEADERS)
        return response


def _page(template: str, **told: Any) -> HTMLResponse:
    return HTMLResponse(_templates.get_template(template).render(told), headers=PAGE_HEADERS)
