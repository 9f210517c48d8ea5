"""One hub process: store, relay and edge put together from values, behind two listeners in one loop.

`hub_running` gives the two applications while the tail runs; `serve` puts them on sockets until SIGTERM or SIGINT.
"""

import asyncio
import contextlib
import resource
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any, NoReturn, TypeAlias

import redis.exceptions
import structlog
import uvicorn
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.types import ASGIApp

from config.entrance import PracticePeople, entrance_of
from config.waking import Waking
from hub.desk.lane import Office
from hub.desk.notices import Carrier
from hub.desk.refusals import StoreAway, StoreDamaged
from hub.edge.access import Access
from hub.edge.archive import ArchiveWatch
from hub.edge.commands import Commands
from hub.edge.connections import HttpConnection, SocketConnection
from hub.edge.guards import Guard
from hub.edge.headers import SecurityHeaders
from hub.edge.notices import Notices
from hub.edge.reception import Reception
from hub.edge.residents import Residents
from hub.edge.routes import Edge, inside_routes, public_routes
from hub.edge.sockets import Limits
from hub.edge.walls import Walls
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
from hub.store.facts import FactStream
from hub.store.lanes import Lanes
from hub.wire.messages import CLIENT_FRAME_BYTES
from hub.wire.roles import Role
from web import pages
from web.overview import overview_routes
from web.tickets import ResidentPages
from workers.wake import Waker

_log = structlog.get_logger("config.asgi")

LEDGER_EVERY_S = 1.0  # one that is away is asked so often whether it is back
PRACTICE_SPEED = 240  # a day of practice runs as fast, and as many more residents come in a minute
INSIDE_HOST = "127.0.0.1"  # staff's machines come in through a proxy that knows them; nothing inside asks who is there
STOP_SECONDS = 3  # for close frames and requests under way; whoever has not let go by then is cut off
# Files that the public side leaves alone: 200 walls, desks and machines inside, 100 connections to the store, the rest
# for logs, libraries and a turn of ACCEPTS_AT_ONCE.
RESERVED_FILES = 384
FOR_PAGES = 8  # one public connection in so many is kept for pages, which come and go
ACCEPTS_AT_ONCE = 64  # connections a turn of the loop: at the end of the files each one more is a failure and a line
ACCEPT_FAILURES_TOLD_EVERY_S = 60.0
BACKLOG = 4096  # connections that wait to be accepted: a whole waiting room reconnects at once
# What the kernel takes for one client beyond the mailbox. By itself it grows to 4 MB for each that does not read.
KERNEL_BUFFER_BYTES = 128 * 1024

Apps: TypeAlias = tuple[ASGIApp, ASGIApp]


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
    jobs_url: str | None = None,
    practice_people: PracticePeople = (),
    devices_of: type[Devices] = Devices,
    tuning: Tuning | None = None,
) -> AsyncIterator[Apps]:
    """The public and the inside application of one office's hub, which follows the store from here to the end.

    `public_url` and `inside_urls` are where a proxy offers the two (`https://host[:port]`); `offers` is how notices can
    be sent, and `jobs_url` where their workers are woken (without it: the store). `practice_people` are offered at
    staff's door, and `devices_of` lets devices in. A store that is away is waited for, saying so to everybody; a ledger
    that is away is waited for, and nobody new gets in meanwhile. Raises `hub.store.library.LibraryDiffers` for a store
    of another release, ValueError for a URL of pages that is none, and `hub.ledger.connection.LedgerUnusable` for one
    of a ledger.
    """
    tuning = tuning or Tuning()
    if practice:
        office = office.for_practice()
    public_guard = Guard.for_pages([public_url] if public_url else [])
    # Not the public page: a fault in what residents' browsers run must not press staff's buttons.
    inside_guard = Guard.for_pages(inside_urls, by_loopback_only=True)
    ledger = Ledger(ledger_url, office.key)
    people, devices = People(ledger, now_ms=_real_ms), devices_of(ledger, _real_ms)
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
    notices = Notices(reception, Contacts(client, office), offers, speed=speed)
    archive = ArchiveWatch(Days(own_client, office).lag)
    walls = Walls(relay, own_lanes, lambda: devices.places(Role.WALL))
    edge = Edge(
        relay,
        Commands(lanes, lambda: relay.day, relay.arrival_of, reception.owned, access),
        access,
        walls,
        tuning.limits or _limits(speed),
        lanes.start_practice_day if practice else None,
        lambda: own_lanes.days_ahead,
        archive,
    )
    of_residents = [*pages.public_routes(relay.present, office), *tickets.routes()]
    public = [*public_routes(edge, public_guard), *residents.routes(public_guard), *notices.routes(public_guard)]
    inside = [*inside_routes(edge, inside_guard), *residents.routes(inside_guard), *notices.routes(inside_guard)]
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


def listen(host: str, port: int) -> socket.socket:
    """A listening place that does not answer yet; port 0 takes any free one. Raises OSError where it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named TCP: to the connections of a socket of protocol 0 asyncio does not say TCP_NODELAY, and every second frame
    # waits 40 ms for the client's acknowledgement.
    place = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        place.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BUFFER_BYTES)  # those it accepts inherit it
        place.bind((host, port))
    except OSError:
        place.close()
        raise
    place.setblocking(False)
    return place


def raise_open_files() -> None:
    """As many files as this process may have: the usual 1,024 are a waiting room and its telephones."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(OSError, ValueError):  # then it stays as it was, and the bounds follow it
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def open_files() -> int:
    """How many files, sockets among them, this process may have open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft


def public_connections(files: int) -> int:
    """How many of so many files the public side may have: all but the reserve, and a quarter where that is nothing."""
    return max(files - RESERVED_FILES, files // 4)


def public_listeners(files: int) -> int:
    """How many of these may be websockets."""
    most = public_connections(files)
    return min(Limits().listeners, most - most // FOR_PAGES)


@contextlib.asynccontextmanager
async def serving(
    apps: Apps,
    public: socket.socket,
    inside: socket.socket,
    *,
    ping_s: float = 20.0,
    http: type[HttpConnection] = HttpConnection,
    ws: type[SocketConnection] = SocketConnection,
    most_public: int | None = None,
) -> AsyncIterator[None]:
    """Both applications answer on their sockets for the time of the block; at its end websockets close with 1012.

    At most `most_public` public connections at once (by default what the process may have), pages and sockets together.
    """
    most_public = most_public or public_connections(open_files())
    _throttle_accept_failures()
    servers = [
        _Server(_config(app, ping_s, http, ws, most)) for app, most in zip(apps, (most_public, None), strict=True)
    ]
    tasks = [
        asyncio.create_task(server.serve(sockets=[place]))
        for server, place in zip(servers, (public, inside), strict=True)
    ]
    try:
        while not all(server.started for server in servers):
            done, _ = await asyncio.wait(tasks, timeout=0.005, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        for place in (public, inside):
            place.listen(BACKLOG)  # the server has said ACCEPTS_AT_ONCE, which is asyncio's other meaning of `backlog`
        yield
    finally:
        for server in servers:
            server.should_exit = True
        await asyncio.wait(tasks)


async def serve(
    apps: Apps,
    *,
    public: socket.socket,
    inside: socket.socket,
    ping_s: float = 20.0,
    on_ready: Callable[[], None] = lambda: None,
) -> None:
    """Answer on both sockets until SIGTERM or SIGINT, then close everything within `STOP_SECONDS`. Main thread only."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        async with serving(apps, public, inside, ping_s=ping_s):
            on_ready()
            await stop.wait()
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


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
    jobs_url: str | None = None,
    practice_people: PracticePeople = (),
    devices_of: type[Devices] = Devices,
    tuning: Tuning | None = None,
    on_ready: Callable[[], None] = lambda: None,
) -> None:
    """A whole hub process from values to its orderly end. Raises OSError where a port is taken, before it starts."""
    tuning = tuning or Tuning()
    raise_open_files()
    with contextlib.ExitStack() as places:
        public = places.enter_context(listen(public_host, port))
        inside = places.enter_context(listen(INSIDE_HOST, inside_port))
        async with hub_running(
            office,
            redis_url=redis_url,
            ledger_url=ledger_url,
            practice=practice,
            public_url=public_url,
            inside_urls=inside_urls,
            offers=offers,
            jobs_url=jobs_url,
            practice_people=practice_people,
            devices_of=devices_of,
            tuning=tuning,
        ) as apps:
            await serve(apps, public=public, inside=inside, ping_s=tuning.ping_s, on_ready=on_ready)
    _log.info("hub stopped")


def _throttle_accept_failures() -> None:
    """asyncio tells each connection that it could not accept; with no files left that is thousands a second."""
    loop = asyncio.get_running_loop()
    told_at = -ACCEPT_FAILURES_TOLD_EVERY_S

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        nonlocal told_at
        if "accept() out of system resource" not in context.get("message", ""):
            loop.default_exception_handler(context)
        elif loop.time() - told_at >= ACCEPT_FAILURES_TOLD_EVERY_S:
            told_at = loop.time()
            _log.error("connections not accepted", why=str(context.get("exception")))

    loop.set_exception_handler(handle)


class _Server(uvicorn.Server):
    """Two of them share a process: signals are `serve`'s business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _config(
    app: ASGIApp, ping_s: float, http: type[HttpConnection], ws: type[SocketConnection], most: int | None
) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=http,
        ws=ws,  # wsproto: the engine that passes all of Autobahn and is not deprecated
        ws_max_size=CLIENT_FRAME_BYTES,
        ws_ping_interval=ping_s,
        ws_ping_timeout=ping_s,
        ws_per_message_deflate=False,  # it costs memory for each client, and lengths would tell what was sent
        lifespan="off",
        log_config=None,
        access_log=False,  # it would hold addresses of residents
        proxy_headers=False,  # nothing here asks for a client's address
        server_header=False,
        backlog=ACCEPTS_AT_ONCE,
        limit_concurrency=most,  # `HttpConnection` cuts who comes beyond; `Limits.listeners` refuses sockets before
        timeout_graceful_shutdown=STOP_SECONDS,
    )
