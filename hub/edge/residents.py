"""What a resident asks about his own ticket, over HTTP: take a number, see it, give it back. JSON or a plain form.

The cookie opens nothing: it only keeps a browser at one live number in each lane.
"""

import hashlib
from base64 import urlsafe_b64encode

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from hub.desk import requests as ask
from hub.desk.refusals import HasNumber, StoreAway, TooManyTries, WebClosed
from hub.desk.requests import Stamp
from hub.edge.asked import COOKIE, Asked
from hub.edge.guards import Guard
from hub.edge.reception import WHO, Reception, kept_id
from hub.edge.tries import MINUTE_S, Tries
from hub.wire import codes
from hub.wire.tickets import Cancel, Find, PushBack, PushBackByForm, Take, TakeByForm

TAKEN = 60  # a minute and process; six times the known bursts at the machines


class Residents:
    """The resident's requests of one hub; the same for both listeners. `speed`: office minutes in one of ours."""

    def __init__(self, reception: Reception, *, is_secure: bool = False, speed: int = 1) -> None:
        self._reception, self._is_secure = reception, is_secure
        self._taken = Tries(TAKEN * speed, MINUTE_S, reception.monotonic)

    def routes(self, guard: Guard) -> list[Route]:
        """`POST /tickets`, `/t/find`, `/t/later`, `/t/cancel`."""
        answers = {
            "/tickets": self._take,
            "/t/find": self._find,
            "/t/later": self._push_back,
            "/t/cancel": self._cancel,
        }
        return self._reception.routes(answers, guard)

    async def _take(self, asked: Asked) -> Response:
        wanted = asked.as_form(TakeByForm) if asked.is_form else asked.as_json(Take)
        secret = codes.digest_of(wanted.secret) if isinstance(wanted, TakeByForm) else wanted.secret
        reception = self._reception
        day, office, world = reception.day(), reception.office, reception.relay.world
        office.lane(wanted.lane)
        if world is None:
            raise StoreAway
        if not office.is_web_open(world.at):
            opens = office.next_opening(wanted.lane, world.at, on_web=True)
            raise WebClosed(opens="" if opens is None else str(opens))
        if not self._taken.take(""):
            raise TooManyTries
        # A browser's first number: made from the request, so that a double press is one browser.
        cookie = asked.cookie or _fold(f"holder {wanted.id}")
        holder = hashlib.sha256(cookie.encode()).hexdigest()
        request = ask.Issue(wanted.lane, WHO, secret, holder, is_expected=office.web_check_in)
        try:
            answer = await reception.desk.do(Stamp(day, WHO, kept_id("/tickets", wanted.id)), request)
        except HasNumber as refusal:
            return await self._show_held(asked, refusal, day)
        told = await reception.told(day, answer.arrival or 0, secret)
        response = reception.show(asked, told, "番号をお取りしました。")
        response.set_cookie(COOKIE, cookie, httponly=True, samesite="strict", secure=self._is_secure)
        return response

    async def _show_held(self, asked: Asked, refusal: HasNumber, day: str) -> Response:
        """The cookie has shown who holds it: the number is told again, with the code that opens it."""
        reception, arrival = self._reception, int(refusal.details["ticket"])
        told = await reception.told(day, arrival, await reception.desk.secret_of(day, arrival) or "")
        if asked.is_form:
            return reception.pages.ticket(told, refusal.sentence)
        return reception.refuse(asked, HasNumber(ticket=str(arrival), number=told.number, code=told.code))

    async def _find(self, asked: Asked) -> Response:
        return self._reception.show(
            asked, await self._reception.told(*await self._reception.owned(asked.read_as(Find)))
        )

    async def _push_back(self, asked: Asked) -> Response:
        """Twice the same request is one push-back: what is left is then told from the picture, which has it."""
        wanted = asked.as_form(PushBackByForm) if asked.is_form else asked.as_json(PushBack)
        reception = self._reception
        day, arrival, secret = await reception.owned(wanted)
        stamp = Stamp(day, WHO, kept_id("/t/later", wanted.id))
        answer = await reception.desk.do(stamp, ask.PushBack(arrival, int(wanted.places)))
        told = msgspec.structs.replace(await reception.told(day, arrival, secret), ahead=answer.ahead)
        return reception.show(asked, told, "順番を後にしました。")

    async def _cancel(self, asked: Asked) -> Response:
        wanted, reception = asked.read_as(Cancel), self._reception
        day, arrival, secret = await reception.owned(wanted)
        told = await reception.told(day, arrival, secret)
        stamp = Stamp(day, WHO, kept_id("/t/cancel", wanted.id))
        answer = await reception.desk.do(stamp, ask.Cancel(arrival))
        ended = msgspec.structs.replace(told, state=str(answer.state), ahead=None, counter=None, push_backs=0)
        return reception.show(asked, ended)


def _fold(text: str) -> str:
    """128 bits of a text's digest, as 22 characters."""
    return urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:16]).rstrip(b"=").decode()
