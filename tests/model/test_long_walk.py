"""Weeks of everything that may be asked, one step after the other: rules, store, replayed facts and screens agree.

The days come out of a seed, which a failure names; each step asks the rules and a real store the same. What happened is
told as the hub tells it, and followed by the screen of Python and by the browser's own picture in Chromium.
"""

import json
import random
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from config.embedded import EmbeddedValkey
from hub.desk import requests as ask
from hub.desk.facts import Fact
from hub.desk.lane import Absence
from hub.desk.notices import Carrier, Ending
from hub.desk.picture import Picture
from hub.desk.refusals import Refusal
from hub.desk.requests import Request
from hub.desk.ticket import State
from hub.fanout import topics
from hub.fanout.world import World
from hub.wire.client_side import Screen
from hub.wire.codec import encode, read_frame
from tests.model.desks import CERTIFICATES, DELIVERY, MOVES, RulesDesk, StoreDesk, small_office, store_desk
from tests.web.conftest import MakeSite, site  # noqa: F401  # a page of ours, for the browser to find the picture at
from tests.web.site import snapshot
from tests.web.test_picture_js import follow

if TYPE_CHECKING:
    from playwright.async_api import Page

STEPS, STEPS_A_DAY = 20_000, 400
LOOK_EVERY = 40  # steps between two comparisons of everything
TOPICS = (topics.BOARD, topics.of_lane(CERTIFICATES), topics.of_lane(DELIVERY), topics.DESK)
COUNTERS = ("1", "2", "3", "4", "5")


class Dice:
    """What is asked next. Mostly what fits: a walk of refusals would see little."""

    def __init__(self, seed: int, desk: RulesDesk) -> None:
        self.chance = random.Random(seed)
        self._desk = desk

    def one_of(self, *states: State) -> int:
        picture = self._desk.desk.picture
        found = [ticket.arrival for state in states for ticket in picture.in_state(state)]
        fits = found and self.chance.random() < 0.9
        return self.chance.choice(found) if fits else self.chance.randint(1, picture.last_arrival + 1)

    def request(self) -> Request:
        chance, picture = self.chance, self._desk.desk.picture
        counter, lane = chance.choice(COUNTERS), chance.choice((CERTIFICATES, CERTIFICATES, MOVES))
        present = picture.at_counter.get(counter)
        current = present if chance.random() < 0.95 else self.one_of(State.CALLED)
        busy = list(picture.at_counter.items())
        seat, has = chance.choice(busy) if busy and chance.random() < 0.9 else (counter, self.one_of(State.CALLED))
        secret = f"{chance.randrange(40):064x}"
        made: dict[str, Callable[[], Request]] = {
            "issue": lambda: ask.Issue(lane, "kiosk", secret if chance.random() < 0.3 else ""),
            "priority": lambda: ask.Issue(lane, "desk", priority=chance.choice(("care", "urgent"))),
            "expect": lambda: ask.Issue(lane, "web", "", chance.choice(("", "one", "two")), is_expected=True),
            "check_in": lambda: ask.CheckIn(self.one_of(State.EXPECTED)),
            "next": lambda: ask.Next(counter, current),
            "call": lambda: ask.Call(counter, self.one_of(State.WAITING), current, chance.choice(("health", ""))),
            "resume": lambda: ask.Call(counter, self.one_of(State.HELD), current),
            "take_back": lambda: ask.TakeBack(seat, has),
            "recall": lambda: ask.Recall(seat, has),
            "absent": lambda: ask.MarkAbsent(seat, has),
            "done": lambda: ask.Done(seat, has),
            "hold": lambda: ask.Hold(seat, has),
            "review": lambda: ask.Review(seat, has),
            "ready": lambda: ask.Ready(self.one_of(State.BACK_OFFICE)),
            "return": lambda: ask.Return(self.one_of(State.ABSENT)),
            "push_back": lambda: ask.PushBack(self.one_of(State.WAITING), chance.randint(0, 4)),
            "cancel": lambda: ask.Cancel(self.one_of(*State)),
            "transfer": lambda: ask.Transfer(self.one_of(State.WAITING, State.CALLED), lane),
            "reserve": lambda: ask.Transfer(self.one_of(State.WAITING, State.CALLED), lane, counter),
            "lapse": lambda: ask.Lapse(self.one_of(State.ABSENT, State.HELD)),
            "reissue": lambda: ask.Reissue(self.one_of(State.WAITING), secret),
            "wish": lambda: ask.Wish(
                self.one_of(State.WAITING), Carrier.EMAIL, chance.randint(1, 4), "1", f"{chance.getrandbits(64):016x}"
            ),
            "stop": lambda: ask.Stop(self.one_of(State.WAITING), Carrier.EMAIL, Ending.RESIDENT),
            "pause": lambda: ask.Pause(lane, "system"),
            "open": lambda: ask.Resume(lane),
            "closing": lambda: ask.AnnounceClosing(chance.choice((MOVES, DELIVERY))),
        }
        weights = {"issue": 12, "next": 8, "open": 4, "pause": 1, "closing": 0.1, "absent": 4, "recall": 5, "review": 3}
        (kind,) = chance.choices(list(made), [weights.get(name, 2) for name in made])
        return made[kind]()


@dataclass
class Told:
    """One topic's day as the browser is to follow it, and the screen of Python that follows at once."""

    topic: str
    screen: Screen = field(default_factory=Screen)
    lines: list[dict[str, Any]] = field(default_factory=list)

    def hear(self, text: str) -> None:
        frame = read_frame(text)
        assert frame is not None
        assert self.screen.hear(frame) == "new"
        self.lines.append({"hear": json.loads(text), "as": "new"})

    def look(self, world: World) -> None:
        fresh = world.snapshot(self.topic).text
        assert json.loads(encode(self.screen.snapshot())) == json.loads(fresh)
        self.lines.append({"know": json.loads(fresh), "away": False})


class Walk:
    def __init__(self, seed: int, book: RulesDesk, stored: StoreDesk) -> None:
        self.book, self.stored = book, stored
        self.seed = seed
        self.dice = Dice(seed, book)
        self.steps = 0
        self.refused = 0
        self._asked: list[tuple[str, Request]] = []

    async def day(self, day: str, steps: int) -> list[Told]:
        """Every step of a day; gives what each topic was told, checked all the way."""
        for desk in (self.book, self.stored):
            assert await desk.open_day(day) == day
        self._asked.clear()
        world = World(f"{day}.walk", day, self.book.office)
        told = [Told(topic) for topic in TOPICS]
        heard = await self._hear(world, told, [])
        for each in told:
            each.hear(world.snapshot(each.topic).text)
        for step in range(steps):
            await self._ask(day)
            heard = await self._hear(world, told, heard)
            if step % LOOK_EVERY == LOOK_EVERY - 1:
                await self._look(world, told, heard)
        return told

    async def _ask(self, day: str) -> None:
        chance = self.dice.chance
        if chance.random() < 0.3:
            seconds = chance.choice((1, 5, 20, 100, 400))
            for desk in (self.book, self.stored):
                await desk.pass_time(seconds)
        name, request = f"step-{self.steps}", self.dice.request()
        if self._asked and chance.random() < 0.05:
            name, request = chance.choice(self._asked)  # a reply was lost
        answers = [await _outcome(desk, request, name, day) for desk in (self.book, self.stored)]
        assert answers[0] == answers[1], (self.seed, request)
        self._asked.append((name, request))
        self.refused += isinstance(answers[0], Refusal)
        self.steps += 1

    async def _hear(self, world: World, told: list[Told], heard: list[Fact]) -> list[Fact]:
        """The facts behind those `heard` already, which rules and store must agree on."""
        news = await self.stored.facts_of(world.day, f"{world.place[0]}-{world.place[1]}" if heard else "")
        assert [fact for _, fact in news] == self.book.told[len(heard) :]
        for position, fact in news:
            ms, seq = position.split("-")
            for topic, frame in world.learn((int(ms), int(seq)), fact):
                for each in told:
                    if each.topic == topic:
                        each.hear(frame.text)
        return list(self.book.told)

    async def _look(self, world: World, told: list[Told], heard: list[Fact]) -> None:
        stored, rules = await self.stored.picture(), self.book.desk.picture
        replayed = Picture()
        for fact in heard:
            replayed.apply(fact)
        assert rules == replayed == stored == world.picture
        for lines in (rules.waiting, stored.waiting, world.picture.waiting):
            assert _standing(lines) == _standing(replayed.waiting)
        assert rules.at_counter == stored.at_counter == world.picture.at_counter
        assert await self.book.owed() == await self.stored.owed()
        for each in told:
            each.look(world)


def _standing(waiting: dict[str, list[tuple[int, int]]]) -> dict[str, list[tuple[int, int]]]:
    return {lane: line for lane, line in waiting.items() if line}


async def _outcome(desk: RulesDesk | StoreDesk, request: Request, name: str, day: str) -> object:
    try:
        return await desk.ask(request, id=name, day=day)
    except Refusal as refusal:
        return refusal


def days() -> Iterator[str]:
    first = date(2026, 12, 1)
    while True:
        yield first.isoformat()
        first += timedelta(days=1)


@pytest.mark.timeout(1800)  # twenty thousand writes, each on the disk before it is answered
async def test_rules_store_facts_and_browser_tell_one_story(
    valkey_server: EmbeddedValkey,
    site: MakeSite,  # noqa: F811
    page: "Page",
) -> None:
    seed = secrets.randbits(32)
    office = replace(
        small_office(f"long-{secrets.token_hex(8)}", last=399),
        absence=Absence(after_calls=2, after_seconds=20, missed_minutes=5),
    )
    await site(snapshot()).open("/")
    async with store_desk(office, valkey_server.url) as stored:
        walk = Walk(seed, RulesDesk(office), stored)
        for day in days():
            for told in await walk.day(day, STEPS_A_DAY):
                followed = await follow(page, told.lines)
                for number, (line, did) in enumerate(zip(told.lines, followed, strict=True), 1):
                    line.pop("hear", None)
                    assert did == line, f"seed {seed}, {day}, {told.topic}, line {number}"
            if walk.steps >= STEPS:
                break
    assert walk.refused < walk.steps / 2, "a walk of refusals sees little"
