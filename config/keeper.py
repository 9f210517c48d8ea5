"""What `junban keeper` does until it is stopped: it archives and erases; where notices are sent it also makes keys and
wakes workers.

Loops beside each other: a ledger that is away for minutes delays no notice, no key stays a second longer, and a long
look through files keeps nobody asleep.
"""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from redis.asyncio import Redis

from config import logs
from config.alive import toucher
from config.ledger import LedgerSettings
from config.mail import MailSettings
from config.now import now_ms
from config.presence import KEEPER, noted
from config.searched import places
from hub.desk.lane import Office
from hub.ledger.asked import Asks
from hub.ledger.erasures import Erasures
from hub.ledger.journal import Author
from hub.ledger.operations import Ledger
from hub.store.connection import connect
from hub.store.contacts import Contacts
from hub.store.days import Days
from hub.store.erasing import Erasing
from hub.store.lanes import Lanes
from hub.store.outbox import Outbox
from workers.archive import Archiver
from workers.asked import AskedErasures
from workers.clock import SteadyClock
from workers.dispatch import Duties, Keeper, Net
from workers.erase import Eraser
from workers.keys import KeyHost
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
    keys: KeyHost | None = None,
    own_store: Path | None = None,
    searched: Sequence[Path] = (),
) -> None:
    """Until SIGTERM or SIGINT; store and ledger that are away are waited for. Raises KeysUnusable, LedgerUnusable.

    `keys`: where there may be keys to destroy. `own_store`: the folder of an embedded server that somebody starts
    again. `searched`: where no contact may be; for a store that is not our own nothing is verified without any.
    """
    logs.set_up()
    with noted(ledger.open(office.key), KEEPER, Author("keeper")):
        asyncio.run(_keep(office, mail, ledger, redis_url, jobs_url, alive, keys, own_store, searched))


async def _keep(
    office: Office,
    mail: MailSettings | None,
    ledger: LedgerSettings,
    redis_url: str,
    jobs_url: str,
    alive: Path | None,
    keys: KeyHost | None,
    own_store: Path | None,
    searched: Sequence[Path],
) -> None:
    on_archive, on_erase, on_wake = _slowest(toucher(alive), 1 if keys is None else 2 if mail is None else 3)
    async with contextlib.AsyncExitStack() as opened:
        client = connect(redis_url)
        opened.push_async_callback(client.aclose)
        book = ledger.open(office.key)
        opened.callback(book.close)
        archiver = Archiver(Days(client, office), book, ledger.heads, ledger.signing_key())
        loops = [Duties({"archive": archiver.turn}, on_archive)]
        if keys is not None:
            contacts = Contacts(client, office)
            eraser = Eraser(
                Erasing(client, office),
                contacts,
                keys,
                Erasures(book),
                places(searched, own_store),
                SteadyClock(_boot_ms),
                wall_ms=now_ms,
                may_restart=own_store is not None,
            )
            loops.append(Duties({"erase as asked": _asked(client, office, book).turn}))
            if mail is None:
                loops.append(Duties({"erase": eraser.turn}, on_erase))
            else:
                waker = Waker(jobs_url, office.key)
                opened.callback(waker.close)
                net = Net(Outbox(client, office), waker, carriers=mail.carriers)
                loops += [Keeper(contacts, keys, eraser, on_alive=on_erase), Duties({"wake": net.turn}, on_wake)]
                lanes = Lanes(client, office)
                loops.append(Duties({"sweep": Sweeper(lanes, time.monotonic).turn}, lambda: None))
        await _run_all(loops)


def _asked(client: Redis, office: Office, book: Ledger) -> AskedErasures:
    return AskedErasures(Lanes(client, office), Erasing(client, office), Asks(book), now_ms=now_ms)


def _boot_ms() -> int:
    """Since this machine started, its sleep among them where the system counts it."""
    return time.clock_gettime_ns(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)) // 1_000_000


async def _run_all(loops: Sequence[Duties]) -> None:
    running = asyncio.gather(*(duties.run() for duties in loops))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, running.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await running


def _slowest(
    touch: Callable[[], None], count: int
) -> tuple[Callable[[], None], Callable[[], None], Callable[[], None]]:
    """One sign of life for so many loops: it is given when the last of them has turned."""
    turned: set[int] = set()

    def of(number: int) -> Callable[[], None]:
        def turn() -> None:
            turned.add(number)
            if len(turned) == count:
                turned.clear()
                touch()

        return turn

    return of(0), of(1), of(2)
