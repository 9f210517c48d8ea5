"""What hubs said and what a screen must know then, line by line: one story for the Python screen and the browser's.

Each line of a transcript is `{"hear": FRAME, "as": HEARD}` or `{"know": SNAPSHOT, "away": BOOL}`. The days come out of
the pure rules; the files in `golden/` are these lines as they were when the protocol was agreed. Make them anew with
`python -m tests.wire.transcripts`; a test says when they are old.
"""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from hub.desk.desk import Desk
from hub.desk.facts import Fact
from hub.desk.hours import WEEKDAYS, Hours, Opening
from hub.desk.lane import Absence, Counter, Lane, Office, Priority, PushBacks, Reason
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
    Request,
    Resume,
    Return,
    Review,
    ShowCall,
    Stamp,
    TakeBack,
    Transfer,
    Withdraw,
)
from hub.desk.ticket import State
from hub.fanout import topics
from hub.fanout.world import World

GOLDEN = Path(__file__).parent / "golden"
DAY, EPOCH, OPENED_AT = "2026-11-24", "2026-11-24.6b1f0c2a9d3e", 1795476600000  # 8:30 in Tokyo

OFFICE = Office(
    key="shinjuku",
    name="新宿区役所 戸籍住民課",
    lanes=(
        Lane("certificates", "証明", "A", 101, 399, delivery="seal"),
        Lane("moves", "異動", "B", 401, 699, delivery="seal"),
        Lane("seal", "印鑑登録・交付", "C", 701, 799),
    ),
    counters=(
        Counter("1", "1番窓口", ("certificates",)),
        Counter("2", "2番窓口", ("certificates", "seal"), (3, 1)),
        Counter("10", "10番窓口", ("moves",)),
    ),
    priorities=(Priority("care", "優先", 3, frozenset({"kiosk", "desk"})),),
    pause_reasons=(Reason("system", "システム障害"),),
    hours=Hours((Opening(frozenset(WEEKDAYS[:5]), 8 * 60 + 30, 17 * 60),)),
    reasons=(Reason("health", "体調がすぐれない"),),
    absence=Absence(missed_minutes=5),
    push_backs=PushBacks(times=2, places=3),
)

WALLS = ("lobby", "stairs")

Line = dict[str, Any]


class Day:
    """A day of the office, and the world of the hub that tells it."""

    def __init__(self, office: Office = OFFICE) -> None:
        self.desk = Desk(office)
        self.world = World(EPOCH, DAY, office)
        self.frames: dict[str, list[Line]] = {}
        self._at = OPENED_AT
        self._asked = 0
        self._told(self.desk.open_day(DAY, OPENED_AT))

    def ask(self, request: Request) -> None:
        """Twenty seconds later somebody asks. What is refused does not happen."""
        self._at += 20_000
        self._asked += 1
        try:
            _, told = self.desk.do(Stamp(DAY, "staff", f"request-{self._asked}"), request, self._at)
        except Refusal:
            return
        self._told(told)

    def _told(self, told: list[Fact]) -> None:
        for place, fact in enumerate(told):  # facts of one request share a millisecond
            for topic, frame in self.world.learn((self._at, place), fact):
                self.frames.setdefault(topic, []).append(json.loads(frame.text))

    def heard(self, topic: str) -> list[Line]:
        """What the topic was told since this was last asked."""
        return [{"hear": frame, "as": "new"} for frame in self.frames.pop(topic, [])]

    def whole(self, topic: str) -> Line:
        whole: Line = json.loads(self.world.snapshot(topic).text)
        return whole

    def know(self, topic: str, away: bool = False) -> Line:
        return {"know": self.whole(topic), "away": away}

    def beat(self, topic: str) -> Line:
        return {"hear": json.loads(self.world.beat(topic).text), "as": "beat"}


def busy_day(topic: str) -> Iterator[Line]:
    """A seeded day of every kind of fact, joined when it is well under way, checked every tenth request."""
    chance, day = random.Random(2026), Day()
    for asked in range(300):
        day.ask(AnnounceClosing("moves") if asked == 200 else any_request(chance, day.desk))
        if asked < 30:
            day.frames.clear()
        elif asked == 30:
            day.frames.clear()
            yield {"hear": day.whole(topic), "as": "new"}
        elif asked % 10 == 0:
            yield from day.heard(topic)
            yield day.know(topic)
    yield from day.heard(topic)
    yield day.know(topic)


def renumbered(topic: str) -> Iterator[Line]:
    """So many come back to one place that the gap between two ranks closes and the lane is renumbered."""
    day = Day(replace(OFFICE, absence=Absence()))
    for _ in range(30):
        day.ask(Issue("certificates", "kiosk"))
    for arrival in range(1, 25):
        day.ask(Next("1", None))
        day.ask(MarkAbsent("1", arrival))
    day.frames.clear()
    yield {"hear": day.whole(topic), "as": "new"}
    for arrival in range(1, 25):
        day.ask(Return(arrival))
    yield from day.heard(topic)
    yield day.know(topic)


def trouble(topic: str) -> Iterator[Line]:
    """Everything that can go wrong between two frames, and what a screen makes of it."""
    day = Day()
    for lane in ("certificates", "moves", "certificates", "seal"):
        day.ask(Issue(lane, "web"))
    told = [line["hear"] for line in day.heard(topic)]
    yield {"hear": told[0], "as": "gap"}  # a fact before any snapshot
    yield {**day.beat(topic), "as": "gap"}
    yield {"hear": {"type": "away"}, "as": "away"}
    yield {"hear": day.whole(topic), "as": "new"}
    yield day.know(topic)
    yield {"hear": told[-1], "as": "old"}
    yield day.beat(topic)
    yield {"hear": {"type": "TicketPraised", "position": "x", "stars": 5}, "as": "old"}  # of a later protocol
    yield {"hear": {"type": "reply", "id": None, "refusal": _REFUSAL}, "as": "reply"}
    day.ask(Next("1", None))
    day.ask(Next("10", None))
    first, second = (line["hear"] for line in day.heard(topic))
    yield {"hear": second, "as": "gap"}
    yield {"hear": {**first, "position": first["position"].replace(EPOCH, "2026-11-25.0")}, "as": "gap"}
    yield {"hear": {**first, "position": "nowhere"}, "as": "gap"}
    yield {"hear": {**first, "colour": "red", "called": []}, "as": "new"}  # unknown fields are ignored
    yield {"hear": first, "as": "old"}
    yield {"hear": {**second, "prev": f"{EPOCH}:0-0"}, "as": "new"}  # it follows on something older: nothing is missed
    yield {"hear": {"type": "away"}, "as": "away"}
    yield {"hear": {"type": "beat", "position": first["position"], "at": day.world.at}, "as": "gap"}
    yield day.know(topic, away=True)
    yield day.beat(topic)
    yield day.know(topic)
    yield from _places(day.whole(topic))


def _places(whole: Line) -> Iterator[Line]:
    """Places are compared as numbers, not as texts, and a snapshot of another epoch begins anew."""
    yield {"hear": {**whole, "position": "another:999-9"}, "as": "new"}
    fact = {"type": "TicketServed", "at": whole["at"], "lane": "moves", "waiting": {"moves": 7, "gone": 1}}
    fact |= {"arrival": 2, "number": "B401", "counter": "10"}
    yield {"hear": {**fact, "position": "another:999-10", "prev": "another:999-9"}, "as": "new"}
    yield {"hear": {**fact, "position": "another:999-9", "prev": "another:998-0"}, "as": "old"}
    yield {"hear": {**fact, "position": "another:1001-0", "prev": "another:1000-0"}, "as": "gap"}
    yield {"hear": {**fact, "position": "another:1000-0", "prev": "another:999-10"}, "as": "new"}
    lanes = [{**lane, "waiting": 7} if lane["lane"] == "moves" else lane for lane in whole["lanes"]]
    called = [call for call in whole["called"] if call["arrival"] != 2]
    yield {"know": {**whole, "position": "another:1000-0", "lanes": lanes, "called": called}, "away": False}


_REFUSAL = {"code": "BadMessage", "sentence": "送信の形式が正しくありません。", "again": False, "details": {}}


def any_request(chance: random.Random, desk: Desk) -> Request:
    counter = chance.choice(OFFICE.counters).key
    lane = chance.choice(OFFICE.lanes).key
    current, ticket = desk.picture.at_counter.get(counter), chance.randint(1, desk.picture.last_arrival + 1)

    def one_of(*states: State) -> int:
        return chance.choice([t.arrival for state in states for t in desk.picture.in_state(state)] or [ticket])

    has = current or ticket
    kinds: list[Request] = [
        *(Issue(lane, "kiosk"),) * 10,
        Issue(lane, "desk", priority="care"),
        Pause(lane, "system"),
        *(Resume(lane),) * 3,
        *(Issue(lane, "web", is_expected=True), CheckIn(one_of(State.EXPECTED))) * 2,
        *(Next(counter, current),) * 4,
        *(Recall(counter, has), MarkAbsent(counter, has)) * 2,
        *(Return(one_of(State.ABSENT)), Transfer(ticket, lane)) * 2,
        *(Hold(counter, has), TakeBack(counter, has)) * 2,
        *(Review(counter, has),) * 5,
        *(Call(counter, one_of(State.HELD), current), Ready(one_of(State.BACK_OFFICE))) * 2,
        Call(counter, one_of(State.WAITING), current, "health"),
        Transfer(one_of(State.WAITING), lane, counter),
        PushBack(one_of(State.WAITING), chance.randint(1, 3)),
        *(Lapse(one_of(State.ABSENT, State.HELD)),) * 2,
        Done(counter, has),
        Cancel(ticket),
        *(_shown(chance.choice(WALLS), desk, current or ticket),) * 4,
        chance.choice((JoinWall, LeaveWall))(chance.choice(WALLS)),
        Reassign(counter, tuple(chance.sample([each.key for each in OFFICE.lanes], chance.randint(1, 3)))),
        chance.choice((Announce("3番窓口は 15時に閉めます。", chance.randint(1, 60)), Withdraw())),
    ]
    return chance.choice(kinds)


def _shown(wall: str, desk: Desk, arrival: int) -> ShowCall:
    ticket = desk.picture.tickets.get(arrival)
    return ShowCall(wall, arrival, ticket.calls if ticket else 1, (ticket and ticket.called_at) or 0)


TRANSCRIPTS: dict[str, Callable[[], Iterator[Line]]] = {
    "board": lambda: busy_day(topics.BOARD),
    "lane": lambda: busy_day(topics.of_lane("certificates")),
    "desk": lambda: busy_day(topics.DESK),
    "renumbered": lambda: renumbered(topics.of_lane("certificates")),
    "trouble": lambda: trouble(topics.BOARD),
}


def golden(name: str) -> list[Line]:
    """A transcript as it was agreed."""
    return [json.loads(line) for line in (GOLDEN / f"{name}.jsonl").read_text("utf-8").splitlines()]


def write() -> None:
    for name, tell in TRANSCRIPTS.items():
        lines = (json.dumps(line, ensure_ascii=False, separators=(",", ":")) for line in tell())
        (GOLDEN / f"{name}.jsonl").write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    write()
