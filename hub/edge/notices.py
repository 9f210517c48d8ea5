"""What a resident asks about notices, over HTTP: leave an address, have a contact erased. JSON, a form, or the mail.

An address goes back once, to whoever gave it, and nowhere else.
"""

import re

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.desk import requests as ask
from hub.desk.notices import Carrier, Ending
from hub.desk.refusals import BadAddress, Refusal
from hub.edge.answers import body_of, status_of
from hub.edge.asked import Asked
from hub.edge.commands import FAULT
from hub.edge.guards import Guard
from hub.edge.reception import Reception, kept_id
from hub.edge.wishes import Wished, Wishes
from hub.wire import codes
from hub.wire.addresses import read_address
from hub.wire.tickets import BODY_BYTES, Notify, NotifyForm, Stop

_log = structlog.get_logger("hub.edge.notices")

STOP_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)
TOLD = "{} に確認のメールをお送りします。違うときは、入れ直してください。"


class Notices:
    """By e-mail; and the end of every wish."""

    def __init__(self, reception: Reception, wishes: Wishes) -> None:
        self._reception, self._wishes = reception, wishes

    def routes(self, guard: Guard) -> list[Route]:
        """`POST /t/notice`, `/t/stop`; and `/stop/TOKEN`, for the token alone: a mail program is no page of ours."""
        return [
            *self._reception.routes({"/t/notice": self._notify, "/t/stop": self._stop}, guard),
            Route("/stop/{token}", self._ask_to_stop, methods=["GET"]),
            Route("/stop/{token}", self._stop_by_token, methods=["POST"]),
        ]

    async def _notify(self, asked: Asked) -> Response:
        wanted = asked.as_wish(Notify, NotifyForm)

        async def keep(day: str, arrival: int) -> str:
            self._wishes.admit(Carrier.EMAIL, wanted.purpose, consents=wanted.consent)
            address = read_address(wanted.address)
            if address is None:
                raise BadAddress
            wished = Wished(Carrier.EMAIL, address, wanted.ahead, wanted.minutes, wanted.purpose)
            with self._wishes.counted(day, arrival):
                await self._wishes.keep(day, arrival, "/t/notice", wanted.id, wished)
            return address

        return await self._wishes.left(asked, wanted, keep, TOLD)

    async def _stop(self, asked: Asked) -> Response:
        wanted, reception = asked.read_as(Stop), self._reception
        day, arrival, secret = await reception.owned(wanted)
        stop = ask.Stop(arrival, Carrier(wanted.carrier), Ending.RESIDENT)
        await reception.erase(day, stop, kept_id("/t/stop", wanted.id))
        return reception.show(asked, await reception.told(day, arrival, secret))

    async def _ask_to_stop(self, request: Request) -> Response:
        """Programs follow every link of a mail: nothing is erased by looking, and nothing here tells what is known."""
        return self._reception.pages.stop()

    async def _stop_by_token(self, request: Request) -> Response:
        pages, token = self._reception.pages, request.path_params["token"]
        try:
            read = 0
            async for chunk in request.stream():  # `List-Unsubscribe=One-Click` (RFC 8058), or the page's empty form
                read += len(chunk)
                if read > BODY_BYTES:
                    break
            day, desk = self._reception.day(), self._reception.desk
            stop = await desk.stop_of(day, codes.digest_of(token)) if STOP_TOKEN.fullmatch(token) else None
            await self._reception.erase(day, stop)
            return pages.stop(is_done=True)
        except Refusal as refusal:
            return pages.stop_refused(body_of(refusal), status_of(refusal))
        except Exception:
            _log.exception("request failed", path="/stop")  # the token stays out of the log
            return pages.stop_refused(FAULT, 500)
