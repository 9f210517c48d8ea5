"""What `junban keeper` does until it is stopped: it archives; where notices are sent it keeps keys and wakes workers.

Two loops: a ledger that is away for minutes delays no notice, and no key stays a second longer.
"""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from config import logs
from config.alive import toucher
from config.ledger import LedgerSettings
from config.mail import MailSettings
from hub.desk.lane import Office
from hub.store.connection import connect
from hub.store.contacts import Contacts
from hub.store.days import Days
from hub.store.lanes import Lanes
from hub.store.outbox import Outbox
from workers.archive import Archiver
from workers.dispatch import Duties, Keeper
from workers.sweeping import Sweeper
from workers.wake import Waker


def run(
    office: Office,
    mail: MailSettings | None,
    ledger: LedgerSettings,
    *,
    redis_url: str,
    jobs_url: str,
    alive: Path | None = None,
) -> None:
    """Until SIGTERM or SIGINT; store and ledger that are away are waited for. Raises KeysUnusable, LedgerUnusable."""
    logs.set_up()
    asyncio.run(_keep(office, mail, ledger, redis_url, jobs_url, alive))


async def _keep(
    office: Office, mail: MailSettings | None, ledger: LedgerSettings, redis_url: str, jobs_url: str, alive: Path | None
) -> None:
    on_archive, on_mail = _slowest(toucher(alive), 2 if mail else 1)
    async with contextlib.AsyncExitStack() as opened:
        client = connect(redis_url)
        opened.push_async_callback(client.aclose)
        book = ledger.open(office.key)
        opened.callback(book.close)
        archiver = Archiver(Days(client, office), book, ledger.heads, ledger.signing_key())
        loops = [Duties({"archive": archiver.turn}, on_archive)]
        if mail is not None:
            waker = Waker(jobs_url, office.key)
            opened.callback(waker.close)
            outbox, contacts = Outbox(client, office), Contacts(client, office)
            loops.append(Keeper(outbox, contacts, mail.key_host(), waker, carriers=mail.carriers, on_alive=on_mail))
            lanes = Lanes(client, office)
            loops.append(Duties({"sweep": Sweeper(lanes, time.monotonic).turn}, lambda: None))
        await _run_all(loops)


async def _run_all(loops: Sequence[Duties]) -> None:
    running = asyncio.gather(*(duties.run() for duties in loops))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, running.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await running


def _slowest(touch: Callable[[], None], count: int) -> tuple[Callable[[], None], Callable[[], None]]:
    """One sign of life for so many loops: it is given when the last of them has turned."""
    turned: set[int] = set()

    def of(number: int) -> Callable[[], None]:
        def turn() -> None:
            turned.add(number)
            if len(turned) == count:
                turned.clear()
                touch()

        return turn

    return of(0), of(1)
