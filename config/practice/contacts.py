"""Residents who want to be told of their turn by mail, LINE or telephone; at the end they ask what became of it.

Their contacts are made up for this run and belong to nobody. What should have arrived is judged elsewhere.
"""

import asyncio
import re
import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, assert_never

from msgspec import UNSET

from config.practice.asking import new_id
from config.practice.browser import Browser, Unanswered
from config.practice.clock import OfficeClock
from config.practice.floor import Visit
from config.practice.letters import Letters
from config.practice.recording import Contact, Letter
from hub.desk.notices import ENDED, Carrier, NoticeState
from hub.desk.ticket import ENDS, State
from hub.forecast.day import Chance, Customer
from hub.wire.codes import SECRET_BYTES, digest_of, secret_text
from hub.wire.messages import AnswerBody, RefusalBody
from hub.wire.tickets import Notice, Told

WEB = "web"
VOICE = 0.4  # of those with a telephone are called, the others get a short message
ENGLISH = 0.1  # of those with LINE
SENDS_WITHIN_S = 15.0  # a try to send, begun while it was of use, may end so much later
MOST_AHEAD = 5  # people; what residents wish lies between one and so many
OPENS_WITHIN_S = 15.0  # the first key of a fresh office is made beside its start
SETTLED_WITHIN_S = 40.0  # a try of 10 s that breaks off, its lease, and another
LOOK_EVERY_S = 0.25
REGISTERED_WITHIN_S = 20.0  # at the end of the day, for those who are just leaving an address
SLACK_S = 0.5  # real seconds by which an answer may be behind the move it tells of

PATHS = {Carrier.EMAIL: "/t/notice", Carrier.LINE: "/t/line", Carrier.PHONE: "/t/phone"}
_FORM = r'<form[^>]*\baction="{}".*?</form>'  # each carrier has its own text
_PURPOSE = re.compile(r'name="purpose"[^>]*?value="([^"]+)"|value="([^"]+)"[^>]*?name="purpose"')
_TOKYO = timezone(timedelta(hours=9))

Start = Callable[[Coroutine[Any, Any, None]], None]


@dataclass(slots=True)
class _Wish:
    arrival: int
    carrier: Carrier
    contact: str
    ahead: int
    secret: str
    at: int | None = None  # None: asked, and not answered
    refusal: str | None = None
    told: Told | None = None


class Residents:
    """`letters`: what their inbox has received."""

    def __init__(self, browser: Browser, letters: Letters, clock: OfficeClock, day: str, chance: Chance) -> None:
        self.letters = letters
        self._browser, self._clock, self._chance = browser, clock, chance
        self._midnight_ms = int(datetime.fromisoformat(f"{day}T00:00").replace(tzinfo=_TOKYO).timestamp() * 1000)
        self._tag = secrets.token_hex(6)
        self._wishes: list[_Wish] = []
        self._under_way = 0
        self._settled = asyncio.Event()
        self._purposes: dict[Carrier, str] = {}

    @property
    def repeats(self) -> int:
        return self._browser.repeats

    def wants(self, customer: Customer) -> bool:
        """Whether he leaves a contact: the office offers that carrier, and the inbox plays it."""
        return customer.contact is not None and customer.contact in self._purposes

    async def read_purposes(self) -> None:
        """What the page says contacts are for: its mark goes along with the consent."""
        page = await self._browser.read("/t") or ""
        for carrier in self.letters.carriers:
            form = re.search(_FORM.format(PATHS[carrier]), page, re.DOTALL)
            if found := form and _PURPOSE.search(form[0]):
                self._purposes[carrier] = found[1] or found[2]

    async def take(self, lane: str, secret: str) -> AnswerBody | RefusalBody:
        """A number from home, on the resident's own page."""
        body = {"id": new_id(), "lane": lane, "secret": digest_of(secret)}
        told = await self._browser.ask("/tickets", body, Told)
        if isinstance(told, RefusalBody):
            return told
        return AnswerBody(told.arrival, told.number, told.lane, told.state, told.ahead, None)

    async def register(self, visit: Visit, secret: str) -> None:
        """Leave a contact for this number."""
        if visit.arrival is None or visit.customer.contact is None:
            return
        carrier = Carrier(visit.customer.contact)
        ahead = 1 + int(self._chance.random() * MOST_AHEAD)
        self._wishes.append(wish := _Wish(visit.arrival, carrier, self._contact(carrier, visit.arrival), ahead, secret))
        self._under_way += 1
        try:
            refusal = await self._leave(wish)
        except Unanswered:
            return
        finally:
            self._under_way -= 1
            self._settled.set()
        if refusal is None:
            wish.at = self._office_ms(SLACK_S)
        else:
            wish.refusal = refusal

    def _contact(self, carrier: Carrier, arrival: int) -> str:
        """One for each ticket, as its carrier names it."""
        match carrier:
            case Carrier.EMAIL:
                return f"r{arrival}.{self._tag}@practice.invalid"
            case Carrier.LINE:
                return f"U{self._tag}{arrival:020x}"
            case Carrier.PHONE:
                return f"+8190{10_000_000 + (int(self._tag, 16) + arrival) % 80_000_000}"
            case _:
                assert_never(carrier)

    async def _leave(self, wish: _Wish) -> str | None:
        """The code of a refusal. Raises Unanswered."""
        body: dict[str, Any] = {"id": new_id(), "secret": wish.secret, "ahead": wish.ahead, "consent": True}
        body["purpose"] = self._purposes[wish.carrier]
        match wish.carrier:
            case Carrier.EMAIL:
                body["address"] = wish.contact
            case Carrier.PHONE:
                body |= {"telephone": wish.contact, "by": "voice" if self._chance.random() < VOICE else "sms"}
            case Carrier.LINE:
                body["language"] = "en" if self._chance.random() < ENGLISH else "ja"
            case _:
                assert_never(wish.carrier)
        answer = await self._browser.ask(PATHS[wish.carrier], body, Told, OPENS_WITHIN_S)
        if isinstance(answer, RefusalBody):
            return answer.code
        return await self._send_code(wish, answer) if wish.carrier is Carrier.LINE else None

    async def _send_code(self, wish: _Wish, agreed: Told) -> str | None:
        """In the chat, where nobody is told whether it was good; the page of the number tells. Raises Unanswered."""
        if agreed.link is UNSET or not await self.letters.write(wish.contact, agreed.link.code):
            raise Unanswered("LINE")
        told = await self._browser.ask("/t/find", {"secret": wish.secret}, Told)
        if isinstance(told, RefusalBody):
            return told.code
        if _notice_of(told, Carrier.LINE) is None:
            return "TicketEnded" if State(told.state) in ENDS else "NotLinked"
        return None

    def _office_ms(self, slack_s: float) -> int:
        """Office time, epoch milliseconds, so many real seconds from now."""
        return self._midnight_ms + int((self._clock.now + slack_s * self._clock.speed) * 1000)

    async def settle(self) -> None:
        """Until nobody is leaving an address any more; whoever takes too long counts as not answered."""
        try:
            async with asyncio.timeout(REGISTERED_WITHIN_S):
                while self._under_way > 0:
                    self._settled.clear()
                    await self._settled.wait()
        except TimeoutError:
            return

    async def look_back(self) -> None:
        """Everybody asks how it stands, until no notice is under way any more; then the inbox is read a last time."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + SETTLED_WITHIN_S
        open_wishes = [wish for wish in self._wishes if wish.at is not None]
        while open_wishes:
            await asyncio.gather(*(self._ask_about(wish) for wish in open_wishes))
            open_wishes = [
                wish for wish in open_wishes if wish.told is not None and _is_under_way(wish.told, wish.carrier)
            ]
            if loop.time() > deadline:
                break
            await asyncio.sleep(LOOK_EVERY_S if open_wishes else 0)
        await self.letters.read()

    def contacts(self) -> list[Contact]:
        found = []
        for wish in self._wishes:
            notice = None if wish.told is None else _notice_of(wish.told, wish.carrier)
            found.append(
                Contact(
                    arrival=wish.arrival,
                    carrier=wish.carrier,
                    address=wish.contact,
                    ahead=wish.ahead,
                    at=wish.at,
                    refusal=wish.refusal,
                    is_told=notice is not None,
                    registered=notice.registered if notice else None,
                    near=notice.near if notice else None,
                    since_then={sent.about: sent.state for sent in notice.sent} if notice else {},
                )
            )
        return found

    def dated_letters(self) -> list[Letter]:
        """What arrived, each with the office time before which it was surely not begun."""
        now = datetime.now(UTC)
        return self.letters.dated(lambda at: self._office_ms(-SENDS_WITHIN_S - (now - at).total_seconds()))

    async def _ask_about(self, wish: _Wish) -> None:
        try:
            answer = await self._browser.ask("/t/find", {"secret": wish.secret}, Told)
        except Unanswered:
            wish.told = None
        else:
            wish.told = answer if isinstance(answer, Told) else None  # the office day is over: nobody knows it now


def new_secret() -> str:
    return secret_text(secrets.token_bytes(SECRET_BYTES))


def _notice_of(told: Told, carrier: Carrier) -> Notice | None:
    return next((notice for notice in told.notices if notice.carrier == carrier), None)


def _is_under_way(told: Told, carrier: Carrier) -> bool:
    notice = _notice_of(told, carrier)
    return notice is not None and any(NoticeState(sent.state) not in ENDED for sent in notice.sent)
