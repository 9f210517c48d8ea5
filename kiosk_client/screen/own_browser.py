"""Who may open a page that is for this machine's own browser alone. It knows no page."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK = ("127.0.0.1", "localhost")


class OwnBrowserOnly:
    """403 for a Host that is not loopback (DNS rebinding), and for an Origin that is not this very page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = Request(scope).headers
            host = headers.get("host", "")
            if host.rpartition(":")[0] not in LOOPBACK or headers.get("origin", f"http://{host}") != f"http://{host}":
                return await PlainTextResponse("ここからは操作できません。", 403)(scope, receive, send)
        return await self._app(scope, receive, send)
