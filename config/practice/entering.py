"""How the simulated get in: a device shows its token, staff signs in and keeps a session. No password is ever printed.

What a socket is for is unknown here. Who is put out signs in again; who is refused at the door is told.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from http.cookies import SimpleCookie
from time import monotonic
from typing import Protocol
from urllib.parse import urlencode, urlsplit

from config.practice.credentials import PracticePerson

SESSION_COOKIE = "junban_session"
SIGN_IN, SIGN_OUT, PASSWORD = "/sign-in", "/sign-out", "/password"
ANSWERED_WITHIN_S = 10.0
GIVES_UP_AFTER_S = 60.0
PAUSE_S = 0.5
BUSY = 503
HELD_S = 5.0  # a session that was just made and is refused is no session: signing in again does not help


class NotLetIn(RuntimeError):
    """Somebody does not get in, however often it is tried; one sentence."""


class Pass(Protocol):
    """What opens a socket."""

    @property
    def headers(self) -> Mapping[str, str]: ...

    async def renew(self, refused: Mapping[str, str]) -> None:
        """The hub does not take `refused` any more. Raises NotLetIn where nothing can be done."""


class Nobody:
    """For sockets that are open to all."""

    @property
    def headers(self) -> Mapping[str, str]:
        return {}

    async def renew(self, refused: Mapping[str, str]) -> None:
        raise NotLetIn("誰にでも開いているはずの画面に入れません。")


class DevicePass:
    def __init__(self, role: str, place: str, token: str) -> None:
        self._name = f"{role} {place}"
        self.headers: Mapping[str, str] = {"Authorization": f"Bearer {token}"}

    async def renew(self, refused: Mapping[str, str]) -> None:
        raise NotLetIn(
            f"機器 {self._name} はこの窓口課に登録されていません。credentials.json が古くないか確かめてください。"
        )


class StaffPass:
    """One person's session, which any number of sockets share, as the tabs of one browser do."""

    def __init__(self, origin: str, person: PracticePerson) -> None:
        """`origin`: of the inside listener, http://HOST:PORT."""
        self._origin, self._person = origin.rstrip("/"), person
        self._token = ""
        self._since = 0.0
        self._door = asyncio.Lock()

    @property
    def headers(self) -> Mapping[str, str]:
        return {"Cookie": f"{SESSION_COOKIE}={self._token}", "Origin": self._origin}

    async def sign_in(self) -> None:
        """The first time: an office that does not answer is none. Raises NotLetIn."""
        async with self._door:
            self._token = await self._signed_in(patience_s=0)
            self._since = monotonic()

    async def sign_out(self) -> None:
        with suppress(OSError, HTTPException):  # then it ends by itself
            if self._token:
                await asyncio.to_thread(post_form, self._origin, SIGN_OUT, {}, self._token)

    async def renew(self, refused: Mapping[str, str]) -> None:
        async with self._door:
            if refused != self.headers:
                return  # another socket of this session was quicker
            if self._token and monotonic() - self._since < HELD_S:
                raise NotLetIn(f"練習用の利用者 {self._person.name} は、サインインしてもこの画面を開けません。")
            self._token = await self._signed_in(GIVES_UP_AFTER_S)
            self._since = monotonic()

    async def _signed_in(self, patience_s: float) -> str:
        fields = {"name": self._person.name, "password": self._person.password}
        began, why = monotonic(), ""
        while True:
            try:
                status, place, cookie = await asyncio.to_thread(post_form, self._origin, SIGN_IN, fields)
            except (OSError, HTTPException) as error:
                if monotonic() - began >= patience_s:
                    raise NotLetIn(
                        f"{self._origin} につながりません。窓口課が動いているか、アドレスを確かめてください: {error}"
                    ) from None
            else:
                if status == 303 and cookie and not place.startswith(PASSWORD):
                    return cookie
                why = str(status)
                if status != BUSY or monotonic() - began >= GIVES_UP_AFTER_S:
                    break
            await asyncio.sleep(PAUSE_S)
        raise NotLetIn(
            f"練習用の利用者 {self._person.name} でサインインできません（{why}）。"
            f"credentials.json が {self._origin} の窓口課のものか確かめてください。"
        )


def post_form(origin: str, path: str, fields: Mapping[str, str], cookie: str = "") -> tuple[int, str, str]:
    """Status, where it leads, and the session that came back ('' without). Blocks: run it beside the loop."""
    address = urlsplit(origin)
    kind = HTTPSConnection if address.scheme == "https" else HTTPConnection
    line = kind(address.netloc, timeout=ANSWERED_WITHIN_S)  # not urllib: it would ask the machine's proxy
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": origin}
    if cookie:
        headers["Cookie"] = f"{SESSION_COOKIE}={cookie}"
    try:
        line.request("POST", path, urlencode(fields), headers)
        answer = line.getresponse()
        answer.read()
        return answer.status, answer.getheader("Location") or "", _session_in(answer)
    finally:
        line.close()


def _session_in(answer: HTTPResponse) -> str:
    for line in answer.headers.get_all("Set-Cookie") or ():
        found = SimpleCookie(line).get(SESSION_COOKIE)
        if found is not None:
            return found.value
    return ""
