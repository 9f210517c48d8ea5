"""Histories of small days, told by the pure desk as listeners would have heard them; tests then break them."""

from dataclasses import dataclass, field
from typing import assert_never

from msgspec.structs import replace

from config.practice.recording import Contact, History, Letter, Photograph, Place, Visitor
from config.practice.retelling import Findings
from hub.desk import requests
from hub.desk.desk import Desk
from hub.desk.facts import DayOpened, Fact, LaneRenumbered
from hub.desk.lane import Counter, Lane, Office
from hub.wire import messages as m

DAY = "2026-11-24"
OFFICE = Office(
    key="ward",
    name="ward",
    lanes=(Lane("certificates", "証明", "A", 101, 199), Lane("moves", "異動", "B", 201, 299)),
    counters=(Counter("1", "1", ("certificates",)), Counter("2", "2", ("moves", "certificates"))),
)


@dataclass
class Told:
    """A day as it goes: `history()` at any moment is what was heard and answered so far."""

    facts: dict[Place, m.AnyFact] = field(default_factory=dict)
    photographs: list[Photograph] = field(default_factory=list)
    answers: list[tuple[m.DeskRequest, m.AnswerBody]] = field(default_factory=list)
    visitors: list[Visitor] = field(default_factory=list)
    contradictions: list[str] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    is_closed: bool = False
    is_shared: bool = False

    def __post_init__(self) -> None:
        self._desk = Desk(OFFICE)
        self._desk.open_day(DAY, 0)
        self.clock = 0

    def do(self, request: requests.Request) -> m.AnswerBody:
        stamp = requests.Stamp(DAY, "staff", str(len(self.answers)))
        answer, told = self._desk.do(stamp, request, self.clock)
        for fact in told:
            self.clock += 1
            self.facts[self.clock, 0] = frame_of(fact)
        body = m.AnswerBody(answer.arrival, answer.number, answer.lane, answer.state, answer.ahead, answer.finished)
        self.answers.append((wire_of(request), body))
        if isinstance(request, requests.Issue):
            self.visitors.append(Visitor(body.arrival, body.number, body.lane))
        return body

    def issue(self, lane: str = "certificates") -> int:
        arrival = self.do(requests.Issue(lane, "kiosk")).arrival
        assert arrival is not None
        return arrival

    def next(self, counter: str = "1", current: int | None = None) -> int | None:
        return self.do(requests.Next(counter, current)).arrival

    def photograph(self, since: Place | None, lane: str | None = None) -> None:
        """A listener came back, or came, and is told the whole desk, or one lane."""
        photo = self._photo()
        if lane is not None:
            photo = replace(
                photo,
                topic=f"lanes/{lane}",
                lanes=[state for state in photo.lanes if state.lane == lane],
                called=[call for call in photo.called if call.lane == lane],
                missed=[missed for missed in photo.missed if missed.lane == lane],
            )
        self.photographs.append(Photograph((self.clock, 0), since, photo))

    def history(self) -> History:
        return History(
            counters={counter.key: counter.lanes for counter in OFFICE.counters},
            facts=self.facts,
            photographs=self.photographs,
            answers=self.answers,
            visitors=self.visitors,
            is_closed=self.is_closed,
            is_shared=self.is_shared,
            contradictions=self.contradictions,
            contacts=self.contacts,
            letters=self.letters,
        )

    def _photo(self) -> m.Snapshot:
        picture = self._desk.picture
        standing = sorted(picture.tickets.values(), key=lambda ticket: ticket.arrival)
        return m.Snapshot(
            topic="desk",
            position="e:0-0",
            at=0,
            day=DAY,
            office=OFFICE.name,
            lanes=[
                m.LaneState(
                    lane.key,
                    lane.name,
                    picture.count(lane.key),
                    [m.WaitingNumber(a, picture.tickets[a].number, r) for r, a in picture.waiting.get(lane.key, [])],
                )
                for lane in OFFICE.lanes
            ],
            called=[
                m.CalledNumber(t.arrival, t.number, t.lane, t.counter or "", t.calls, 0)
                for t in standing
                if t.state == "called"
            ],
            missed=[m.MissedNumber(t.arrival, t.number, t.lane, "1", 0) for t in standing if t.state == "absent"],
            counters=[
                m.CounterState(seat.key, seat.name, list(picture.assigned.get(seat.key, seat.lanes)))
                for seat in OFFICE.counters
            ],
        )


def wire_of(request: requests.Request) -> m.DeskRequest:
    """A request as an asker sends it."""
    match request:
        case requests.Issue():
            return m.Issue("x", request.lane)
        case requests.Next():
            return m.Next("x", request.counter, request.current)
        case requests.Recall():
            return m.Recall("x", request.counter, request.ticket)
        case requests.MarkAbsent():
            return m.MarkAbsent("x", request.counter, request.ticket)
        case requests.Done():
            return m.Done("x", request.counter, request.ticket)
        case requests.Return():
            return m.Return("x", request.ticket)
        case requests.CheckIn():
            return m.CheckIn("x", f"A{100 + request.ticket}")
        case requests.Cancel():
            return m.Cancel("x", request.ticket)
        case requests.Transfer():
            return m.Transfer("x", request.ticket, request.lane, request.counter)
        case requests.Call():
            return m.Call("x", request.counter, request.ticket, request.current, request.reason)
        case requests.TakeBack():
            return m.TakeBack("x", request.counter, request.ticket)
        case requests.Hold():
            return m.Hold("x", request.counter, request.ticket)
        case requests.Review():
            return m.Review("x", request.counter, request.ticket)
        case requests.Ready():
            return m.Ready("x", request.ticket)
        case requests.Lapse():
            return m.Lapse("x", request.ticket)
        case requests.AnnounceClosing():
            return m.AnnounceClosing("x", request.lane)
        case requests.Reissue():
            return m.Reissue("x", request.ticket, request.secret)
        case requests.Pause():
            return m.Pause("x", request.lane, request.reason)
        case requests.Resume():
            return m.Resume("x", request.lane)
        case requests.Reassign():
            return m.Reassign("x", request.counter, list(request.lanes))
        case requests.Announce():
            return m.Announce("x", request.text, request.minutes)
        case requests.Withdraw():
            return m.Withdraw("x")
        case requests.PushBack() | requests.Wish() | requests.Stop() | requests.Sweep():
            raise AssertionError(f"no asker sends {request}")
        case requests.JoinWall() | requests.LeaveWall() | requests.ShowCall():
            raise AssertionError(f"no asker sends {request}")
        case _:
            assert_never(request)


def frame_of(fact: Fact) -> m.AnyFact:
    """A fact of the desk as a listener's recording keeps it."""
    assert not isinstance(fact, DayOpened)
    kind = getattr(m, type(fact).__name__)
    known = {name: getattr(fact, name) for name in kind.__struct_fields__ if hasattr(fact, name)}
    if isinstance(fact, LaneRenumbered):
        known["ranks"] = {str(arrival): rank for arrival, rank in fact.ranks.items()}
    blank = {"position": "", "prev": "", "waiting": {}, "weights": []}
    frame: m.AnyFact = kind(**{name: told for name, told in blank.items() if name in kind.__struct_fields__}, **known)
    return frame


def good_day() -> Told:
    """Everything that may happen once: served, absent and back, absent for good, cancelled, transferred."""
    told = Told()
    told.photograph(None)
    first, second, third, fourth, fifth = (told.issue() for _ in range(5))
    sixth = told.issue("moves")
    assert told.next() == first
    assert told.next("1", first) == second
    told.do(requests.Recall("1", second))
    told.do(requests.MarkAbsent("1", second))
    assert told.next() == third
    told.do(requests.Return(second))
    told.do(requests.Cancel(fourth))
    assert told.next("1", third) == fifth
    told.do(requests.Transfer(fifth, "moves"))
    assert told.next("2") == fifth
    assert told.next("2", fifth) == second  # of both its lanes the smaller rank
    told.do(requests.Done("2", second))
    assert told.next("2") == sixth
    told.do(requests.MarkAbsent("2", sixth))
    assert told.next("2") is None
    return told


def place_of(told: Told, kind: type[m.AnyFact], arrival: int | None = None) -> tuple[int, int]:
    return next(
        place
        for place, fact in told.facts.items()
        if isinstance(fact, kind) and arrival in (None, getattr(fact, "arrival", None))
    )


def reds(findings: Findings) -> dict[str, int]:
    counts = {name: getattr(findings, name) for name in ("lost", "doubled", "disordered", "unexplained")}
    return {name: count for name, count in counts.items() if count}
