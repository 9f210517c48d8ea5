"""A stand-in for a telephone carrier that speaks Twilio's REST form: nobody is called, and what was said stands here.

Nothing of what it does can be repeated: the same message again is a second message, as in earnest.
"""

import asyncio
import re
import secrets
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import aiohttp
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from config.practice.conduct import Broken, Conduct, Policy, take_all
from workers.carriers.phone import basic

KEPT = 1000
JAPAN = re.compile(r"\+81[0-9]{8,10}", re.ASCII)
FIELDS = {
    "Messages": frozenset({"To", "From", "Body", "StatusCallback", "ValidityPeriod"}),
    "Calls": frozenset({"To", "From", "Twiml", "StatusCallback", "Timeout"}),
}
SAYS = re.compile(r"<Say[^>]*>([^<]*)</Say>")


@dataclass(frozen=True, slots=True)
class Told:
    """One message. `kind`: Messages or Calls; `heard_url`: where what becomes of it is told."""

    id: str
    kind: str
    to: str
    text: str
    heard_url: str
    at: datetime

    @property
    def is_call(self) -> bool:
        return self.kind == "Calls"


@dataclass
class PhoneStandIn:
    """`policy` may be changed at any time; `tells`: whether it says afterwards that a message arrived."""

    account: str
    token: str
    policy: Policy = take_all
    tells: bool = True
    told: deque[Told] = field(default_factory=lambda: deque(maxlen=KEPT))
    # Every request as it came, for whoever holds it against the official description.
    requests: deque[tuple[str, Mapping[str, str], bytes]] = field(default_factory=lambda: deque(maxlen=KEPT * 20))
    on_told: Callable[[Told], None] = lambda told: None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _telling: set[asyncio.Task[int]] = field(default_factory=set)

    def routes(self) -> list[BaseRoute]:
        return [Route("/2010-04-01/Accounts/{account}/{kind:str}.json", self._send, methods=["POST"])]

    async def _send(self, request: Request) -> Response:
        body, kind = await request.body(), request.path_params["kind"]
        self.requests.append((request.url.path, dict(request.headers), body))
        if request.headers.get("authorization") != basic(self.account, self.token):
            return _says(401, 20003, "Authenticate")
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        if kind not in FIELDS or request.path_params["account"] != self.account:
            return _says(404, 20404, "not found")
        if form.keys() != FIELDS[kind]:
            return _says(400, 20001, f"unexpected: {sorted(form.keys() ^ FIELDS[kind])}")
        to = form["To"]
        if not JAPAN.fullmatch(to):
            return _says(400, 21211, f"The 'To' number {to} is not a valid phone number.")
        conduct = self.policy(to)
        match conduct:
            case Conduct.REFUSE:
                return _says(400, 21211, f"The 'To' number {to} is not a valid phone number.")
            case Conduct.BUSY | Conduct.SPENT:
                return _says(429, 20429, f"Too many requests for {to}")
            case Conduct.AWAY:
                return _says(503, 20503, f"Service unavailable for {to}")
            case _:
                told = self._take(kind, form)
        if conduct is Conduct.TAKE_SILENTLY:
            return Broken()
        if conduct is Conduct.TAKE_AND_FAIL:
            return _says(500, 20500, f"Internal error for {to}")
        return JSONResponse({"sid": told.id, "status": "queued", "to": to}, 201)

    def _take(self, kind: str, form: Mapping[str, str]) -> Told:
        text = form["Body"] if kind == "Messages" else " ".join(dict.fromkeys(SAYS.findall(form["Twiml"])))
        told = Told(secrets.token_hex(16), kind, form["To"], text, form["StatusCallback"], self.now())
        self.told.append(told)
        self.on_told(told)
        if self.tells:
            self._later(self.say(told, "completed" if told.is_call else "delivered"))
        return told

    async def say(self, told: Told, state: str) -> int:
        """What became of a message, by the carrier's own word for it; gives what was answered."""
        name = "CallStatus" if told.is_call else "MessageStatus"
        return await self._post(told.heard_url, {name: state, "To": told.to, "AccountSid": self.account})

    async def press(self, told: Told, key: str) -> int:
        """Whoever is called presses a key."""
        return await self._post(f"{told.heard_url}/keys", {"Digits": key, "To": told.to, "AccountSid": self.account})

    async def _post(self, url: str, form: Mapping[str, str]) -> int:
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session,
                session.post(url, data=form) as answer,
            ):
                return answer.status
        except (aiohttp.ClientError, OSError):
            return 0

    def _later(self, telling: Coroutine[Any, Any, int]) -> None:
        task = asyncio.create_task(telling)
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)


def _says(status: int, code: int, message: str) -> Response:
    return JSONResponse({"code": code, "message": message, "status": status}, status)
