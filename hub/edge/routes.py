"""Which path leads where, on which listener. Pages are added by whoever puts the hub together."""

from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.routing import BaseRoute, Route, WebSocketRoute

from hub.edge.access import Access
from hub.edge.archive import ArchiveWatch
from hub.edge.commands import Commands
from hub.edge.erasure import ErasureWatch
from hub.edge.guards import Guard
from hub.edge.health import health_routes, meter_routes
from hub.edge.practice import StartDay, practice_routes
from hub.edge.sockets import Limits, Sockets
from hub.edge.walls import Walls
from hub.fanout.relay import Relay


@dataclass(frozen=True, slots=True)
class Edge:
    """What both listeners of a hub stand on. `start_day` only in a practice office; `days_ahead` as the store says."""

    relay: Relay
    commands: Commands
    access: Access
    walls: Walls
    limits: Limits = field(default_factory=Limits)
    start_day: StartDay | None = None
    days_ahead: Callable[[], int] = lambda: 0
    archive: ArchiveWatch | None = None
    erasure: ErasureWatch | None = None


def public_routes(edge: Edge, guard: Guard) -> list[BaseRoute]:
    """Residents: the board, one lane, and whether the hub is well."""
    sockets = _sockets(edge, guard, edge.limits.listeners)
    return _open_to_all(edge, sockets)


def inside_routes(edge: Edge, guard: Guard) -> list[BaseRoute]:
    """Staff, walls, ticket machines and operators; everything public as well."""
    sockets = _sockets(edge, guard, edge.limits.inside_listeners)
    practice = practice_routes(edge.start_day, guard) if edge.start_day else []
    return [
        *_open_to_all(edge, sockets),
        WebSocketRoute("/ws/wall/{screen}", sockets.wall),
        WebSocketRoute("/ws/desk", sockets.desk),
        WebSocketRoute("/ws/kiosk", sockets.kiosk),
        Route("/ws/wall/{screen}", sockets.why_wall, methods=["GET"]),
        Route("/ws/desk", sockets.why_desk, methods=["GET"]),
        *meter_routes(edge.relay, edge.commands, edge.access, edge.days_ahead, edge.archive, edge.erasure),
        *practice,
    ]


def _sockets(edge: Edge, guard: Guard, most: int) -> Sockets:
    return Sockets(edge.relay, edge.commands, edge.access, edge.walls, guard, edge.limits, most=most)


def _open_to_all(edge: Edge, sockets: Sockets) -> list[BaseRoute]:
    return [
        WebSocketRoute("/ws/board", sockets.board),
        WebSocketRoute("/ws/lanes/{lane}", sockets.lane),
        *health_routes(edge.relay, edge.days_ahead, edge.archive, edge.erasure),
    ]
