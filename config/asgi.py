"""One hub process: store, ledger, relay and edge put together from values.

`hub_running` gives the two applications while the tail runs; `config.serving` puts them on their sockets.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NoReturn, TypeAlias

import structlog
from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from config.entrance import Entrance, PracticePeople, entrance_of
from config.hub_ledger import HubLedger
from config.hub_store import HubStore
from config.now import now_ms
from config.residents import ForResidents, LineChannel, for_residents
from config.serving import Apps, Engine, listen, open_files, public_listeners, raise_open_files, serve
from hub.desk.lane import Office
from hub.desk.notices import Carrier
from hub.desk.refusals import StoreAway
from hub.edge.archive import ArchiveWatch
from hub.edge.commands import Commands
from hub.edge.erasure import ErasureWatch
from hub.edge.guards import Guard
from hub.edge.headers import SecurityHeaders
from hub.edge.routes import Edge, inside_routes, public_routes
from hub.edge.sockets import Limits
from hub.edge.told import told_route
from hub.edge.walls import Walls
from hub.edge.websocket.connection import WebsocketConnection
from hub.edge.wishes import forget_at_midnight
from hub.fanout.day import keep_day
from hub.fanout.deadlines import keep_deadlines
from hub.fanout.mailbox import Depth
from hub.fanout.registry import Registry
from hub.fanout.relay import Relay, Rhythm
from hub.store.days import Days
from hub.store.erasing import Erasing
from hub.wire.roles import Role
from web import pages
from web.overview import overview_routes

_log = structlog.get_logger("config.asgi")

PRACTICE_SPEED = 240  # a day of practice runs as fast, and as many more residents come in a minute
INSIDE_HOST = "127.0.0.1"  # staff's machines come in through a proxy that knows them; nothing inside asks who is there

Duty: TypeAlias = Callable[[], Coroutine[Any, Any, NoReturn]]


@dataclass(frozen=True, slots=True)
class Tuning:
    """Periods and bottoms of a hub, each with its reason where it is defined; tests hand in others."""

    rhythm: Rhythm | None = None
    depth: Depth | None = None
    limits: Limits | None = None
    day_every_s: float = 1.0
    access_every_s: float = 0.5
    ping_s: float = 20.0  # office proxies drop a silent connection at 60


@dataclass(frozen=True, slots=True)
class Listener:
    """What one of the two listeners is to a browser: whose pages count there, and whether they come by https."""

    guard: Guard
    is_https: bool

    @classmethod
    def at(cls, urls: Collection[str], *, by_loopback_only: bool = False) -> "Listener":
        """`urls`: where a proxy offers it (`https://host[:port]`). Raises ValueError for one of no pages."""
        guard = Guard.for_pages(urls, by_loopback_only=by_loopback_only)
        return cls(guard, any(url.startswith("https:") for url in urls))

    def app(self, routes: Collection[BaseRoute]) -> ASGIApp:
        return SecurityHeaders(Starlette(routes=[*routes, *pages.static_routes()]), is_https=self.is_https)


@contextlib.asynccontextmanager
async def hub_running(
    office: Office,
    *,
    redis_url: str,
    ledger_url: str,
    practice: bool = False,
    public_url: str | None = None,
    inside_urls: Collection[str] = (),
    offers: Collection[Carrier] = (),
    line: LineChannel | None = None,
    jobs_url: str | None = None,
    practice_people: PracticePeople = (),
    tuning: Tuning | None = None,
) -> AsyncIterator[Apps]:
    """The public and the inside application of one office's hub, which follows the store from here to the end.

    `public_url` and `inside_urls` are where a proxy offers the two (`https://host[:port]`); `offers` is how notices can
    be sent, `line` the ward's account there, and `jobs_url` where workers are woken (without it: the store).
    `practice_people` are offered at staff's door. A store that is away is waited for, saying so to everybody; a ledger
    that is away is waited for, and nobody new gets in meanwhile. Raises `hub.store.library.LibraryDiffers` for a store
    of another release, ValueError for a URL of pages that is none, and `hub.ledger.connection.LedgerUnusable` for one
    of a ledger.
    """
    tuning = tuning or Tuning()
    speed = PRACTICE_SPEED if practice else 1
    if practice:
        office = office.for_practice()
    public = Listener.at([public_url] if public_url else [])
    # Not the public page: a fault in what residents' browsers run must not press staff's buttons.
    inside = Listener.at(inside_urls, by_loopback_only=True)
    book = HubLedger(ledger_url, office.key, access_every_s=tuning.access_every_s)
    store = HubStore(office, redis_url, jobs_url or redis_url)
    relay = Relay(store.source, office, Registry(tuning.depth), tuning.rhythm)
    residents = for_residents(office, relay, store, offers, line, is_secure=public.is_https, speed=speed)
    erasing = Erasing(store.own_client, office)
    edge = Edge(
        relay,
        Commands(
            store.lanes, lambda: relay.day, relay.arrival_of, residents.reception.owned, book.access, residents.dial
        ),
        book.access,
        Walls(relay, store.own_lanes, lambda: book.devices.places(Role.WALL)),
        tuning.limits or _limits(speed),
        store.lanes.start_practice_day if practice else None,
        lambda: store.own_lanes.days_ahead,
        ArchiveWatch(Days(store.own_client, office).lag),
        ErasureWatch(erasing.told if offers else erasing.told_while_owed),
    )
    entrance = entrance_of(
        office,
        book,
        inside.guard,
        relay,
        is_secure=inside.is_https,
        practice_people=practice_people,
        is_practice=practice,
    )
    try:
        with contextlib.suppress(StoreAway):
            await store.opening.install()
        await book.prepare()
        duties = _duties(edge, book, store, every_s=tuning.day_every_s)
        async with _carried_on(duties | {"forget": partial(forget_at_midnight, residents.counted, now_ms)}):
            yield (
                public.app(_for_everybody(edge, residents, public.guard)),
                inside.app(_for_staff(edge, residents, inside.guard, store, entrance)),
            )
    finally:
        entrance.close()
        await book.close()
        await store.close()


def _for_everybody(edge: Edge, residents: ForResidents, guard: Guard) -> list[BaseRoute]:
    return [*public_routes(edge, guard), *residents.routes(guard), *residents.heard, *residents.pages]


def _for_staff(
    edge: Edge, residents: ForResidents, guard: Guard, store: HubStore, entrance: Entrance
) -> list[BaseRoute]:
    """What stands in the office, and what residents are shown there as well."""
    present, office = edge.relay.present, edge.relay.office
    return [
        *inside_routes(edge, guard),
        *residents.routes(guard),
        *residents.pages,
        *pages.inside_routes(
            present,
            for_desk=entrance.for_desk,
            for_wall=entrance.for_wall,
            counter_of=entrance.counter_of,
            checks_in=office.web_check_in,
        ),
        *overview_routes(present, for_manager=entrance.for_manager),
        *entrance.routes,
        told_route(store.own_lanes, residents.reception.day, edge.relay.called_at, entrance.for_desk),
    ]


def _duties(edge: Edge, book: HubLedger, store: HubStore, *, every_s: float) -> dict[str, Duty]:
    """What a hub does by itself, each by its name."""
    duties: dict[str, Duty] = {
        "access": book.attend,
        "tail": edge.relay.run,
        "day": partial(keep_day, store.opening.open_day, every_s=every_s),
        "deadlines": partial(keep_deadlines, edge.relay, store.lanes.do, every_s=every_s),
        "walls": edge.walls.run,
    }
    watches = {"archive": edge.archive, "erasure": edge.erasure}
    return duties | {name: watch.run for name, watch in watches.items() if watch}


@contextlib.asynccontextmanager
async def _carried_on(duties: Mapping[str, Duty]) -> AsyncIterator[None]:
    """All of them for the time of the block."""
    tasks = [asyncio.create_task(duty(), name=name) for name, duty in duties.items()]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _limits(speed: int) -> Limits:
    """What this process can give away; a practice day is pressed as fast as it runs."""
    usual = Limits()
    return replace(
        usual,
        listeners=public_listeners(open_files()),
        texts_per_s=usual.texts_per_s * speed,
        texts_at_once=usual.texts_at_once * speed,
    )


async def run_hub(
    office: Office,
    *,
    redis_url: str,
    ledger_url: str,
    public_host: str,
    port: int,
    inside_port: int,
    practice: bool = False,
    public_url: str | None = None,
    inside_urls: Collection[str] = (),
    offers: Collection[Carrier] = (),
    line: LineChannel | None = None,
    jobs_url: str | None = None,
    practice_people: PracticePeople = (),
    tuning: Tuning | None = None,
    ws: Engine = WebsocketConnection,
    shares_port: bool = False,
    on_ready: Callable[[], None] = lambda: None,
) -> None:
    """A whole hub process from values to its orderly end. Raises OSError where a port is taken, before it starts."""
    tuning = tuning or Tuning()
    raise_open_files()
    with contextlib.ExitStack() as places:
        public = places.enter_context(listen(public_host, port, is_shared=shares_port))
        inside = places.enter_context(listen(INSIDE_HOST, inside_port))
        async with hub_running(
            office,
            redis_url=redis_url,
            ledger_url=ledger_url,
            practice=practice,
            public_url=public_url,
            inside_urls=inside_urls,
            offers=offers,
            line=line,
            jobs_url=jobs_url,
            practice_people=practice_people,
            tuning=tuning,
        ) as apps:
            await serve(apps, public=public, inside=inside, ping_s=tuning.ping_s, ws=ws, on_ready=on_ready)
    _log.info("hub stopped")
