"""Whether the resident of a number was told of his turn, for staff at a counter. Never by which contact."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.desk.notices import how_told, of_this_call
from hub.desk.refusals import Refusal
from hub.edge.answers import as_json, refused
from hub.store.lanes import Wished


class Lanes(Protocol):
    """The store's lanes. Everything may raise a Refusal."""

    async def notices_of(self, day: str, arrival: int) -> list[Wished]: ...


def told_route(
    lanes: Lanes,
    day: Callable[[], str],
    called_at: Callable[[int], int | None],
    for_desk: Callable[[Callable[[Request, Any], Awaitable[Response]]], Any],
) -> Route:
    """`GET /desk/told/ARRIVAL`, for who may work at a counter; `for_desk` lets them in. `called_at`: when the ticket's
    latest call was made.
    """

    async def told(request: Request, viewer: Any) -> Response:
        del viewer
        try:
            arrival = request.path_params["ticket"]
            wished, since = await lanes.notices_of(day(), arrival), called_at(arrival)
            how = how_told(of_this_call(one.notices, one.since, since) for one in wished)
        except Refusal as refusal:
            return refused(refusal)
        return as_json({"told": str(how)})

    return Route("/desk/told/{ticket:int}", for_desk(told), methods=["GET"])
