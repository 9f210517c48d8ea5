"""Notices that are due, and who has them in hand. What is sent, and to whom, nobody learns here.

A worker takes over a carrier when it begins, and claims what is due for the time of a lease. Before the first byte it
marks a notice as being sent; afterwards it settles it. So after a kill the next worker knows of each notice whether it
can have arrived: what was only claimed is free again at once, what was being sent comes back when its lease is over.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from redis.asyncio import Redis

from hub.desk.lane import Office
from hub.desk.notices import Carrier, Ending, NoticeState, Trigger, later_id
from hub.desk.requests import Stop
from hub.desk.ticket import State
from hub.store.calling import TRIES, US, Functions, answered, rows_in, told_in
from hub.store.keys import Keys

CLAIM_MS = 35_000  # as long as the longest try to send; a worker that ended frees its claims at its next beginning
SEND_MS = 35_000  # longer than three time-outs of a carrier (10 s): nobody else touches what is still being sent


@dataclass(frozen=True, slots=True)
class Claimed:
    """A notice in hand. `was_sending`: an earlier worker marked it, and its lease is over: it may have arrived.

    `unsure`: how many tries may have arrived; `age_ms`: since when it is owed.
    """

    notice: str
    subscription: str
    trigger: Trigger
    ticket: int
    attempts: int
    was_sending: bool
    unsure: int = 0
    age_ms: int = field(default=0, compare=False)


class Useful(NamedTuple):
    """A notice is of use while this ticket stands so."""

    ticket: int
    state: State


@dataclass(frozen=True, slots=True)
class Prospect:
    """How its ticket stands now. `ahead`: people, while it waits. `ended`: why its contact is gone ('': it is not).
    `is_overtaken`: the same came once more.
    """

    state: State | None
    ahead: int | None
    number: str
    lane: str
    counter: str
    ended: str
    is_overtaken: bool = False


@dataclass(frozen=True, slots=True)
class Settled:
    """`passed_to`: the carrier that owes it now, None: nobody else."""

    state: NoticeState
    passed_to: Carrier | None


class Outbox:
    """One office's due notices. Everything raises StoreAway or StoreDamaged where the store fails, and StaleDay."""

    def __init__(self, client: Redis, office: Office) -> None:
        self._client: Any = client
        self._functions = Functions(client.execute_command, again=client.execute_command)
        self._keys = Keys(office.key)

    async def day(self) -> str:
        """The open day, '' before there is one."""
        return await answered(self._client.hget(self._keys.day(), "day")) or ""

    async def take_over(self, carrier: Carrier, day: str) -> int:
        """Begin on a carrier; gives the tenure to name from now on. Earlier workers can claim and mark no more."""
        return int(told_in(await self._call("notice_take_over_v1", day, carrier))["tenure"])

    async def claim(self, day: str, carrier: Carrier, tenure: int, limit: int = 20) -> list[Claimed]:
        """At most `limit` of what is due: `SENT_AGAIN` first, then the longest due. Raises NotClaimed where a later
        worker has begun.

        It is not repeated where its reply is lost: take over anew, then what it claimed is free again.
        """
        reply = await self._call("notice_claim_v1", day, carrier, str(tenure), str(limit), str(CLAIM_MS), tries=1)
        return [_claimed(row) for row in rows_in(reply, "notice")]

    async def look(self, day: str, carrier: Carrier, claimed: Sequence[Claimed]) -> list[Prospect]:
        """How the ticket of each stands at this moment."""
        about = self._client.pipeline(transaction=False)
        for one in claimed:
            about.hmget(self._keys.ticket(day, one.ticket), "state", "number", "lane", "counter")
            about.hget(self._keys.wishes(day), f"{one.ticket}{US}{carrier}")
            about.hexists(self._keys.notices(day), later_id(one.notice))
        told = await answered(about.execute())
        places = self._client.pipeline(transaction=False)
        for one, (_, _, lane, _) in zip(claimed, told[::3], strict=True):
            places.zrank(self._keys.waiting(day, lane or ""), str(one.ticket))
        ahead = await answered(places.execute())
        return [
            _prospect(one, ticket, wish, bool(later), place)
            for one, ticket, wish, later, place in zip(claimed, told[::3], told[1::3], told[2::3], ahead, strict=True)
        ]

    async def mark(
        self, day: str, carrier: Carrier, tenure: int, notice: str, callback: str = "", useful: Useful | None = None
    ) -> None:
        """It is being sent from now on, once for each claim. `callback`: SHA-256 of the token by which it is heard of.

        Raises NotClaimed where it is in other hands: leave it; NoContact where its contact was erased meanwhile;
        WrongMove where it is not `useful` any more.
        """
        own = [notice, str(tenure), str(SEND_MS), callback, useful.state if useful else ""]
        more = [self._keys.contact(notice.partition(":")[0]), self._keys.callbacks(day)]
        more += [self._keys.ticket(day, useful.ticket)] if useful else []
        told_in(await self._call("notice_mark_v1", day, carrier, *own, more_keys=more))

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
    ) -> Settled:
        """An end, or PENDING and due again after `again_ms` (None: in its old place). Raises NotClaimed; repeated, too.

        `pass_on`: the next carrier that the ticket allows owes it from now on, and PENDING is LAPSED then.
        `may_have_arrived`: by this try; such a notice is UNCERTAIN where another were LAPSED.
        """
        own = [notice, str(tenure), state, "" if again_ms is None else str(again_ms), "1" if pass_on else ""]
        own.append("1" if may_have_arrived else "")
        more = (self._keys.wishes(day), self._keys.facts(day), *(self._keys.due(day, one) for one in Carrier))
        return _settled(told_in(await self._call("notice_settle_v1", day, carrier, *own, more_keys=more)))

    async def learn(self, day: str, carrier: Carrier, callback: str, state: NoticeState) -> Settled:
        """What the carrier tells afterwards: ACCEPTED or REFUSED. Raises NotClaimed where nothing was to be learnt."""
        more = [self._keys.wishes(day), self._keys.callbacks(day), self._keys.facts(day)]
        more += [self._keys.due(day, one) for one in Carrier]
        return _settled(told_in(await self._call("notice_learn_v1", day, carrier, callback, state, more_keys=more)))

    async def stop_behind(self, day: str, callback: str) -> Stop | None:
        """What "stop" means, said about the message that a callback's token (its SHA-256) belongs to."""
        heard: str | None = await answered(self._client.hget(self._keys.callbacks(day), callback))
        notice = heard.partition(US)[0] if heard else ""
        text = await answered(self._client.hget(self._keys.notices(day), notice))
        if not text:
            return None
        _, _, arrival, carrier = text.split(US)[:4]
        return Stop(int(arrival), Carrier(carrier), Ending.RESIDENT, notice.partition(":")[0])

    async def count_due(self, day: str, carrier: Carrier) -> int:
        """How many somebody should look at now."""
        seconds, micros = await answered(self._client.time())
        now = int(seconds) * 1000 + int(micros) // 1000
        count: int = await answered(self._client.zcount(self._keys.due(day, carrier), "-inf", now))
        return count

    async def _call(
        self, function: str, day: str, carrier: Carrier, *own: str, more_keys: Sequence[str] = (), tries: int = TRIES
    ) -> list[str]:
        keys = [self._keys.day(), self._keys.notices(day), self._keys.due(day, carrier), self._keys.tenures()]
        keys += [self._keys.clock(), *more_keys]
        return await self._functions.call(function, keys, [day, carrier, *own], tries=tries)


def _claimed(row: dict[str, str]) -> Claimed:
    subscription, _, _ = row["notice"].partition(":")
    return Claimed(
        notice=row["notice"],
        subscription=subscription,
        trigger=Trigger(row["trigger"]),
        ticket=int(row["arrival"]),
        attempts=int(row["attempts"]),
        was_sending=row["state"] == NoticeState.SENDING,
        unsure=int(row["unsure"]),
        age_ms=int(row["age"]),
    )


def _prospect(
    one: Claimed, ticket: list[str | None], wish: str | None, is_overtaken: bool, place: int | None
) -> Prospect:
    state, number, lane, counter = ticket
    subscription, _, ended = wish.split(US)[:3] if wish else ("", "", "")
    return Prospect(
        state=State(state) if state else None,
        ahead=place,
        number=number or "",
        lane=lane or "",
        counter=counter or "",
        ended=ended if subscription == one.subscription else "replaced",
        is_overtaken=is_overtaken,
    )


def _settled(told: dict[str, str]) -> Settled:
    return Settled(NoticeState(told["state"]), Carrier(told["due"]) if told["due"] else None)
