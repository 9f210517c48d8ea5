"""What a resident asks about notices, over HTTP: leave an address, and have it erased. JSON, a plain form, or the mail.

An address is read and sealed in one breath. It goes back once, to whoever gave it, and nowhere else; nobody here can
open what was sealed.
"""

import contextlib
import hmac
import re
import secrets
from collections.abc import Collection
from typing import Protocol

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.desk import requests as ask
from hub.desk.notices import Carrier, Ending
from hub.desk.refusals import (
    BadAddress,
    NoConsent,
    NoContact,
    NoticesClosed,
    OtherBody,
    PurposeChanged,
    Refusal,
    TooManyTries,
    TooManyWishes,
    TryAgain,
)
from hub.desk.requests import Stamp
from hub.edge.asked import Asked
from hub.edge.commands import FAULT
from hub.edge.guards import Guard
from hub.edge.reception import MINUTE, WHO, Reception, body_of, kept_id, status_of
from hub.edge.tries import Tries
from hub.store.lanes import SealedContact
from hub.store.sealing import Contact, PublicKey, seal
from hub.wire import codes
from hub.wire.addresses import read_address
from hub.wire.tickets import BODY_BYTES, Notify, NotifyByForm, Stop

_log = structlog.get_logger("hub.edge.notices")

WISHES = 5  # a ticket in ten minutes: mistyped, mended, thought over
WHILE = 600.0
ALL_WISHES = 60  # a minute and process, as numbers taken on the web: each is a message that we send somebody
STOP_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)
SUBSCRIPTION_BYTES = STOP_TOKEN_BYTES = 16


class Contacts(Protocol):
    """The store's contacts in earnest. Raises a Refusal."""

    async def public_key(self) -> PublicKey: ...


class Notices:
    """`offers`: how this hub's office can send. `speed`: so many minutes of the office pass in one."""

    def __init__(
        self, reception: Reception, contacts: Contacts, offers: Collection[Carrier], *, speed: int = 1
    ) -> None:
        self._reception, self._contacts = reception, contacts
        self._purpose = reception.office.purpose if Carrier.EMAIL in offers else None
        self._wishes = Tries(WISHES, WHILE, reception.monotonic)
        self._all_wishes = Tries(ALL_WISHES * speed, MINUTE, reception.monotonic)

    def routes(self, guard: Guard) -> list[Route]:
        """`POST /t/notice`, `/t/stop`; and `/stop/TOKEN`, for the token alone: a mail program is no page of ours."""
        return [
            *self._reception.routes({"/t/notice": self._notify, "/t/stop": self._stop}, guard),
            Route("/stop/{token}", self._ask_to_stop, methods=["GET"]),
            Route("/stop/{token}", self._stop_by_token, methods=["POST"]),
        ]

    async def _notify(self, asked: Asked) -> Response:
        wanted, reception = _wanted(asked), self._reception
        day, arrival, secret = await reception.owned(wanted)
        try:
            address = await self._keep(day, arrival, wanted)
        except Refusal as refusal:
            if not asked.is_form:
                raise
            told = await reception.told(day, arrival, secret)
            return reception.pages.ticket(told, refusal=refusal.sentence, status=status_of(refusal))
        told = msgspec.structs.replace(await reception.told(day, arrival, secret), to=address)
        return reception.show(asked, told, f"{address} に確認のメールをお送りします。違うときは、入れ直してください。")

    async def _keep(self, day: str, arrival: int, wanted: Notify) -> str:
        """Seal the address and hand it over; gives it as it was understood. Raises why not."""
        if self._purpose is None:
            raise NoticesClosed
        if wanted.purpose != self._purpose.mark:
            raise PurposeChanged
        if not wanted.consent:
            raise NoConsent
        address = read_address(wanted.address)
        if address is None:
            raise BadAddress
        if not self._wishes.take(f"{day} {arrival}"):
            raise TooManyWishes
        try:
            if not self._all_wishes.take(""):
                raise TooManyTries
            await self._wish(day, arrival, wanted, self._purpose.mark, address)
        except TryAgain:
            self._wishes.give_back(f"{day} {arrival}")  # not this ticket's fault: trying again has to help
            raise
        return address

    async def _wish(self, day: str, arrival: int, wanted: Notify, mark: str, address: str) -> None:
        for said in range(WISHES):  # the same id with another address (a page gone back to) is another request
            stamp = Stamp(day, WHO, kept_id(f"/t/notice {said}", wanted.id))
            with contextlib.suppress(OtherBody):
                return await self._seal(stamp, arrival, wanted, mark, address)
        raise OtherBody

    async def _seal(self, stamp: Stamp, arrival: int, wanted: Notify, mark: str, address: str) -> None:
        # The key of this is the asker's id, which is kept nowhere: it says nothing about the address.
        same = hmac.new(wanted.id.encode(), address.encode(), "sha256").hexdigest()

        async def sealed() -> None:
            subscription, token = secrets.token_hex(SUBSCRIPTION_BYTES), secrets.token_urlsafe(STOP_TOKEN_BYTES)
            text = seal(Contact(address, token), await self._contacts.public_key(), subscription)
            wish = ask.Wish(arrival, Carrier.EMAIL, wanted.ahead, mark, subscription)
            await self._reception.desk.do(stamp, wish, SealedContact(text, codes.digest_of(token), same))

        try:
            await sealed()
        except NoticesClosed:  # at midnight: the key was yesterday's by the time that it was used
            await sealed()

    async def _stop(self, asked: Asked) -> Response:
        wanted, reception = asked.read_as(Stop), self._reception
        day, arrival, secret = await reception.owned(wanted)
        with contextlib.suppress(NoContact):  # it is as he wishes
            stop = ask.Stop(arrival, Carrier.EMAIL, Ending.RESIDENT)
            await reception.desk.do(Stamp(day, WHO, kept_id("/t/stop", wanted.id)), stop)
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
            day = self._reception.day()
            stop = (
                await self._reception.desk.stop_of(day, codes.digest_of(token)) if STOP_TOKEN.fullmatch(token) else None
            )
            if stop is not None:
                with contextlib.suppress(NoContact):
                    await self._reception.desk.do(Stamp(day, WHO, secrets.token_urlsafe(16)), stop)
            return pages.stop(is_done=True)
        except Refusal as refusal:
            return pages.stop_refused(body_of(refusal), status_of(refusal))
        except Exception:
            _log.exception("request failed", path="/stop")  # the token stays out of the log
            return pages.stop_refused(FAULT, 500)


def _wanted(asked: Asked) -> Notify:
    if asked.is_json:
        return asked.as_json(Notify)
    form = asked.as_form(NotifyByForm)
    return Notify(
        id=form.id,
        secret=form.secret,
        number=form.number,
        code=form.code,
        ahead=int(form.ahead),
        address=form.address,
        purpose=form.purpose,
        consent=form.consent == "on",
    )
