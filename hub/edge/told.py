"""Whether the resident of a number was told of his turn, for staff at a counter. Never by which contact."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.desk.notices import how_told
from hub.desk.refusals import Refusal
from hub.edge.answers import as_json, refused
from hub.store.lanes import Wished


class Lanes(Protocol):
    """The store's lanes. Everything may raise a Refusal."""

    async def notices_of(self, day: str, arrival: int) -> list[Wished]: ...


def told_route(
    lanes: Lanes, day: Callable[[], str], for_desk: Callable[[Callable[[Request, Any], Awaitable[Response]]], Any]
) -> Route:
    """`GET /desk/told/ARRIVAL`, for who may work at a counter; `for_desk` lets them in."""

    async def told(request: Request, viewer: Any) -> Response:
        del viewer
        try:
            wished = await lanes.notices_of(day(), request.path_params["ticket"])
            how = how_told(one.notices for one in wished)
        except Refusal as refusal:
            return refused(refusal)
        return as_json({"told": str(how)})

    return Route("/desk/told/{ticket:int}", for_desk(told), methods=["GET"])
