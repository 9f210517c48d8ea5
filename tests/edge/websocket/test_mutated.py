"""Twenty thousand frames with a few bytes turned: whoever sends them harms nobody, and nothing of them stays."""

import asyncio
import contextlib
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import processes
from config.processes import Child
from tests.edge.websocket.sending import Bare, frame
from tests.eventually import eventually

pytestmark = pytest.mark.anyio

FRAMES, AT_ONCE, A_CONNECTION = 20_000, 20, 10
WARM_UP = 5_000
GROWTH_KB = 4_096  # what an allocator may keep; a message left behind for each connection would be 6 MB

KINDS = [
    lambda chance: frame(1, b"hello " * chance.randrange(30)),
    lambda chance: frame(2, chance.randbytes(chance.randrange(400))),
    lambda chance: frame(1, "呼出".encode() * 100, final=False),
    lambda chance: frame(0, b"more", final=chance.random() < 0.5),
    lambda chance: frame(9, chance.randbytes(chance.randrange(126))),
    lambda chance: frame(10, b""),
    lambda chance: frame(8, (1000).to_bytes(2, "big") + b"bye"),
    lambda chance: frame(1, b"x" * 4096),
]


def mutated(chance: random.Random) -> bytes:
    data = bytearray(chance.choice(KINDS)(chance))
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(min(len(data), 16)) if chance.random() < 0.7 else chance.randrange(len(data))
        data[at] ^= 1 << chance.randrange(8)
    if chance.random() < 0.1:
        del data[chance.randrange(len(data)) :]
    return bytes(data)


@pytest.fixture
def server() -> Iterator[tuple[Child, int]]:
    ours, theirs = os.pipe()
    child = processes.start(
        [sys.executable, "-m", "tests.edge.websocket.echo"], name="echo", stdout=theirs, stderr=subprocess.DEVNULL
    )
    os.close(theirs)
    with open(ours, encoding="ascii") as told:
        port = int(told.readline())
    yield child, port
    child.stop()


def kilobytes_of(child: Child) -> int:
    status = Path(f"/proc/{child.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
@pytest.mark.timeout(600, method="thread")
async def test_mutated_frames_harm_nobody(server: tuple[Child, int]) -> None:
    child, port = server
    chance = random.Random(6455)
    other = await Bare.open(port)
    left = FRAMES

    async def send() -> None:
        nonlocal left
        while left > until:
            left -= A_CONNECTION
            bare = await Bare.open(port)
            for _ in range(A_CONNECTION):
                bare.say(mutated(chance))
            with contextlib.suppress(ConnectionError):
                bare.say(frame(8, b""))
                await bare.writer.drain()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.05):  # longer than answers take, and no end where a frame lacks bytes
                        await bare.rest()
            bare.cut()

    until = FRAMES - WARM_UP
    await asyncio.gather(*(send() for _ in range(AT_ONCE)))
    before = kilobytes_of(child)
    until = 0
    await asyncio.gather(*(send() for _ in range(AT_ONCE)))
    assert child.is_running
    other.say(frame(1, b"still here"))
    assert await other.hears(12) == b"\x81\x0astill here"
    other.cut()
    await eventually(lambda: kilobytes_of(child) - before < GROWTH_KB)
