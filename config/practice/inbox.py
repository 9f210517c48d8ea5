"""A stand-in for everybody's mail provider: takes every mail for anybody, and shows it to whoever practises.

Mails stay in memory, the last KEPT of them, and nothing leaves this machine. A policy lets it behave as badly as
providers do; without one it takes everything.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from enum import StrEnum

from aiosmtpd.smtp import SMTP, Envelope, Session

HOST = "127.0.0.1"
KEPT = 500  # mails; a peak day of practice has some 330
MAIL_BYTES = 1 << 20  # ours have two thousand
NAME = "inbox.invalid"  # how it greets; a name that no real machine can have


class Conduct(StrEnum):
    """What becomes of one recipient's mail."""

    TAKE = "take"
    REFUSE = "refuse"  # 550: never
    DEFER = "defer"  # 451: not now
    CUT_BEFORE_DOT = "cut before dot"  # the line breaks while the mail is sent: it has not arrived
    CUT_AFTER_DOT = "cut after dot"  # the line breaks before the answer: it has arrived, and the sender cannot know


Policy = Callable[[str], Conduct]  # asked once for each recipient of each try


def take_all(address: str) -> Conduct:
    del address
    return Conduct.TAKE


@dataclass(frozen=True, slots=True)
class Mail:
    """`id`: its place in this inbox, later ones greater; `to`: whom the envelope names; `text`: what is read."""

    id: int
    to: Sequence[str]
    subject: str
    message_id: str
    received_at: datetime
    text: str


class Inbox:
    """The last mails. `name` is another after each start: ids of two names are not of one row."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.name = secrets.token_hex(8)
        self.received = 0
        self._now = now
        self._mails: deque[Mail] = deque(maxlen=KEPT)

    @property
    def mails(self) -> list[Mail]:
        """Newest first."""
        return list(reversed(self._mails))

    def put(self, to: Sequence[str], content: bytes) -> None:
        self.received += 1
        message = message_from_bytes(content, policy=default)
        self._mails.append(
            Mail(
                id=self.received,
                to=tuple(to),
                subject=str(message.get("Subject", "")),
                message_id=str(message.get("Message-ID", "")).strip(),
                received_at=self._now(),
                text=_text_of(message),
            )
        )


@asynccontextmanager
async def receiving(
    inbox: Inbox, port: int = 0, policy: Policy = take_all, *, echo: bool = False
) -> AsyncIterator[int]:
    """Take mails on loopback until the block ends; gives the port. `echo`: answers repeat the address, as many do.

    Raises OSError where the port is taken.
    """
    lines: set[asyncio.BaseTransport] = set()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Line(inbox, policy, lines, echo=echo), HOST, port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for line in list(lines):
            _cut(line)
        await server.wait_closed()


class _Line(SMTP):
    """One sender's connection."""

    def __init__(self, inbox: Inbox, policy: Policy, lines: set[asyncio.BaseTransport], *, echo: bool) -> None:
        super().__init__(
            _Clerk(inbox, policy, echo=echo),
            hostname=NAME,
            ident="practice",
            data_size_limit=MAIL_BYTES,
            loop=asyncio.get_running_loop(),
        )
        self._lines = lines
        self._line: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._line = transport
        self._lines.add(transport)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self._line is not None:
            self._lines.discard(self._line)
        super().connection_lost(error)

    async def smtp_DATA(self, arg: str) -> None:
        clerk = self.event_handler
        if isinstance(clerk, _Clerk) and Conduct.CUT_BEFORE_DOT in clerk.conduct and self._line is not None:
            await self.push("354 go on")
            _cut(self._line)
            return
        await super().smtp_DATA(arg)


class _Clerk:
    """What aiosmtpd asks at each step; the policy decides. `conduct`: of the mail under way."""

    def __init__(self, inbox: Inbox, policy: Policy, *, echo: bool) -> None:
        self.conduct: set[Conduct] = set()
        self._inbox, self._policy, self._echo = inbox, policy, echo

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del server, session
        self.conduct = set()
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del server, session
        conduct = self._policy(address)
        whom = f" <{address}>" if self._echo else ""
        if conduct is Conduct.REFUSE:
            return f"550 5.1.1{whom} no such mailbox"
        if conduct is Conduct.DEFER:
            return f"451 4.3.0{whom} try again later"
        self.conduct.add(conduct)
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return f"250 2.1.5{whom} OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        del session
        content = envelope.content or b""
        self._inbox.put([str(to) for to in envelope.rcpt_tos], content if isinstance(content, bytes) else b"")
        if Conduct.CUT_AFTER_DOT in self.conduct and server.transport is not None:
            _cut(server.transport)
        return f"250 2.0.0 taken{f' for {envelope.rcpt_tos[0]}' if self._echo else ''}"


def _cut(line: asyncio.BaseTransport) -> None:
    if isinstance(line, asyncio.Transport):
        line.abort()  # at once: nothing that waits is sent any more


def _text_of(message: EmailMessage) -> str:
    """The plain text, or the source of the page where a mail has no other; never an error."""
    body = message.get_body(("plain", "html"))
    if body is None:
        return ""
    with suppress(LookupError, ValueError):  # a character set that nobody knows
        return str(body.get_content()).replace("\r\n", "\n")
    raw = body.get_payload(decode=True)
    return raw.decode("ascii", errors="replace") if isinstance(raw, bytes) else ""
