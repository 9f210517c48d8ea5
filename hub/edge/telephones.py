"""Telephone numbers: leaving one, and what the carrier tells afterwards of a message or of the keys that were pressed.

The carrier names a message by a token of ours, which says nothing; of all else that it sends along nothing is read.
"""

import contextlib
import re
from collections.abc import Callable, Iterator
from typing import Protocol
from urllib.parse import parse_qs

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.desk.lane import Purpose
from hub.desk.notices import Carrier, NoticeState
from hub.desk.refusals import BadTelephone, NotClaimed, NoticesClosed, Refusal, TelephoneUsedUp
from hub.desk.requests import Stop
from hub.edge.answers import status_of
from hub.edge.asked import Asked
from hub.edge.guards import Guard
from hub.edge.reception import Reception
from hub.edge.telephone import Telephone, read_telephone
from hub.edge.tries import Tries
from hub.edge.wishes import Counted, Wished, Wishes
from hub.store.outbox import Settled
from hub.store.sealing import By, Language
from hub.wire import codes
from hub.wire.tickets import BODY_BYTES, NotifyByPhone, NotifyByPhoneForm

_log = structlog.get_logger("hub.edge.telephones")

TOLD = "{} に確認のお知らせをします。違うときは、入れ直してください。"

A_NUMBER = 3  # wishes a day: a family at one telephone, and nobody who is made to ring all day long
DAY = 86_400.0
TOKEN = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)

# What the carrier calls the end of a message or a call; everything else is on its way.
ARRIVED = frozenset({"delivered", "completed"})
FAILED = frozenset({"undelivered", "failed", "busy", "no-answer", "canceled"})

ERASED = (
    '<Response><Say language="ja-JP">お知らせをやめ、電話番号を消しました。</Say>'
    '<Say language="en-US">Your number was erased.</Say></Response>'
)
NOTHING = "<Response/>"


class Heard(Protocol):
    """The store's outbox. Everything may raise a Refusal."""

    async def learn(self, day: str, carrier: Carrier, callback: str, state: NoticeState) -> Settled: ...
    async def stop_behind(self, day: str, callback: str) -> Stop | None: ...


class Telephones:
    """`on_due` hears of a carrier that has to tell it now."""

    def __init__(
        self, reception: Reception, wishes: Wishes, outbox: Heard, on_due: Callable[[Carrier], None], *, speed: int = 1
    ) -> None:
        self._reception, self._wishes, self._outbox, self._on_due = reception, wishes, outbox, on_due
        self._of_number = Counted(Tries(A_NUMBER * speed, DAY, reception.monotonic))
        self._of_request = Counted(Tries(1, DAY, reception.monotonic))
        self.counted = [self._of_number, self._of_request]

    def routes(self, guard: Guard) -> list[Route]:
        """`POST /t/phone`: leave a number."""
        return self._reception.routes({"/t/phone": self._notify}, guard)

    def heard_routes(self) -> list[Route]:
        """`POST /phone/TOKEN`, `/phone/TOKEN/keys`: the carrier alone, by the token. On the public listener only."""
        return [
            Route("/phone/{token}", self._state, methods=["POST"]),
            Route("/phone/{token}/keys", self._keys, methods=["POST"]),
        ]

    @property
    def purpose(self) -> Purpose:
        """What is told before a number is taken. Raises NoticesClosed where none is."""
        purpose = self._wishes.purposes.get(Carrier.PHONE)
        if purpose is None:
            raise NoticesClosed
        return purpose

    async def keep(self, day: str, arrival: int, path: str, wanted: NotifyByPhone) -> Telephone:
        """Seal the number and hand it over, once for each path, id and number. Raises why not."""
        self._wishes.admit(Carrier.PHONE, wanted.purpose, consents=wanted.consent)
        telephone = understood(wanted.telephone)
        wished = Wished(
            Carrier.PHONE,
            telephone.number,
            wanted.ahead,
            wanted.minutes,
            wanted.purpose,
            by=By(wanted.by) if By(wanted.by) in telephone.ways else telephone.ways[0],
            language=Language(wanted.language),
        )
        with self._wishes.counted(day, arrival), self._counted(telephone.number, f"{path} {wanted.id}"):
            await self._wishes.keep(day, arrival, path, wanted.id, wished)
        return telephone

    @contextlib.contextmanager
    def _counted(self, number: str, request: str) -> Iterator[None]:
        """One wish more of this number, for the time of a `with`; a request that is made again is one, and one that was
        refused is none. Raises TelephoneUsedUp.
        """
        request = f"{number} {request}"
        is_new = self._of_request.take(request)
        if is_new and not self._of_number.take(number):
            self._of_request.give_back(request)
            raise TelephoneUsedUp
        try:
            yield
        except Refusal:
            if is_new:
                self._of_number.give_back(number)
                self._of_request.give_back(request)
            raise

    async def _notify(self, asked: Asked) -> Response:
        wanted = asked.as_wish(NotifyByPhone, NotifyByPhoneForm)

        async def keep(day: str, arrival: int) -> str:
            return (await self.keep(day, arrival, "/t/phone", wanted)).shown

        return await self._wishes.left(asked, wanted, keep, TOLD)

    async def _state(self, request: Request) -> Response:
        fields, callback = await _fields(request), _callback(request)
        told = fields.get("MessageStatus") or fields.get("CallStatus") or ""
        state = NoticeState.ACCEPTED if told in ARRIVED else NoticeState.REFUSED if told in FAILED else None
        try:
            if state is not None and callback is not None:
                with contextlib.suppress(NotClaimed):
                    settled = await self._outbox.learn(self._reception.day(), Carrier.PHONE, callback, state)
                    if settled.passed_to is not None:
                        self._on_due(settled.passed_to)
        except Refusal as refusal:
            return Response(status_code=status_of(refusal))
        except Exception as error:
            _log.error("callback failed", error=type(error).__name__)
            return Response(status_code=500)
        return Response(status_code=204)

    async def _keys(self, request: Request) -> Response:
        fields, callback = await _fields(request), _callback(request)
        try:
            if fields.get("Digits") != "1" or callback is None:
                return _twiml(NOTHING)
            day = self._reception.day()
            await self._reception.erase(day, await self._outbox.stop_behind(day, callback))
        except Refusal as refusal:
            return Response(status_code=status_of(refusal))
        except Exception as error:
            _log.error("callback failed", error=type(error).__name__)
            return Response(status_code=500)
        return _twiml(ERASED)


def understood(dialled: str) -> Telephone:
    """Raises BadTelephone."""
    telephone = read_telephone(dialled)
    if telephone is None:
        raise BadTelephone
    return telephone


def _callback(request: Request) -> str | None:
    """SHA-256 of the token in the path."""
    token = request.path_params["token"]
    return codes.digest_of(token) if TOKEN.fullmatch(token) else None


async def _fields(request: Request) -> dict[str, str]:
    """The first of each; empty for what is no form."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES:
            return {}
    try:
        return {name: values[0] for name, values in parse_qs(body.decode("ascii"), max_num_fields=64).items()}
    except ValueError:
        return {}


def _twiml(text: str) -> Response:
    return Response(text, media_type="application/xml")
