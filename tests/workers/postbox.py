"""Mail servers to send to: one of this process that can be told to misbehave, and one that nobody here wrote."""

import asyncio
import datetime
import ipaddress
import os
import pwd
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from config import processes
from tests.conftest import find_smtpd, lacking
from tests.eventually import eventually
from tests.ports import free_ports
from workers.carriers.server import MailServer

HOST = "127.0.0.1"
OWNER = "games"  # an unprivileged account of every Debian: OpenSMTPD delivers nothing to root
BAD = "bad@example.test"  # the one address that it refuses


@dataclass(slots=True)
class Letter:
    """What arrived."""

    sender: str
    to: str
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        found = message_from_bytes(self.raw, policy=default)
        assert isinstance(found, EmailMessage)
        return found


@dataclass
class Postbox:
    """How the server behaves, to be changed at any time; `{}` in an answer is the address, as servers echo it."""

    letters: list[Letter] = field(default_factory=list)
    connections: int = 0  # greetings; through STARTTLS a connection makes two
    commands: list[str] = field(default_factory=list)
    mail: str = "250 ok"
    rcpt: dict[str, str] = field(default_factory=dict)  # address as it stood in the envelope → answer
    data: str = "250 ok"
    drop: str = ""  # "rcpt", "data" (before the letter), "dot" (after it, the letter is kept): hang up there
    port: int = 0

    @property
    def server(self) -> MailServer:
        return MailServer(HOST, self.port, "never")

    async def handle_MAIL(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        if self.mail.startswith("250"):
            envelope.mail_from = address
        return self.mail.format(address)

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        answer = self.rcpt.get(address, "250 ok").format(address)
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.data.startswith("250"):
            assert isinstance(envelope.content, bytes)
            self.letters.append(Letter(str(envelope.mail_from), envelope.rcpt_tos[0], envelope.content))
        if self.drop == "dot":
            _abort(server)
        return self.data.format(envelope.rcpt_tos[0])


class _Server(SMTP):
    """Tells the box of connections and commands, and hangs up where the box says so."""

    box: Postbox

    async def smtp_EHLO(self, hostname: str) -> None:
        self.box.connections += 1  # not `connection_made`: the controller looks in once by itself
        await super().smtp_EHLO(hostname)

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        """As it stands between the brackets: this server is not to be stricter than a carrier's."""
        address, _, rest = arg.lstrip("<").rpartition(">")
        return address, rest

    async def smtp_RCPT(self, arg: str) -> None:
        self.box.commands.append("RCPT")
        if self.box.drop == "rcpt":
            return _abort(self)
        await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg: str) -> None:
        self.box.commands.append("DATA")
        if self.box.drop == "data":
            return _abort(self)
        await super().smtp_DATA(arg)


def _abort(server: SMTP) -> None:
    assert isinstance(server.transport, asyncio.Transport)
    server.transport.close()


class _Controller(Controller):
    def __init__(self, box: Postbox, **named: Any) -> None:
        self._box = box
        self._named = named
        super().__init__(box, hostname=HOST, port=box.port, ready_timeout=10)

    def factory(self) -> SMTP:
        made = _Server(self.handler, hostname="mx.example.test", **self._named)
        made.box = self._box
        return made


@contextmanager
def postbox(*, tls: ssl.SSLContext | None = None, password: str | None = None) -> Iterator[Postbox]:
    """A server on loopback. With `tls` it takes nothing without STARTTLS, with `password` nothing without login."""
    named: dict[str, Any] = {"tls_context": tls, "require_starttls": tls is not None}
    if password is not None:

        def check(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
            is_right = isinstance(data, LoginPassword) and data.password == password.encode()
            return AuthResult(success=is_right, handled=is_right)

        named |= {"authenticator": check, "auth_required": True, "auth_require_tls": tls is not None}
    box = Postbox(port=free_ports(1)[0])
    controller = _Controller(box, **named)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


@asynccontextmanager
async def maildir_running(folder: Path) -> AsyncIterator[int]:
    """OpenSMTPD on loopback; gives its port. Every address but BAD is delivered to `folder/Maildir`."""
    binary = find_smtpd() or lacking("OpenSMTPD (it starts as root only)", "opensmtpd")
    owner, port = pwd.getpwnam(OWNER), free_ports(1)[0]
    with processes.Workshop(prefix="junban-mail-") as shop:  # the tests' own folder is closed to other accounts
        shop.chmod(0o755)
        box = shop / "box"
        (box / "Maildir" / "new").mkdir(parents=True)
        for made in (box, box / "Maildir", box / "Maildir" / "new"):
            os.chown(made, owner.pw_uid, owner.pw_gid)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "Maildir").symlink_to(box / "Maildir")
        (conf := shop / "smtpd.conf").write_text(
            f"listen on {HOST} port {port} hostname mx.ward.example\n"
            f'table v {{ "@" = {OWNER} }}\n'
            f'table badrcpt {{ "{BAD}" }}\n'
            f'action "keep" maildir "{box}/Maildir" virtual <v>\n'
            "match from any for rcpt-to <badrcpt> reject\n"
            'match from any for any action "keep"\n'
        )
        with (shop / "smtpd.log").open("wb") as log:
            child = processes.start([binary, "-d", "-f", conf], name="OpenSMTPD", stdout=log, stderr=log)
        try:
            await eventually(lambda: _greets(port, child), 20.0)
            yield port
        finally:
            child.stop()


def _greets(port: int, child: processes.Child) -> bool:
    if not child.is_running:
        raise RuntimeError("OpenSMTPD ended at its start; does another one run on this machine?")
    try:
        with socket.create_connection((HOST, port), timeout=2) as line:
            return line.recv(4).startswith(b"220")
    except OSError:
        return False


def certificate(folder: Path, *, name: str = HOST) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """(the server's context, that of a client which trusts it); valid for the address `name`."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mx.example.test")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(name))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain, private = folder / "mx.pem", folder / "mx.key"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(chain, private)
    return server, ssl.create_default_context(cafile=str(chain))
