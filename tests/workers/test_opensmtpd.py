"""The same carrier against a mail server that nobody here wrote: OpenSMTPD, as Debian ships it."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from hub.store.sealing import Contact
from tests.eventually import eventually
from tests.workers.postbox import BAD, HOST, maildir_running
from workers.carriers.email import EmailCarrier
from workers.carriers.sending import Fate, Message, Outcome
from workers.carriers.server import MailServer
from workers.wording import registered

STOP = "https://junban.example.jp/stop/abcdefghijklmnopqrstuv"
DATE = datetime(2026, 11, 24, 9, 30, tzinfo=timezone(timedelta(hours=9)))
MESSAGE = Message("some-subscription:registered", registered("さくら区役所", STOP), STOP, DATE)


@pytest.fixture
async def carrier(tmp_path: Path) -> AsyncIterator[EmailCarrier]:
    async with maildir_running(tmp_path) as port:
        made = EmailCarrier(MailServer(HOST, port, "never"), "junban@city.example.jp", "さくら区役所")
        yield made
        await made.close()


async def delivered(folder: Path, to: str) -> EmailMessage:
    def look() -> EmailMessage | None:
        new = (folder / "Maildir" / "new").glob("*")
        letters = [message_from_bytes(path.read_bytes(), _class=EmailMessage, policy=default) for path in new]
        return next((letter for letter in letters if to in str(letter["To"])), None)

    found = await eventually(look, 20.0)
    assert found is not None
    return found


async def test_a_letter_is_delivered_whole(tmp_path: Path, carrier: EmailCarrier) -> None:
    to = "hanako.suzuki@docomo.ne.jp"
    assert await carrier.send(Contact(to, "t"), MESSAGE) == Outcome(Fate.ACCEPTED, "250")
    letter = await delivered(tmp_path, to)
    assert letter["Subject"] == MESSAGE.text.subject
    assert letter.get_content().replace("\r\n", "\n") == MESSAGE.text.body
    assert letter["List-Unsubscribe"] == f"<{STOP}>"
    assert letter["Message-ID"].endswith("@city.example.jp>")


async def test_an_address_that_it_does_not_take_is_refused_and_the_next_goes_on(carrier: EmailCarrier) -> None:
    assert (await carrier.send(Contact(BAD, "t"), MESSAGE)).fate is Fate.REFUSED
    assert (await carrier.send(Contact("hanako@example.test", "t"), MESSAGE)).fate is Fate.ACCEPTED


async def test_odd_dots_get_a_clear_answer(carrier: EmailCarrier) -> None:
    """6.8 takes them neither plain nor in quotes: such an address is refused by this server, and the resident told."""
    for to in ("taro..yamada@example.test", "taro.@example.test", ".taro@example.test"):
        assert (await carrier.send(Contact(to, "t"), MESSAGE)).fate in (Fate.ACCEPTED, Fate.REFUSED)
