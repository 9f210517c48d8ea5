"""How the hub knows this machine: a token on disk, asked for once, shown to nobody, and turned each day.

Who is not known yet asks, shows a code, and waits until somebody of staff types it. What stands on disk is enough at
any moment: the token asked for is there before its code is shown, and a new one before it is used for the first time.
"""

import asyncio
import contextlib
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import msgspec

from hub.wire.codes import device_code_of, shown_code
from hub.wire.devices import Ask, Asked, Standing, Turned
from kiosk_client.trouble import Trouble
from kiosk_client.whole_file import WholeFile

FILE = "device.json"
LOOK_S = 2.0  # for staff has typed the code
AWAY_S = 2.0  # the hub does not answer, or not yet
ANSWER_S = 5.0  # of one request
LONGEST_ANSWER = 4096

_M = TypeVar("_M", bound=msgspec.Struct)


class HubAway(Exception):
    """No answer, or one that says: not now."""


class Held(msgspec.Struct, frozen=True):
    """`following`: what replaces `token` as soon as it was used once."""

    token: str
    following: str = ""


class BadgeFile(WholeFile[Held]):
    """In `folder`, which is made."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, FILE, Held)


class Badge:
    """`code`: what to show while the hub does not know this machine; '' while it does, or cannot be asked.

    `trouble`: with the hub; this begins it, and so does who hears the hub, who also ends it.
    """

    def __init__(self, hub_url: str, place: str, file: BadgeFile, changed: Callable[[], None] = lambda: None) -> None:
        """`hub_url`: http(s)://HOST:PORT of the inside listener; `place`: this machine's own key."""
        self.code = ""
        self.changed = changed
        self.trouble = Trouble("hub heard")
        self._hub_url, self._place, self._file = hub_url.rstrip("/"), place, file
        self._opener = build_opener(ProxyHandler({}))  # the hub stands in the same house

    async def token(self) -> str:
        """The token by which the hub knows this machine; returns when it does."""
        while True:
            try:
                known = await self._step()
            except HubAway as away:
                self.trouble.begin("hub away", away)
                self._show("")
                await asyncio.sleep(AWAY_S)
                continue
            if known is not None:
                self._show("")
                return known
            self.trouble.begin("not let in")
            await asyncio.sleep(LOOK_S)

    async def _step(self) -> str | None:
        """Ask what the hub knows, and do the next thing; the token where nothing is left to do. Raises HubAway."""
        held = self._file.read()
        if held is not None and held.following:
            is_used = (await self._standing(held.following)).state == "in"  # then the old one holds no more
            held = Held(held.following if is_used else held.token)
            self._file.keep(held)
        standing = await self._standing(held.token) if held else Standing("unknown")
        if held is None or standing.state == "unknown":
            asked = await self._ask_of("ask", Ask("kiosk", self._place, _version()), Asked)
            self._file.keep(Held(asked.token))
            self._show(asked.code)
            return None
        if standing.state == "waiting":
            self._show(shown_code(device_code_of(held.token)))
            return None
        turned = await self._ask_of("turn", None, Turned, held.token)
        if turned.token:
            self._file.keep(Held(held.token, turned.token))
            return await self._step()
        return held.token

    async def _standing(self, token: str) -> Standing:
        return await self._ask_of("state", None, Standing, token)

    async def _ask_of(self, what: str, told: Ask | None, kind: type[_M], token: str = "") -> _M:
        """Raises HubAway for anything but a proper answer: asking again is all that a machine can do."""
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        body = msgspec.json.encode(told) if told else b"{}"
        request = Request(f"{self._hub_url}/device/{what}", body, headers, method="POST")  # noqa: S310  # http by set-up
        try:
            return msgspec.json.decode(await asyncio.to_thread(self._send, request), type=kind)
        except (OSError, msgspec.DecodeError) as error:
            raise HubAway from error

    def _send(self, request: Request) -> bytes:
        try:
            with contextlib.closing(self._opener.open(request, timeout=ANSWER_S)) as answer:
                told: bytes = answer.read(LONGEST_ANSWER)
                return told
        except HTTPError as error:
            error.close()
            raise

    def _show(self, code: str) -> None:
        if code != self.code:
            self.code = code
            self.changed()


def _version() -> str:
    return version("junban")
