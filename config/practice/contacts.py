"""Residents who want a mail when their turn is near: they leave an address, and ask at the end what became of it.

Their addresses are made up for this run and belong to nobody. What should have arrived is judged elsewhere.
"""

import asyncio
import re
import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from config.practice.asking import new_id
from config.practice.browser import Browser, Unanswered
from config.practice.clock import OfficeClock
from config.practice.floor import Visit
from config.practice.letters import Letters
from config.practice.recording import Contact
from hub.desk.notices import ENDED, Carrier, NoticeState
from hub.forecast.day import Chance, Customer
from hub.wire.codes import SECRET_BYTES, digest_of, secret_text
from hub.wire.messages import AnswerBody, RefusalBody
from hub.wire.tickets import Told

EMAIL = "email"
WEB = "web"
MOST_AHEAD = 5  # people; what residents wish lies between one and so many
OPENS_WITHIN_S = 15.0  # the first key of a fresh office is made beside its start
SETTLED_WITHIN_S = 40.0  # a try of 10 s that breaks off, its lease, and another
LOOK_EVERY_S = 0.25
REGISTERED_WITHIN_S = 20.0  # at the end of the day, for those who are just leaving an address
SLACK_S = 0.5  # real seconds by which an answer may be behind the move it tells of

_FORM = re.compile(r'<form[^>]*\baction="/t/notice".*?</form>', re.DOTALL)  # of e-mail: each carrier has its own text
_PURPOSE = re.compile(r'name="purpose"[^>]*?value="([^"]+)"|value="([^"]+)"[^>]*?name="purpose"')
_TOKYO = timezone(timedelta(hours=9))

Start = Callable[[Coroutine[Any, Any, None]], None]


@dataclass(slots=True)
class _Wish:
    arrival: int
    address: str
    ahead: int
    secret: str
    at: int | None = None  # None: asked, and not answered
    refusal: str | None = None
    told: Told | None = None


class Residents:
    """`letters`: what their mail inbox has received."""

    def __init__(self, browser: Browser, letters: Letters, clock: OfficeClock, day: str, chance: Chance) -> None:
        self.letters = letters
        self._browser, self._clock, self._chance = browser, clock, chance
        self._midnight_ms = int(datetime.fromisoformat(f"{day}T00:00").replace(tzinfo=_TOKYO).timestamp() * 1000)
        self._tag = secrets.token_hex(6)
        self._wishes: list[_Wish] = []
        self._under_way = 0
        self._settled = asyncio.Event()
        self._purpose = ""

    @property
    def repeats(self) -> int:
        return self._browser.repeats

    def wants(self, customer: Customer) -> bool:
        return customer.contact == EMAIL

    async def read_purpose(self) -> None:
        """What the page says the addresses are for: its mark goes along with the consent."""
        form = _FORM.search(await self._browser.read("/t") or "")
        found = form and _PURPOSE.search(form[0])
        self._purpose = (found[1] or found[2]) if found else ""

    async def take(self, lane: str, secret: str) -> AnswerBody | RefusalBody:
        """A number from home, on the resident's own page."""
        body = {"id": new_id(), "lane": lane, "secret": digest_of(secret)}
        told = await self._browser.ask("/tickets", body, Told)
        if isinstance(told, RefusalBody):
            return told
        return AnswerBody(told.arrival, told.number, told.lane, told.state, told.ahead, None)

    async def register(self, visit: Visit, secret: str) -> None:
        """Leave an address for this number."""
        if visit.arrival is None:
            return
        ahead = 1 + int(self._chance.random() * MOST_AHEAD)
        address = f"r{visit.arrival}.{self._tag}@practice.invalid"
        self._wishes.append(wish := _Wish(visit.arrival, address, ahead, secret))
        body = {
            "id": new_id(),
            "secret": secret,
            "address": address,
            "ahead": ahead,
            "purpose": self._purpose,
            "consent": True,
        }
        self._under_way += 1
        try:
            answer = await self._browser.ask("/t/notice", body, Told, OPENS_WITHIN_S)
        except Unanswered:
            return
        finally:
            self._under_way -= 1
            self._settled.set()
        if isinstance(answer, RefusalBody):
            wish.refusal = answer.code
        else:
            wish.at = self._midnight_ms + int((self._clock.now + SLACK_S * self._clock.speed) * 1000)

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
            open_wishes = [wish for wish in open_wishes if wish.told is not None and _is_under_way(wish.told)]
            if loop.time() > deadline:
                break
            await asyncio.sleep(LOOK_EVERY_S if open_wishes else 0)
        await self.letters.read()

    def contacts(self) -> list[Contact]:
        found = []
        for wish in self._wishes:
            notice = None if wish.told is None else _notice_of(wish.told)
            found.append(
                Contact(
                    arrival=wish.arrival,
                    address=wish.address,
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

    async def _ask_about(self, wish: _Wish) -> None:
        try:
            answer = await self._browser.ask("/t/find", {"secret": wish.secret}, Told)
        except Unanswered:
            wish.told = None
        else:
            wish.told = answer if isinstance(answer, Told) else None  # the office day is over: nobody knows it now


def new_secret() -> str:
    return secret_text(secrets.token_bytes(SECRET_BYTES))


def _notice_of(told: Told) -> Any:
    return next((notice for notice in told.notices if notice.carrier == Carrier.EMAIL), None)


def _is_under_way(told: Told) -> bool:
    notice = _notice_of(told)
    return notice is not None and any(NoticeState(sent.state) not in ENDED for sent in notice.sent)
