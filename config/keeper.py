"""What `junban keeper` does: keys, erasure and the net under the wake-ups, until it is stopped."""

import asyncio
import contextlib
import signal
from pathlib import Path

from config import logs
from config.alive import toucher
from config.mail import MailSettings
from hub.desk.lane import Office
from hub.store.connection import connect
from hub.store.contacts import Contacts
from hub.store.outbox import Outbox
from workers.dispatch import Keeper
from workers.wake import Waker


def run(office: Office, mail: MailSettings, *, redis_url: str, jobs_url: str, alive: Path | None = None) -> None:
    """Until SIGTERM or SIGINT; a store that is away is waited for. Raises KeysUnusable."""
    logs.set_up()
    asyncio.run(_keep(office, mail, redis_url, jobs_url, alive))


async def _keep(office: Office, mail: MailSettings, redis_url: str, jobs_url: str, alive: Path | None) -> None:
    client = connect(redis_url)
    waker = Waker(jobs_url, office.key)
    keeper = Keeper(Outbox(client, office), Contacts(client, office), mail.key_host(), waker, on_alive=toucher(alive))
    running = asyncio.create_task(keeper.run())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, running.cancel)
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await running
    finally:
        waker.close()
        await client.aclose()
