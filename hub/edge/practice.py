"""The clock of a practice office: a fresh day from any hour on, at any speed. Never part of an office in earnest."""

import re
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.desk.refusals import Refusal
from hub.edge.guards import Guard

StartDay: TypeAlias = Callable[[int, float], Awaitable[str]]  # seconds of the day, speed → the day now open

_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
BODY_BYTES = 1024  # {"start":"08:30","speed":240} and room
WRONG = '{"start":"HH:MM","speed":倍率} の形で送ってください。倍率は 1 以上 3600 以下です。'


class SetClock(Struct, forbid_unknown_fields=True, frozen=True):
    """`speed`: office seconds in a real second. At an hour a second screens still say something.

    Not slower than the world: the keys of a day live 48 real hours, and the day has to end within them.
    """

    start: str
    speed: Annotated[float, Meta(ge=1, le=3600)]


def practice_routes(start_day: StartDay, guard: Guard) -> list[Route]:
    """`POST /practice/clock` {"start":"HH:MM","speed":240} → {"day":"YYYY-MM-DD"}; 400 and a sentence for bad input."""

    async def clock(request: Request) -> Response:
        if not guard.allows(
            request.scope["scheme"], request.headers.getlist("host"), request.headers.getlist("origin")
        ):
            return _sentence(403, "このページからは操作できません。")
        wanted = _read(await _body(request))
        if wanted is None:
            return _sentence(400, WRONG)
        try:
            day = await start_day(*wanted)
        except Refusal as refusal:
            return _sentence(503 if refusal.again else 409, refusal.sentence)
        return JSONResponse({"day": day})

    return [Route("/practice/clock", clock, methods=["POST"])]


async def _body(request: Request) -> bytes:
    """The body, or as much of it as shows that it is too long."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES:
            break
    return body


def _read(body: bytes) -> tuple[int, float] | None:
    """Seconds of the day and speed; None for anything else."""
    if len(body) > BODY_BYTES:
        return None
    try:
        wanted = msgspec.json.decode(body, type=SetClock)
    except (msgspec.DecodeError, RecursionError):
        return None
    found = _TIME.fullmatch(wanted.start)
    return (int(found[1]) * 3600 + int(found[2]) * 60, wanted.speed) if found else None


def _sentence(status: int, sentence: str) -> Response:
    return JSONResponse({"sentence": sentence}, status)
