"""Which page may open a socket or press a button, on the wire: every case of Origin, on every socket and on a POST."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from config.serving import Engine
from hub.edge.access import DEVICE_COOKIE
from hub.edge.guards import Guard
from hub.wire.roles import Role
from tests.edge.hubs import Served, memory_hub, served
from tests.fanout.days import OFFICE
from tests.fanout.memory import MemoryStore

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("engine")]

HOST = "127.0.0.1:{port}"
OWN = "http://127.0.0.1:{port}"
# What the browser says (HOST and PORT are the listener's), and whether it may come in where a cookie counts.
ORIGINS: dict[str, tuple[list[str], bool]] = {
    "own": ([OWN], True),
    "upper case": (["HTTP://127.0.0.1:{port}"], True),
    "absent": ([], False),
    "empty": ([""], False),
    "null": (["null"], False),
    "foreign": (["https://evil.example.com"], False),
    "other port": (["http://127.0.0.1:1"], False),
    "no port": (["http://127.0.0.1"], False),
    "empty port": (["http://127.0.0.1:"], False),
    "port of letters": (["http://127.0.0.1:{port}x"], False),
    "other scheme": (["https://127.0.0.1:{port}"], False),
    "scheme of a websocket": (["ws://127.0.0.1:{port}"], False),
    "no scheme": (["127.0.0.1:{port}"], False),
    "other name of this machine": (["http://localhost:{port}"], False),
    "IPv6": (["http://[::1]:{port}"], False),
    "IPv4 in IPv6": (["http://[::ffff:127.0.0.1]:{port}"], False),
    "another writing of the address": (["http://127.1:{port}"], False),
    "a number for an address": (["http://2130706433:{port}"], False),
    "subdomain": (["http://evil.127.0.0.1:{port}"], False),
    "suffix": (["http://127.0.0.1.evil.example.com:{port}"], False),
    "suffix after the port": (["http://127.0.0.1:{port}.evil.example.com"], False),
    "user": (["http://127.0.0.1:{port}@evil.example.com"], False),
    "user before the own": (["http://evil@127.0.0.1:{port}"], False),
    "trailing dot": (["http://127.0.0.1.:{port}"], False),
    "path": (["http://127.0.0.1:{port}/"], False),
    "query": (["http://127.0.0.1:{port}?x"], False),
    "fragment": (["http://evil.example.com#http://127.0.0.1:{port}"], False),
    "two in one": (["http://127.0.0.1:{port} http://evil.example.com"], False),
    "two with a comma": (["http://127.0.0.1:{port}, http://evil.example.com"], False),
    "two headers": ([OWN, "http://evil.example.com"], False),
    "twice the own": ([OWN, OWN], False),
    "extension": (["chrome-extension://abcdefgh"], False),
    "file": (["file://"], False),
}
REBINDING = "rebind.evil.example.com:{port}"  # a name of the attacker's that points to 127.0.0.1


@pytest.fixture(scope="module")
async def hub(engine: Engine) -> AsyncIterator[Served]:
    store = MemoryStore(OFFICE)
    await store.open_day()
    relay, (public, _) = memory_hub(store)
    guard = Guard(by_loopback_only=True)

    async def press(request: Request) -> Response:
        headers, scheme = request.headers, request.scope["scheme"]
        told = [headers.getlist(name) for name in ("host", "origin", "sec-fetch-site")]
        return PlainTextResponse("", 200 if guard.allows_by_cookie(scheme, *told) else 403)

    _, (_, inside) = memory_hub(store)
    pressed = Starlette(routes=[Route("/press", press, methods=["POST"])])

    async def both(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        await (pressed if scope["path"] == "/press" else inside)(scope, receive, send)

    tail = asyncio.create_task(relay.run())
    async with served((public, both)) as ports:
        yield ports
    tail.cancel()
    await asyncio.wait([tail])


async def status(hub: Served, path: str, origins: list[str], *sent: tuple[str, str], host: str = HOST) -> int:
    """What the inside listener answers to these very headers: 101 is an open socket."""
    is_socket = path.startswith("/ws/")
    head = [("Host", host), *(("Origin", origin) for origin in origins), *sent]
    if is_socket:
        head += [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13")]
        head += [("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]
    else:
        head += [("Content-Length", "0")]
    text = "".join(f"{name}: {value.format(port=hub.inside)}\r\n" for name, value in head)
    reader, writer = await asyncio.open_connection("127.0.0.1", hub.inside)
    writer.write(f"{'GET' if is_socket else 'POST'} {path} HTTP/1.1\r\n{text}\r\n".encode())
    try:
        return int((await reader.readline()).split()[1])
    finally:
        writer.close()


def cookie(hub: Served, path: str) -> tuple[str, str]:
    if path == "/ws/desk":
        return "Cookie", hub.headers(path)["Cookie"]
    role = Role.WALL if path.startswith("/ws/wall") else Role.KIOSK
    return "Cookie", f"{DEVICE_COOKIE}={hub.doors.device(role)}"


@pytest.mark.parametrize("case", ORIGINS)
@pytest.mark.parametrize("path", ["/ws/desk", "/ws/wall/1", "/ws/kiosk", "/press"])
async def test_where_a_cookie_counts_only_our_own_page_comes_in(hub: Served, path: str, case: str) -> None:
    origins, is_allowed = ORIGINS[case]
    found = await status(hub, path, origins, cookie(hub, path))
    assert found == ((200 if path == "/press" else 101) if is_allowed else 403)


@pytest.mark.parametrize("case", ORIGINS)
@pytest.mark.parametrize("path", ["/ws/wall/1", "/ws/kiosk", "/ws/board", "/ws/lanes/moves"])
async def test_a_program_needs_no_origin_and_a_foreign_page_stays_out(hub: Served, path: str, case: str) -> None:
    origins, is_allowed = ORIGINS[case]
    sent = hub.headers(path).items()
    assert await status(hub, path, origins, *sent) == (101 if is_allowed or not origins else 403)


@pytest.mark.parametrize("path", ["/ws/desk", "/ws/wall/1", "/ws/kiosk", "/ws/board", "/press"])
async def test_a_name_that_was_made_to_point_here_is_not_ours(hub: Served, path: str) -> None:
    sent = [cookie(hub, path)] if path not in ("/ws/board", "/press") else []
    assert await status(hub, path, [f"http://{REBINDING}"], *sent, host=REBINDING) == 403


@pytest.mark.parametrize("path", ["/ws/desk", "/ws/wall/1", "/ws/kiosk", "/press"])
@pytest.mark.parametrize(("site", "is_allowed"), [("same-origin", True), ("same-site", False), ("cross-site", False)])
async def test_a_browser_that_knows_better_is_believed(hub: Served, path: str, site: str, is_allowed: bool) -> None:
    found = await status(hub, path, [OWN], cookie(hub, path), ("Sec-Fetch-Site", site))
    assert found == ((200 if path == "/press" else 101) if is_allowed else 403)


@pytest.mark.parametrize(("path", "wanted"), [("/ws/desk", 101), ("/press", 403)])
async def test_no_page_at_all_may_open_and_change_nothing(hub: Served, path: str, wanted: int) -> None:
    assert await status(hub, path, [OWN], cookie(hub, path), ("Sec-Fetch-Site", "none")) == wanted


async def test_a_session_in_a_header_of_a_program_is_none(hub: Served) -> None:
    token = hub.doors.session()
    assert await status(hub, "/ws/desk", [OWN], ("Authorization", f"Bearer {token}")) == 401
