"""A request from a socket, asked of the desk, as a reply: always exactly one, whatever happens. No rule of its own."""

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias, assert_never

import structlog
from msgspec import UNSET, UnsetType

from hub.desk import requests as ask
from hub.desk.refusals import (
    BadMessage,
    NotAllowed,
    NoticesClosed,
    NotSignedIn,
    Refusal,
    StoreAway,
    UnknownTicket,
)
from hub.desk.requests import Answer, Request, Stamp
from hub.edge.access import Access, Principal
from hub.edge.answers import body_of
from hub.wire import codec
from hub.wire import messages as wire
from hub.wire.codes import code_of, read_number
from hub.wire.roles import Act
from hub.wire.tickets import Find

_log = structlog.get_logger("hub.edge.commands")

# A defect of ours: nobody at the counter can help, but whether it was carried out can be seen on the screen.
FAULT = wire.RefusalBody(
    code="Fault",
    sentence=(
        "受付システムの不具合で操作を完了できませんでした。画面を確かめ、続くときはシステムの担当者に連絡してください。"
    ),
    again=False,
    details={},
)


class Teller(Protocol):
    """Who carries a request out: the store's lanes in earnest. Raises a Refusal, and then nothing has changed."""

    async def do(self, stamp: Stamp, request: Request) -> Answer: ...


Plain: TypeAlias = (
    wire.Issue | wire.Next | wire.OfTicket | wire.OfLane | wire.OfOffice
)  # says by itself what it is about
OfDesk: TypeAlias = Plain | wire.CheckIn | wire.CheckInByCode | wire.Shown
AnyRequest: TypeAlias = OfDesk | wire.OfTelephone
ArrivalOf: TypeAlias = Callable[[str], int | None]
# Day, arrival and digest of the ticket that number and code open. Raises NotYours, TooManyTries.
Prove: TypeAlias = Callable[[Find], Awaitable[tuple[str, int, str]]]
# What is asked about telephone numbers. Raises a Refusal.
Dial: TypeAlias = Callable[[wire.OfTelephone], Awaitable[wire.AnswerBody]]


async def nobody_dials(told: wire.OfTelephone) -> wire.AnswerBody:
    raise NoticesClosed


class Asker(Protocol):
    """Who asks by a socket, and whether he still may."""

    @property
    def principal(self) -> Principal: ...
    @property
    def is_out(self) -> bool: ...


class Commands:
    """`day` gives the business day of the hub's picture, None before there is one.

    Who checks in has a number and no arrival: `arrival_of` knows it for staff, and `prove` asks a machine for the code.
    `dial`: who answers a machine about telephone numbers.
    """

    def __init__(
        self,
        teller: Teller,
        day: Callable[[], str | None],
        arrival_of: ArrivalOf,
        prove: Prove,
        access: Access,
        dial: Dial = nobody_dials,
    ) -> None:
        self.outcomes: Counter[tuple[str, str]] = Counter()  # (type of request, `ok` or the refusal's code)
        self._teller = teller
        self._day = day
        self._arrival_of = arrival_of
        self._prove = prove
        self._access = access
        self._dial = dial

    async def answer_desk(self, text: str, asker: Asker) -> wire.Reply:
        return await self._answer("desk", codec.read_desk_request, text, asker)

    async def answer_kiosk(self, text: str, asker: Asker) -> wire.Reply:
        return await self._answer("kiosk", codec.read_kiosk_request, text, asker)

    async def answer_wall(self, text: str, asker: Asker) -> wire.Reply:
        return await self._answer("wall", codec.read_wall_request, text, asker)

    async def _answer(self, socket: str, read: Callable[[str], AnyRequest], text: str, asker: Asker) -> wire.Reply:
        try:
            told = read(text)
        except codec.NotAMessage as error:
            return self._refused("unreadable", error.request_id, body_of(BadMessage()))
        kind = str(told.__struct_config__.tag)
        try:
            self._check(asker.principal, f"{socket} {kind}")
            day = self._day()
            if day is None:
                raise StoreAway
            if isinstance(told, wire.OfTelephone):
                answer = await self._dial(told)
            else:
                request = await self._asked(told, socket, asker)
                if asker.is_out:  # while it was looked at; from here on the store carries it out
                    raise NotSignedIn
                done = await self._teller.do(Stamp(day, asker.principal.who, told.id), request)
                answer = answer_body(done, _code_of(told) if socket == "desk" else UNSET)
        except Refusal as refusal:
            return self._refused(kind, told.id, body_of(refusal))
        except Exception:
            _log.exception("request failed", request=kind)
            return self._refused(kind, told.id, FAULT)
        self.outcomes[kind, "ok"] += 1
        return wire.Reply(told.id, answer=answer)

    async def _asked(self, told: OfDesk, socket: str, asker: Asker) -> Request:
        """What it is in the desk's words. Raises a Refusal for a number that nobody knows."""
        match told:
            case wire.CheckIn():
                return ask.CheckIn(self._known(told.number))
            case wire.CheckInByCode():
                _, arrival, _ = await self._prove(Find(number=told.number, code=told.code))
                return ask.CheckIn(arrival)
            case wire.Shown():
                return ask.ShowCall(asker.principal.place, told.ticket, told.calls, told.called_at)
            case _:
                return request_of(told, source=socket)

    def _check(self, principal: Principal, asked: str) -> None:
        """Raises NotAllowed; ValueError for what has no row in the table of roles: nobody may, and it is our defect."""
        act = Act(asked)
        try:
            self._access.check(principal, act)
        except NotAllowed:
            self._access.refused(principal, act)
            raise

    def _known(self, typed: str) -> int:
        arrival = self._arrival_of(read_number(typed))
        if arrival is None:
            raise UnknownTicket
        return arrival

    def _refused(self, kind: str, request_id: str | None, body: wire.RefusalBody) -> wire.Reply:
        self.outcomes[kind, body.code] += 1
        return wire.Reply(request_id, refusal=body)


def request_of(told: Plain, source: str) -> Request:
    """What the wire says, in the desk's own words. `source` is where a number is taken: at which kind of socket."""
    match told:
        case wire.Issue():
            secret, priority = (text if isinstance(text, str) else "" for text in (told.secret, told.priority))
            return ask.Issue(told.lane, source, secret, priority=priority)
        case wire.Next():
            return ask.Next(told.counter, told.current, tuple(told.lanes))
        case wire.Call():
            return ask.Call(told.counter, told.ticket, told.current, told.reason)
        case wire.TakeBack():
            return ask.TakeBack(told.counter, told.ticket)
        case wire.Recall():
            return ask.Recall(told.counter, told.ticket)
        case wire.MarkAbsent():
            return ask.MarkAbsent(told.counter, told.ticket)
        case wire.Done():
            return ask.Done(told.counter, told.ticket)
        case wire.Hold():
            return ask.Hold(told.counter, told.ticket)
        case wire.Review():
            return ask.Review(told.counter, told.ticket)
        case wire.Ready():
            return ask.Ready(told.ticket)
        case wire.Return():
            return ask.Return(told.ticket)
        case wire.Cancel():
            return ask.Cancel(told.ticket)
        case wire.Transfer():
            return ask.Transfer(told.ticket, told.lane, told.counter)
        case wire.Lapse():
            return ask.Lapse(told.ticket)
        case wire.Reissue():
            return ask.Reissue(told.ticket, told.secret)
        case wire.Pause():
            return ask.Pause(told.lane, told.reason)
        case wire.Resume():
            return ask.Resume(told.lane)
        case wire.AnnounceClosing():
            return ask.AnnounceClosing(told.lane)
        case wire.Reassign():
            return ask.Reassign(told.counter, tuple(told.lanes))
        case wire.Announce():
            return ask.Announce(told.text, told.minutes)
        case wire.Withdraw():
            return ask.Withdraw()
        case _:
            assert_never(told)


def answer_body(answer: Answer, code: str | UnsetType = UNSET) -> wire.AnswerBody:
    state = None if answer.state is None else str(answer.state)
    shown = UNSET if answer.shown_before is None else answer.shown_before
    told = (answer.arrival, answer.number, answer.lane, state, answer.ahead, answer.finished)
    return wire.AnswerBody(*told, code=code, shown_before=shown)


def _code_of(told: AnyRequest) -> str | UnsetType:
    """The code of a slip that staff gives out: the desk has no printer of its own."""
    if isinstance(told, wire.Issue | wire.Reissue) and told.secret is not UNSET:
        return code_of(told.secret)
    return UNSET
