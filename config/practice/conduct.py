"""How a carrier's stand-in behaves: well, or as badly as carriers do; and an answer that breaks off."""

from collections.abc import Callable
from enum import StrEnum

from starlette.responses import Response
from starlette.types import Receive, Scope, Send


class Conduct(StrEnum):
    """What becomes of one request."""

    TAKE = "take"
    REFUSE = "refuse"  # 400, about whom it is for
    TAKE_SILENTLY = "take silently"  # it is taken, and the line breaks before the answer
    TAKE_AND_FAIL = "take and fail"  # it is taken, and the answer is 500
    BUSY = "busy"  # 429: too many at this moment
    SPENT = "spent"  # 429: the month's messages are used up
    AWAY = "away"  # nobody there: 503


Policy = Callable[[str], Conduct]  # asked once for each try, with whom it is for


def take_all(to: str) -> Conduct:
    del to
    return Conduct.TAKE


class Broken(Response):
    """An answer that begins and never ends: the server closes the line, and the client cannot know."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})
