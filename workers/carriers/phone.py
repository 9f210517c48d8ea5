"""Telephone: a short message or a spoken one, over the REST form that Twilio has made common, whoever speaks it.

No provider of telephones knows a message again: what may have been sent is said to be uncertain, and settled by what
the provider tells afterwards. It keeps nothing that it need not: no recording, no name, a message that lives 5 minutes.
"""

import json
from base64 import b64encode
from collections.abc import Mapping
from xml.sax.saxutils import escape, quoteattr

import aiohttp
import structlog

from hub.desk.notices import KNOWS_AGAIN, Carrier
from hub.store.sealing import By, Contact, Language
from workers.carriers.sending import Fate, Message, Outcome
from workers.carriers.server import PhoneServer

_log = structlog.get_logger("workers.carriers.phone")

TIMEOUT_S = 10.0  # the outbox holds a notice for more than three times as long
VALID_S = 300  # a short message that was not delivered by then never will be: it would be too late
RING_S = 25  # longer, and an answering machine takes it
VOICES = {Language.JAPANESE: "ja-JP", Language.ENGLISH: "en-US"}

# About the number that was called; all other 400s are about us, and no reason to erase a contact.
# https://www.twilio.com/docs/api/errors
ABOUT_THE_NUMBER = frozenset(
    {13223, 13224, 21211, 21214, 21217, 21265, 21401, 21407, 21421, 21610, 21612, 21614, 21635}
)


class PhoneCarrier:
    """One message at a time, each on a connection of its own: one that was silent may be dead without saying so."""

    knows_again = Carrier.PHONE in KNOWS_AGAIN

    def __init__(self, server: PhoneServer, *, timeout_s: float = TIMEOUT_S) -> None:
        self._server = server
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._session: aiohttp.ClientSession | None = None

    async def send(self, contact: Contact, message: Message) -> Outcome:
        """Hand one message over. Raises nothing but CancelledError, after which it may have been sent."""
        kind, form = self._form(contact, message)
        url = f"{self._server.url}/2010-04-01/Accounts/{self._server.account}/{kind}.json"
        try:
            async with self._open().post(url, data=form, allow_redirects=False) as answer:
                return _outcome(answer.status, await answer.read())
        except aiohttp.ClientConnectorError:
            return Outcome(Fate.AGAIN, "connect lost")  # not one byte of it was sent
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
            is_silent = isinstance(error, TimeoutError)
            return Outcome(Fate.UNCERTAIN, "timeout" if is_silent else "lost", is_silent)
        except Exception as error:  # what it says could quote an answer
            _log.error("sending failed", error=type(error).__name__)
            return Outcome(Fate.UNCERTAIN, "fault")

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
        self._session = None

    def _form(self, contact: Contact, message: Message) -> tuple[str, dict[str, str]]:
        form = {"To": contact.to, "From": self._server.sender, "StatusCallback": message.heard_url}
        if contact.by is By.VOICE:
            return "Calls", {**form, "Twiml": spoken(message, contact.language), "Timeout": str(RING_S)}
        return "Messages", {**form, "Body": message.text.body, "ValidityPeriod": str(VALID_S)}

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:  # it wants the loop that it is used in
            server = self._server
            self._session = aiohttp.ClientSession(
                headers={"Authorization": basic(server.account, server.token)},
                connector=aiohttp.TCPConnector(force_close=True),
                timeout=self._timeout,
            )
        return self._session


def basic(account: str, token: str) -> str:
    """What a request is let in by (RFC 7617)."""
    return f"Basic {b64encode(f'{account}:{token}'.encode()).decode()}"


def spoken(message: Message, language: Language) -> str:
    """What is said, twice, and what the keys do, as TwiML; whoever presses one is heard at `heard_url`."""
    voice = quoteattr(VOICES[language])
    says = f"<Say language={voice}>{escape(message.text.body)}</Say>"
    keys = f"<Say language={voice}>{escape(message.text.subject)}</Say>"
    gather = f'<Gather numDigits="1" timeout="5" action={quoteattr(message.heard_url + "/keys")}>'
    return f"<Response>{gather}{says}{says}{keys}</Gather></Response>"


def _outcome(status: int, body: bytes) -> Outcome:
    code = str(status)
    if status == 201:
        return Outcome(Fate.ACCEPTED, code)
    if status == 400:
        reason = _reason(body)
        return Outcome(Fate.REFUSED if reason in ABOUT_THE_NUMBER else Fate.AGAIN, f"400 {reason}")
    if 400 <= status < 500 or status == 503:  # not let in, too many at once, or nobody there to take it
        return Outcome(Fate.AGAIN, code)
    return Outcome(Fate.UNCERTAIN, code)


def _reason(body: bytes) -> int:
    """The provider's own number for what is wrong, 0 where it gives none."""
    try:
        told = json.loads(body)
        return int(told["code"]) if isinstance(told, Mapping) else 0
    except (ValueError, KeyError, TypeError):
        return 0
