"""What every answer of this house tells a browser about itself, in one place: pages, refusals, redirects, denials.

An answer that says such a header itself keeps its own. Sources: OWASP HTTP Headers Cheat Sheet; ASVS 5.0.0, 3.4.
"""

from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

YEAR_SECONDS = 31_536_000
ALWAYS = {
    "Content-Security-Policy": (
        "default-src 'self'; connect-src 'self'; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; "
        "form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # not `no-referrer`: with it a form's Origin is `null`
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": (
        "camera=(), display-capture=(), geolocation=(), microphone=(), midi=(), payment=(), serial=(), usb=()"
    ),
    "Cache-Control": "no-store",
}
# This very host alone: other hosts of the ward are none of ours.
BY_HTTPS = {"Strict-Transport-Security": f"max-age={YEAR_SECONDS}"}
_STARTS = ("http.response.start", "websocket.http.response.start")
_DENIAL = "websocket.http.response"


class SecurityHeaders:
    """Around a whole application. `is_https`: its pages are offered by https, and never otherwise again."""

    def __init__(self, app: ASGIApp, *, is_https: bool = False) -> None:
        self._app = app
        told = ALWAYS | (BY_HTTPS if is_https else {})
        self._headers = [(name.lower().encode(), value.encode()) for name, value in told.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        can_deny = scope["type"] == "websocket" and _DENIAL in scope.get("extensions", {})
        is_open = False

        async def send_with(message: Message) -> None:
            nonlocal is_open
            if message["type"] == "websocket.close" and can_deny and not is_open:
                # The server's own words for a websocket that was not accepted would come without these headers.
                await send({"type": _STARTS[1], "status": 403, "headers": self._with([])})
                await send({"type": "websocket.http.response.body", "body": b""})
                return
            if message["type"] in _STARTS:
                message = {**message, "headers": self._with(message.get("headers", []))}
            is_open = is_open or message["type"] in ("websocket.accept", _STARTS[1])
            await send(message)

        await self._app(scope, receive, send_with)

    def _with(self, told: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        told = list(told)
        said = {name.lower() for name, _ in told}
        return [*told, *((name, value) for name, value in self._headers if name not in said)]
