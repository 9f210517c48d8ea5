"""E-mail over one kept SMTP connection, command by command, so that it is known whether the final dot was sent.

A server echoes addresses in its answers: nothing but the three digits of them leaves this module, and no exception.
"""

import asyncio
import contextlib
import hashlib
import re
import ssl
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime

import aiosmtplib
import structlog

from hub.desk.notices import KNOWS_AGAIN, Carrier
from hub.store.sealing import Contact
from workers.carriers.sending import Fate, Message, Outcome
from workers.carriers.server import MailServer

_log = structlog.get_logger("workers.carriers.email")

TIMEOUT_S = 10.0  # for each answer
WHOLE_S = 30.0  # for one message; the outbox holds it for 35 s, after that somebody else may touch it
FRESH_S = 2.0  # a connection that was silent for longer is asked whether it is still there

# What an envelope may carry. Dots anywhere: addresses of docomo and ezweb have them in odd places.
ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9.-]{1,253}", re.ASCII)
ODD_DOTS = re.compile(r"\.[^@]*@|[^@]*\.\.[^@]*@|[^@]*\.@")
SYNTAX = frozenset({501, 553})  # some servers take odd dots only in quotes
# About us or the session, not about the address: the contact must not be erased for it.
ABOUT_US = frozenset({500, 502, 503, 504, 530, 534, 535, 538})


class EmailCarrier:
    """One connection, opened at the first message. `sender` is the address it comes from, `name` whose it is.

    `bounces`: where what cannot be delivered goes back to, with `{}` for a word of ours; without it to the sender.
    """

    knows_again = Carrier.EMAIL in KNOWS_AGAIN

    def __init__(
        self,
        server: MailServer,
        sender: str,
        name: str,
        *,
        bounces: str | None = None,
        tls_context: ssl.SSLContext | None = None,
        timeout_s: float = TIMEOUT_S,
        whole_s: float = WHOLE_S,
    ) -> None:
        self._server = server
        self._sender = sender
        self._name = name
        self._bounces = bounces
        self._tls_context = tls_context
        self._timeout_s = timeout_s
        self._whole_s = whole_s
        self._smtp: aiosmtplib.SMTP | None = None
        self._used_at = 0.0

    async def send(self, contact: Contact, message: Message) -> Outcome:
        """Hand one message over. Raises nothing but CancelledError, after which it may have been sent."""
        if not ADDRESS.fullmatch(contact.to):
            return Outcome(Fate.REFUSED, "address")
        attempt = _Attempt()
        try:
            async with asyncio.timeout(self._whole_s):
                outcome = await self._hand_over(contact.to, message, attempt)
        except Exception as error:
            self._drop()
            if not isinstance(error, (aiosmtplib.SMTPException, OSError)):  # TimeoutError is an OSError
                _log.error("sending failed", error=type(error).__name__)  # no traceback: it could quote an answer
            fate = Fate.UNCERTAIN if attempt.has_sent_dot else Fate.AGAIN
            outcome = Outcome(fate, _code(error, attempt), isinstance(error, TimeoutError))
        except BaseException:
            self._drop()  # cancelled in the middle of a dialogue
            raise
        self._used_at = asyncio.get_running_loop().time()
        return outcome

    async def close(self) -> None:
        """Say goodbye, where there is anybody; may be repeated."""
        if self._smtp is not None and self._smtp.is_connected:
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                await self._smtp.quit()
        self._drop()

    async def _hand_over(self, to: str, message: Message, attempt: "_Attempt") -> Outcome:
        smtp = await self._connection(attempt)
        attempt.stage = "mail"
        back = self._bounces.format(message.token) if self._bounces and message.token else self._sender
        answer = await smtp.execute_command(b"MAIL", f"FROM:<{back}>".encode("ascii"))
        if answer.code != 250:  # about our own address: never the resident's fault
            return await self._not_sent(smtp, Fate.AGAIN, answer.code)
        attempt.stage = "rcpt"
        answer = await smtp.execute_command(b"RCPT", f"TO:<{to}>".encode("ascii"))
        if answer.code in SYNTAX and ODD_DOTS.match(to):
            local, _, domain = to.rpartition("@")
            to = f'"{local}"@{domain}'
            answer = await smtp.execute_command(b"RCPT", f"TO:<{to}>".encode("ascii"))
        if answer.code not in (250, 251, 252):
            return await self._not_sent(smtp, _fate(answer), answer.code)
        attempt.stage = "data"
        answer = await smtp.execute_command(b"DATA")
        if answer.code != 354:
            return await self._not_sent(smtp, _fate_of_letter(answer), answer.code)
        answer = await self._content(smtp, self.letter(to, message), attempt)
        if answer.code == 250:
            return Outcome(Fate.ACCEPTED, "250")
        if not 400 <= answer.code <= 599:
            self._drop()
            return Outcome(Fate.UNCERTAIN, str(answer.code))
        if answer.code == 421:
            self._drop()
        return Outcome(_fate_of_letter(answer), str(answer.code))

    async def _content(self, smtp: aiosmtplib.SMTP, letter: bytes, attempt: "_Attempt") -> aiosmtplib.SMTPResponse:
        """The letter, then, if the line still stands, the dot. From the dot on it may have arrived."""
        line = smtp.protocol
        if line is None:
            raise aiosmtplib.SMTPServerDisconnected("gone")
        line.write(letter)
        await asyncio.sleep(0)  # a server that has hung up is noticed before the dot, not after it
        if not line.is_connected:
            raise aiosmtplib.SMTPServerDisconnected("gone")
        attempt.stage, attempt.has_sent_dot = "dot", True
        line.write(b".\r\n")
        return await line.read_response(timeout=self._timeout_s)

    async def _not_sent(self, smtp: aiosmtplib.SMTP, fate: Fate, code: int) -> Outcome:
        """The server said no before the letter: the connection goes on, for the next one."""
        try:
            await smtp.rset()
        except (aiosmtplib.SMTPException, OSError):
            self._drop()
        return Outcome(fate, str(code))

    async def _connection(self, attempt: "_Attempt") -> aiosmtplib.SMTP:
        if self._smtp is not None and self._smtp.is_connected:
            if asyncio.get_running_loop().time() - self._used_at < FRESH_S:
                return self._smtp
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                await self._smtp.noop()
                return self._smtp
        self._drop()
        attempt.stage = "connect"
        server = self._server
        self._smtp = smtp = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            local_hostname=self._sender.rpartition("@")[2],
            timeout=self._timeout_s,
            use_tls=server.tls == "always",
            start_tls=server.tls == "starttls",
            validate_certs=True,
            tls_context=self._tls_context,
        )
        await smtp.connect()
        await smtp.noop()  # says EHLO, where neither TLS nor login have
        return smtp

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
        self._smtp = None

    def letter(self, to: str, message: Message) -> bytes:
        """The whole message as it goes over the wire, dots stuffed, the final dot left out.

        The same notice always has the same Message-ID. What must stay on one line is written by hand: the library
        would break a long address into encoded words.
        """
        of_sender = self._sender.rpartition("@")[2]
        identity = hashlib.sha256(message.notice.encode()).hexdigest()[:32]
        made = EmailMessage(policy=SMTP_POLICY)
        made["From"] = Address(self._name, addr_spec=self._sender)
        made["Subject"] = message.text.subject
        made["Date"] = format_datetime(message.date)
        made["Auto-Submitted"] = "auto-generated"
        made.set_content(message.text.body, cte="base64")  # seven bits: a server need not know 8BITMIME
        by_hand = (
            f"Message-ID: <{identity}@{of_sender}>\r\n"
            f"To: {to}\r\n"
            f"List-Unsubscribe: <{message.stop_url}>\r\n"
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
        )
        whole = by_hand.encode("ascii") + made.as_bytes()
        return re.sub(rb"(?m)^\.", b"..", whole)


class _Attempt:
    """How far one try has come."""

    def __init__(self) -> None:
        self.stage = "connection"
        self.has_sent_dot = False


def _fate(answer: aiosmtplib.SMTPResponse) -> Fate:
    """Of an address. What a policy says (RFC 3463, X.7) is about us: the contact must not be erased for it."""
    if not 500 <= answer.code <= 599 or answer.code in ABOUT_US:
        return Fate.AGAIN
    return Fate.ELSEWHERE if answer.message.startswith("5.7.") else Fate.REFUSED


def _fate_of_letter(answer: aiosmtplib.SMTPResponse) -> Fate:
    """Of a letter to an address that was taken: what is refused is the letter, unless the answer names the address."""
    fate = _fate(answer)
    return Fate.ELSEWHERE if fate is Fate.REFUSED and not answer.message.startswith("5.1.") else fate


def _code(error: Exception, attempt: _Attempt) -> str:
    """A word for the log: where it ended, and the server's number if it gave one."""
    match error:
        case aiosmtplib.SMTPAuthenticationError():
            return f"login {error.code}"
        case aiosmtplib.SMTPResponseException():
            return f"{attempt.stage} {error.code}"
        case ssl.SSLError():
            return "certificate"
        case TimeoutError():
            return f"{attempt.stage} timeout"
        case aiosmtplib.SMTPServerDisconnected() | aiosmtplib.SMTPConnectError() | OSError():
            return f"{attempt.stage} lost"
        case aiosmtplib.SMTPException():
            return f"{attempt.stage} unwilling"  # no STARTTLS, or no way to log in, where we need one
        case _:
            return f"{attempt.stage} fault"
