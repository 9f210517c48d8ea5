"""Reads the practice inbox during a day, so that no message is missed, however many there are. It judges nothing.

Mails are in one row, what LINE and the telephone carrier took in another, which an inbox of mails alone lacks.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from http.client import HTTPException
from typing import Generic, Protocol, TypeVar

import msgspec

from config.practice.browser import Browser
from config.practice.recording import Letter
from hub.desk.notices import Carrier

LOOK_EVERY_S = 2.0  # real seconds; at a thousand mails in one the inbox would have lost some, and it says so
WRITE_EVERY_S = 0.5  # LINE tells again what nobody heard
WRITES_WITHIN_S = 20.0
HEARD = 200


class _Mail(msgspec.Struct):
    to: list[str]
    subject: str
    message_id: str
    received_at: datetime


class _Mails(msgspec.Struct):
    inbox: str
    received: int
    mails: list[_Mail]

    @property
    def count(self) -> int:
        return len(self.mails)


class _Message(msgspec.Struct):
    carrier: Carrier
    to: str
    text: str
    name: str
    received_at: datetime


class _Messages(msgspec.Struct):
    inbox: str
    received: int
    told: list[_Message]

    @property
    def count(self) -> int:
        return len(self.told)


class _Heard(msgspec.Struct):
    status: int


class _Row(Protocol):
    """What an inbox tells of one of its rows."""

    inbox: str
    received: int

    @property
    def count(self) -> int: ...


_T = TypeVar("_T", bound=_Row)


class _Reader(Generic[_T]):
    """Reads one row to its end again and again. `unseen`: what was forgotten before it was read."""

    def __init__(self, browser: Browser, path: str, decoder: "msgspec.json.Decoder[_T]") -> None:
        self.unseen = 0
        self._browser, self._path, self._decoder = browser, path, decoder
        self._name, self._last = "", 0

    async def open(self) -> bool:
        """Whether there is one; what it holds already is not ours."""
        told = await self._look()
        if told is not None:
            self._name, self._last = told.inbox, told.received
        return told is not None

    async def news(self) -> _T | None:
        told = await self._look()
        if told is None:
            return None
        if told.inbox != self._name:  # it was started anew, and has forgotten everything
            self._name, self._last = told.inbox, 0
        self.unseen += told.received - self._last - told.count
        self._last = told.received
        return told

    async def _look(self) -> _T | None:
        text = await self._browser.read(f"{self._path}?after={self._name}-{self._last}" if self._name else self._path)
        if text is None:
            return None
        try:
            return self._decoder.decode(text)
        except msgspec.DecodeError:
            return None


class Letters:
    """`letters`: what arrived since `open`. `carriers`: those that the inbox plays."""

    def __init__(self, browser: Browser) -> None:
        self.letters: list[tuple[Letter, datetime]] = []
        self.carriers = frozenset({Carrier.EMAIL})
        self._browser = browser
        self._mails = _Reader(browser, "/mails.json", msgspec.json.Decoder(_Mails))
        self._messages = _Reader(browser, "/told.json", msgspec.json.Decoder(_Messages))

    @property
    def unseen(self) -> int:
        return self._mails.unseen + self._messages.unseen

    async def open(self) -> bool:
        """Whether there is an inbox."""
        if not await self._mails.open():
            return False
        if await self._messages.open():
            self.carriers = frozenset(Carrier)
        return True

    async def read(self) -> None:
        if mails := await self._mails.news():
            for mail in reversed(mails.mails):
                letters = [Letter(address, mail.subject, mail.message_id) for address in mail.to]
                self.letters += [(letter, mail.received_at) for letter in letters]
        if Carrier.LINE in self.carriers and (messages := await self._messages.news()):
            for one in messages.told:
                self.letters.append((Letter(one.to, one.text, one.name, one.carrier), one.received_at))

    async def stay(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self.read()

    async def write(self, user: str, text: str) -> bool:
        """As somebody in LINE, until the ward has heard it."""
        try:
            async with asyncio.timeout(WRITES_WITHIN_S):
                while True:
                    if await asyncio.to_thread(self._write, user, text) == HEARD:
                        return True
                    await asyncio.sleep(WRITE_EVERY_S)
        except TimeoutError:
            return False

    def dated(self, office_ms: Callable[[datetime], int]) -> list[Letter]:
        """All of them, each with the office time of its arrival."""
        return [replace(one, at=office_ms(at)) for one, at in self.letters]

    def _write(self, user: str, text: str) -> int:
        try:
            status, said = self._browser.send("POST", "/line.json", json.dumps({"user": user, "text": text}))
            return msgspec.json.decode(said, type=_Heard).status if status == 200 else status
        except (OSError, HTTPException, msgspec.DecodeError):
            return 0
