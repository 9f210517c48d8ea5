"""Official descriptions of LINE's and Twilio's APIs, and whether what our stand-ins were sent fits them.

They are read where `JUNBAN_PEERS` says, or in `../shared/peers` beside the repository, and are no part of it. Where
they are not, nothing is checked, and `test_described` says so.
"""

import json
import os
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from openapi_core import OpenAPI
from openapi_core.datatypes import RequestParameters
from werkzeug.datastructures import Headers, ImmutableMultiDict

from config.practice.line_stand_in import LineStandIn
from config.practice.phone_stand_in import PhoneStandIn

ROOT = Path(__file__).parents[2]
PLACES = [Path(place) for place in (os.environ.get("JUNBAN_PEERS"), ROOT.parent / "shared" / "peers") if place]

LINE, WEBHOOK, TWILIO = ("line", "messaging-api.yml"), ("line", "webhook.yml"), ("twilio", "twilio_api_v2010.json")
PUSH = "/v2/bot/message/push"
TELEPHONE = tuple(f"/2010-04-01/Accounts/{{AccountSid}}/{kind}.json" for kind in ("Messages", "Calls"))
LINE_HOST, TWILIO_HOST = "https://api.line.me", "https://api.twilio.com"
ANYBODY = "AC" + "0" * 32  # an account as Twilio writes them; stand-ins have names that can be read


class Sent:
    """One request, as openapi-core wants to see it."""

    def __init__(self, url: str, path: str, headers: Mapping[str, str], body: bytes) -> None:
        self.host_url, self.path, self.method = url, path, "post"
        self.body, self.content_type = body, headers["content-type"].partition(";")[0]
        self.parameters = RequestParameters(
            query=ImmutableMultiDict(), header=Headers(list(headers.items())), cookie=ImmutableMultiDict()
        )


def place_of(*parts: str) -> Path | None:
    """Where this description lies."""
    return next((path for place in PLACES if (path := place.joinpath(*parts)).is_file()), None)


@cache
def description(parts: tuple[str, ...], paths: tuple[str, ...]) -> OpenAPI | None:
    """Of these paths alone: all of it takes half a minute to read. None where it is not there."""
    place = place_of(*parts)
    if place is None:
        return None
    text = place.read_text(encoding="utf-8")
    whole: dict[str, Any] = json.loads(text) if place.suffix == ".json" else yaml.safe_load(text)
    return OpenAPI.from_dict({**whole, "paths": {path: whole["paths"][path] for path in paths}})


def check_stand_ins(line: LineStandIn, phone: PhoneStandIn) -> None:
    """Every request that they took for one, well formed or not. Raises OpenAPIError."""
    _check(description(LINE, (PUSH,)), (Sent(LINE_HOST, PUSH, headers, body) for headers, body in line.requests))
    _check(
        description(TWILIO, TELEPHONE),
        (
            Sent(TWILIO_HOST, path.replace(f"/{phone.account}/", f"/{ANYBODY}/"), headers, body)
            for path, headers, body in phone.requests
        ),
    )


def _check(api: OpenAPI | None, requests: Iterable[Sent]) -> None:
    if api is not None:
        for request in requests:
            api.validate_request(request)
