"""What every answer tells a browser, whatever the answer is, on both listeners."""

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from config.asgi import hub_running
from config.embedded import EmbeddedValkey
from config.serving import Apps, Engine
from hub.edge.headers import ALWAYS, BY_HTTPS, SecurityHeaders
from tests.doors import shared_ledger
from tests.edge.hubs import Served, served
from tests.fanout.days import OFFICE

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("engine")]

STATIC = "/static/shared.css"


@pytest.fixture(scope="module")
async def apps(valkey_server: EmbeddedValkey) -> AsyncIterator[Apps]:
    running = hub_running(
        OFFICE,
        redis_url=valkey_server.url,
        ledger_url=shared_ledger(),
        practice=True,
        public_url="https://junban.example.jp",
    )
    async with running as apps:
        yield apps


@pytest.fixture(scope="module")
async def hub(engine: Engine, apps: Apps) -> AsyncIterator[Served]:
    async with served(apps) as hub:
        yield hub


def routes_of(app: Any) -> Iterator[BaseRoute]:
    assert isinstance(app, SecurityHeaders), "nothing stands before it"
    inner = app._app
    assert isinstance(inner, Starlette)
    yield from inner.routes


def assert_told(headers: Any, *, is_https: bool, is_kept: bool = False) -> None:
    for name, value in ALWAYS.items():
        found = headers.get_all(name) if hasattr(headers, "get_all") else headers.get_list(name)
        assert len(found) == 1, name
        if name not in ("Content-Security-Policy", "Cache-Control"):
            assert found == [value]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == ("no-cache" if is_kept else "no-store")
    for name, value in BY_HTTPS.items():
        assert headers.get(name) == (value if is_https else None)


async def test_every_route_of_both_listeners(apps: Apps, hub: Served) -> None:
    seen = 0
    async with httpx2.AsyncClient(trust_env=False, follow_redirects=False) as client:
        for is_inside, app in ((False, apps[0]), (True, apps[1])):
            for route in routes_of(app):
                if isinstance(route, WebSocketRoute):
                    continue
                assert isinstance(route, Route | Mount)
                path = STATIC if isinstance(route, Mount) else re.sub(r"\{\w+\}", "1", route.path)
                for method in ("GET", "HEAD", "POST", "PUT", "OPTIONS"):
                    answer = await client.request(method, hub.page(path, is_inside=is_inside))
                    is_kept = path == STATIC and answer.status_code == 200
                    assert_told(answer.headers, is_https=not is_inside, is_kept=is_kept)
                    seen += 1
    assert seen > 100


@pytest.mark.parametrize("is_inside", [False, True])
@pytest.mark.parametrize("path", ["/nowhere", "/static/nowhere.js", "/static/../pages.py", "/static", "/wall/Ä", "//"])
async def test_what_is_not_there_tells_it_too(hub: Served, path: str, is_inside: bool) -> None:
    async with httpx2.AsyncClient(trust_env=False, follow_redirects=False) as client:
        answer = await client.get(hub.page(path, is_inside=is_inside))
    assert answer.status_code >= 300
    assert_told(answer.headers, is_https=not is_inside)


async def test_a_file_that_a_browser_has_tells_it_too(hub: Served) -> None:
    async with httpx2.AsyncClient(trust_env=False) as client:
        first = await client.get(hub.page(STATIC))
        again = await client.get(hub.page(STATIC), headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert_told(again.headers, is_https=False, is_kept=True)


@pytest.mark.parametrize(
    ("path", "origin", "status"),
    [
        ("/ws/desk", "https://evil.example.com", 403),
        ("/ws/board", "https://evil.example.com", 403),
        ("/ws/desk", None, 403),
        ("/ws/kiosk", "own", 401),
        ("/ws/lanes/nowhere", None, 404),
        ("/ws/nowhere", None, 403),  # no such route: the server would answer in words of its own
    ],
)
async def test_a_socket_that_stays_shut_tells_it_too(hub: Served, path: str, origin: str | None, status: int) -> None:
    sent = {} if origin is None else {"Origin": hub.page("") if origin == "own" else origin}
    with pytest.raises(InvalidStatus) as refused:
        await connect(hub.socket(path), additional_headers=sent, proxy=None)
    response = refused.value.response
    assert response.status_code == status
    assert_told(response.headers, is_https=False)


async def test_a_defect_tells_it_too() -> None:
    async def fails(request: object) -> PlainTextResponse:
        raise RuntimeError("a defect")

    app = SecurityHeaders(Starlette(routes=[Route("/", fails)]))
    async with served((app, app)) as hub, httpx2.AsyncClient(trust_env=False) as client:
        answer = await client.get(hub.page("/"))
    assert answer.status_code == 500
    assert_told(answer.headers, is_https=False)


async def test_an_answer_that_says_it_itself_says_it_once() -> None:
    async def own(request: object) -> PlainTextResponse:
        return PlainTextResponse("", headers={"referrer-policy": "no-referrer"})

    app = SecurityHeaders(Starlette(routes=[Route("/", own)]), is_https=True)
    async with served((app, app)) as hub, httpx2.AsyncClient(trust_env=False) as client:
        answer = await client.get(hub.page("/"))
    assert answer.headers.get_list("referrer-policy") == ["no-referrer"]
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


def test_no_page_brings_what_the_policy_forbids() -> None:
    """No script, style or handler in the text of a page, and nothing from elsewhere."""
    for page in (Path(__file__).parents[2] / "web" / "templates").glob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", text), page.name
        assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", text), page.name
