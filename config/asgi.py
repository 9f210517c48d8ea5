"""One hub process: store, relay and edge put together from values.

`hub_running` gives the two applications while the tail runs; `config.serving` puts them on their sockets.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass, replace
from typing import NoReturn

import redis.exceptions
import structlog
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from config.entrance import PracticePeople, entrance_of
from config.serving import Apps, Engine, listen, open_files, public_listeners, raise_open_files, serve
from config.waking import Waking
from hub.desk.lane import Office
from hub.desk.notices import Carrier
from hub.desk.refusals import StoreAway, StoreDamaged
from hub.edge.access import Access
from hub.edge.archive import ArchiveWatch
from hub.edge.commands import Commands
from hub.edge.dialled import Dialled
from hub.edge.erasure import ErasureWatch
from hub.edge.guards import Guard
from hub.edge.headers import SecurityHeaders
from hub.edge.line import LineLinks
from hub.edge.notices import Notices
from hub.edge.reception import Reception
from hub.edge.residents import Residents
from hub.edge.routes import Edge, inside_routes, public_routes
from hub.edge.sockets import Limits
from hub.edge.telephones import Telephones
from hub.edge.told import told_route
from hub.edge.walls import Walls
from hub.edge.websocket.connection import WebsocketConnection
from hub.edge.wishes import Wishes
from hub.fanout.day import keep_day
from hub.fanout.deadlines import keep_deadlines
from hub.fanout.mailbox import Depth
from hub.fanout.registry import Registry
from hub.fanout.relay import Relay, Rhythm
from hub.ledger.connection import LedgerUnusable
from hub.ledger.devices import Devices
from hub.ledger.operations import Ledger
from hub.ledger.people import People
from hub.ledger.refused import RefusedActs
from hub.store import library
from hub.store.connection import connect
from hub.store.contacts import Contacts
from hub.store.days import Days
from hub.store.erasing import Erasing
from hub.store.facts import FactStream
from hub.store.lanes import Lanes
from hub.store.links import Links
from hub.store.outbox import Outbox
from hub.wire.roles import Role
from web import pages
from web.overview import overview_routes
from web.tickets import ResidentPages
from workers.wake import Waker

_log = structlog.get_logger("config.asgi")

LEDGER_EVERY_S = 1.0  # one that is away is asked so often whether it is back
PRACTICE_SPEED = 240  # a day of practice runs as fast, and as many more residents come in a minute
INSIDE_HOST = "127.0.0.1"  # staff's machines come in through a proxy that knows them; nothing inside asks who is there


@dataclass(frozen=True, slots=True)
class LineChannel:
    """The ward's account in LINE, as far as a hub knows it: it can check what LINE tells, and send nothing."""

    secret: str
    account: str

    def __repr__(self) -> str:
        return f"LineChannel({self.account})"


@dataclass(frozen=True, slots=True)
class Tuning:
    """Periods and bottoms of a hub, each with its reason where it is defined; tests hand in others."""

    rhythm: Rhythm | None = None
    depth: Depth | None = None
    limits: Limits | None = None
    day_every_s: float = 1.0
    access_every_s: float = 0.5
    ping_s: float = 20.0  # office proxies drop a silent connection at 60


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
    `practice_people` are offered at staff's door, and `devices_of` lets devices in. A store that is away is waited for,
    saying so to everybody; a ledger that is away is waited for, and nobody new gets in meanwhile. Raises
    `hub.store.library.LibraryDiffers` for a store of another release, ValueError for a URL of pages that is none, and
    `hub.ledger.connection.LedgerUnusable` for one of a ledger.
    """
    tuning = tuning or Tuning()
    if practice:
        office = office.for_practice()
    public_guard = Guard.for_pages([public_url] if public_url else [])
    # Not the public page: a fault in what residents' browsers run must not press staff's buttons.
    inside_guard = Guard.for_pages(inside_urls, by_loopback_only=True)
    ledger = Ledger(ledger_url, office.key)
    people, devices = People(ledger, now_ms=_real_ms), Devices(ledger, _real_ms)
    access = Access(people, devices, RefusedActs(ledger, _real_ms), every_s=tuning.access_every_s)
    client = connect(redis_url)
    waker = Waker(jobs_url or redis_url, office.key)
    waking = Waking(waker.wake)
    lanes = Lanes(client, office, waking.on_due)
    # The tail and the day ask on connections of their own: however many requests are under way, none of those is the
    # one for which the store looks away.
    own_client = connect(redis_url)
    own_lanes = Lanes(own_client, office)
    source = FactStream(redis_url, own_lanes)
    relay = Relay(source, office, Registry(tuning.depth), tuning.rhythm)
    is_secure = (public_url or "").startswith("https:")
    tickets = ResidentPages(relay.present, office, offers)
    reception = Reception(relay, lanes, tickets)
    speed = PRACTICE_SPEED if practice else 1
    residents = Residents(reception, is_secure=is_secure, speed=speed)
    wishes = Wishes(reception, Contacts(client, office), offers, speed=speed)
    carriers: list[Notices | LineLinks | Telephones] = [Notices(reception, wishes)]
    heard: list[BaseRoute] = []
    if line is not None:
        links = LineLinks(
            reception,
            wishes,
            Links(client, office),
            line.secret,
            line.account,
            lambda: waking.on_due(Carrier.LINE),
        )
        carriers.append(links)
        heard += links.webhook_routes()
    telephones = None
    if Carrier.PHONE in offers:
        telephones = Telephones(reception, wishes, Outbox(client, office), waking.on_due, speed=speed)
        carriers.append(telephones)
        heard += telephones.heard_routes()
    archive = ArchiveWatch(Days(own_client, office).lag)
    walls = Walls(relay, own_lanes, lambda: devices.places(Role.WALL))
    erasure = ErasureWatch(Erasing(own_client, office).told) if offers else None
    edge = Edge(
        relay,
        Commands(
            lanes,
            lambda: relay.day,
            relay.arrival_of,
            reception.owned,
            access,
            Dialled(reception, telephones).answer,
        ),
        access,
        walls,
        tuning.limits or _limits(speed),
        lanes.start_practice_day if practice else None,
        lambda: own_lanes.days_ahead,
        archive,
        erasure,
    )
    of_residents = [*pages.public_routes(relay.present, office), *tickets.routes()]
    public = [*public_routes(edge, public_guard), *residents.routes(public_guard), *heard]
    inside = [*inside_routes(edge, inside_guard), *residents.routes(inside_guard)]
    for carrier in carriers:
        public += carrier.routes(public_guard)
        inside += carrier.routes(inside_guard)
    public += of_residents
    is_staff_https = any(url.startswith("https:") for url in inside_urls)
    entrance = entrance_of(
        office,
        ledger,
        people,
        devices,
        access,
        inside_guard,
        relay,
        now_ms=_real_ms,
        is_secure=is_staff_https,
        practice_people=practice_people,
        is_practice=practice,
    )
    of_office = pages.inside_routes(
        relay.present,
        for_desk=entrance.for_desk,
        for_wall=entrance.for_wall,
        counter_of=entrance.counter_of,
        checks_in=office.web_check_in,
    )
    of_managers = overview_routes(relay.present, for_manager=entrance.for_manager)
    inside += [*of_residents, *of_office, *of_managers, *entrance.routes]
    inside.append(told_route(own_lanes, reception.day, relay.called_at, entrance.for_desk))
    opening = Opening(own_client, own_lanes)
    tasks: list[asyncio.Task[NoReturn]] = []
    try:
        with contextlib.suppress(StoreAway):
            await opening.install()
        is_prepared = await _prepared(ledger)
        tasks = [
            asyncio.create_task(_attend(ledger, access, is_prepared=is_prepared), name="access"),
            asyncio.create_task(relay.run(), name="tail"),
            asyncio.create_task(keep_day(opening.open_day, every_s=tuning.day_every_s), name="day"),
            asyncio.create_task(keep_deadlines(relay, lanes.do, every_s=tuning.day_every_s), name="deadlines"),
            asyncio.create_task(archive.run(), name="archive"),
            asyncio.create_task(walls.run(), name="walls"),
            *([asyncio.create_task(erasure.run(), name="erasure")] if erasure else []),
        ]
        yield (
            SecurityHeaders(Starlette(routes=[*public, *pages.static_routes()]), is_https=is_secure),
            SecurityHeaders(Starlette(routes=[*inside, *pages.static_routes()]), is_https=is_staff_https),
        )
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await access.close()
        entrance.close()
        await asyncio.to_thread(ledger.close)
        await waking.close()
        waker.close()
        await source.close()
        await own_client.aclose()
        await client.aclose()


async def _prepared(ledger: Ledger) -> bool:
    try:
        await asyncio.to_thread(ledger.prepare)
    except LedgerUnusable as error:
        _log.error("ledger not prepared: nobody can be let in", why=str(error))
        return False
    return True


async def _attend(ledger: Ledger, access: Access, *, is_prepared: bool) -> NoReturn:
    """Look after who is connected, as soon as there is a ledger to ask."""
    while not is_prepared:
        await asyncio.sleep(LEDGER_EVERY_S)
        with contextlib.suppress(LedgerUnusable):  # it was said once
            await asyncio.to_thread(ledger.prepare)
            is_prepared = True
            _log.info("ledger prepared")
    await access.run()


def _real_ms() -> int:
    return time.time_ns() // 1_000_000


def _limits(speed: int) -> Limits:
    """What this process can give away; a practice day is pressed as fast as it runs."""
    usual = Limits()
    return replace(
        usual,
        listeners=public_listeners(open_files()),
        texts_per_s=usual.texts_per_s * speed,
        texts_at_once=usual.texts_at_once * speed,
    )


class Opening:
    """Opens days in a store that has our functions; one that came back empty gets them anew."""

    def __init__(self, client: Redis, lanes: Lanes) -> None:
        self._client = client
        self._lanes = lanes
        self._is_installed = False
        self._days_ahead = 0  # as the log knows it

    async def install(self) -> None:
        """Raises StoreAway, and LibraryDiffers."""
        try:
            await library.install(self._client)
        except (redis.exceptions.RedisError, OSError) as error:
            raise StoreAway from error
        self._is_installed = True

    async def open_day(self) -> str:
        if not self._is_installed:
            await self.install()
        try:
            day = await self._lanes.open_day()
        except StoreDamaged:
            self._is_installed = False
            raise
        ahead = self._lanes.days_ahead
        if ahead and not self._days_ahead:
            _log.error("the open day lies after today; was a clock wrong?", day=day, days=ahead)
        self._days_ahead = ahead
        return day


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
