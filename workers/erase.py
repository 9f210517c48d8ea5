"""The eraser: what was left yesterday cannot be read from anything that runs here, five layers deep, and it says so.

It works from lists and from what is there, never from a schedule: killed at any moment, asleep for days or put on a
restored backup, its next turn does what is due and changes nothing else. It opens no contact.

1. the private key of each day that is over is destroyed: from now on nobody can read what was sealed with it
2. each contact whose hour is past is gone from the live store
3. the store's files are written anew without it
4. the embedded server is restarted at night; elsewhere what is left in its memory has no key
5. files, logs and temporary folders are looked through, and only then it is noted as verified
"""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

import structlog

from hub.desk.refusals import Refusal, StoreAway
from hub.ledger.connection import LedgerUnusable
from hub.ledger.erasures import Given
from hub.ledger.journal import tokyo_day
from hub.store.erasing import ERASED_AFTER_MS, NET_SET_MS, VERIFIED_AFTER_MS, RewriteFailed, Server, Told
from hub.store.sealing import Contact, PublicKey, seal
from workers.clock import SteadyClock
from workers.keys import KeysUnusable
from workers.search import Wanted, blind, search

_log = structlog.get_logger("workers.erase")

TOKYO = ZoneInfo("Asia/Tokyo")
NIGHT_HOURS = range(6)  # when the embedded server may be restarted; nobody waits then
LOOKED_BACK_DAYS = 7  # of keys and canaries that are looked for
AGAIN_AFTER_MS = 10_000  # where the disk was full: soon enough after it has space, and no busy loop until then
LOOK_EVERY_MS = 60_000  # at the server's own settings, and for contacts whose net is not set
RESTARTED_WITHIN_S = 60.0
UNLINKED_WITHIN_S = 1.0  # the server takes its old parts away in the background
PAUSE_S = 0.05
CANARY_HOST = "canary.invalid"
DAY_AFTER_METHOD = "key+unlink"
# No list of the store tells it of these: no key is published then.
CLOSING = frozenset({"clock", "keys", "found", "unread", "unfit"})
SETTING = "JUNBAN_SEARCH_DIRS"


class NotClean(Exception):
    """Something that must be gone was found; says where, and never what."""


class Unread(NotClean):
    """Something was not looked through, and nothing counts as verified. `place`: which of the places, or the setting
    that names them; what lies below it may be named after a contact.
    """

    def __init__(self, place: Path | str, sentence: str) -> None:
        super().__init__(sentence)
        self.place = str(place)


class Unsearched(Unread):
    """The store is somebody else's, and nobody has named a folder where its files are: nothing is ever verified."""

    def __init__(self) -> None:
        super().__init__(SETTING, f"{SETTING} がないため、消去を確かめられません。調べるフォルダーを書いてください。")


class Unfit(Exception):
    """The store throws contacts away, or has a replica that keeps them: none is taken."""

    def __init__(self) -> None:
        super().__init__(
            "ストアが連絡先を捨てるか、複製に残します。連絡先は預かりません。junban doctor で確かめてください。"
        )


FAILURES = (Refusal, LedgerUnusable, OSError, RewriteFailed, NotClean, Unfit)  # a time-out is an OSError


class StoreErasing(Protocol):
    """`hub.store.erasing`. Everything may raise a Refusal."""

    async def now_ms(self) -> int: ...
    async def due(self, until_ms: int) -> list[str]: ...
    async def erase(self, subscriptions: Sequence[str], until_ms: int) -> int: ...
    async def set_net(self, until_ms: int) -> None: ...
    async def kept(self, subscriptions: Sequence[str]) -> set[str]: ...
    async def plant(self, subscription: str, sealed: str, erase_ms: int) -> None: ...
    async def unlisted(self) -> list[str]: ...
    async def list_overdue(self, subscriptions: Collection[str], erase_ms: int) -> None: ...
    async def traces(self, until_ms: int) -> list[str]: ...
    async def trace(self, subscriptions: Sequence[str], until_ms: int) -> None: ...
    async def forget(self, subscriptions: Sequence[str]) -> None: ...
    async def late(self, now_ms: int) -> tuple[int, int]: ...
    async def server(self) -> Server: ...
    async def rewrite(self) -> None: ...
    async def restart(self) -> None: ...
    async def tell(self, told: Told) -> None: ...


class Published(Protocol):
    """The store's public keys. Everything may raise a Refusal."""

    async def published(self) -> dict[str, PublicKey]: ...
    async def withdraw(self, date: str) -> None: ...


class Destroyer(Protocol):
    """The key host. `destroy_before` blocks, on the disk."""

    def destroy_before(self, date: str) -> dict[str, str]: ...
    def canary(self, date: str) -> str: ...


class Book(Protocol):
    """`hub.ledger.erasures`: blocking; may raise LedgerUnusable."""

    def open(self) -> list[Given]: ...
    def keys(self) -> dict[str, str]: ...
    def key_destroyed(self, date: str, key: str, at: int) -> None: ...
    def gone(self, contacts: Collection[Given], method: str, at: int) -> int: ...
    def verified(self, until_ms: int, method: str, contacts: int, files: int, at: int) -> None: ...


class Eraser:
    """`turn` is the first duty of the keeper. `places`: all that this machine can reach and where a contact may have
    been left, folders and files; without any nothing is verified. `may_restart`: the store is our own, and somebody
    starts it again. `wall_ms`: this machine's clock, for when the store is away.
    """

    def __init__(
        self,
        store: StoreErasing,
        contacts: Published,
        keys: Destroyer,
        book: Book,
        places: Sequence[Path],
        clock: SteadyClock,
        *,
        wall_ms: Callable[[], int],
        may_restart: bool,
    ) -> None:
        self._store, self._contacts, self._keys, self._book = store, contacts, keys, book
        self._places, self._clock, self._wall_ms, self._may_restart = places, clock, wall_ms, may_restart
        self._destroyed: dict[str, str] = {}  # date → id of its key, which the ledger does not have yet
        self._wiped: frozenset[str] | None = None  # what this process has wiped out of files and memory already
        self._restarts = self._owes_restart = False
        self._until_ms = 0  # before its files were written anew
        self._again_ms = 0
        self._verified_ms = 0
        self._is_closed = self._is_well = False
        self._look_again_ms = self._set_again_ms = 0
        self._now = 0

    async def turn(self) -> None:
        """Everything that is due at this moment. What one layer raises keeps no other from its work."""
        self._now = await self._moment()
        failures: list[Exception] = []
        layers = (self._destroy_keys, self._unlink, self._set_net, self._record, self._wipe, self._look_around)
        for layer in layers:
            try:
                await layer()
            except FAILURES as error:
                failures.append(error)
        why = _word_of(failures, self._clock)
        self._is_closed = why in CLOSING
        await self._tell(why, failures)
        if failures:
            raise failures[0]

    async def dates(self) -> list[str]:
        """The dates for which contacts may be taken: today and tomorrow, none while something is wrong."""
        if self._is_closed or not self._now:
            return []
        today = tokyo_day(self._now)
        return [today, _later(today, 1)]

    async def plant(self) -> None:
        """Keep a contact of nobody on each day: what finds it in clear afterwards has found a leak."""
        today = tokyo_day(self._now)
        key = (await self._contacts.published()).get(today)
        if key is None or self._is_closed:
            return
        name = self._keys.canary(today)
        subscription = f"canary{name[:16]}"
        if not await self._store.kept([subscription]):
            sealed = seal(Contact(f"canary-{name}@{CANARY_HOST}", ""), key, subscription)
            await self._store.plant(subscription, sealed, _erase_ms(today))

    # --------------------------------------------------------------------------------------------------------- layers

    async def _destroy_keys(self) -> None:
        """From here on nobody can read what was sealed with them; it needs neither store nor ledger."""
        kept_from = self._kept_from()
        for day, key_id in (await asyncio.to_thread(self._keys.destroy_before, kept_from)).items():
            self._destroyed[day] = key_id
            _log.info("key destroyed", day=day, key=key_id)

    async def _unlink(self) -> None:
        while due := await self._store.due(self._now):
            count = await self._store.erase(due, self._now)
            self._owes_restart = self._may_restart
            _log.info("contacts erased", count=count)

    async def _set_net(self) -> None:
        """The expiry of what must go tonight, once a minute; a clock that is doubted would take it at once."""
        if self._clock.step_ms or self._now < self._set_again_ms:
            return
        await self._store.set_net(self._now + NET_SET_MS)
        self._set_again_ms = self._now + LOOK_EVERY_MS

    async def _record(self) -> None:
        """In the ledger: which keys are destroyed, and of each contact of their days that it is gone."""
        kept_from = self._kept_from()
        over = {day: key.id for day, key in (await self._contacts.published()).items() if day < kept_from}
        for day, key_id in (over | self._destroyed).items():
            await asyncio.to_thread(self._book.key_destroyed, day, key_id, self._now)
            self._destroyed.pop(day, None)
        for day in over:
            await self._contacts.withdraw(day)
        past = [given for given in await asyncio.to_thread(self._book.open) if given.date < kept_from]
        kept = await self._store.kept([given.subscription for given in past])
        if gone := [given for given in past if given.subscription not in kept]:
            await asyncio.to_thread(self._book.gone, gone, DAY_AFTER_METHOD, self._now)
            # Noted late, by a ledger or an archiver that was away: what proves it must come after it.
            await self._store.trace([given.subscription for given in gone], self._now + VERIFIED_AFTER_MS)
            self._wiped = None

    async def _wipe(self) -> None:
        """Files, memory, and the look through all of it; once for everything that is gone from the live store."""
        traces = await self._store.traces(self._now + VERIFIED_AFTER_MS)
        if not traces:
            await self._restart_at_night()
        if not traces or self._now < self._again_ms:
            return
        self._again_ms = self._now + AGAIN_AFTER_MS
        if self._wiped is None or not self._wiped.issuperset(traces):
            self._until_ms = self._now
            await self._rewrite()
            self._restarts = await self._restart_at_night()
            self._wiped = frozenset(traces)
        await self._list_unlisted()
        files = await self._look(traces)
        now = await self._store.now_ms()
        method = f"rewrite{'+restart' if self._restarts else ''}+scan"
        await asyncio.to_thread(self._book.verified, self._until_ms, method, len(traces), files, now)
        await self._store.forget(traces)
        self._verified_ms, self._again_ms = now, 0
        _log.info("erasure verified", count=len(traces))

    async def _rewrite(self) -> None:
        await self._store.rewrite()

    async def _restart_at_night(self) -> bool:
        """Whether it was restarted now: at night, once after contacts whose day was over, their files written anew.

        By day it would take every screen from its store for a moment: what is in memory until then has no key.
        """
        is_night = datetime.fromtimestamp(self._now // 1000, TOKYO).hour in NIGHT_HOURS
        if not (self._owes_restart and is_night):
            return False
        await self._restart()
        self._owes_restart = False
        return True

    async def _restart(self) -> None:
        before = await self._store.server()
        await self._store.restart()
        async with asyncio.timeout(RESTARTED_WITHIN_S):
            while True:
                with contextlib.suppress(Refusal):
                    if (await self._store.server()).run_id != before.run_id:
                        return
                await asyncio.sleep(PAUSE_S)

    async def _list_unlisted(self) -> None:
        """Nothing in the live store that no list names: a restored backup may bring it."""
        if unlisted := await self._store.unlisted():
            await self._store.list_overdue(unlisted, self._now)
            _log.error("contacts that no list named", count=len(unlisted))
            self._again_ms = 0
            raise NotClean(f"消去の予定にない連絡先が {len(unlisted)} 件ありました。消去します。")

    async def _look(self, traces: Sequence[str]) -> int:
        """Through every file; gives how many they were. Raises NotClean."""
        if not self._places:
            raise Unsearched
        today = tokyo_day(self._now)
        since = _later(today, -LOOKED_BACK_DAYS)
        dates = [_later(today, -back) for back in range(LOOKED_BACK_DAYS + 1)]
        canaries: frozenset[str] = frozenset()
        with contextlib.suppress(KeysUnusable):  # without a master key none was planted
            canaries = frozenset([self._keys.canary(day) for day in dates])
        keys = frozenset(key for day, key in self._book.keys().items() if day >= since and key)
        wanted = Wanted(keys, frozenset(traces), canaries)
        found = await asyncio.to_thread(search, self._places, wanted)
        if found.hits or found.unread:
            await asyncio.sleep(UNLINKED_WITHIN_S)
            found = await asyncio.to_thread(search, self._places, wanted)
        if found.unread:
            raise self._unread(found.unread[0])
        if found.hits:
            raise NotClean(
                f"消去したはずの連絡先が {found.hits[0]} に残っています（ほか {len(found.hits) - 1} か所）。"
            )
        if not found.files:
            raise Unread(SETTING, f"{SETTING} のフォルダーにファイルが 1 つもなく、消去を確かめられません。")
        return found.files

    def _unread(self, path: Path) -> Unread:
        place = next((place for place in self._places if path.is_relative_to(place)), SETTING)
        return Unread(place, f"{path} を読めないため、消去を確かめられません。フォルダーと権限を確かめてください。")

    # ------------------------------------------------------------------------------------------------------- the rest

    async def _look_around(self) -> None:
        """Once a minute, and at each turn while it is not well. Raises Unfit for a server on which contacts must not be
        taken, Unread for places of which nobody could say afterwards that they are clean, Unsearched without any.
        """
        if self._is_well and self._now < self._look_again_ms:
            return
        self._is_well, self._look_again_ms = False, self._now + LOOK_EVERY_MS
        if not (await self._store.server()).is_fit:
            raise Unfit
        if not self._places:
            raise Unsearched
        if missed := await asyncio.to_thread(blind, self._places):
            raise self._unread(missed[0])
        self._is_well = True

    async def _moment(self) -> int:
        """The moment to go by: the store's, or this machine's while it is away; neither where it was just set."""
        try:
            told = await self._store.now_ms()
        except StoreAway:
            told = self._wall_ms()
        return self._clock.judge(told)

    def _kept_from(self) -> str:
        """The earliest date whose key may still exist."""
        return tokyo_day(self._now - ERASED_AFTER_MS)

    async def _tell(self, why: str, failures: Sequence[Exception]) -> None:
        overdue, late_ms = await self._store.late(self._now)
        where = next((error.place for error in failures[:1] if isinstance(error, Unread)), "")
        await self._store.tell(Told(True, overdue, late_ms / 1000, why, self._verified_ms, where))


def _word_of(failures: Sequence[Exception], clock: SteadyClock) -> str:
    """One word for an alarm; '' where all is well. A store that is away is told by everybody."""
    words = {
        LedgerUnusable: "ledger",
        TimeoutError: "store",
        OSError: "keys",
        RewriteFailed: "files",
        Unsearched: "unsearched",
        Unread: "unread",
        NotClean: "found",
        Unfit: "unfit",
    }
    for error in failures:
        for kind, word in words.items():
            if isinstance(error, kind):
                return word
        return "store"
    return "clock" if clock.step_ms else ""


def _later(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def _erase_ms(day: str) -> int:
    """Ten minutes past the midnight after that date."""
    midnight = datetime.combine(date.fromisoformat(day) + timedelta(days=1), datetime.min.time(), TOKYO)
    return round(midnight.timestamp() * 1000) + ERASED_AFTER_MS
