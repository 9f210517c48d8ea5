"""Half past eight: everybody signs in at once, and whoever presses at a counter must not feel it."""

import asyncio
import json
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from config.embedded import EmbeddedValkey
from config.processes import Child, Workshop, start
from hub.ledger.journal import Author
from hub.ledger.operations import Ledger
from hub.ledger.people import People
from hub.wire.messages import Done, Next
from hub.wire.roles import Role
from tests.bench.door import CLIENTS
from tests.bench.pressing import COUNTERS, KEY, OFFICE, Address, HubAlone, ask, issue_all
from tests.doors import DATE, real_ms
from tests.eventually import eventually
from tests.ports import free_ports

QUICK_S, FULL_S = 10.0, 60.0
PRESS_EVERY_S = 0.25  # a counter that is pressed four times a second: far beyond any office
NAME, PASSWORD = "asa", "half-past-eight-again"
STOPPED_WITHIN_S = 20.0


def run(quick: bool) -> bool:
    """Print the table and the JSON line; True if somebody came in and every press was answered."""
    seconds = QUICK_S if quick else FULL_S
    with Workshop() as folder:
        (folder / "office.toml").write_text(OFFICE, encoding="utf-8")
        with EmbeddedValkey(folder / "valkey") as store:
            calm, stormy, door = asyncio.run(_morning(folder, store.url, seconds))
    figures = {
        "part": "signin",
        "quick": quick,
        "presses": len(stormy),
        "command_p50_ms": _ms(stormy, 0.50),
        "command_p99_ms": _ms(stormy, 0.99),
        "calm_p50_ms": _ms(calm, 0.50),
        "calm_p99_ms": _ms(calm, 0.99),
        **door,
    }
    rows = [
        (f"{COUNTERS} counters press, p50 / p99", f"{figures['calm_p50_ms']} / {figures['calm_p99_ms']} ms"),
        (
            f"  the same while {CLIENTS} clients storm the door",
            f"{figures['command_p50_ms']} / {figures['command_p99_ms']} ms",
        ),
        ("sign-ins / wrong ones / told to wait", f"{door['sign_ins']} / {door['wrong']} / {door['refused_busy']}"),
    ]
    for name, figure in rows:
        print(f"{name:<50} {figure:>24}")
    print(json.dumps(figures))
    return door["sign_ins"] > 0 and bool(stormy)


async def _morning(folder: Path, url: str, seconds: float) -> tuple[list[float], list[float], dict[str, int]]:
    """Waits of each press in seconds, in order: without the storm, with it; and what the door said."""
    hub = HubAlone(folder, url, *free_ports(2))
    try:
        await eventually(hub.is_up, within_s=20)
        _add_accounts(hub.ledger_url)
        await issue_all(hub.kiosk, int(COUNTERS * (2 * seconds / PRESS_EVERY_S + 2)))
        calm = await _press(hub.desk, seconds)
        with _storm(folder / "door", hub.origin, seconds + 2) as said:
            await eventually(lambda: said.read_text().startswith("begun"), within_s=STOPPED_WITHIN_S)
            stormy = await _press(hub.desk, seconds)
            await eventually(lambda: said.read_text().count("\n") == 2, within_s=STOPPED_WITHIN_S)
        return calm, stormy, json.loads(said.read_text().splitlines()[1])
    finally:
        hub.stop()


def _add_accounts(ledger_url: str) -> None:
    """With the hash of accounts in earnest: the one of the tests would cost nothing."""
    with closing(Ledger(ledger_url, KEY)) as ledger:
        people = People(ledger, now_ms=real_ms)
        for name in (f"{NAME}-{number}" for number in range(CLIENTS)):
            given = people.add(name, "朝", Role.COUNTER, DATE, DATE, Author("cli"))
            people.change_password(people.sign_in(name, given).token, given, PASSWORD)


@contextmanager
def _storm(said: Path, origin: str, seconds: float) -> Iterator[Path]:
    command = [sys.executable, "-m", "tests.bench.door", origin, NAME, PASSWORD, str(seconds)]
    with said.open("wb") as out:
        door: Child = start(command, name="the storm", stdout=out)
    try:
        yield said
    finally:
        door.stop()


async def _press(desk: Address, seconds: float) -> list[float]:
    waits: list[float] = []
    until = time.monotonic() + seconds
    await asyncio.gather(*(_counter(desk, str(number), until, waits) for number in range(1, COUNTERS + 1)))
    return sorted(waits)


async def _counter(desk: Address, counter: str, until: float, waits: list[float]) -> None:
    current: int | None = None
    async with desk.dial() as socket:
        await asyncio.sleep(secrets.randbelow(1000) / 1000 * PRESS_EVERY_S)  # not all in one moment
        while time.monotonic() < until:
            asked = time.monotonic()
            answer = await ask(socket, Next(secrets.token_urlsafe(16), counter, current))
            waits.append(time.monotonic() - asked)
            current = answer.arrival
            await asyncio.sleep(max(0.0, asked + PRESS_EVERY_S - time.monotonic()))
        if current is not None:
            await ask(socket, Done(secrets.token_urlsafe(16), counter, current))


def _ms(waits: list[float], share: float) -> float:
    return round(1000 * waits[min(len(waits) - 1, int(share * len(waits)))], 2)
