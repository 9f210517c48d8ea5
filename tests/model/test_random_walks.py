"""Random days: whatever is asked, in whatever order, rules and store answer alike and tell the same facts."""

import asyncio
import hashlib
import itertools
import secrets
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from hub.desk.notices import Carrier, Ending
from hub.desk.picture import Picture
from hub.desk.refusals import Refusal
from hub.desk.requests import (
    Cancel,
    CheckIn,
    Done,
    Issue,
    MarkAbsent,
    Next,
    Pause,
    Recall,
    Request,
    Resume,
    Return,
    Stop,
    Transfer,
    Wish,
)
from tests.model.desks import CERTIFICATES, MOVES, RulesDesk, small_office, store_desk

LANES = st.sampled_from([CERTIFICATES, MOVES])
COUNTERS = st.sampled_from(["1", "2", "3", "4"])
TICKETS = st.integers(1, 14)
DAYS = [f"2026-12-{day:02d}" for day in range(1, 29)]


def walk_against(url: str | None, steps: Iterator[int]) -> type[RuleBasedStateMachine]:
    """A machine that asks the rules and one store the same things; `steps` counts them."""

    class Walk(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            office = small_office(f"walk-{secrets.token_hex(8)}", last=112)
            self.runner = asyncio.Runner()
            self.stack = AsyncExitStack()
            self.book = RulesDesk(office)
            self.stored = self.run(self.stack.enter_async_context(store_desk(office, url)))
            self.days = iter(DAYS)
            self.day = ""
            self.used: list[tuple[str, Request]] = []
            self.open_next_day()

        def run(self, waiting: Any) -> Any:
            return self.runner.run(waiting)

        def teardown(self) -> None:
            self.run(self.stack.aclose())
            self.runner.close()

        def open_next_day(self) -> None:
            self.day = next(self.days, self.day)
            assert self.run(self.book.open_day(self.day)) == self.run(self.stored.open_day(self.day))
            self.used.clear()

        def both(self, request: Request, id: str | None = None) -> None:
            next(steps)
            name = id or f"id-{secrets.token_hex(16)}"
            answers = [self.run(_outcome(desk.ask, request, name, self.day)) for desk in (self.book, self.stored)]
            assert answers[0] == answers[1], request
            self.used.append((name, request))

        @rule(lane=LANES)
        def issue(self, lane: str) -> None:
            self.both(Issue(lane, "kiosk"))

        @rule(lane=LANES, priority=st.sampled_from(["care", "urgent"]), source=st.sampled_from(["kiosk", "desk"]))
        def issue_by_priority(self, lane: str, priority: str, source: str) -> None:
            self.both(Issue(lane, source, priority=priority))

        @rule(lane=LANES, act=st.sampled_from([lambda lane: Pause(lane, "system"), Resume]))
        def pause_or_resume(self, lane: str, act: Callable[[str], Request]) -> None:
            self.both(act(lane))

        @rule(lane=LANES, holder=st.sampled_from(["", "one", "two"]), is_expected=st.booleans())
        def take_from_home(self, lane: str, holder: str, is_expected: bool) -> None:
            secret = hashlib.sha256(f"{holder} {len(self.used) % 5}".encode()).hexdigest()
            self.both(Issue(lane, "web", secret, holder, is_expected))

        @rule(ticket=TICKETS)
        def check_in(self, ticket: int) -> None:
            self.both(CheckIn(ticket))

        @rule(counter=COUNTERS)
        def press_next(self, counter: str) -> None:
            self.both(Next(counter, self.current(counter)))

        @rule(counter=COUNTERS, current=st.none() | TICKETS)
        def press_next_on_an_old_screen(self, counter: str, current: int | None) -> None:
            self.both(Next(counter, current))

        @rule(counter=COUNTERS, action=st.sampled_from([Recall, MarkAbsent, Done]))
        def act_on_the_current(self, counter: str, action: Callable[[str, int], Request]) -> None:
            self.both(action(counter, self.current(counter) or 1))

        @rule(ticket=TICKETS)
        def bring_back(self, ticket: int) -> None:
            self.both(Return(ticket))

        @rule(ticket=TICKETS)
        def cancel(self, ticket: int) -> None:
            self.both(Cancel(ticket))

        @rule(ticket=TICKETS, lane=LANES)
        def transfer(self, ticket: int, lane: str) -> None:
            self.both(Transfer(ticket, lane))

        @rule(ticket=TICKETS, ahead=st.integers(1, 4))
        def wish_to_be_told(self, ticket: int, ahead: int) -> None:
            self.both(Wish(ticket, Carrier.EMAIL, ahead, "1", f"subscription-{len(self.used)}"))

        @rule(ticket=TICKETS, data=st.data())
        def stop_being_told(self, ticket: int, data: st.DataObject) -> None:
            present = self.book.desk.wishes.get((ticket, "email"))
            meant = data.draw(st.sampled_from(["", present.id if present else "", "another"]))
            self.both(Stop(ticket, Carrier.EMAIL, Ending.RESIDENT, meant))

        @rule(data=st.data())
        def repeat_an_earlier_request(self, data: st.DataObject) -> None:
            if self.used:
                name, request = data.draw(st.sampled_from(self.used))
                self.both(request, id=name)

        @rule(data=st.data(), lane=LANES)
        def use_an_id_for_something_else(self, data: st.DataObject, lane: str) -> None:
            if self.used:
                self.both(Issue(lane, "web"), id=data.draw(st.sampled_from(self.used))[0])

        @rule()
        def sleep_until_tomorrow(self) -> None:
            self.open_next_day()

        @invariant()
        def one_story(self) -> None:
            told, heard = self.run(self.book.facts()), self.run(self.stored.facts())
            assert told == heard
            stored = self.run(self.stored.picture())
            replayed = Picture()
            for fact in heard:
                replayed.apply(fact)
            assert replayed == stored == self.run(self.book.picture())
            assert replayed.at_counter == stored.at_counter
            assert self.run(self.book.owed()) == self.run(self.stored.owed())
            assert {lane: line for lane, line in replayed.waiting.items() if line} == stored.waiting

        def current(self, counter: str) -> int | None:
            present: int | None = self.book.desk.picture.at_counter.get(counter)
            return present

    return Walk


async def _outcome(ask: Callable[..., Any], request: Request, id: str, day: str) -> object:
    """The answer, or the refusal: they are compared, not judged."""
    try:
        return await ask(request, id=id, day=day)
    except Refusal as refusal:
        return refusal


@pytest.mark.timeout(600)  # thousands of writes, each on the disk before it is answered
@pytest.mark.parametrize(("store", "at_least"), [("fakeredis", 500), ("valkey", 6_000), ("redis7", 1_000)])
def test_rules_and_store_tell_one_story(store: str, at_least: int, request: pytest.FixtureRequest) -> None:
    url = None if store == "fakeredis" else request.getfixturevalue(f"{store}_server").url
    steps = itertools.count()
    walks = settings(max_examples=max(1, at_least // 22), stateful_step_count=50, deadline=None)
    run_state_machine_as_test(walk_against(url, steps), settings=walks)
    assert next(steps) >= at_least
