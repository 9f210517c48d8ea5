"""The pages and what they are made of: the first state is drawn here, so that a page tells it without JavaScript.

Public: the crowding of all lanes, with a number to take (its own page: tickets.py). Inside: walls and the desk. Nothing
here asks the store; the hub gives its picture.
"""

import re
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeAlias

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from hub.desk.lane import Office
from hub.wire.messages import Snapshot
from web.models import Board, Offer, counter_choices, em_of, hours_text, room_for, why_none
from web.statics import Statics
from web.viewers import Viewer, viewed

DeskPage: TypeAlias = Callable[[Request, Viewer], Awaitable[Response]]
ForDesk: TypeAlias = Callable[[DeskPage], Callable[[Request], Awaitable[Response]]]
ForWall: TypeAlias = Callable[[Callable[[Request], Awaitable[Response]]], Callable[[Request], Awaitable[Response]]]
CounterOf: TypeAlias = Callable[[Request], Awaitable[str | None]]  # of the machine that asks, if it is a counter's
Present: TypeAlias = Callable[[], Snapshot | None]  # the board now; None: the store is away, or the hub has just begun

HERE = Path(__file__).parent
SCREEN_OR_COUNTER = re.compile(r"[a-z0-9_-]{1,32}", re.ASCII)  # as `Key` on the wire

TAB_BEAT_SECONDS = 25  # as the protocol page says
INSIDE_BEAT_SECONDS = 10
RELOAD_SECONDS = 30  # without JavaScript: often enough to be useful, seldom enough for a whole waiting room

_templates = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.globals.update(em_of=em_of, room_for=room_for)


def public_routes(present: Present, office: Office) -> list[BaseRoute]:
    """What anyone may see: `/`. Each lane's form has an id and a secret of its own: pressed twice, it is one ticket."""

    async def crowding(request: Request) -> Response:
        whole = present()
        return rendered(
            "crowding.html",
            offers=_offers(office, whole),
            opens=office.web_open,
            closes=office.web_close,
            is_open=whole is None or office.is_web_open(whole.at),
            hours=hours_text(office.web_open, office.web_close),
            board=Board.of(whole) if whole else None,
            socket="/ws/board",
            beat=TAB_BEAT_SECONDS,
            reload=RELOAD_SECONDS,
        )

    return [Route("/", crowding, name="crowding")]


def _offers(office: Office, whole: Snapshot | None) -> list[Offer]:
    """What can be taken, and of what else just now no number is given. While the store is away nobody knows."""
    why = {lane.lane: why_none(lane, whole.at) for lane in whole.lanes} if whole else {}
    return [
        Offer(lane.key, lane.name, new_id(), new_id(), why.get(lane.key, ""))
        for lane in office.lanes
        if lane.gives_numbers
    ]


def screen_of(request: Request) -> str:
    """The screen that a wall's address names. Raises HTTPException."""
    screen: str = request.path_params["screen"]
    if not SCREEN_OR_COUNTER.fullmatch(screen):
        raise HTTPException(404)
    return screen


def inside_routes(
    present: Present, *, for_desk: ForDesk, for_wall: ForWall, counter_of: CounterOf, checks_in: bool = False
) -> list[BaseRoute]:
    """What stands in the office: `/wall/SCREEN`, `/desk` to choose a counter, `/desk?counter=KEY` to work at one.

    `for_desk` lets in who may work at a counter, `for_wall` the screen itself. `counter_of`: the counter of the machine
    that asks, where it is one's. `checks_in`: numbers from home wait from checking in.
    """

    async def wall(request: Request) -> Response:
        screen = screen_of(request)
        whole = present()
        return rendered(
            "wall.html",
            board=Board.of(whole) if whole else None,
            screen=screen,
            socket=f"/ws/wall/{screen}",
            beat=INSIDE_BEAT_SECONDS,
            reload=RELOAD_SECONDS,
        )

    async def desk(request: Request, viewer: Viewer) -> Response:
        whole = present()
        choices = counter_choices(whole) if whole else []
        asked = request.query_params.get("counter") or ""
        if not asked and "choose" not in request.query_params:
            asked = await counter_of(request) or ""
        chosen = next((choice for choice in choices if choice.key == asked), None)
        # While the store is away nobody knows the counters: the page opens with the one asked for and fills itself in.
        is_known = chosen is not None or (whole is None and SCREEN_OR_COUNTER.fullmatch(asked) is not None)
        return rendered(
            "desk.html" if is_known else "counters.html",
            office=whole.office if whole else "",
            choices=choices,
            chosen=chosen,
            counter=asked,
            is_away=whole is None,
            checks_in=checks_in,
            socket="/ws/desk",
            beat=INSIDE_BEAT_SECONDS,
            **viewed(viewer),
        )

    return [Route("/wall/{screen}", for_wall(wall), name="wall"), Route("/desk", for_desk(desk), name="desk")]


def static_routes() -> list[BaseRoute]:
    """What the pages load, all of it from here."""
    return [Mount("/static", Statics(HERE / "static"), name="static")]


def new_id() -> str:
    """128 random bits in 22 characters."""
    return secrets.token_urlsafe(16)


def rendered(template: str, status: int = 200, **told: Any) -> HTMLResponse:
    return HTMLResponse(_templates.get_template(template).render(told), status)
