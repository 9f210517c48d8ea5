"""Telephone: what is sent is what was meant, what nobody can know is said to be so, and no carrier's word gets out."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs
from xml.etree import ElementTree

import pytest
import structlog

from config.practice.conduct import Conduct
from config.practice.phone_stand_in import PhoneStandIn
from hub.desk.notices import Trigger
from hub.store.sealing import By, Contact, Language
from tests.workers.stand_ins import serving
from workers.carriers.phone import PhoneCarrier
from workers.carriers.sending import Fate, Message, Outcome
from workers.carriers.server import PhoneServer
from workers.wording import Matter, telephone

NUMBER = "+819012345678"
NOW = datetime(2026, 11, 24, 9, 30, tzinfo=timezone(timedelta(hours=9)))
TOKEN = "token"
MOBILE = Contact(NUMBER, "t")
HEARD = "https://junban.example.jp/phone/0123456789012345678901"
STOP = "https://junban.example.jp/stop/x"


def message(trigger: Trigger = Trigger.NEAR, contact: Contact = MOBILE) -> Message:
    matter = Matter(
        "さくら区役所 <戸籍&住民課>",
        trigger,
        "A101",
        "証明",
        3,
        "https://junban.example.jp",
        STOP,
        counter="1番窓口",
        language=contact.language,
        by=contact.by,
    )
    return Message(f"s:{trigger}", telephone(matter), STOP, NOW, HEARD)


@asynccontextmanager
async def at_carrier(
    stand_in: PhoneStandIn, secret: str = TOKEN, account: str = "practice"
) -> AsyncIterator[PhoneCarrier]:
    async with serving(stand_in.routes()) as url:
        carrier = PhoneCarrier(PhoneServer(url, account, secret, "+815000000000"), timeout_s=5.0)
        try:
            yield carrier
        finally:
            await carrier.close()


def stand_in_of(conduct: Conduct = Conduct.TAKE) -> PhoneStandIn:
    return PhoneStandIn("practice", "token", policy=lambda to: conduct, tells=False)


async def test_a_short_message_says_what_is_the_matter_and_lives_five_minutes() -> None:
    stand_in = stand_in_of()
    async with at_carrier(stand_in) as carrier:
        assert await carrier.send(Contact(NUMBER, "t"), message()) == Outcome(Fate.ACCEPTED, "201")
    ((path, _, body),) = stand_in.requests
    assert path == "/2010-04-01/Accounts/practice/Messages.json"
    assert parse_qs(body.decode()) == {
        "To": [NUMBER],
        "From": ["+815000000000"],
        "Body": ["さくら区役所 <戸籍&住民課>です。まもなく順番です。窓口の近くでお待ちください。"],
        "StatusCallback": [HEARD],
        "ValidityPeriod": ["300"],
    }


@pytest.mark.parametrize(("language", "voice"), [(Language.JAPANESE, "ja-JP"), (Language.ENGLISH, "en-US")])
async def test_a_call_is_spoken_in_its_language_and_offers_to_stop(language: Language, voice: str) -> None:
    stand_in, contact = stand_in_of(), Contact(NUMBER, "t", By.VOICE, language)
    async with at_carrier(stand_in) as carrier:
        assert (await carrier.send(contact, message(Trigger.NOW, contact))).fate is Fate.ACCEPTED
    ((path, _, body),) = stand_in.requests
    assert path.endswith("/Calls.json")
    (twiml,) = parse_qs(body.decode())["Twiml"]
    spoken = ElementTree.fromstring(twiml)  # noqa: S314 - ours
    gather = spoken.find("Gather")
    assert gather is not None
    assert (gather.get("action"), gather.get("numDigits")) == (f"{HEARD}/keys", "1")
    said = [(say.get("language"), say.text or "") for say in gather.findall("Say")]
    assert {language for language, _ in said} == {voice}
    assert "<戸籍&住民課>" in said[0][1]
    assert "1" in said[-1][1]


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("trigger", list(Trigger))
@pytest.mark.parametrize("by", list(By))
def test_a_telephone_hears_no_number_no_business_and_no_counter(trigger: Trigger, by: By, language: Language) -> None:
    text = message(trigger, Contact(NUMBER, "t", by, language)).text
    for hidden in ("A101", "証明", "1番窓口"):
        assert hidden not in text.subject + text.body
    assert (STOP in text.body) is (trigger is Trigger.REGISTERED and by is By.SMS)


@pytest.mark.parametrize("trigger", list(Trigger))
def test_english_sentences_stand_apart(trigger: Trigger) -> None:
    text = message(trigger, Contact(NUMBER, "t", By.SMS, Language.ENGLISH)).text.body.replace(STOP, "")
    assert re.search(r"[.:](?=[A-Za-z])", text) is None, text


@pytest.mark.parametrize(
    ("conduct", "outcome"),
    [
        (Conduct.REFUSE, Outcome(Fate.REFUSED, "400 21211")),
        (Conduct.BUSY, Outcome(Fate.AGAIN, "429")),
        (Conduct.AWAY, Outcome(Fate.AGAIN, "503")),
        (Conduct.TAKE_AND_FAIL, Outcome(Fate.UNCERTAIN, "500")),
        (Conduct.TAKE_SILENTLY, Outcome(Fate.UNCERTAIN, "lost")),
    ],
)
async def test_what_the_carrier_says_becomes_a_code(conduct: Conduct, outcome: Outcome) -> None:
    with structlog.testing.capture_logs() as lines:
        async with at_carrier(stand_in_of(conduct)) as carrier:
            assert await carrier.send(Contact(NUMBER, "t"), message()) == outcome
    assert NUMBER not in repr((outcome, lines))


async def test_a_wrong_token_is_our_fault_and_no_reason_to_erase_anybody() -> None:
    async with at_carrier(stand_in_of(), secret="another") as carrier:
        assert await carrier.send(Contact(NUMBER, "t"), message()) == Outcome(Fate.AGAIN, "401")


async def test_a_carrier_that_is_not_there_got_nothing() -> None:
    carrier = PhoneCarrier(PhoneServer("http://127.0.0.1:9", "practice", "token", "+815000000000"))
    assert await carrier.send(Contact(NUMBER, "t"), message()) == Outcome(Fate.AGAIN, "connect lost")
    await carrier.close()
