"""Twenty counters press "next" as fast as they are answered, while every fifth answer is lost on each of two wires.

Between hub and store a wire swallows every fifth reply to a function call and cuts the connection. Between clerk and
hub every fifth reply is thrown away by the clerk, who connects anew and sends the same request again; what the first
reply said is kept aside only to compare.
"""

import asyncio
import secrets
import sys
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as connect_socket

from config.embedded import EmbeddedValkey
from config.practice.sockets import dial
from config.processes import Workshop, start
from hub.desk.facts import TicketCalled, from_fields
from hub.ledger.connection import sqlite_url
from hub.store.connection import connect
from hub.store.keys import Keys
from hub.wire.codec import encode, read_frame
from hub.wire.messages import AnswerBody, DeskRequest, Issue, Next, Reply
from tests.chaos.proxy import LossyWire
from tests.doors import Doors
from tests.eventually import eventually
from tests.ports import free_ports

KEY = "bench"
COUNTERS = 20
LOST_EVERY = 5
IN_FLIGHT = 8  # what the hub takes from one socket at a time

OFFICE = f"""
key = "{KEY}"
name = "計測"
[[lanes]]
key = "all"
name = "すべて"
prefix = "A"
first = 1
last = 99999
""" + "".join(
    f'[[counters]]\nkey = "{number}"\nname = "{number}番窓口"\nlanes = ["all"]\n' for number in range(1, COUNTERS + 1)
)


@dataclass
class Pressed:
    """`called`: what each request id was told in the end, in no order. `differing`: ids told two different things."""

    tickets: int
    called: list[int] = field(default_factory=list)
    facts: list[int] = field(default_factory=list)  # arrivals as the facts tell the calls, in their order
    differing: int = 0
    lost_replies: int = 0
    seconds: float = 0.0

    @property
    def double_calls(self) -> int:
        return len(self.facts) - len(set(self.facts)) + len(self.called) - len(set(self.called)) + self.differing

    @property
    def lost(self) -> int:
        return len(set(range(1, self.tickets + 1)) - set(self.facts)) + len(set(self.facts) ^ set(self.called))

    @property
    def disordered(self) -> int:
        return sum(1 for one, next_one in zip(self.facts, self.facts[1:], strict=False) if next_one < one)


def press(tickets: int) -> Pressed:
    """One store, one hub process, twenty clerks, `tickets` calls."""
    with Workshop() as folder:
        (folder / "office.toml").write_text(OFFICE, encoding="utf-8")
        with EmbeddedValkey(folder / "valkey") as store:
            return asyncio.run(_press(folder, store, tickets))


async def _press(folder: Path, store: EmbeddedValkey, tickets: int) -> Pressed:
    wire = LossyWire(store.socket_path, LOST_EVERY)
    public, inside = free_ports(2)
    pressed = Pressed(tickets)
    async with wire.open(folder / "wire") as url:
        hub = HubAlone(folder, url, public, inside)
        try:
            await eventually(hub.is_up, within_s=20)
            await issue_all(hub.kiosk, tickets)
            began = time.monotonic()
            await asyncio.gather(*(_clerk(hub.desk, str(n), pressed) for n in range(1, COUNTERS + 1)))
            pressed.seconds = time.monotonic() - began
        finally:
            hub.stop()
    pressed.lost_replies += wire.lost
    client = connect(store.url, answer_seconds=60)  # one reading of forty thousand facts
    day = await client.hget(Keys(KEY).day(), "day")
    for _, entry in await client.xrange(Keys(KEY).facts(str(day))) or []:
        fact = from_fields(entry)  # type: ignore[arg-type]  # texts, as the client decodes them
        if isinstance(fact, TicketCalled):
            pressed.facts.append(fact.arrival)
    await client.aclose()
    return pressed


@dataclass(frozen=True)
class Address:
    """A socket and what is sent along to open it."""

    url: str
    headers: dict[str, str]

    def dial(self) -> connect_socket:
        return dial(self.url, self.headers)


class HubAlone:
    """One hub process for practice: in earnest it takes no more from one socket than somebody can press."""

    def __init__(self, folder: Path, url: str, public: int, inside: int) -> None:
        self.ledger_url = sqlite_url(folder / "ledger.sqlite")
        self.origin = f"http://127.0.0.1:{inside}"
        with closing(Doors(KEY, self.ledger_url)) as doors:
            kiosk, desk = (doors.headers(path, self.origin) for path in ("/ws/kiosk", "/ws/desk"))
        self.kiosk = Address(f"ws://127.0.0.1:{inside}/ws/kiosk", kiosk)
        self.desk = Address(f"ws://127.0.0.1:{inside}/ws/desk", desk)
        environment = {
            "JUNBAN_REDIS_URL": url,
            "JUNBAN_LEDGER_URL": self.ledger_url,
            "JUNBAN_OFFICE": str(folder / "office.toml"),
            "JUNBAN_PORT": str(public),
            "JUNBAN_INSIDE_PORT": str(inside),
        }
        command = [sys.executable, "-m", "config.cli", "hub", "--practice"]
        self._child = start(command, name="the hub", environment=environment)

    async def is_up(self) -> bool:
        try:
            async with self.desk.dial() as socket:
                return b'"snapshot"' in await socket.recv(decode=False)
        except OSError:
            return False

    def stop(self) -> None:
        self._child.stop()


async def issue_all(address: Address, tickets: int) -> None:
    """Tickets 1 to `tickets`, over one machine's socket."""
    async with address.dial() as socket:
        asked = [Issue(secrets.token_urlsafe(16), "all") for _ in range(tickets)]
        for first in range(0, tickets, IN_FLIGHT):
            some = asked[first : first + IN_FLIGHT]
            for request in some:
                await socket.send(encode(request), text=True)
            for _ in some:
                await _reply(socket)


async def _clerk(address: Address, counter: str, pressed: Pressed) -> None:
    """Press until nobody waits."""
    current: int | None = None
    turn = 0
    socket = await address.dial()
    try:
        while True:
            turn += 1
            request = Next(secrets.token_urlsafe(16), counter, current)
            answer = await ask(socket, request)
            if turn % LOST_EVERY == 0:
                pressed.lost_replies += 1
                await socket.close()
                socket = await address.dial()
                again = await ask(socket, request)
                pressed.differing += again != answer
                answer = again
            if answer.arrival is None:
                return
            pressed.called.append(answer.arrival)
            current = answer.arrival
    finally:
        await socket.close()


async def ask(socket: ClientConnection, request: DeskRequest) -> AnswerBody:
    """Send until there is an answer; a refusal that asks to try again is followed."""
    while True:
        await socket.send(encode(request), text=True)
        reply = await _reply(socket)
        if isinstance(reply.answer, AnswerBody):
            return reply.answer
        if not (reply.refusal and reply.refusal.again):
            raise AssertionError(f"refused: {reply}")


async def _reply(socket: ClientConnection) -> Reply:
    while True:
        frame = read_frame(await socket.recv(decode=False))
        if isinstance(frame, Reply):
            return frame
