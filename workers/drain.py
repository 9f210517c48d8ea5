"""Send what is due on one carrier: claim, look, open, mark, send, settle, until nothing is left. Never twice.

Before the first byte a notice is marked; whoever finds one that was marked and never settled cannot know whether it
arrived, and says so instead of sending it again. A contact exists here between opening and sending, and in no log.
"""

import asyncio
import contextlib
import hashlib
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, assert_never

import structlog

from hub.desk.lane import Office
from hub.desk.notices import SENT_AGAIN, Carrier, Ending, NoticeState, Trigger
from hub.desk.refusals import NoContact, NotClaimed, Refusal, TryAgain, WrongMove
from hub.desk.ticket import State
from hub.store.outbox import Claimed, Prospect, Settled, Useful
from hub.store.sealing import Contact, Unreadable
from workers.carriers.sending import Fate, Message, Outcome, Sender
from workers.keys import KeysUnusable
from workers.wording import WRITERS, Matter

_log = structlog.get_logger("workers.drain")

PAUSES_S = (2, 5, 15, 30)  # after the first, second, … try; a greylisting server says yes within minutes
LONGEST_S = 20.0  # a run; then the executor gets its breath, and the next wake-up goes on
ELSEWHERE_PAUSE_S = 60  # nobody else may tell it: somebody could still raise the month's limit
NO_KEY_PAUSE_S = 30  # somebody must set the right master key
# Tries that certainly sent nothing; then the next carrier that is allowed has it. Or a time, however few:
# where a carrier does not answer, they may all have been others'.
PASSED_ON_AFTER = 3
PASSED_ON_AFTER_S = 20
TIMES_SENT = 2  # of what is sent again where nobody can know
TOKEN_BYTES = 16
# Between asking for the mark and the first byte: the carrier takes 30 s of a lease of 35. A process that slept for
# longer (a machine that was halted) holds nothing any more.
MARKED_WITHIN_S = 5.0


class Notices(Protocol):
    """The store's outbox. Everything may raise a Refusal."""

    async def day(self) -> str: ...
    async def take_over(self, carrier: Carrier, day: str) -> int: ...
    async def claim(self, day: str, carrier: Carrier, tenure: int) -> list[Claimed]: ...
    async def look(self, day: str, carrier: Carrier, claimed: Sequence[Claimed]) -> list[Prospect]: ...
    async def mark(
        self, day: str, carrier: Carrier, tenure: int, notice: str, callback: str = "", useful: Useful | None = None
    ) -> None: ...
    async def settle(
        self,
        day: str,
        carrier: Carrier,
        tenure: int,
        notice: str,
        state: NoticeState,
        again_ms: int | None = 0,
        *,
        pass_on: bool = False,
        may_have_arrived: bool = False,
    ) -> Settled: ...


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
class _End:
    """What one try comes to. `again_ms` None: it keeps its place among what is due. `pass_on`: the next carrier that
    the ticket allows should tell it. `may_have_arrived`: by this try.
    """

    state: NoticeState
    code: str = ""
    again_ms: int | None = 0
    pass_on: bool = False
    may_have_arrived: bool = False


class Drain:
    """One carrier of one office in one process. `senders`: as many connections as are used at once.

    `now` gives the date that stands in a message, `on_due` hears of a carrier that a notice was passed on to, and
    `is_stopping` is asked before each notice.
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
        on_due: Callable[[Carrier], Awaitable[None]],
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
        self._on_due = on_due
        self._is_stopping = is_stopping
        self._longest_s = longest_s
        self._marked_within_s = marked_within_s
        self._tenure: int | None = None
        self._day = ""
        self._is_silent = False  # has left one of those in hand without any answer
        # What came of a notice, and in which tenure, while the store was away: told before anything else is done.
        self._untold: dict[str, tuple[Claimed, int, _End]] = {}

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
            self._is_silent = False
            await self._work_off(deque(claimed), until)
            if self._is_silent:
                return  # nobody else would be heard either; soon it is asked anew, and first about what cannot wait

    async def _claim(self, tenure: int) -> list[Claimed]:
        try:
            return await self._outbox.claim(self._day, self._carrier, tenure)
        except NotClaimed:
            raise Superseded from None

    async def _work_off(self, waiting: deque[Claimed], until: float) -> None:
        """All of them, on as many connections as there are senders; no more once the carrier does not answer."""
        loop = asyncio.get_running_loop()
        began_at = loop.time()
        failures: list[Exception] = []
        under_way: set[str] = set()  # subscriptions: the messages of one go one after the other

        def first_free() -> Claimed | None:
            for place, one in enumerate(waiting):
                if one.subscription not in under_way:
                    del waiting[place]
                    return one
            return None  # whoever has it in hand goes on with its next

        async def one_after_the_other(sender: Sender) -> None:
            while waiting and not failures and not self._is_silent and not self._is_stopping():
                if loop.time() >= until:
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
        for claimed in waiting:  # whoever comes next need not wait for their lease
            await self._settle(claimed, self._not_begun(claimed, loop.time() - began_at))

    def _not_begun(self, claimed: Claimed, since_s: float) -> _End:
        """What becomes of what was claimed so long ago and no sender came to; it keeps its place in the row."""
        if claimed.was_sending:
            return _lost(claimed, self._senders[0])
        is_passed = self._is_silent and _is_long(claimed, claimed.attempts, since_s)
        return _End(NoticeState.PENDING, again_ms=None, pass_on=is_passed)

    async def _deliver(self, claimed: Claimed, sender: Sender) -> None:
        if claimed.was_sending:
            return await self._settle(claimed, _lost(claimed, sender))
        # Not for all that were claimed at once: behind a slow server the last number may have been called by then.
        (prospect,) = await self._outbox.look(self._day, self._carrier, [claimed])
        if _is_useless(claimed.trigger, prospect):
            return await self._settle(claimed, _End(NoticeState.LAPSED))
        if prospect.ended:
            return await self._settle(claimed, _without_contact(claimed, prospect.ended))
        sealed = await self._contacts.sealed(claimed.subscription)
        if sealed is None:
            return await self._settle(claimed, _without_contact(claimed, "gone"))
        try:
            contact = self._keys.open(sealed, claimed.subscription)
        except Unreadable:
            return await self._settle(claimed, _without_contact(claimed, "unreadable"))
        except KeysUnusable as error:
            _log.error("contacts cannot be opened", carrier=self._carrier, why=str(error))
            return await self._settle(claimed, _End(NoticeState.PENDING, "keys", NO_KEY_PAUSE_S * 1000))
        token = secrets.token_urlsafe(TOKEN_BYTES)
        message = self._message(claimed, prospect, contact, token)
        loop = asyncio.get_running_loop()
        asked_at = loop.time()
        heard_by = "" if self._carrier is Carrier.LINE else hashlib.sha256(token.encode()).hexdigest()
        state = USEFUL_IN.get(claimed.trigger)
        useful = Useful(claimed.ticket, state) if state else None
        try:
            await self._outbox.mark(self._day, self._carrier, self._present_tenure(), claimed.notice, heard_by, useful)
        except (NoContact, WrongMove):
            return await self._settle(claimed, _End(NoticeState.PENDING, "gone"))  # the next look shows why
        except TryAgain:
            # It may be marked; that nothing was sent only this process knows.
            self._untold[claimed.notice] = claimed, self._present_tenure(), _End(NoticeState.PENDING)
            raise
        if loop.time() - asked_at > self._marked_within_s:
            return await self._settle(claimed, _End(NoticeState.PENDING, "slept"))
        outcome = await sender.send(contact, message)
        self._is_silent |= outcome.is_silent
        await self._settle(claimed, _end(outcome, claimed, sender.knows_again))

    def _message(self, claimed: Claimed, prospect: Prospect, contact: Contact, token: str) -> Message:
        names = {lane.key: lane.name for lane in self._office.lanes}
        counters = {counter.key: counter.name for counter in self._office.counters}
        stop_url = f"{self._public_url}/stop/{contact.stop}"
        matter = Matter(
            office=self._office.name,
            trigger=claimed.trigger,
            number=prospect.number,
            lane=names.get(prospect.lane, "－"),
            ahead=prospect.ahead or 0,
            counter=counters.get(prospect.counter, ""),
            public_url=self._public_url,
            stop_url=stop_url,
            language=contact.language,
            by=contact.by,
        )
        text = WRITERS[self._carrier](matter)
        return Message(claimed.notice, text, stop_url, self._now(), f"{self._public_url}/phone/{token}", token)

    async def _settle(self, one: Claimed, end: _End) -> None:
        """Tell the store what came of it; kept where it is away."""
        tenure = self._present_tenure()
        self._untold[one.notice] = one, tenure, end
        await self._tell(one, tenure, end)

    async def _tell(self, one: Claimed, tenure: int, end: _End) -> None:
        if end.state is NoticeState.REFUSED:  # first: once it is settled, nobody comes back to it
            await self._contacts.erase(self._day, one.subscription, one.ticket, self._carrier, Ending.REFUSED)
        state, passed_to = end.state, None
        with contextlib.suppress(NotClaimed):  # in other hands, or it was told, and the answer got lost
            settled = await self._outbox.settle(
                self._day,
                self._carrier,
                tenure,
                one.notice,
                end.state,
                end.again_ms,
                pass_on=end.pass_on,
                may_have_arrived=end.may_have_arrived,
            )
            state, passed_to = settled.state, settled.passed_to
        del self._untold[one.notice]
        _log.info("notice", carrier=self._carrier, notice=one.notice, state=str(state), code=end.code)
        if passed_to is not None:
            await self._on_due(passed_to)

    def _present_tenure(self) -> int:
        if self._tenure is None:
            raise RuntimeError("nothing was taken over")
        return self._tenure


# How its ticket has to stand for a notice to be of use; the wish itself is confirmed whatever became of the ticket.
USEFUL_IN = {
    Trigger.NEAR: State.WAITING,
    Trigger.JUMP: State.WAITING,
    Trigger.DELAYED: State.WAITING,
    Trigger.NOW: State.CALLED,
    Trigger.READY: State.WAITING,
    Trigger.MISSED: State.ABSENT,
}


def _is_useless(trigger: Trigger, prospect: Prospect) -> bool:
    return prospect.is_overtaken or (trigger in USEFUL_IN and prospect.state is not USEFUL_IN[trigger])


def _without_contact(claimed: Claimed, why: str) -> _End:
    """Nothing can be sent by it any more. Of near the next carrier has a wish of its own; a call it has to be told."""
    pass_on = claimed.trigger in SENT_AGAIN and why != Ending.REPLACED
    return _End(NoticeState.LAPSED, why, pass_on=pass_on)


def _lost(claimed: Claimed, sender: Sender) -> _End:
    """A worker ended while it was sending this."""
    if sender.knows_again:
        return _End(NoticeState.PENDING, "lost", may_have_arrived=True)
    return _unknown("lost", claimed)


def _unknown(code: str, claimed: Claimed) -> _End:
    """Nobody can know whether this try arrived."""
    is_urgent = claimed.trigger in SENT_AGAIN
    if is_urgent and claimed.unsure + 1 < TIMES_SENT:
        return _End(NoticeState.PENDING, code, may_have_arrived=True)
    return _End(NoticeState.UNCERTAIN, code, pass_on=is_urgent)


def _is_long(claimed: Claimed, tries: int, since_s: float = 0) -> bool:
    """Whether the next carrier should have what was claimed so long ago, and what this one has not sent in `tries`."""
    age_s = claimed.age_ms / 1000 + since_s
    is_own = claimed.trigger is Trigger.REGISTERED  # about this very contact: no other carrier can tell it
    return not is_own and (tries >= PASSED_ON_AFTER or age_s >= PASSED_ON_AFTER_S)


def _end(outcome: Outcome, claimed: Claimed, knows_again: bool) -> _End:
    """`claimed.attempts`: how many tries there were before this one."""
    is_own = claimed.trigger is Trigger.REGISTERED  # about this very contact: no other carrier can tell it
    match outcome.fate:
        case Fate.ACCEPTED:
            return _End(NoticeState.ACCEPTED, outcome.code)
        case Fate.REFUSED:
            return _End(NoticeState.REFUSED, outcome.code, pass_on=not is_own)
        case Fate.UNCERTAIN if not knows_again:
            return _unknown(outcome.code, claimed)
        case Fate.AGAIN | Fate.UNCERTAIN:
            pause_ms = PAUSES_S[min(claimed.attempts, len(PAUSES_S) - 1)] * 1000
            is_long = _is_long(claimed, claimed.attempts + 1)
            return _End(NoticeState.PENDING, outcome.code, pause_ms, is_long, outcome.fate is Fate.UNCERTAIN)
        case Fate.ELSEWHERE:
            return _End(NoticeState.PENDING, outcome.code, ELSEWHERE_PAUSE_S * 1000, pass_on=not is_own)
        case _:
            assert_never(outcome.fate)
