"""An office as an operator runs it: store, hub, keeper and worker, each a process of its own that can be killed.

The residents and the clerk here ask until they are answered, under the same request id, as the pages do.
"""

import asyncio
import contextlib
import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import httpx2
from websockets.asyncio.client import connect as connect_socket
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from config.embedded import EmbeddedValkey, StoreDidNotStart
from config.office_file import PRACTICE_OFFICE, read_office
from config.processes import start
from hub.ledger.connection import sqlite_url
from hub.wire import codes
from hub.wire import messages as wire
from hub.wire.codec import encode, read_frame
from tests.doors import Doors
from tests.ports import free_ports

SENDER = "junban@ward.example"
LANE, COUNTER = "certificates", "1"
PAUSE_S = 0.05  # between two tries to reach somebody who was killed
ANSWER_S = 5.0

VERBS = {"hub": ["hub", "--practice"], "worker": ["worker", "email"], "keeper": ["keeper"]}
OF_OTHERS = {"worker-line": ["worker", "line"], "worker-phone": ["worker", "phone"]}
LINE_TOKEN, LINE_SECRET, PHONE_ACCOUNT, PHONE_TOKEN = "token-of-line", "secret-of-line", "practice", "token-of-phone"


class Running(Protocol):
    """A process of the office."""

    @property
    def is_running(self) -> bool: ...
    def kill(self) -> int: ...


class OfficeOfProcesses:
    """Everything it writes lies in `folder`. Main thread only. `is_over`: whoever asks in vain may give up.

    `carriers_url`: where LINE and the telephone carrier are; without it there are none.
    """

    def __init__(
        self, folder: Path, smtp_port: int, carriers_url: str | None = None, *, office: Path = PRACTICE_OFFICE
    ) -> None:
        self.folder = folder
        self.office = read_office(office)
        self.store = EmbeddedValkey(folder / "store")
        self.port, self.inside_port = free_ports(2)
        self.doors = Doors(self.office.key, sqlite_url(folder.absolute() / "ledger.sqlite"))
        self.is_over = False
        self._children: dict[str, Running] = {}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("JUNBAN_")}
        self._environment = kept | {
            "JUNBAN_OFFICE": str(office.absolute()),
            "JUNBAN_REDIS_URL": self.store.url,
            "JUNBAN_PORT": str(self.port),
            "JUNBAN_INSIDE_PORT": str(self.inside_port),
            "JUNBAN_PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "JUNBAN_SMTP_URL": f"smtp://127.0.0.1:{smtp_port}?starttls=never",
            "JUNBAN_MAIL_FROM": SENDER,
            "JUNBAN_KEY_DIR": str(folder / "keys"),
            "JUNBAN_MASTER_KEY": secrets.token_hex(32),
            "JUNBAN_SEARCH_DIRS": str(folder.absolute()),
            "JUNBAN_LEDGER_URL": self.doors.url,
            "JUNBAN_LEDGER_KEY_DIR": str(folder.absolute()),
        }
        self._verbs = dict(VERBS)
        if carriers_url is not None:
            self._verbs |= OF_OTHERS
            self._environment |= {
                "JUNBAN_LINE_URL": carriers_url,
                "JUNBAN_LINE_TOKEN": LINE_TOKEN,
                "JUNBAN_LINE_SECRET": LINE_SECRET,
                "JUNBAN_LINE_ACCOUNT": "@practice",
                "JUNBAN_PHONE_URL": carriers_url,
                "JUNBAN_PHONE_ACCOUNT": PHONE_ACCOUNT,
                "JUNBAN_PHONE_TOKEN": PHONE_TOKEN,
                "JUNBAN_PHONE_FROM": "+815000000000",
            }

    def start(self) -> None:
        """Whatever does not run."""
        if not self.store.is_running:
            with contextlib.suppress(StoreDidNotStart):  # the next call tries again
                self.store.start()
        for name, words in self._verbs.items():
            child = self._children.get(name)
            if child is not None and child.is_running:
                continue
            self._children[name] = self.spawn(name, words, self._environment)

    def spawn(self, name: str, words: list[str], environment: Mapping[str, str]) -> Running:
        """`words`: what stands behind `junban`; what it says is appended to its log."""
        with (self.folder / f"{name}.log").open("ab") as log:
            command = [sys.executable, "-m", "config.cli", *words]
            return start(command, name=name, environment=environment, stdout=log, stderr=log)

    def kill(self, name: str) -> None:
        """SIGKILL for `store` or one of its verbs."""
        if name == "store":
            self.store.kill()
        else:
            self._children[name].kill()

    def stop(self) -> None:
        for child in self._children.values():
            child.kill()
        self.store.stop()
        self.doors.close()

    async def take_number(self) -> tuple[int, str] | None:
        """Arrival and secret; None where it is over."""
        secret = codes.secret_text(secrets.token_bytes(codes.SECRET_BYTES))
        answer = await self.ask("/ws/kiosk", wire.Issue(request_id(), LANE, secret=codes.digest_of(secret)))
        return (answer.arrival, secret) if answer is not None and answer.arrival is not None else None

    async def leave_address(self, secret: str, address: str, ahead: int) -> bool:
        """Whether it was taken before it was over. An address that is refused is a RuntimeError."""
        purpose = self.office.purpose
        wish = {"address": address, "ahead": ahead, "purpose": purpose.mark if purpose else ""}
        return await self._wish("/t/notice", secret, wish) is not None

    async def leave_telephone(self, secret: str, telephone: str, ahead: int) -> bool:
        """The same by telephone."""
        purpose = self.office.phone_purpose
        wish = {"telephone": telephone, "ahead": ahead, "purpose": purpose.mark if purpose else ""}
        return await self._wish("/t/phone", secret, wish) is not None

    async def agree_to_line(self, secret: str, ahead: int) -> str | None:
        """The code that is to be sent in the chat; None where it is over."""
        purpose = self.office.line_purpose
        told = await self._wish("/t/line", secret, {"ahead": ahead, "purpose": purpose.mark if purpose else ""})
        return None if told is None else str(told["link"]["code"])

    async def _wish(self, path: str, secret: str, wish: dict[str, Any]) -> dict[str, Any] | None:
        body = {"id": request_id(), "secret": secret, "consent": True, **wish}
        # Plain HTTP: reading every authority of the world for each wish would be most of the work.
        async with httpx2.AsyncClient(trust_env=False, verify=False, timeout=ANSWER_S) as client:
            while not self.is_over:
                with contextlib.suppress(httpx2.TransportError):
                    answer = await client.post(f"http://127.0.0.1:{self.inside_port}{path}", json=body)
                    if answer.status_code == 200:
                        told: dict[str, Any] = answer.json()
                        return told
                    if answer.status_code != 503:
                        raise RuntimeError(f"a wish was refused: {answer.text}")
                await asyncio.sleep(PAUSE_S)
        return None

    async def press_next(self, current: int | None, counter: str = COUNTER) -> wire.AnswerBody | None:
        return await self.ask("/ws/desk", wire.Next(request_id(), counter, current, [LANE]))

    async def ask(self, path: str, request: Any) -> wire.AnswerBody | None:
        """The answer, however often it must be asked; None where it is over. A refusal is a RuntimeError."""
        url = f"ws://127.0.0.1:{self.inside_port}{path}"
        sent = self.doors.headers(path, f"http://127.0.0.1:{self.inside_port}")
        while not self.is_over:
            with contextlib.suppress(OSError, TimeoutError, ConnectionClosed, InvalidHandshake):
                async with (
                    asyncio.timeout(ANSWER_S),
                    connect_socket(url, additional_headers=sent, proxy=None) as socket,
                ):
                    reply = await replied(socket, request)
                if isinstance(reply.answer, wire.AnswerBody):
                    return reply.answer
                if isinstance(reply.refusal, wire.RefusalBody) and not reply.refusal.again:
                    raise RuntimeError(f"{request} was refused: {reply.refusal}")
            await asyncio.sleep(PAUSE_S)
        return None


def request_id() -> str:
    return secrets.token_urlsafe(16)


async def replied(socket: Any, request: Any) -> wire.Reply:
    await socket.send(encode(request), text=True)
    while True:
        frame = read_frame(await socket.recv(decode=False))
        if isinstance(frame, wire.Reply) and frame.id == request.id:
            return frame
