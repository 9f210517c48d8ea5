"""What our carriers send, held against the official descriptions of LINE's and Twilio's APIs (`described.py`)."""

import pytest
from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError

from config.practice.line_stand_in import LineStandIn
from config.practice.phone_stand_in import PhoneStandIn
from hub.desk.notices import Trigger
from hub.store.sealing import By, Contact, Language
from tests.conftest import not_checked
from tests.workers.described import (
    ANYBODY,
    LINE,
    LINE_HOST,
    PLACES,
    PUSH,
    TELEPHONE,
    TWILIO,
    TWILIO_HOST,
    WEBHOOK,
    Sent,
    check_stand_ins,
    description,
)
from tests.workers.test_line import CONTACT, SECRET, TOKEN, at_line, message
from tests.workers.test_phone import MOBILE, at_carrier
from tests.workers.test_phone import message as by_phone


def described(parts: tuple[str, ...], *paths: str) -> OpenAPI:
    api = description(parts, paths)
    if api is None:
        not_checked(
            f"{'/'.join(parts)} is in none of {', '.join(map(str, PLACES))}",
            "set JUNBAN_PEERS to the folder of the official descriptions",
        )
    return api


async def test_a_push_is_what_line_describes() -> None:
    api = described(LINE, PUSH)
    stand_in = LineStandIn(TOKEN, SECRET)
    async with at_line(stand_in) as carrier:
        await carrier.send(CONTACT, message())
    ((headers, body),) = stand_in.requests
    api.validate_request(Sent(LINE_HOST, PUSH, headers, body))
    with pytest.raises(OpenAPIError):  # otherwise it could not fail
        api.validate_request(Sent(LINE_HOST, PUSH, headers, body.replace(b'"to"', b'"too"')))
    keyless = {**headers, "x-line-retry-key": "no uuid"}
    with pytest.raises(OpenAPIError):
        api.validate_request(Sent(LINE_HOST, PUSH, keyless, body))


async def test_what_the_stand_in_tells_is_what_line_describes() -> None:
    api = described(WEBHOOK, "/callback")
    stand_in = LineStandIn(TOKEN, SECRET)
    told = {"id": "1", "type": "text", "text": "7K3D-9QXM"}
    body, _ = stand_in.signed(
        stand_in.event(CONTACT.to, "message", message=told),
        stand_in.event(CONTACT.to, "follow", follow={"isUnblocked": False}),
        stand_in.event(CONTACT.to, "unfollow"),
    )
    headers = {"content-type": "application/json", "x-line-signature": "x"}
    api.validate_request(Sent("https://example.com", "/callback", headers, body))


@pytest.mark.parametrize("contact", [MOBILE, Contact(MOBILE.to, "t", By.VOICE, Language.ENGLISH)], ids=["sms", "voice"])
async def test_a_message_by_telephone_is_what_twilio_describes(contact: Contact) -> None:
    api = described(TWILIO, *TELEPHONE)
    stand_in = PhoneStandIn(ANYBODY, "token", tells=False)
    async with at_carrier(stand_in, account=stand_in.account) as carrier:
        await carrier.send(contact, by_phone(Trigger.NOW, contact))
    ((path, headers, body),) = stand_in.requests
    api.validate_request(Sent(TWILIO_HOST, path, headers, body))
    with pytest.raises(OpenAPIError):
        api.validate_request(Sent(TWILIO_HOST, path, headers, body.replace(b"To=", b"Too=")))


async def test_stand_ins_are_checked_as_a_whole_wherever_they_are_used() -> None:
    described(LINE, PUSH)
    described(TWILIO, *TELEPHONE)
    line, phone = LineStandIn(TOKEN, SECRET), PhoneStandIn("practice", "token", tells=False)
    async with at_line(line) as carrier:
        await carrier.send(CONTACT, message())
    async with at_carrier(phone) as by_telephone:
        await by_telephone.send(MOBILE, by_phone(Trigger.NOW, MOBILE))
    check_stand_ins(line, phone)
    headers, body = line.requests[0]
    line.requests.append((headers, body.replace(b'"to"', b'"too"')))
    with pytest.raises(OpenAPIError):
        check_stand_ins(line, phone)
