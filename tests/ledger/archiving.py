"""A program that starts archivers to be killed: `python -m tests.ledger.archiving STORE OFFICE LEDGER FOLDER`.

For each line on its standard input it forks one, which says its process id and turns without a pause until it is
killed; everything was imported before, so that it is at work within milliseconds. Before and after each step that
touches store or ledger it says `step`. Whoever reads hears `gone` when it is.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

from pydantic import SecretStr

from config import logs
from config.ledger import LedgerSettings
from hub.ledger.operations import Ledger, Stream
from hub.store.connection import connect
from hub.store.days import PAGE, Days, Look
from tests.model.desks import small_office
from workers.archive import Archiver


class TellingLedger(Ledger):
    """Says when it begins a transaction that writes, and when it is over."""

    def prepare(self) -> None:
        super().prepare()
        say("step")

    def append(self, *facts: Any, **more: Any) -> Stream:
        say("step")
        stream = super().append(*facts, **more)
        say("step")
        return stream

    def keep_head(self, *head: Any) -> None:
        say("step")
        super().keep_head(*head)
        say("step")


class TellingDays(Days):
    async def look(self, day: str, after: str, *, page: int = PAGE) -> Look | None:
        say("step")
        return await super().look(day, after, page=page)

    async def delete(self, day: str) -> None:
        say("step")
        await super().delete(day)
        say("step")


async def archive(store: str, office: str, ledger: str, folder: Path) -> NoReturn:
    settings = LedgerSettings(folder, SecretStr(ledger))
    days = TellingDays(connect(store), small_office(office))
    book = TellingLedger(ledger, office)
    archiver = Archiver(days, book, settings.heads, settings.signing_key(), settled_s=0)
    while True:
        await archiver.turn()


def main() -> None:
    store, office, ledger, folder = sys.argv[1:]
    logs.set_up()
    for _ in sys.stdin:
        child = os.fork()
        if not child:
            try:
                say(str(os.getpid()))  # not the parent: its word may come after a first step
                asyncio.run(archive(store, office, ledger, Path(folder)))
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)
        say("gone" if os.WIFSIGNALED(status) else f"ended by itself: {status}")


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


if __name__ == "__main__":
    main()
