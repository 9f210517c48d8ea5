"""What our carriers send, held against the official descriptions of LINE's and Twilio's APIs.

The descriptions are read where `JUNBAN_PEERS` says (`../shared/peers` beside the repository) and are no part of it.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from openapi_core import OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from werkzeug.datastructures import Headers, ImmutableMultiDict

from config.practice.line_stand_in import LineStandIn
from config.practice.phone_stand_in import PhoneStandIn
from hub.desk.notices import Trigger
from hub.store.sealing import By, Contact, Language
from tests.workers.test_line import CONTACT, SECRET, TOKEN, at_line, message
from tests.workers.test_phone import MOBILE, at_carrier
from tests.workers.test_phone import message as by_phone

PEERS = Path(os.environ.get("JUNBAN_PEERS") or Path(__file__).parents[3] / "shared" / "peers")
DATA_HOST = "https://api.line.me"


class Sent:
    """One request, as openapi-core wants to see it."""

    def __init__(self, url: str, path: str, headers: Mapping[str, str], body: bytes) -> None:
        self.host_url, self.path, self.method = url, path, "post"
        self.body, self.content_type = body, headers["content-type"].partition(";")[0]
        self.parameters = RequestParameters(
            query=ImmutableMultiDict(), header=Headers(list(headers.items())), cookie=ImmutableMultiDict()
        )


def described(*parts: str) -> dict[str, Any]:
    path = PEERS.joinpath(*parts)
    if not path.is_file():
        pytest.skip(
            f"!!! NOT CHECKED: {path} is not there; set JUNBAN_PEERS to the folder of the official descriptions"
        )
    text = path.read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    return found


def only(whole: dict[str, Any], *paths: str) -> OpenAPI:
    """The description of these paths: all of it takes half a minute to read."""
    return OpenAPI.from_dict({**whole, "paths": {path: whole["paths"][path] for path in paths}})


async def test_a_push_is_what_line_describes() -> None:
    api = only(described("line", "messaging-api.yml"), "/v2/bot/message/push")
    stand_in = LineStandIn(TOKEN, SECRET)
    async with at_line(stand_in) as carrier:
        await carrier.send(CONTACT, message())
    ((headers, body),) = stand_in.requests
    api.validate_request(Sent(DATA_HOST, "/v2/bot/message/push", headers, body))
    with pytest.raises(OpenAPIError):  # otherwise it could not fail
        api.validate_request(Sent(DATA_HOST, "/v2/bot/message/push", headers, body.replace(b'"to"', b'"too"')))
    keyless = {**headers, "x-line-retry-key": "no uuid"}
    with pytest.raises(OpenAPIError):
        api.validate_request(Sent(DATA_HOST, "/v2/bot/message/push", keyless, body))


async def test_what_the_stand_in_tells_is_what_line_describes() -> None:
    api = only(described("line", "webhook.yml"), "/callback")
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
    paths = [f"/2010-04-01/Accounts/{{AccountSid}}/{kind}.json" for kind in ("Messages", "Calls")]
    api = only(described("twilio", "twilio_api_v2010.json"), *paths)
    stand_in = PhoneStandIn("AC" + "0" * 32, "token", tells=False)
    async with at_carrier(stand_in, account=stand_in.account) as carrier:
        await carrier.send(contact, by_phone(Trigger.NOW, contact))
    ((path, headers, body),) = stand_in.requests
    api.validate_request(Sent("https://api.twilio.com", path, headers, body))
    with pytest.raises(OpenAPIError):
        api.validate_request(Sent("https://api.twilio.com", path, headers, body.replace(b"To=", b"Too=")))
