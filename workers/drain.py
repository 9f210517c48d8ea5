"""Send what is due on one carrier: claim, look, open, mark, send, settle, until nothing is left. Never twice.

Before the first byte a notice is marked; whoever finds one that was marked and never settled cannot know whether it
arrived, and says so instead of sending it again. A contact exists here between opening and sending, and in no log.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, assert_never

import structlog

from hub.desk.lane import Office
from hub.desk.notices import Carrier, Ending, NoticeState, Trigger
from hub.desk.refusals import NoContact, NotClaimed, Refusal, TryAgain
from hub.desk.ticket import State
from hub.store.outbox import Claimed, Prospect
from hub.store.sealing import Contact, Unreadable
from workers.carriers.sending import Fate, Message, Outcome, Sender
from workers.keys import KeysUnusable
from workers.wording import Text, near, registered

_log = structlog.get_logger("workers.drain")

PAUSES_S = (2, 5, 15, 30)  # after the first, second, … try; a greylisting server says yes within minutes
LONGEST_S = 20.0  # a run; then the executor gets its breath, and the next wake-up goes on
NO_KEY_PAUSE_S = 30  # somebody must set the right master key
# Between asking for the mark and the first byte: the carrier takes 30 s of a lease of 35. A process that slept for
# longer (a machine that was halted) holds nothing any more.
MARKED_WITHIN_S = 5.0


class Notices(Protocol):
    """The store's outbox. Everything may raise a Refusal."""

    async def day(self) -> str: ...
    async def take_over(self, carrier: Carrier, day: str) -> int: ...
    async def claim(self, day: str, carrier: Carrier, tenure: int) -> list[Claimed]: ...
    async def look(self, day: str, carrier: Carrier, claimed: Sequence[Claimed]) -> list[Prospect]: ...
    async def mark(self, day: str, carrier: Carrier, tenure: int, notice: str) -> None: ...
    async def settle(
        self, day: str, carrier: Carrier, tenure: int, notice: str, state: NoticeState, again_ms: int = 0
    ) -> None: ...


class SealedContacts(Protocol):
    """The store's contacts. Everything may raise a Refusal."""

    async def sealed(self, subscription: str) -> str | None: ...
    async def erase(self, day: str, subscription: str, ticket: int, carrier: Carrier, ending: Ending) -> None: ...


class Opener(Protocol):
    """The key host."""

    def open(self, sealed: str, subscription: str) -> Contact: ...


class Superseded(Exception):
    """A later worker has this carrier, or the store has lost its memory: end, and begin anew if still wanted."""


@dataclass(frozen=True, slots=True)
class _Settled:
    """What one notice comes to."""

    state: NoticeState
    code: str = ""
    again_ms: int = 0


class Drain:
    """One carrier of one office in one process. `senders`: as many connections as are used at once.

    `now` gives the date that stands in a message. `is_stopping` is asked before each notice.
    """

    def __init__(
        self,
        carrier: Carrier,
        office: Office,
        outbox: Notices,
        contacts: SealedContacts,
        keys: Opener,
        senders: Sequence[Sender],
        *,
        public_url: str,
        now: Callable[[], datetime],
        is_stopping: Callable[[], bool] = lambda: False,
        longest_s: float = LONGEST_S,
        marked_within_s: float = MARKED_WITHIN_S,
    ) -> None:
        self._carrier = carrier
        self._office = office
        self._outbox = outbox
        self._contacts = contacts
        self._keys = keys
        self._senders = senders
        self._public_url = public_url
        self._now = now
        self._is_stopping = is_stopping
        self._longest_s = longest_s
        self._marked_within_s = marked_within_s
        self._tenure: int | None = None
        self._day = ""
        # What came of a notice, and in which tenure, while the store was away: told before anything else is done.
        self._untold: dict[str, tuple[Claimed, int, _Settled]] = {}

    async def run(self) -> None:
        """Returns when nothing is due, or early; the next wake-up goes on. Raises Superseded."""
        try:
            await self._run()
        except TryAgain:
            # Away, or another day by now; the wake-ups do not stop. What was claimed, perhaps without our hearing of
            # it, is free as soon as we take over anew.
            self._tenure = None
        except Refusal as error:
            _log.error("notices not looked at", carrier=self._carrier, code=error.code)
        except Superseded:
            raise
        except BaseException:
            self._tenure = None  # ended half-way: what it had not begun must not wait for a lease
            raise

    async def _run(self) -> None:
        until = asyncio.get_running_loop().time() + self._longest_s
        day = await self._outbox.day()
        if not day:
            return
        if day != self._day:
            self._day = day
            self._untold.clear()  # of a day that is over nobody asks any more
        for untold in list(self._untold.values()):
            await self._tell(*untold)
        if self._tenure is None:
            self._tenure = await self._outbox.take_over(self._carrier, day)
        while not self._is_stopping() and asyncio.get_running_loop().time() < until:
            claimed = await self._claim(self._tenure)
            if not claimed:
                return
            # A wish that is due at once is confirmed first: whoever did not make it should not read the other before.
            claimed.sort(key=lambda one: one.trigger is Trigger.NEAR)
            await self._work_off(deque(claimed), until)

    async def _claim(self, tenure: int) -> list[Claimed]:
        try:
            return await self._outbox.claim(self._day, self._carrier, tenure)
        except NotClaimed:
            raise Superseded from None

    async def _work_off(self, waiting: deque[Claimed], until: float) -> None:
        """All of them, on as many connections as there are senders."""
        failures: list[Exception] = []
        under_way: set[str] = set()  # subscriptions: the messages of one go one after the other

        def first_free() -> Claimed | None:
            for place, one in enumerate(waiting):
                if one.subscription not in under_way:
                    del waiting[place]
                    return one
            return None  # whoever has it in hand goes on with its next

        async def one_after_the_other(sender: Sender) -> None:
            while waiting and not failures and not self._is_stopping():
                if asyncio.get_running_loop().time() >= until:
                    return
                claimed = first_free()
                if claimed is None:
                    return
                under_way.add(claimed.subscription)
                try:
                    await self._deliver(claimed, sender)
                except NotClaimed:
                    continue
                except Exception as error:
                    failures.append(error)  # nobody is cancelled for it: the other may be behind its final dot
                finally:
                    under_way.discard(claimed.subscription)

        senders = self._senders[: len(waiting)]
        await asyncio.gather(*(one_after_the_other(sender) for sender in senders))
        if failures:
            raise failures[0]
        for claimed in waiting:  # not begun: whoever comes next need not wait for their lease
            await self._settle(claimed, _Settled(NoticeState.PENDING))

    async def _deliver(self, claimed: Claimed, sender: Sender) -> None:
        if claimed.was_sending:
            return await self._settle(claimed, _Settled(NoticeState.UNCERTAIN, "lost"))
        # Not for all that were claimed at once: behind a slow server the last number may have been called by then.
        (prospect,) = await self._outbox.look(self._day, self._carrier, [claimed])
        if _is_useless(claimed.trigger, prospect):
            return await self._settle(claimed, _Settled(NoticeState.LAPSED))
        sealed = await self._contacts.sealed(claimed.subscription)
        if sealed is None:
            return await self._settle(claimed, _Settled(NoticeState.LAPSED, "gone"))
        try:
            contact = self._keys.open(sealed, claimed.subscription)
        except Unreadable:
            return await self._settle(claimed, _Settled(NoticeState.LAPSED, "unreadable"))
        except KeysUnusable as error:
            _log.error("contacts cannot be opened", carrier=self._carrier, why=str(error))
            return await self._settle(claimed, _Settled(NoticeState.PENDING, "keys", NO_KEY_PAUSE_S * 1000))
        stop_url = f"{self._public_url}/stop/{contact.stop}"
        message = Message(claimed.notice, self._text(claimed.trigger, prospect, stop_url), stop_url, self._now())
        loop = asyncio.get_running_loop()
        asked_at = loop.time()
        try:
            await self._outbox.mark(self._day, self._carrier, self._present_tenure(), claimed.notice)
        except NoContact:
            return await self._settle(claimed, _Settled(NoticeState.LAPSED, "gone"))
        except TryAgain:
            # It may be marked; that nothing was sent only this process knows.
            self._untold[claimed.notice] = claimed, self._present_tenure(), _Settled(NoticeState.PENDING)
            raise
        if loop.time() - asked_at > self._marked_within_s:
            return await self._settle(claimed, _Settled(NoticeState.PENDING, "slept"))
        outcome = await sender.send(contact, message)
        await self._settle(claimed, _settled(outcome, claimed.attempts))

    def _text(self, trigger: Trigger, prospect: Prospect, stop_url: str) -> Text:
        match trigger:
            case Trigger.REGISTERED:
                return registered(self._office.name, stop_url)
            case Trigger.NEAR:
                return near(
                    self._office.name,
                    number=prospect.number,
                    lane=next((lane.name for lane in self._office.lanes if lane.key == prospect.lane), "－"),
                    ahead=prospect.ahead or 0,
                    ticket_url=f"{self._public_url}/t",
                    stop_url=stop_url,
                )
            case _:
                assert_never(trigger)

    async def _settle(self, one: Claimed, settled: _Settled) -> None:
        """Tell the store what came of it; kept where it is away."""
        tenure = self._present_tenure()
        self._untold[one.notice] = one, tenure, settled
        await self._tell(one, tenure, settled)

    async def _tell(self, one: Claimed, tenure: int, settled: _Settled) -> None:
        if settled.state is NoticeState.REFUSED:  # first: once it is settled, nobody comes back to it
            await self._contacts.erase(self._day, one.subscription, one.ticket, self._carrier, Ending.REFUSED)
        with contextlib.suppress(NotClaimed):  # in other hands, or it was told, and the answer got lost
            await self._outbox.settle(self._day, self._carrier, tenure, one.notice, settled.state, settled.again_ms)
        del self._untold[one.notice]
        _log.info("notice", carrier=self._carrier, notice=one.notice, state=str(settled.state), code=settled.code)

    def _present_tenure(self) -> int:
        if self._tenure is None:
            raise RuntimeError("nothing was taken over")
        return self._tenure


def _is_useless(trigger: Trigger, prospect: Prospect) -> bool:
    if prospect.ended:
        return True
    return trigger is Trigger.NEAR and prospect.state is not State.WAITING


def _settled(outcome: Outcome, attempts: int) -> _Settled:
    """`attempts`: how many tries there were before this one."""
    match outcome.fate:
        case Fate.ACCEPTED:
            return _Settled(NoticeState.ACCEPTED, outcome.code)
        case Fate.REFUSED:
            return _Settled(NoticeState.REFUSED, outcome.code)
        case Fate.UNCERTAIN:
            return _Settled(NoticeState.UNCERTAIN, outcome.code)
        case Fate.AGAIN:
            pause_s = PAUSES_S[min(attempts, len(PAUSES_S) - 1)]
            return _Settled(NoticeState.PENDING, outcome.code, pause_s * 1000)
        case _:
            assert_never(outcome.fate)
