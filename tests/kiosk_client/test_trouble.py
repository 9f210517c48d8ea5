"""What a ticket machine says of itself: the beginning of a trouble and its end, and nothing in between."""

import asyncio
import random
from pathlib import Path

from structlog.testing import capture_logs
from websockets.asyncio.server import ServerConnection, serve

from kiosk_client.badge import Badge, BadgeFile
from kiosk_client.link import Link
from kiosk_client.trouble import Trouble
from tests.eventually import eventually


def test_a_trouble_is_told_when_it_begins_when_it_is_another_and_when_it_is_over() -> None:
    trouble = Trouble("works again")
    with capture_logs() as lines:
        trouble.end()
        for event in ("fails", "fails", "hangs"):
            trouble.begin(event, OSError("A101"))
        trouble.end()
        trouble.end()
        trouble.begin("hangs")
    assert [(line["event"], line["log_level"]) for line in lines] == [
        ("fails", "error"),
        ("hangs", "error"),
        ("works again", "info"),
        ("hangs", "error"),
    ]


class Known(Badge):
    """Of a machine that was let in."""

    async def token(self) -> str:
        return "x" * 43


async def test_a_hub_that_says_what_nobody_understands_is_told_once(tmp_path: Path) -> None:
    came = 0

    async def hub(socket: ServerConnection) -> None:
        nonlocal came
        came += 1
        await socket.send('{"type":"snapshot","position":0}')

    async with serve(hub, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        badge = Known(f"http://127.0.0.1:{port}", "1", BadgeFile(tmp_path))
        link = Link(f"ws://127.0.0.1:{port}/ws/kiosk", badge, random.Random(3).random, lambda: None)
        with capture_logs() as lines:
            running = asyncio.create_task(link.run())
            await eventually(lambda: came >= 3)
            running.cancel()
            await asyncio.wait({running})
    assert [line["event"] for line in lines] == ["hub not understood"]
