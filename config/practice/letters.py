"""Reads the practice inbox during a day, so that no mail is missed, however many there are. It judges nothing."""

import asyncio
from datetime import datetime

import msgspec

from config.practice.browser import Browser
from config.practice.recording import Letter

LOOK_EVERY_S = 2.0  # real seconds; at a thousand mails in one the inbox would have lost some, and it says so


class _Mail(msgspec.Struct):
    id: int
    to: list[str]
    subject: str
    message_id: str
    received_at: datetime
    text: str


class _Told(msgspec.Struct):
    inbox: str
    received: int
    mails: list[_Mail]


class Letters:
    """`letters`: what arrived since the first `read`. `unseen`: mails that the inbox forgot before they were read."""

    def __init__(self, browser: Browser) -> None:
        self.letters: list[Letter] = []
        self.unseen = 0
        self._browser = browser
        self._inbox: str | None = None
        self._last = 0

    async def open(self) -> bool:
        """Whether there is an inbox; what it holds already is not ours."""
        told = await self._look()
        if told is None:
            return False
        self._inbox, self._last = told.inbox, told.received
        return True

    async def read(self) -> None:
        told = await self._look()
        if told is None:
            return
        if told.inbox != self._inbox:  # it was started anew, and has forgotten everything
            self._inbox, self._last = told.inbox, 0
        self.unseen += told.received - self._last - len(told.mails)
        self._last = told.received
        for mail in reversed(told.mails):
            self.letters += [Letter(address, mail.subject, mail.message_id) for address in mail.to]

    async def stay(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self.read()

    async def _look(self) -> _Told | None:
        after = f"?after={self._inbox}-{self._last}" if self._inbox else ""
        text = await self._browser.read(f"/mails.json{after}")
        if text is None:
            return None
        try:
            return msgspec.json.decode(text, type=_Told)
        except msgspec.DecodeError:
            return None
