"""Asks a hub over HTTP as a resident's browser does, and again under the same id until it is answered.

It knows no page and no ticket: a refusal that trying again cannot cure is handed to whoever asked.
"""

import asyncio
import json
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec

from config.practice.sockets import pause_s
from hub.forecast.day import Chance
from hub.wire.messages import RefusalBody

ANSWERED_WITHIN_S = 10.0
GIVES_UP_AFTER_S = 60.0
CROWDED = "TooManyTries"  # a hub takes so many of a kind in a minute; a day at full speed may bring more
CROWDED_PAUSE_S = 4.0

_T = TypeVar("_T")


class Unanswered(Exception):
    """Nobody answered, however often it was asked; the message names the page and never what was sent."""


class _Refused(msgspec.Struct):
    refusal: RefusalBody


class Browser:
    """One origin, `http://HOST:PORT`. `repeats`: requests that were sent again."""

    def __init__(self, origin: str, chance: Chance) -> None:
        self.repeats = 0
        self._origin = origin.rstrip("/")
        self._chance = chance

    async def ask(
        self, path: str, body: Mapping[str, Any], kind: type[_T], give_up_s: float = GIVES_UP_AFTER_S
    ) -> _T | RefusalBody:
        """POST as JSON. Raises Unanswered after `give_up_s`; a refusal comes back once trying again does not help."""
        text = json.dumps(body)
        losses = 0
        refusal: RefusalBody | None = None
        try:
            async with asyncio.timeout(give_up_s):
                while True:
                    refusal = None
                    try:
                        status, said = await asyncio.to_thread(self.send, "POST", path, text)
                        if status == 200:
                            return msgspec.json.decode(said, type=kind)
                        refusal = msgspec.json.decode(said, type=_Refused).refusal
                        if not refusal.again:
                            return refusal
                    except (OSError, HTTPException, msgspec.DecodeError):
                        pass  # the hub is coming back, or was cut off in the middle of its answer
                    losses += 1
                    self.repeats += 1
                    is_crowded = refusal is not None and refusal.code == CROWDED
                    await asyncio.sleep(pause_s(losses, self._chance) + (CROWDED_PAUSE_S if is_crowded else 0))
        except TimeoutError:
            if refusal is not None:
                return refusal
            raise Unanswered(f"{self._origin}{path} から {give_up_s:.0f} 秒間、返事がありません") from None

    async def read(self, path: str) -> str | None:
        """A page as text; None where there is none, or nobody answers."""
        try:
            status, said = await asyncio.to_thread(self.send, "GET", path)
        except (OSError, HTTPException):
            return None
        return said.decode(errors="replace") if status == 200 else None

    def send(self, method: str, path: str, text: str | None = None) -> tuple[int, bytes]:
        """One try. Blocks: run it beside the loop."""
        address = urlsplit(self._origin)
        # Not urllib: it would ask the machine's proxy for its own loopback.
        line = (HTTPSConnection if address.scheme == "https" else HTTPConnection)(
            address.netloc, timeout=ANSWERED_WITHIN_S
        )
        try:
            headers = {"Origin": self._origin} | ({"Content-Type": "application/json"} if text else {})
            line.request(method, f"{address.path}{path}", text, headers)
            answer = line.getresponse()
            return answer.status, answer.read()
        finally:
            line.close()
