"""In whatever order LINE tells things, twice, late, forged or all at once: no user id is kept without a consent."""

import asyncio
import itertools
import secrets
from collections.abc import Callable, Coroutine
from dataclasses import replace
from random import Random
from typing import Any, TypeAlias, TypeVar

import httpx2
import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from config.embedded import EmbeddedValkey
from hub.desk.facts import ContactGiven, from_fields
from hub.desk.requests import Issue, Stamp
from hub.wire.codes import digest_of
from tests.edge.told import LINE_PURPOSE, Ward, agreement, ward_told
from tests.fanout.days import CERTIFICATES, OFFICE

T = TypeVar("T")
Run: TypeAlias = Callable[[Coroutine[Any, Any, Any]], Any]

EVENTS = 10_000
FEWEST_BOUND = 50
MOST_WALKS = 100
WALK = settings(
    max_examples=20, stateful_step_count=40, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)

USERS = st.integers(0, 400)
PICKS = st.integers(0, 999)
TEXTS = st.sampled_from(["?", "0000-0000", "12345678", "https://example.jp", "\u202e", "A" * 500])


@pytest.mark.timeout(1200)
async def test_ten_thousand_events_in_any_order_keep_nobody_without_consent(
    office_name: str, valkey_server: EmbeddedValkey
) -> None:
    wide = tuple(replace(lane, last=99_999) for lane in OFFICE.lanes)  # each walk takes numbers of its own
    office = replace(OFFICE, key=office_name, lanes=wide)
    async with ward_told(office, valkey_server.url, practice=True) as ward:
        transport = httpx2.ASGITransport(app=ward.apps[0])
        async with httpx2.AsyncClient(transport=transport, base_url=ward.public_url) as client:
            book = Book(ward, client)
            await asyncio.to_thread(_walk, book, asyncio.get_running_loop())
    assert book.told >= EVENTS
    assert len(book.bound) >= FEWEST_BOUND, "otherwise nothing was at stake"


def _walk(book: "Book", loop: asyncio.AbstractEventLoop) -> None:
    """In a thread of its own; what it asks for happens in the loop of the hub."""

    def run(asked: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(asked, loop).result()

    for walks in range(1, MOST_WALKS + 1):
        if book.told >= EVENTS and len(book.bound) >= FEWEST_BOUND:
            break
        seed(walks)(run_state_machine_as_test)(_machine(run, book), settings=WALK)


class Book:
    """What was agreed to, and what was told; over all walks."""

    def __init__(self, ward: Ward, client: httpx2.AsyncClient) -> None:
        self.ward, self._client = ward, client
        self.consents: dict[int, int] = {}  # ticket → how often its resident agreed
        self.told = 0
        self.bound: dict[int, int] = {}  # ticket → how often a user id was bound to it
        self.after = "-"
        self.crowds = itertools.count()  # people of its own for each walk: who was wrong five times has no more tries

    async def agree(self, *, consents: bool, reads: bool) -> list[str]:
        """Take a number, and agree or not, having read this text or another one; gives the code, where there is one."""
        secret = secrets.token_urlsafe(16)
        stamp = Stamp(await self.ward.day(), "kiosk", secrets.token_urlsafe(16))
        answer = await self.ward.lanes.do(stamp, Issue(CERTIFICATES, "kiosk", secret=digest_of(secret)))
        purpose = LINE_PURPOSE.mark if reads else "1/00000000"
        body = agreement(secret, consent=consents, purpose=purpose)
        told = await self._client.post("/t/line", json=body)
        assert (told.status_code == 200) == (consents and reads)
        if told.status_code != 200 or answer.arrival is None:
            return []
        self.consents[answer.arrival] = self.consents.get(answer.arrival, 0) + 1
        return [str(told.json()["link"]["code"])]

    async def tell(self, body: bytes, signature: str, *, count: int, is_own: bool = True) -> None:
        headers = {"x-line-signature": signature}
        answer = await self._client.post("/line/webhook", content=body, headers=headers)
        assert answer.status_code == (200 if is_own else 401)
        self.told += count

    async def check(self) -> None:
        """Every user id that was ever bound stands behind a consent of its own."""
        keys: Any = self.ward.keys
        entries: Any = await self.ward.client.xrange(keys.facts(await self.ward.day()), min=self.after)
        for entry, fields in entries:
            self.after = f"({entry}"
            fact = from_fields(fields)
            if isinstance(fact, ContactGiven):
                assert fact.purpose == LINE_PURPOSE.mark
                self.bound[fact.arrival] = self.bound.get(fact.arrival, 0) + 1
        assert all(times <= self.consents.get(ticket, 0) for ticket, times in self.bound.items())


def _machine(run: Run, book: Book) -> type[RuleBasedStateMachine]:
    line = book.ward.line

    class Orders(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.people = next(book.crowds)
            self.codes: list[str] = []
            self.bodies: list[tuple[bytes, str]] = []  # what was told, with its signature
            self.waiting: list[dict[str, Any]] = []  # events that LINE has not told yet

        @rule(consents=st.booleans(), reads=st.booleans())
        def resident_reads(self, consents: bool, reads: bool) -> None:
            self.codes += run(book.agree(consents=consents, reads=reads))

        @rule(user=USERS, which=PICKS)
        def somebody_sends_a_code(self, user: int, which: int) -> None:
            self.writes(user, self.code(which))

        @rule(user=USERS, text=TEXTS)
        def writes(self, user: int, text: str) -> None:
            message = {"id": "1", "type": "text", "text": text}
            self.waiting.append(line.event(self.who(user), "message", message=message))

        @rule(user=USERS, kind=st.sampled_from(["follow", "unfollow", "unsend", "dance"]))
        def happens(self, user: int, kind: str) -> None:
            self.waiting.append(line.event(self.who(user), kind))

        @rule(order=PICKS, again=st.integers(0, 3))
        def line_tells_what_waits(self, order: int, again: int) -> None:
            """In any order, some of them twice and marked so."""
            events = list(self.waiting)
            Random(order).shuffle(events)
            events += [{**event, "deliveryContext": {"isRedelivery": True}} for event in events[:again]]
            self.bodies.append(line.signed(*events))
            run(book.tell(*self.bodies[-1], count=len(events)))
            self.waiting = self.waiting[:again]  # and again later, with what comes then

        @rule(which=PICKS)
        def line_tells_it_all_again(self, which: int) -> None:
            if self.bodies:
                body, signature = self.bodies[which % len(self.bodies)]
                run(book.tell(body, signature, count=body.count(b"webhookEventId")))

        @rule(which=PICKS, user=USERS)
        def a_stranger_tells(self, which: int, user: int) -> None:
            """With the signature of something else."""
            told = {"id": "1", "type": "text", "text": self.code(which)}
            body, _ = line.signed(line.event(self.who(user), "message", message=told))
            stolen = self.bodies[-1][1] if self.bodies else "A" * 43 + "="
            run(book.tell(body, stolen, count=1, is_own=False))

        def who(self, user: int) -> str:
            return f"U{self.people:016x}{user:016x}"

        def code(self, which: int) -> str:
            return self.codes[which % len(self.codes)] if self.codes else "0000-0000"

        def teardown(self) -> None:
            run(book.check())

    return Orders
