"""The same carrier against a mail server that nobody here wrote: OpenSMTPD, as Debian ships it."""

import os
import pwd
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from config import processes
from hub.store.sealing import Contact
from tests.conftest import find_smtpd, lacking
from tests.eventually import eventually
from tests.ports import free_ports
from workers.carriers.email import EmailCarrier
from workers.carriers.sending import Fate, Message, Outcome
from workers.carriers.server import MailServer
from workers.wording import registered

HOST = "127.0.0.1"
OWNER = "games"  # an unprivileged account of every Debian; the server will not deliver to root
SENDER = "junban@city.example.jp"
STOP = "https://junban.example.jp/stop/abcdefghijklmnopqrstuv"
DATE = datetime(2026, 11, 24, 9, 30, tzinfo=timezone(timedelta(hours=9)))
MESSAGE = Message("some-subscription:registered", registered("さくら区役所", STOP), STOP, DATE)


@dataclass(frozen=True)
class MailHost:
    port: int
    new: Path

    def letters(self) -> list[EmailMessage]:
        return [
            message_from_bytes(path.read_bytes(), _class=EmailMessage, policy=default) for path in self.new.glob("*")
        ]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailHost]:
    binary = find_smtpd() or lacking("OpenSMTPD", "opensmtpd")
    owner = pwd.getpwnam(OWNER)
    # Not below the tests' own folder: that is closed to the account that takes the mail.
    with processes.Workshop(prefix="junban-mail-") as folder:
        folder.chmod(0o755)
        box = folder / "box"
        box.mkdir()
        os.chown(box, owner.pw_uid, owner.pw_gid)
        port = free_ports(1)[0]
        conf = folder / "smtpd.conf"
        conf.write_text(
            f"listen on {HOST} port {port} hostname mx.ward.example\n"
            f'table v {{ "@example.test" = {OWNER} }}\n'
            'table badrcpt { "bad@example.test" }\n'
            f'action "keep" maildir "{box}/Maildir" virtual <v>\n'
            "match from any for rcpt-to <badrcpt> reject\n"
            'match from any for domain "example.test" action "keep"\n'
        )
        with (folder / "smtpd.log").open("wb") as log:
            child = processes.start([binary, "-d", "-f", conf], name="OpenSMTPD", stdout=log, stderr=log)
        try:
            _wait_for(port, child)
            yield MailHost(port, box / "Maildir" / "new")
        finally:
            child.stop()


def _wait_for(port: int, child: processes.Child) -> None:
    import anyio

    def greets() -> bool:
        assert child.is_running or pytest.fail("OpenSMTPD ended at its start (is another one running?)")
        try:
            with socket.create_connection((HOST, port), timeout=2) as line:
                return line.recv(4).startswith(b"220")
        except OSError:
            return False

    anyio.run(eventually, greets, 20.0)


@pytest.fixture
async def carrier(host: MailHost) -> AsyncIterator[EmailCarrier]:
    made = EmailCarrier(MailServer(HOST, host.port, "never"), SENDER, "さくら区役所")
    yield made
    await made.close()


async def test_a_letter_is_delivered_whole(host: MailHost, carrier: EmailCarrier) -> None:
    assert await carrier.send(Contact("taro@example.test", "t"), MESSAGE) == Outcome(Fate.ACCEPTED, "250")

    def delivered() -> EmailMessage | None:
        return next((letter for letter in host.letters() if letter["To"] == "taro@example.test"), None)

    letter = await eventually(delivered, 20.0)
    assert letter is not None
    assert letter["Subject"] == MESSAGE.text.subject
    assert letter.get_content().replace("\r\n", "\n") == MESSAGE.text.body
    assert letter["List-Unsubscribe"] == f"<{STOP}>"
    assert letter["Message-ID"].endswith("@city.example.jp>")


async def test_an_address_that_it_does_not_take_is_refused_and_the_next_goes_on(carrier: EmailCarrier) -> None:
    assert (await carrier.send(Contact("bad@example.test", "t"), MESSAGE)).fate is Fate.REFUSED
    assert (await carrier.send(Contact("nobody@elsewhere.test", "t"), MESSAGE)).fate is Fate.REFUSED
    assert (await carrier.send(Contact("hanako@example.test", "t"), MESSAGE)).fate is Fate.ACCEPTED


@pytest.mark.parametrize("to", ["taro..yamada@example.test", "taro.@example.test", ".taro@example.test"])
async def test_odd_dots_get_a_clear_answer(carrier: EmailCarrier, to: str) -> None:
    assert (await carrier.send(Contact(to, "t"), MESSAGE)).fate in (Fate.ACCEPTED, Fate.REFUSED)
