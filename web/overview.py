"""The page of managers: all lanes and counters of the office at once. It is drawn live; without scripts it says so."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from web.pages import INSIDE_BEAT_SECONDS, ForDesk, Present, rendered
from web.viewers import Viewer, viewed


def overview_routes(present: Present, *, for_manager: ForDesk) -> list[BaseRoute]:
    """`/admin/overview`; `for_manager` lets in who may see it."""

    async def overview(request: Request, viewer: Viewer) -> Response:
        whole = present()
        return rendered(
            "overview.html",
            office=whole.office if whole else "",
            is_away=whole is None,
            socket="/ws/desk",
            beat=INSIDE_BEAT_SECONDS,
            **viewed(viewer),
        )

    return [Route("/admin/overview", for_manager(overview), name="overview")]
