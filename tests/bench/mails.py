"""A thousand mails that are due at once, by one worker over two connections to a server of another thread."""

import asyncio
import time
from pathlib import Path

from config.embedded import EmbeddedValkey
from config.processes import Workshop
from hub.store.lanes import Lanes
from tests.model.desks import small_office
from tests.workers.draining import run_with
from tests.workers.postbox import postbox
from tests.workers.ward import ward

MAILS = 1_000


def thousand_mails_s() -> float:
    """Main thread only. Raises AssertionError where one is missing."""
    with Workshop() as folder, EmbeddedValkey(folder / "store") as server:
        return asyncio.run(_send(server.url, folder / "keys"))


async def _send(url: str, keys: Path) -> float:
    async with ward(url, "mails", keys) as office:
        office.office = small_office("mails", last=100 + MAILS)
        office.lanes = Lanes(office.client, office.office)
        for number in range(MAILS):
            await office.wish(await office.take(), f"r{number}@residents.example", ahead=1)
        due = await office.due()
        with postbox() as box:
            begun = time.monotonic()
            while await office.due():
                await run_with(office, box, connections=2)
            took_s = time.monotonic() - begun
            assert len(box.letters) == due >= MAILS
    return took_s * MAILS / due
