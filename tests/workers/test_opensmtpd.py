"""The same carrier against a mail server that nobody here wrote: OpenSMTPD, as Debian ships it."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone
from email.message import EmailMessage

import pytest

from hub.store.sealing import Contact
from tests.eventually import eventually
from tests.mail_host import HOST, MailHost
from workers.carriers.email import EmailCarrier
from workers.carriers.sending import Fate, Message, Outcome
from workers.carriers.server import MailServer
from workers.wording import registered

SENDER = "junban@city.example.jp"
STOP = "https://junban.example.jp/stop/abcdefghijklmnopqrstuv"
DATE = datetime(2026, 11, 24, 9, 30, tzinfo=timezone(timedelta(hours=9)))
MESSAGE = Message("some-subscription:registered", registered("さくら区役所", STOP), STOP, DATE)


@pytest.fixture
async def carrier(mail_host: MailHost) -> AsyncIterator[EmailCarrier]:
    made = EmailCarrier(MailServer(HOST, mail_host.port, "never"), SENDER, "さくら区役所")
    yield made
    await made.close()


async def test_a_letter_is_delivered_whole(mail_host: MailHost, carrier: EmailCarrier) -> None:
    assert await carrier.send(Contact("taro@example.test", "t"), MESSAGE) == Outcome(Fate.ACCEPTED, "250")

    def delivered() -> EmailMessage | None:
        return next((letter for letter in mail_host.letters() if letter["To"] == "taro@example.test"), None)

    letter = await eventually(delivered)
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
