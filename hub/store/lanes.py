"""The live queue: every request of the desk as one function call. What `hub.desk.desk` decides, the store decides too.

Nothing is kept here between calls. A call whose reply was lost is made once more under the same request id, which gives
the first answer; if that fails too, the asker gets StoreAway and may repeat the same id.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import date, datetime, time, timedelta, timezone
from typing import TypeAlias, assert_never

from redis.asyncio import Redis

from hub.desk import requests as ask
from hub.desk.giving import closed
from hub.desk.hours import MINUTE_MS
from hub.desk.known import check_known
from hub.desk.lane import Counter, Office
from hub.desk.managing import text_of
from hub.desk.notices import HAS_TIMES, Carrier, Ending, NoticeState, Trigger, notice_id
from hub.desk.order import SHARE
from hub.desk.picture import Picture
from hub.desk.refusals import Crowded, LaneClosed, StaleDay
from hub.desk.requests import Answer, Request, Stamp, Stop
from hub.desk.ticket import State
from hub.store.calling import US, Functions, answered, told_in
from hub.store.keys import DAY_SECONDS, FACTS_SECONDS, STANDING, Keys
from hub.store.peeking import PEEK_DEPTH, PEEKS, Peeked, Peeking
from hub.store.picturing import picture_of
from hub.store.sealing import key_id_of
from hub.store.together import Together

OfCounter: TypeAlias = ask.TakeBack | ask.Recall | ask.MarkAbsent | ask.Done | ask.Hold | ask.Review

TOKYO = timezone(timedelta(hours=9))  # Japan has kept UTC+9 without summer time since 1951

# Every notice that a subscription may have, in time; whoever is called more often is told so all the same.
_EACH = [(trigger, time) for trigger in Trigger for time in range(1, 6 if trigger in HAS_TIMES else 2)]


@dataclass(frozen=True, slots=True)
class SealedContact:
    """`sealed`: by `hub.store.sealing.seal`. `stop`: SHA-256 (hexadecimal) of the token that erases it.

    `same`: what two seals of one contact have in common and others have not. It must say nothing to whoever reads the
    store, and goes into the digest of the request alone, never into a fact. `owner`: what a carrier's own "stop" is
    known by (a keyed digest), '' where there is none.
    """

    sealed: str
    stop: str
    same: str = ""
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Wished:
    """What a resident wished, why its contact is gone (None: it is there), and the notices that were due.

    Of those that have times the last. `since`: when each came to stand so (office ms).
    """

    carrier: Carrier
    ahead: int
    ended: Ending | None
    notices: dict[Trigger, NoticeState]
    minutes: int = 0
    since: dict[Trigger, int] = field(default_factory=dict)


class Lanes:
    """One office's live queue in Redis. `on_due` hears of each move by which notices became due; it must not wait."""

    def __init__(self, client: Redis, office: Office, on_due: Callable[[Carrier], None] = lambda carrier: None) -> None:
        self.office = office
        self.keys = Keys(office.key)
        self.days_ahead = 0  # how far the open day lies after today: a clock was wrong once, and days never go back
        self._client = client
        together = Together(client)
        self._functions = Functions(together.ask, again=together.alone)
        self._peeking = Peeking(together, self.keys, office)
        self._on_due = on_due
        self._under_way = 0  # requests: each may take the place that another one saw

    async def do(self, stamp: Stamp, request: Request, contact: SealedContact | None = None) -> Answer:
        """Carry out one request, once. Raises a Refusal (then nothing has changed, StoreAway excepted: ask again).

        `contact`: what a `Wish` is about; another seal of the `same` under the same request id is the same request.
        """
        check_known(self.office, request)
        function, own = self._words(stamp.day, request, contact)
        body = digest(request, contact.same if contact else "")
        depth = PEEK_DEPTH + self._under_way
        self._under_way += 1
        try:
            for round_ in range(PEEKS):
                peeked = await self._peeking.peek(stamp.day, request, depth=depth << round_)
                reply = await self._functions.call(function, *self._arguments(stamp, body, request, peeked, own))
                if reply[:2] != ["no", "Peek"]:
                    return self._answer(reply)
        finally:
            self._under_way -= 1
        raise Crowded

    def _answer(self, reply: list[str]) -> Answer:
        told = self._told(reply)
        for carrier in told.get("due", "").split():
            self._on_due(Carrier(carrier))
        return _answer(told)

    async def day_now(self) -> tuple[int, str, str]:
        """Office time (epoch ms), today's date in Tokyo by the store's clock, and the open day ('' where none is)."""
        reply = await self._functions.call("day_now_v1", [self.keys.day(), self.keys.clock()], [], writes=False)
        told = told_in(reply)
        return int(told["now"]), told["today"], told["day"]

    async def open_day(self) -> str:
        """Move to today if the open day is older; gives the day that is open now. Anyone may call it at any time."""
        _, today, present = await self.day_now()
        self.days_ahead = (date.fromisoformat(present) - date.fromisoformat(today)).days if present > today else 0
        if present >= today:
            return present
        keys = [self.keys.day(), self.keys.clock(), self.keys.facts(today), self.keys.days()]
        keys += [self.keys.facts(present)] if present else []
        reply = await self._functions.call("day_open_v1", keys, [today, present, str(DAY_SECONDS), str(FACTS_SECONDS)])
        try:
            return told_in(reply)["day"]
        except StaleDay:  # another hub opened it first, or midnight came in between
            return (await self.day_now())[2]

    async def start_practice_day(self, seconds_of_day: int, speed: float) -> str:
        """Practice only: begin the day after the open one, at that time of day (Tokyo), running at `speed`."""
        _, today, present = await self.day_now()
        fresh = date.fromisoformat(present or today) + timedelta(days=1)
        begin = datetime.combine(fresh, time(), TOKYO) + timedelta(seconds=seconds_of_day)
        await self.set_practice_clock(int(begin.timestamp() * 1000), speed)
        return await self.open_day()

    async def set_practice_clock(self, office_ms: int, speed: float) -> None:
        """Practice only: office time is that moment now. Raises StaleDay unless it lies on a day after the open one."""
        keys = [self.keys.day(), self.keys.clock()]
        told_in(await self._functions.call("practice_clock_v1", keys, [str(office_ms), repr(speed)]))

    async def holder_of(self, day: str, secret: str) -> int | None:
        """The arrival whose secret has this SHA-256 (hexadecimal), or None. Raises StoreAway."""
        return _number(await answered(self._client.hget(self.keys.secrets(day), secret)))

    async def arrival_of(self, day: str, number: str) -> int | None:
        """Whose number it is today, or None. Raises StoreAway."""
        return _number(await answered(self._client.hget(self.keys.numbers(day), number)))

    async def secret_of(self, day: str, arrival: int) -> str | None:
        """SHA-256 of a ticket's secret, or None where it has none. Raises StoreAway."""
        found: str | None = await answered(self._client.hget(self.keys.ticket(day, arrival), "secret"))
        return found or None

    async def stop_of(self, day: str, token: str) -> Stop | None:
        """What a stop token with this SHA-256 (hexadecimal) asks for; None where it is nobody's. Raises StoreAway."""
        found: str | None = await answered(self._client.hget(self.keys.stops(day), token))
        if found is None:
            return None
        arrival, carrier, subscription = found.split(US)
        return Stop(int(arrival), Carrier(carrier), Ending.RESIDENT, subscription)

    async def stops_of(self, day: str, owner: str) -> list[Stop]:
        """What a carrier's own "stop" asks for, of who is known by this keyed digest. Raises StoreAway."""
        found = await answered(self._client.hgetall(self.keys.owners()))
        told = {subscription: text.split(US) for subscription, text in found.items()}
        return [
            Stop(int(arrival), Carrier(carrier), Ending.RESIDENT, subscription)
            for subscription, (whose, of_day, arrival, carrier) in told.items()
            if (whose, of_day) == (owner, day)
        ]

    async def notices_of(self, day: str, arrival: int) -> list[Wished]:
        """What the resident of a ticket wished, and what became of it. Raises StoreAway."""
        names = [f"{arrival}{US}{carrier}" for carrier in Carrier]
        wishes = await answered(self._client.hmget(self.keys.wishes(day), names))
        return [
            await self._wished(day, carrier, wish.split(US))
            for carrier, wish in zip(Carrier, wishes, strict=True)
            if wish
        ]

    async def _wished(self, day: str, carrier: Carrier, wish: list[str]) -> Wished:
        subscription, ahead, ended = wish[:3]
        named = {(trigger, time): notice_id(subscription, trigger, time) for trigger, time in _EACH}
        found = await answered(self._client.hmget(self.keys.notices(day), list(named.values())))
        states, since = dict[Trigger, NoticeState](), dict[Trigger, int]()
        for (trigger, _), text in zip(named, found, strict=True):
            if text:
                parts = text.split(US)
                states[trigger], since[trigger] = NoticeState(parts[0]), int(parts[6])
        minutes = int(wish[3]) if len(wish) > 3 else 0
        return Wished(carrier, int(ahead), Ending(ended) if ended else None, states, minutes, since)

    async def picture(self, day: str) -> Picture:
        """The day as the sorted sets and hashes tell it, read in one transaction: to compare with what facts tell."""
        return await picture_of(self._client, self.office, day)

    def _words(self, day: str, request: Request, contact: SealedContact | None) -> tuple[str, list[str]]:
        """The function and its own arguments, for a request that `check_known` has let pass."""
        match request:
            case ask.Issue():
                return "desk_issue_v1", self._issue_words(day, request)
            case ask.Next():
                seat, asked = self.office.counter(request.counter), self.office.known_lanes(request.lanes)
                shares = [word for lane in self.office.lanes for word in (lane.key, str(_share(seat, lane.key)))]
                lanes = [" ".join(seat.lanes), " ".join(asked)]
                return "desk_next_v1", [seat.key, _text(request.current), *lanes, *shares]
            case ask.Pause():
                return "desk_pause_v1", [self.office.lane(request.lane).key, self.office.pause_reason(request.reason)]
            case ask.Resume():
                return "desk_resume_v1", [self.office.lane(request.lane).key]
            case ask.Recall():
                return "desk_recall_v1", self._of_counter(request)
            case ask.Call():
                usual = self.office.counter(request.counter).lanes
                chosen = [_text(request.current), str(request.ticket), request.reason]
                return "desk_call_v1", [request.counter, *chosen, " ".join(usual)]
            case ask.TakeBack():
                return "desk_take_back_v1", self._of_counter(request)
            case ask.MarkAbsent():
                rule = self.office.absence
                rights = [str(rule.after_calls), str(rule.after_seconds), str(rule.missed_minutes * MINUTE_MS)]
                return "desk_absent_v1", [*self._of_counter(request), *rights]
            case ask.Done():
                return "desk_done_v1", self._of_counter(request)
            case ask.Hold():
                return "desk_hold_v1", self._of_counter(request)
            case ask.Review():
                return "desk_review_v1", [*self._of_counter(request), *self._deliveries()]
            case ask.Ready():
                return "desk_ready_v1", [str(request.ticket), *self._deliveries()]
            case ask.Return():
                return "desk_return_v1", [str(request.ticket), str(self.office.return_after)]
            case ask.PushBack():
                places, times = self.office.places_back(request.places), self.office.push_backs.times
                return "desk_push_back_v1", [str(request.ticket), str(places), str(times)]
            case ask.CheckIn():
                return "desk_check_in_v1", [str(request.ticket)]
            case ask.Cancel():
                return "desk_cancel_v1", [str(request.ticket)]
            case ask.Transfer():
                to = self.office.lane(request.lane).key
                usual = self.office.counter(request.counter).lanes if request.counter else ()
                return "desk_transfer_v1", [str(request.ticket), to, request.counter, " ".join(usual)]
            case ask.Lapse():
                return "desk_lapse_v1", [str(request.ticket)]
            case ask.AnnounceClosing():
                return "desk_closing_v1", [self.office.lane(request.lane).key]
            case ask.Reassign():
                seat, anew = self.office.counter(request.counter), self.office.in_order(request.lanes)
                return "desk_reassign_v1", [seat.key, " ".join(anew), " ".join(seat.lanes)]
            case ask.Announce():
                return "desk_announce_v1", [text_of(request), str(request.minutes * MINUTE_MS)]
            case ask.Withdraw():
                return "desk_withdraw_v1", []
            case ask.Reissue():
                return "desk_reissue_v1", [str(request.ticket), request.secret]
            case ask.Wish():
                if contact is None:
                    raise ValueError("a wish without a contact")
                wish = [str(request.ticket), request.carrier, str(request.ahead), request.purpose, request.subscription]
                wish += [str(request.minutes), contact.sealed, key_id_of(contact.sealed), contact.stop, contact.owner]
                return "desk_wish_v1", wish
            case ask.Stop():
                return "desk_stop_v1", [str(request.ticket), request.carrier, request.ending, request.subscription]
            case ask.JoinWall():
                return "wall_join_v1", [request.wall]
            case ask.LeaveWall():
                return "wall_leave_v1", [request.wall]
            case ask.ShowCall():
                shown = [request.wall, str(request.ticket), str(request.calls), str(request.called_at)]
                return "wall_show_v1", shown
            case ask.Sweep():
                return "desk_sweep_v1", []
            case _:
                assert_never(request)

    def _of_counter(self, request: "OfCounter") -> list[str]:
        return [self.office.counter(request.counter).key, str(request.ticket)]

    def _deliveries(self) -> list[str]:
        return [key for lane in self.office.lanes if lane.delivery for key in (lane.key, lane.delivery)]

    def _issue_words(self, day: str, request: ask.Issue) -> list[str]:
        office, lane = self.office, self.office.offered_lane(request.lane)
        every = str(office.priority(request.priority, request.source).every) if request.priority else ""
        band = [lane.prefix, str(lane.first), str(lane.last), str(lane.step), _text(lane.cap)]
        windows = " ".join(f"{opens}-{closes}" for opens, closes in office.hours.windows(lane.key, day)) or "none"
        taker = [request.source, request.secret, request.holder, "1" if request.is_expected else ""]
        return [lane.key, *band, "" if office.hours.is_always else windows, *taker, every]

    def _told(self, reply: list[str]) -> dict[str, str]:
        try:
            return told_in(reply)
        except LaneClosed as refusal:  # the store knows that it is closed, the office when it opens
            raise closed(self.office, refusal.details["lane"], int(refusal.details["at"])) from None

    def _arguments(
        self, stamp: Stamp, body: str, request: Request, peeked: Peeked, own: list[str]
    ) -> tuple[list[str], list[str]]:
        """KEYS and ARGS in the order that `functions/prelude.lua` reads them."""
        keys, day, arrivals = self.keys, stamp.day, peeked.arrivals
        lanes = [lane.key for lane in self.office.lanes]
        if peeked.lane is not None and peeked.lane not in lanes:
            lanes.append(peeked.lane)  # the office dropped it during the day; who waits there can still be moved
        named = [keys.day(), keys.clock(), keys.requests(day), keys.tally(day), keys.at_counter(day), keys.facts(day)]
        named += [keys.secrets(day), keys.holders(day), keys.numbers(day), keys.wishes(day), keys.notices(day)]
        named += [keys.priorities(day), keys.reserved(day)]
        named += [keys.due(day, carrier) for carrier in Carrier]
        named += [keys.standing(day, state) for state in STANDING]
        named += [keys.waiting(day, lane) for lane in lanes]
        named += [keys.ticket(day, arrival) for arrival in arrivals]
        if isinstance(request, ask.Wish):
            named += [keys.public_keys(), keys.erasures(), keys.traces(), keys.owners(), keys.stops(day)]
            named += [keys.contact(request.subscription)]
            named += [keys.contact(peeked.subscription)] if peeked.subscription else []
        elif isinstance(request, ask.Stop):
            named += [keys.erasures(), keys.traces(), keys.owners(), keys.contact(peeked.subscription)]
        elif isinstance(request, ask.JoinWall | ask.LeaveWall | ask.ShowCall):
            named.append(keys.walls(day))
        if isinstance(request, ask.Wish | ask.Stop):
            own = [*own, peeked.subscription]
        words = [day, stamp.who, stamp.request, body, str(len(lanes)), *lanes]
        words += [str(len(arrivals)), *map(str, arrivals), *own]
        return named, words


def digest(request: Request, same: str = "") -> str:
    """What tells two bodies under one request id apart: SHA-256 over the request's name and fields, and over `same` of
    its contact.
    """
    told = {field.name: getattr(request, field.name) for field in fields(request) if field.compare}
    body = json.dumps([type(request).__name__, told, *([same] if same else [])], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(body.encode()).hexdigest()


def _answer(told: dict[str, str]) -> Answer:
    return Answer(
        arrival=_number(told.get("arrival")),
        number=told.get("number"),
        lane=told.get("lane"),
        state=State(told["state"]) if "state" in told else None,
        ahead=_number(told.get("ahead")),
        finished=_number(told.get("finished")),
        shown_before=_number(told.get("shown_before")),
    )


def _share(seat: Counter, lane: str) -> int:
    return SHARE // seat.weight(lane) if seat.is_weighted else 0


def _number(text: str | None) -> int | None:
    return int(text) if text else None


def _text(number: int | None) -> str:
    return "" if number is None else str(number)
