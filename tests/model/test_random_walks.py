"""Random days: whatever is asked, in whatever order, rules and store answer alike and tell the same facts."""

import asyncio
import hashlib
import itertools
import secrets
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from hub.desk.facts import Fact
from hub.desk.lane import Absence
from hub.desk.notices import Carrier, Ending
from hub.desk.picture import Picture
from hub.desk.refusals import Refusal
from hub.desk.requests import (
    Announce,
    AnnounceClosing,
    Call,
    Cancel,
    CheckIn,
    Done,
    Hold,
    Issue,
    JoinWall,
    Lapse,
    LeaveWall,
    MarkAbsent,
    Next,
    Pause,
    PushBack,
    Ready,
    Reassign,
    Recall,
    Reissue,
    Request,
    Resume,
    Return,
    Review,
    ShowCall,
    Stop,
    Sweep,
    TakeBack,
    Transfer,
    Wish,
    Withdraw,
)
from hub.desk.ticket import State
from tests.model.desks import CERTIFICATES, DELIVERY, MOVES, RulesDesk, small_office, store_desk

LANES = st.sampled_from([CERTIFICATES, MOVES])
COUNTERS = st.sampled_from(["1", "2", "3", "4", "5"])
REASONS = st.sampled_from(["health", "paper", ""])
WALLS = st.sampled_from(["lobby", "stairs"])
CARRIERS = st.sampled_from(Carrier)
TICKETS = st.integers(1, 14)
DAYS = [f"2026-12-{day:02d}" for day in range(1, 29)]


def walk_against(url: str | None, steps: Iterator[int]) -> type[RuleBasedStateMachine]:
    """A machine that asks the rules and one store the same things; `steps` counts them."""

    class Walk(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            office = replace(
                small_office(f"walk-{secrets.token_hex(8)}", last=112),
                absence=Absence(after_calls=2, after_seconds=20, missed_minutes=5),
            )
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
            self.position, self.heard, self.replayed = "", list[Fact](), Picture()

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

        @rule(counter=COUNTERS, action=st.sampled_from([Recall, Recall, MarkAbsent, Done, TakeBack, Hold, Review]))
        def act_on_the_current(self, counter: str, action: Callable[[str, int], Request]) -> None:
            self.both(action(counter, self.current(counter) or 1))

        @rule(ticket=TICKETS)
        def bring_back(self, ticket: int) -> None:
            self.both(Return(ticket))

        @rule(counter=COUNTERS, ticket=TICKETS, reason=REASONS)
        def call_a_chosen_number(self, counter: str, ticket: int, reason: str) -> None:
            self.both(Call(counter, ticket, self.current(counter), reason))

        @rule(counter=COUNTERS, data=st.data())
        def resume(self, counter: str, data: st.DataObject) -> None:
            self.both(Call(counter, self.one_of(State.HELD, data), self.current(counter)))

        @rule(data=st.data())
        def be_ready(self, data: st.DataObject) -> None:
            self.both(Ready(self.one_of(State.BACK_OFFICE, data)))

        @rule(ticket=TICKETS, places=st.integers(0, 4))
        def push_back(self, ticket: int, places: int) -> None:
            self.both(PushBack(ticket, places))

        @rule(data=st.data())
        def say_that_it_is_over(self, data: st.DataObject) -> None:
            self.both(Lapse(self.one_of(State.ABSENT, data)))

        @rule(ticket=TICKETS)
        def end_it(self, ticket: int) -> None:
            self.both(Lapse(ticket))

        @rule(lane=st.sampled_from([MOVES, DELIVERY, DELIVERY]))
        def announce_closing(self, lane: str) -> None:
            self.both(AnnounceClosing(lane))

        @rule(ticket=TICKETS)
        def give_a_new_slip(self, ticket: int) -> None:
            secret = hashlib.sha256(f"slip {len(self.used) % 7}".encode()).hexdigest()
            self.both(Reissue(ticket, secret))

        @rule(seconds=st.sampled_from([5, 15, 30, 200]))
        def let_time_pass(self, seconds: int) -> None:
            for desk in (self.book, self.stored):
                self.run(desk.pass_time(seconds))

        @rule(ticket=TICKETS)
        def cancel(self, ticket: int) -> None:
            self.both(Cancel(ticket))

        @rule(ticket=TICKETS, lane=LANES, counter=st.sampled_from(["", "", "1", "2", "3"]))
        def transfer(self, ticket: int, lane: str, counter: str) -> None:
            self.both(Transfer(ticket, lane, counter))

        @rule(ticket=TICKETS, carrier=CARRIERS, ahead=st.integers(1, 4), minutes=st.sampled_from([0, 5]))
        def wish_to_be_told(self, ticket: int, carrier: Carrier, ahead: int, minutes: int) -> None:
            self.both(Wish(ticket, carrier, ahead, "1", f"subscription-{len(self.used)}", minutes=minutes))

        @rule()
        def sweep(self) -> None:
            self.both(Sweep())

        @rule(ticket=TICKETS, data=st.data())
        def stop_being_told(self, ticket: int, data: st.DataObject) -> None:
            present = self.book.desk.wishes.get((ticket, "email"))
            meant = data.draw(st.sampled_from(["", present.id if present else "", "another"]))
            self.both(Stop(ticket, Carrier.EMAIL, Ending.RESIDENT, meant))

        @rule(counter=COUNTERS, lanes=st.lists(st.sampled_from([CERTIFICATES, MOVES, DELIVERY]), max_size=3))
        def let_a_counter_serve_others(self, counter: str, lanes: list[str]) -> None:
            self.both(Reassign(counter, tuple(lanes)))

        @rule(counter=COUNTERS, lane=LANES)
        def press_next_for_one_lane(self, counter: str, lane: str) -> None:
            self.both(Next(counter, self.current(counter), (lane,)))

        @rule(text=st.sampled_from(["本日は混み合っています。", "two\nlines", ""]), minutes=st.integers(0, 90))
        def announce(self, text: str, minutes: int) -> None:
            self.both(Announce(text, minutes))

        @rule()
        def withdraw(self) -> None:
            self.both(Withdraw())

        @rule(wall=WALLS, is_there=st.booleans())
        def count_a_wall(self, wall: str, is_there: bool) -> None:
            self.both(JoinWall(wall) if is_there else LeaveWall(wall))

        @rule(wall=WALLS, counter=COUNTERS)
        def show_the_present_call(self, wall: str, counter: str) -> None:
            ticket = self.book.desk.picture.tickets.get(self.current(counter) or 1)
            if ticket is not None:
                self.both(ShowCall(wall, ticket.arrival, ticket.calls, ticket.called_at or 0))

        @rule(wall=WALLS, ticket=TICKETS, calls=st.integers(1, 3))
        def show_a_call_that_may_be_over(self, wall: str, ticket: int, calls: int) -> None:
            self.both(ShowCall(wall, ticket, calls, self.book.now))

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
            """What is new was told alike, and what both know now is what all that was told makes of the day."""
            told = self.run(self.stored.facts_of(self.day, self.position))
            for self.position, fact in told:
                self.heard.append(fact)
                self.replayed.apply(fact)
            assert self.heard == self.book.told
            stored = self.run(self.stored.lanes.picture(self.day))
            assert self.replayed == stored == self.book.desk.picture
            assert self.replayed.at_counter == stored.at_counter == self.book.desk.picture.at_counter
            assert self.book.desk.owed == self.run(self.stored.owed_on(self.day))
            assert {lane: line for lane, line in self.replayed.waiting.items() if line} == stored.waiting

        def one_of(self, state: State, data: st.DataObject) -> int:
            """A ticket in that state, where there is one."""
            found = [ticket.arrival for ticket in self.book.desk.picture.in_state(state)]
            return data.draw(st.sampled_from(found)) if found else 1

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


@pytest.mark.timeout(600)  # thousands of walks' steps, each looked at from all sides, on a machine that others use too
@pytest.mark.parametrize(("store", "at_least"), [("fakeredis", 500), ("valkey", 2_000), ("redis7", 1_000)])
def test_rules_and_store_tell_one_story(store: str, at_least: int, request: pytest.FixtureRequest) -> None:
    url = None if store == "fakeredis" else request.getfixturevalue(f"{store}_server").url
    steps = itertools.count()
    # Without shrinking: thousands of walks more on a real store would take longer than reading one of fifty steps.
    phases = [phase for phase in Phase if phase is not Phase.shrink]
    walks = settings(max_examples=max(1, at_least // 22), stateful_step_count=50, deadline=None, phases=phases)
    run_state_machine_as_test(walk_against(url, steps), settings=walks)
    assert next(steps) >= at_least
