"""A stand-in for LINE: takes pushes under their retry keys, knows who has blocked the account, and signs what it tells.

It is as strict as LINE where it matters: a retry key is good once, everything later under it is 409; who has blocked
the account is answered 200 and hears nothing; a field that the API has not is 400.
"""

import hashlib
import hmac
import json
import secrets
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import aiohttp
import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from config.practice.conduct import Broken, Conduct, Policy, take_all

KEPT = 1000
BOT = "U" + "0" * 32
HEX = "0123456789abcdef"


class TextMessage(msgspec.Struct, forbid_unknown_fields=True):
    type: Literal["text"]
    text: str


class Push(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    to: str
    messages: list[TextMessage]
    notification_disabled: bool | None = None


class Reply(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    reply_token: str
    messages: list[TextMessage]
    notification_disabled: bool | None = None


@dataclass(frozen=True, slots=True)
class Spoken:
    """One line of a chat. `is_ours`: of the ward's account; `key`: the retry key that it came under."""

    user: str
    text: str
    at: datetime
    is_ours: bool
    key: str = ""


@dataclass
class LineStandIn:
    """`token` is what we must show, `secret` what it signs with. `policy` may be changed at any time."""

    token: str
    secret: str
    webhook_url: str = ""
    policy: Policy = take_all
    quota: int | None = 5_000
    used: int = 0
    is_webhook_on: bool = True
    blocked: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)
    said: deque[Spoken] = field(default_factory=lambda: deque(maxlen=KEPT))
    # Every request to push as it came, for whoever holds it against the official description.
    requests: deque[tuple[Mapping[str, str], bytes]] = field(default_factory=lambda: deque(maxlen=KEPT * 20))
    on_said: Callable[[Spoken], None] = lambda spoken: None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _replies: dict[str, str] = field(default_factory=dict)

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/v2/bot/message/push", self._push, methods=["POST"]),
            Route("/v2/bot/message/reply", self._reply, methods=["POST"]),
            Route("/v2/bot/message/quota", self._quota, methods=["GET"]),
            Route("/v2/bot/message/quota/consumption", self._consumption, methods=["GET"]),
            Route("/v2/bot/channel/webhook/endpoint", self._webhook, methods=["GET"]),
        ]

    async def _push(self, request: Request) -> Response:
        body = await request.body()
        self.requests.append((dict(request.headers), body))
        if not self._is_ours(request):
            return _says(401, "Authentication failed.")
        try:
            push = msgspec.json.decode(body, type=Push)
        except msgspec.DecodeError as error:
            return _says(400, f"The request body has 1 error(s): {error}")
        key = request.headers.get("x-line-retry-key", "")
        if not push.to.startswith("U") or len(push.to) != 33 or set(push.to[1:]) - set(HEX) or not push.messages:
            return _says(400, f"The property, 'to', in the request body is invalid: {push.to}")
        if key in self.keys:
            return _says(409, "The retry key is already accepted")
        conduct = self.policy(push.to)
        match conduct:
            case Conduct.REFUSE:
                return _says(400, f"Failed to send messages to {push.to}")
            case Conduct.BUSY:
                return _says(429, f"The API rate limit has been exceeded. Try again later. ({push.to})")
            case Conduct.AWAY:
                return _says(503, f"Service unavailable for {push.to}")
            case Conduct.SPENT:
                return _says(429, "You have reached your monthly limit.")
            case _:
                if self.quota is not None and self.used >= self.quota:
                    return _says(429, "You have reached your monthly limit.")
                self._take(push, key)
        if conduct is Conduct.TAKE_SILENTLY:
            return Broken()
        if conduct is Conduct.TAKE_AND_FAIL:
            return _says(500, f"Internal error while sending to {push.to}")
        return JSONResponse({"sentMessages": [{"id": str(self.used), "quoteToken": "q"} for _ in push.messages]})

    def _take(self, push: Push, key: str) -> None:
        if key:
            self.keys.add(key)
        if push.to in self.blocked:
            return  # LINE says 200, and nobody hears of it
        self.used += len(push.messages)
        for message in push.messages:
            self._say(Spoken(push.to, message.text, self.now(), is_ours=True, key=key))

    async def _reply(self, request: Request) -> Response:
        if not self._is_ours(request):
            return _says(401, "Authentication failed.")
        try:
            reply = msgspec.json.decode(await request.body(), type=Reply)
        except msgspec.DecodeError as error:
            return _says(400, str(error))
        user = self._replies.pop(reply.reply_token, None)
        if user is None:
            return _says(400, "Invalid reply token")
        for message in reply.messages:
            self._say(Spoken(user, message.text, self.now(), is_ours=True))
        return JSONResponse({"sentMessages": [{"id": "1", "quoteToken": "q"} for _ in reply.messages]})

    async def _quota(self, request: Request) -> Response:
        if not self._is_ours(request):
            return _says(401, "Authentication failed.")
        return JSONResponse({"type": "none"} if self.quota is None else {"type": "limited", "value": self.quota})

    async def _consumption(self, request: Request) -> Response:
        if not self._is_ours(request):
            return _says(401, "Authentication failed.")
        return JSONResponse({"totalUsage": self.used})

    async def _webhook(self, request: Request) -> Response:
        if not self._is_ours(request):
            return _says(401, "Authentication failed.")
        return JSONResponse({"endpoint": self.webhook_url, "active": self.is_webhook_on})

    def _is_ours(self, request: Request) -> bool:
        return request.headers.get("authorization") == f"Bearer {self.token}"

    def _say(self, spoken: Spoken) -> None:
        self.said.append(spoken)
        self.on_said(spoken)

    # ------------------------------------------------------------------------------------------ what its users do

    async def write(self, user: str, text: str) -> int:
        """Somebody writes to the account; gives what the webhook answered."""
        self._say(Spoken(user, text, self.now(), is_ours=False))
        return await self.tell(self.event(user, "message", message={"id": "1", "type": "text", "text": text}))

    async def follow(self, user: str) -> int:
        self.blocked.discard(user)
        return await self.tell(self.event(user, "follow", follow={"isUnblocked": False}))

    async def block(self, user: str) -> int:
        self.blocked.add(user)
        return await self.tell(self.event(user, "unfollow"))

    def event(self, user: str, kind: str, **more: Any) -> dict[str, Any]:
        """As LINE's description of webhooks has it."""
        told: dict[str, Any] = {
            "type": kind,
            "mode": "active",
            "timestamp": int(self.now().timestamp() * 1000),
            "source": {"type": "user", "userId": user},
            "webhookEventId": secrets.token_hex(13).upper(),
            "deliveryContext": {"isRedelivery": False},
            **more,
        }
        if kind in ("message", "follow"):
            token = secrets.token_hex(16)
            self._replies[token] = user
            told["replyToken"] = token
        if kind == "message":
            told["message"].setdefault("quoteToken", "q")
        return told

    async def tell(self, *events: Mapping[str, Any]) -> int:
        body, signature = self.signed(*events)
        headers = {"content-type": "application/json", "x-line-signature": signature}
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session,
            session.post(self.webhook_url, data=body, headers=headers) as answer,
        ):
            return answer.status

    def signed(self, *events: Mapping[str, Any]) -> tuple[bytes, str]:
        body = json.dumps({"destination": BOT, "events": list(events)}).encode()
        return body, b64encode(hmac.new(self.secret.encode(), body, hashlib.sha256).digest()).decode()


def _says(status: int, message: str) -> Response:
    return JSONResponse({"message": message}, status)
