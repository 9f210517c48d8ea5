"""The keeper's turns: nothing that is due is forgotten, and no key outlives its day. Nothing here opens a contact.

It works from what the store says, never from a schedule: what was missed while it was down is done at its first turn.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NoReturn, Protocol, TypeAlias

import structlog

from hub.desk.notices import Carrier
from hub.desk.refusals import Refusal, StoreAway
from hub.ledger.connection import LedgerUnusable
from hub.store.erasing import RewriteFailed
from hub.store.sealing import PublicKey
from workers.erase import NotClean, Unfit
from workers.keys import KeysUnusable

_log = structlog.get_logger("workers.dispatch")

Duty: TypeAlias = Callable[[], Awaitable[None]]

EVERY_S = 1.0  # the net under the hub's own wake-ups; a retry after two seconds is late by one at most


class Due(Protocol):
    """The store's outbox. Everything may raise a Refusal."""

    async def day(self) -> str: ...
    async def count_due(self, day: str, carrier: Carrier) -> int: ...


class ContactsKept(Protocol):
    """The store's public keys. Everything may raise a Refusal."""

    async def published(self) -> dict[str, PublicKey]: ...
    async def publish(self, date: str, key: PublicKey) -> None: ...
    async def withdraw(self, date: str) -> None: ...


class KeyMaker(Protocol):
    """The key host: blocking, and on the disk."""

    def ensure(self, date: str) -> PublicKey: ...


class Erases(Protocol):
    """`workers.erase`."""

    async def turn(self) -> None: ...
    async def dates(self) -> list[str]: ...
    async def plant(self) -> None: ...


class Wakes(Protocol):
    """Blocking. Raises StoreAway."""

    def wake(self, carrier: Carrier) -> None: ...


class Duties:
    """What is to be done in each turn, each of it whatever became of the others. A failure only delays."""

    def __init__(self, duties: Mapping[str, Duty], on_alive: Callable[[], None] = lambda: None) -> None:
        self._duties = duties
        self._on_alive = on_alive
        self._failing: dict[str, str] = {}  # duty → why, as the log knows it

    async def run(self, *, every_s: float = EVERY_S) -> NoReturn:
        while True:
            await self.turn()
            self._on_alive()
            await asyncio.sleep(every_s)

    async def turn(self) -> None:
        """Everything that is to be done at this moment. A failure is told once until it is over."""
        for name, duty in self._duties.items():
            try:
                await duty()
            except StoreAway as error:
                self._fail("all", error.code)
                return
            except Refusal as error:
                self._fail(name, error.code)
            except (KeysUnusable, LedgerUnusable, NotClean, RewriteFailed, Unfit) as error:
                self._fail(name, str(error))
            except Exception as error:
                if name not in self._failing:
                    _log.exception("duty failed")
                self._failing[name] = type(error).__name__
            else:
                self._succeed(name)
        self._succeed("all")

    def _fail(self, name: str, why: str) -> None:
        if self._failing.get(name) != why:
            _log.error("duty failed", duty=name, why=why)
        self._failing[name] = why

    def _succeed(self, name: str) -> None:
        if self._failing.pop(name, None) is not None:
            _log.info("duty done again", duty=name)


class Net:
    """Whoever has something due is woken, though no hub called out to him. It waits for no other duty: an eraser may
    take minutes over its files.
    """

    def __init__(self, outbox: Due, waker: Wakes, *, carriers: Sequence[Carrier] = tuple(Carrier)) -> None:
        self._outbox, self._waker, self._carriers = outbox, waker, carriers

    async def turn(self) -> None:
        day = await self._outbox.day()
        for carrier in self._carriers if day else ():
            if await self._outbox.count_due(day, carrier):
                await asyncio.to_thread(self._waker.wake, carrier)


class Keeper(Duties):
    """The duties of contacts. Erasing comes first: at a start none is taken while anything is overdue."""

    def __init__(
        self,
        contacts: ContactsKept,
        keys: KeyMaker,
        eraser: Erases,
        *,
        on_alive: Callable[[], None] = lambda: None,
    ) -> None:
        self._contacts = contacts
        self._keys = keys
        self._eraser = eraser
        duties: dict[str, Duty] = {
            "erase": eraser.turn,
            "make keys": self._make_keys,
            "plant": eraser.plant,
        }
        super().__init__(duties, on_alive)

    async def _make_keys(self) -> None:
        """Today's and tomorrow's: at midnight no resident waits for one. A store that lost them gets them again.

        While something is wrong with erasing, or with the clock, none is published: no contact is taken then.
        """
        dates = await self._eraser.dates()
        published = await self._contacts.published()
        for day in dates:
            key = await asyncio.to_thread(self._keys.ensure, day)
            if published.get(day) != key:
                await self._contacts.publish(day, key)
                _log.info("key published", day=day, key=key.id)
        for day in published.keys() - set(dates):
            if not dates or day > max(dates):
                await self._contacts.withdraw(day)
