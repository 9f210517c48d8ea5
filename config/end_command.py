"""What `junban erase` does at the end of an agreement: every contact is erased at once, the records are handed back.

The office is stopped before. Everything lands in one folder: the ledger with its verifier, the signed heads, the
certificate and the report. Nothing in it holds a contact.
"""

import asyncio
import contextlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from config.commands.asking import Say
from config.embedded import EmbeddedValkey
from config.erase_command import NotErased
from config.ledger import LedgerSettings
from config.now import now_ms
from config.office_folder import KEYS_FOLDER, STORE_FOLDER
from config.paper_command import Asked, PaperCommand
from config.settings import Machine
from hub.desk.lane import Office
from hub.ledger.connection import transaction
from hub.ledger.erasures import Erasures
from hub.ledger.export import export
from hub.ledger.journal import Author, note
from hub.ledger.operations import Ledger
from hub.store import library
from hub.store.connection import connect
from hub.store.contacts import Contacts
from hub.store.days import Days
from hub.store.erasing import Erasing
from workers.archive import Archiver
from workers.erase import SETTING
from workers.keys import KeyHost
from workers.search import Wanted, search

FOREVER = "9999-12-31"
FOREVER_MS = 1 << 52
ENDING = "agreement"
METHOD = "key+unlink"


class EndCommand:
    """Raises LedgerUnusable, KeysUnusable, StoreDidNotStart, OSError, a Refusal, NotErased."""

    def __init__(
        self, machine: Machine, office: Office, settings: LedgerSettings, folder: Path, say: Say, by: Author
    ) -> None:
        self._machine, self._office, self._settings = machine, office, settings
        self._folder, self._say, self._by = folder.absolute(), say, by

    def run(self, to: Path, asked: Asked) -> bool:
        """Whether the certificate says that nothing is left. `asked`: its inputs; the period is all of the ledger."""
        if self._machine.redis_url is not None and not self._machine.search_dirs:  # told before anything is erased
            raise NotErased(f"自前のストアでは、消去を確かめるフォルダーを {SETTING} に書いてください。")
        papers = PaperCommand(self._settings, self._office, self._say, self._by, now_ms=now_ms)
        to.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._store() as (url, store_folder):
            ledger = self._settings.open(self._office.key)
            try:
                ledger.prepare()
                papers.issue(ledger, asked)  # a name that is none is told before anything is erased
                contacts, keys = asyncio.run(self._erase(url, ledger, store_folder))
                self._note(ledger, contacts, keys)
                export(ledger, to / "ledger.jsonl")
                first = min((json.loads(entry.text)["day"] for entry in ledger.entries()), default=asked.first)
            finally:
                ledger.close()
        if self._settings.heads.exists():
            shutil.copytree(self._settings.heads, to / "heads", dirs_exist_ok=True)
        self._say(f"連絡先 {contacts} 件と鍵 {keys} 日分を消去し、記録を {to} に置きました。")
        papers.report(replace(asked, first=first, to=to / "report.pdf"))
        return papers.certificate(replace(asked, first=first, to=to / "certificate.pdf"))

    @contextlib.contextmanager
    def _store(self) -> Iterator[tuple[str, Path | None]]:
        """The store that is named, or the office's own, which must not run already."""
        if self._machine.redis_url is not None:
            yield self._machine.redis_url, None
            return
        with EmbeddedValkey(self._folder / STORE_FOLDER) as server:
            yield server.url, server.folder

    async def _erase(self, url: str, ledger: Ledger, store_folder: Path | None) -> tuple[int, int]:
        client = connect(url)
        try:
            await library.install(client)
            ledger.prepare()
            archiver = Archiver(Days(client, self._office), ledger, self._settings.heads, self._settings.signing_key())
            before = None
            while before != ledger.end():  # until every contact that was ever given is in the chain
                before = ledger.end()
                await archiver.turn()
            return await self._erase_all(
                Erasing(client, self._office), Contacts(client, self._office), ledger, store_folder
            )
        finally:
            await client.aclose()

    async def _erase_all(
        self, store: Erasing, contacts: Contacts, ledger: Ledger, store_folder: Path | None
    ) -> tuple[int, int]:
        book, now = Erasures(ledger), await store.now_ms()
        key_dir = self._machine.key_dir or self._folder / KEYS_FOLDER
        destroyed = KeyHost(key_dir, None).destroy_before(FOREVER)
        for day, key in ({day: key.id for day, key in (await contacts.published()).items()} | destroyed).items():
            book.key_destroyed(day, key, now)
            await contacts.withdraw(day)
        if unlisted := await store.unlisted():
            await store.list_overdue(unlisted, 1)
        while due := await store.due(FOREVER_MS):
            await store.erase(due, FOREVER_MS)
        gone = book.gone(book.open(), METHOD, now, ending=ENDING)
        await store.rewrite()
        until = await store.now_ms()
        places = [*self._machine.search_dirs, *([store_folder] if store_folder else [])]
        wanted = Wanted(frozenset(book.keys().values()), frozenset(await store.traces(FOREVER_MS)))
        found = search([*places, *([self._folder] if self._folder.exists() else [])], wanted)
        if found.hits or found.unread:
            raise NotErased(
                f"{(found.hits + found.unread)[0]} に残っているか、読めません。確かめて、もう一度行ってください。"
            )
        if not found.files:
            raise NotErased(f"{SETTING} のフォルダーにファイルが 1 つもなく、消去を確かめられません。")
        book.verified(until, "rewrite+scan", gone, found.files, until)
        await store.forget(await store.traces(FOREVER_MS))
        return gone, len(destroyed)

    def _note(self, ledger: Ledger, contacts: int, keys: int) -> None:
        end = ledger.end() or (0, "")
        told = {"contacts": str(contacts), "keys": str(keys), "last_hash": end[1]}
        with transaction(ledger.engine, writes=True) as connection:
            note(connection, ledger.office, "OfficeHandedBack", now_ms(), self._by, told)
        while ledger.chain_journal():
            pass
