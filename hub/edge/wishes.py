"""What every wish to be told goes through: the text that was read, the consent, how often, and the seal.

A contact is sealed in the same breath in which it is read. Nobody here can open what was sealed, and nothing of it is
kept, not even to count by: what has to be counted is counted under a key that ends with the day, as the contacts do.
"""

import asyncio
import contextlib
import hmac
import secrets
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import NoReturn, Protocol

import msgspec
from starlette.responses import Response

from hub.desk import requests as ask
from hub.desk.lane import Office, Purpose
from hub.desk.notices import Carrier
from hub.desk.refusals import (
    NoConsent,
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
from hub.edge.reception import WHO, Reception, kept_id
from hub.edge.tries import MINUTE_S, Tries
from hub.ledger.journal import tokyo_day
from hub.store.lanes import SealedContact
from hub.store.sealing import By, Contact, Language, PublicKey, seal
from hub.wire import codes
from hub.wire.tickets import Wish

WISHES = 5  # a ticket in ten minutes: mistyped, mended, thought over
WHILE = 600.0
ALL_WISHES = 60  # a minute and process, as numbers taken on the web: each is a message that we send somebody
SUBSCRIPTION_BYTES = STOP_TOKEN_BYTES = 16
FORGOTTEN_WITHIN_S = 30.0  # of midnight: at ten past everything else of a contact goes


class Contacts(Protocol):
    """The store's contacts in earnest. Raises a Refusal."""

    async def public_key(self) -> PublicKey: ...


@dataclass(frozen=True, slots=True)
class Wished:
    """When and how somebody wishes to be told. `to`: the contact, as it is written down."""

    carrier: Carrier
    to: str
    ahead: int
    minutes: int
    purpose: str
    by: By = By.SMS
    language: Language = Language.JAPANESE
    owner: str = ""


class Wishes:
    """One hub's. `offers`: how its office can send. `speed`: so many minutes of the office pass in one."""

    def __init__(
        self, reception: Reception, contacts: Contacts, offers: Collection[Carrier], *, speed: int = 1
    ) -> None:
        self._reception, self._contacts = reception, contacts
        self.purposes = purposes_of(reception.office, offers)
        self._wishes = Tries(WISHES, WHILE, reception.monotonic)
        self._all_wishes = Tries(ALL_WISHES * speed, MINUTE_S, reception.monotonic)

    async def left(self, asked: Asked, wanted: Wish, keep: Callable[[str, int], Awaitable[str]], says: str) -> Response:
        """A contact that somebody leaves on his page. `keep` (day, arrival) seals it and gives it as it was understood:
        that goes back to him this once, and stands in place of `{}` in what the page `says`.
        """
        reception = self._reception
        day, arrival, secret = await reception.owned(wanted)
        try:
            shown = await keep(day, arrival)
        except Refusal as refusal:
            return await reception.refuse_on_page(asked, refusal, day, arrival, secret)
        told = msgspec.structs.replace(await reception.told(day, arrival, secret), to=shown)
        return reception.show(asked, told, says.format(shown))

    def admit(self, carrier: Carrier, mark: str, *, consents: bool) -> None:
        """`mark`: of the text that was read. Raises NoticesClosed, PurposeChanged, NoConsent."""
        purpose = self.purposes.get(carrier)
        if purpose is None:
            raise NoticesClosed
        if mark != purpose.mark:
            raise PurposeChanged
        if not consents:
            raise NoConsent

    @contextlib.contextmanager
    def counted(self, day: str, arrival: int) -> Iterator[None]:
        """One wish more, for the time of a `with`. Raises TooManyWishes, TooManyTries."""
        if not self._wishes.take(f"{day} {arrival}"):
            raise TooManyWishes
        try:
            if not self._all_wishes.take(""):
                raise TooManyTries
            yield
        except TryAgain:
            self._wishes.give_back(f"{day} {arrival}")  # not this ticket's fault: trying again has to help
            raise

    async def keep(self, day: str, arrival: int, path: str, id: str, wished: Wished) -> None:
        """Seal the contact and hand it over, once for each id and contact. Raises what the desk refuses."""
        for said in range(WISHES):  # the same id with another contact (a page gone back to) is another request
            with contextlib.suppress(OtherBody):
                return await self.keep_once(Stamp(day, WHO, kept_id(f"{path} {said}", id)), id, arrival, wished)
        raise OtherBody

    async def keep_once(self, stamp: Stamp, id: str, arrival: int, wished: Wished) -> None:
        """`id`: what only the asker knows. Raises OtherBody for another contact under the same stamp."""
        # The key of this is the asker's, which is kept nowhere: it says nothing about the contact.
        same = hmac.new(id.encode(), f"{wished.to} {wished.by} {wished.language}".encode(), "sha256").hexdigest()

        async def sealed() -> None:
            subscription, token = secrets.token_hex(SUBSCRIPTION_BYTES), secrets.token_urlsafe(STOP_TOKEN_BYTES)
            contact = Contact(wished.to, token, wished.by, wished.language)
            text = seal(contact, await self._contacts.public_key(), subscription)
            wish = ask.Wish(arrival, wished.carrier, wished.ahead, wished.purpose, subscription, minutes=wished.minutes)
            kept = SealedContact(text, codes.digest_of(token), same, wished.owner)
            await self._reception.desk.do(stamp, wish, kept)

        try:
            await sealed()
        except NoticesClosed:  # at midnight: the key was yesterday's by the time that it was used
            await sealed()


class Counted:
    """Something is counted of each contact without keeping it: under a key that nobody else has. With the key at hand
    a telephone number can be guessed from what is counted: both go at midnight (`forget_at_midnight`).
    """

    def __init__(self, tries: Tries) -> None:
        self._tries, self._key = tries, secrets.token_bytes(32)

    def __len__(self) -> int:
        return len(self._tries)

    def forget(self) -> None:
        self._tries.forget()
        self._key = secrets.token_bytes(32)

    def take(self, contact: str) -> bool:
        return self._tries.take(self._name(contact))

    def give_back(self, contact: str) -> None:
        self._tries.give_back(self._name(contact))

    def _name(self, contact: str) -> str:
        return hmac.new(self._key, contact.encode(), "sha256").hexdigest()


async def forget_at_midnight(
    counted: Collection[Counted], now_ms: Callable[[], int], *, every_s: float = FORGOTTEN_WITHIN_S
) -> NoReturn:
    """Whether anybody comes or not. `now_ms`: real; a contact is gone by that, whatever a practice clock says."""
    day = tokyo_day(now_ms())
    while True:
        await asyncio.sleep(every_s)
        if (today := tokyo_day(now_ms())) != day:
            day = today
            for one in counted:
                one.forget()


def purposes_of(office: Office, offers: Collection[Carrier]) -> Mapping[Carrier, Purpose]:
    """What is told before a contact is taken, for each carrier that this office offers."""
    texts = {Carrier.LINE: office.line_purpose, Carrier.EMAIL: office.purpose, Carrier.PHONE: office.phone_purpose}
    return {carrier: text for carrier in Carrier if carrier in offers and (text := texts[carrier]) is not None}
