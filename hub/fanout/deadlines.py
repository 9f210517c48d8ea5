"""What office time alone brings about: a missed number lapses, a lane's closing is announced. Every hub asks for it.

Nothing depends on who asks or when: the desk decides by office time, and a request id made from what it is about makes
the second to ask hear the first answer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import NoReturn, TypeAlias

import structlog

from hub.desk.floor import is_over
from hub.desk.lane import Office
from hub.desk.picture import Picture
from hub.desk.refusals import Refusal, TryAgain
from hub.desk.requests import AnnounceClosing, Answer, Lapse, Request, Stamp
from hub.fanout.relay import Relay

_log = structlog.get_logger("hub.fanout.deadlines")

WHO = "hub"
EVERY_SECONDS = 1.0  # a screen shows the minute

Ask: TypeAlias = Callable[[Stamp, Request], Awaitable[Answer]]


def due(picture: Picture, office: Office, at: int) -> Iterator[tuple[str, Request]]:
    """What is to be asked at office time `at`, each with its request id."""
    for ticket in picture.tickets.values():
        if is_over(ticket, at):
            yield f"lapse-{ticket.arrival}-{ticket.until}", Lapse(ticket.arrival)
    for lane in office.lanes:
        if lane.key in picture.closing or office.hours.is_always:
            continue
        windows = office.hours.windows(lane.key, picture.day or "")
        if windows and at >= max(closes for _, closes in windows):
            yield f"closing-{lane.key}", AnnounceClosing(lane.key)


async def ask_due(relay: Relay, ask: Ask) -> None:
    """Once. A refusal means that the world has moved on: somebody came back in the last moment, or was told already."""
    world = relay.world
    if world is None or relay.is_away:
        return
    for request_id, request in list(due(world.picture, world.office, world.at)):
        try:
            await ask(Stamp(world.day, WHO, request_id), request)
        except TryAgain:
            return
        except Refusal as refusal:
            _log.info("not due after all", request=request_id, code=refusal.code)


async def keep_deadlines(relay: Relay, ask: Ask, *, every_s: float = EVERY_SECONDS) -> NoReturn:
    is_failing = False
    while True:
        try:
            await ask_due(relay, ask)
            is_failing = False
        except Exception:
            if not is_failing:  # once per run of failures: this loop turns every second
                _log.exception("deadlines not kept")
            is_failing = True
        await asyncio.sleep(every_s)
