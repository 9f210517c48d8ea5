"""What the templates need, told from a snapshot: texts, counts and sizes. The screens' JavaScript draws the same."""

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from msgspec import UNSET

from hub.desk.hours import DAY_MINUTES, WEEKDAY_LETTERS, moment_text
from hub.wire.giving import Giving, giving, next_opening
from hub.wire.messages import CalledNumber, LaneState, MissedNumber, Snapshot

TOKYO = ZoneInfo("Asia/Tokyo")

# The steps of static/fit.css and static/wall.css; static/fit.js knows the same.
EM_STEPS: tuple[float, ...] = (2, 2.5, 2.75, 3, 3.5, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 18, 20, 22, 24, 28, 32, 40)
ROOMS = (1, 2, 3, 4, 6, 8, 10, 12, 15, 18, 21, 24, 28, 32, 40, 50, 64)
MISSED_PAGE = 16  # smaller figures could not be read across the lobby; more take turns
NARROW_EM = 0.66  # the widest of our bold Latin letters that prefixes use; figures are 0.58


def em_of(text: str) -> str:
    """The step of a text's width in em. Latin letters and figures are narrow, everything else is square."""
    em = sum(NARROW_EM if ord(letter) < 0x250 else 1.0 for letter in text)
    return f"{next((step for step in EM_STEPS if step >= em - 1e-9), EM_STEPS[-1]):g}"


def room_for(count: int) -> int:
    """The smallest layout that holds so many calls; beyond the last the grid goes on with smaller rows."""
    return next((room for room in ROOMS if room >= count), ROOMS[-1])


@dataclass(frozen=True, slots=True)
class Call:
    key: int
    number: str
    lane: str
    counter: str


@dataclass(frozen=True, slots=True)
class Missed:
    """`until` when it may come back, as H:MM."""

    key: int
    number: str
    counter: str
    until: str


@dataclass(frozen=True, slots=True)
class Board:
    """The present state of an office in words. `made_at` is the office time at which it was so."""

    office: str
    made_at: datetime
    lanes: list[LaneState]
    calls: list[Call]  # newest first
    missed: list[Missed]
    waiting: int
    announcement: str  # what the office says beside it; '' for nothing

    @classmethod
    def of(cls, whole: Snapshot) -> "Board":
        lanes = {lane.lane: lane.name for lane in whole.lanes}
        counters = {counter.counter: counter.name for counter in whole.counters}

        def call(called: CalledNumber) -> Call:
            lane, counter = lanes.get(called.lane, ""), counters.get(called.counter, called.counter)
            return Call(called.arrival, called.number, lane, counter)

        def missed(gone: MissedNumber) -> Missed:
            counter = counters.get(gone.counter, gone.counter)
            return Missed(gone.arrival, gone.number, counter, _minutes(gone.until))

        said = whole.announcement
        return cls(
            office=whole.office,
            announcement=said.text if said is not UNSET and whole.at < said.until else "",
            made_at=_tokyo(whole.at),
            lanes=whole.lanes,
            calls=[call(called) for called in whole.called],
            missed=[missed(gone) for gone in whole.missed],
            waiting=sum(lane.waiting for lane in whole.lanes),
        )

    @property
    def missed_room(self) -> int:
        """How many missed numbers the wall makes room for: none, one row, or a page of which there may be several."""
        return 0 if not self.missed else 8 if len(self.missed) <= 8 else MISSED_PAGE

    @property
    def missed_page(self) -> str:
        pages = -(-len(self.missed) // MISSED_PAGE)
        return f"1／{pages}" if pages > 1 else ""

    @property
    def minutes_text(self) -> str:
        return f"{self.made_at.hour}:{self.made_at:%M}"

    @property
    def seconds_text(self) -> str:
        return f"{self.made_at.hour}:{self.made_at:%M:%S}"

    @property
    def date_text(self) -> str:
        return f"{self.made_at.month}月{self.made_at.day}日（{WEEKDAY_LETTERS[self.made_at.weekday()]}）"


def _tokyo(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(TOKYO)


def _minutes(ms: int) -> str:
    at = _tokyo(ms)
    return f"{at.hour}:{at:%M}"


@dataclass(frozen=True, slots=True)
class CounterChoice:
    key: str
    name: str
    lanes: str


def counter_choices(whole: Snapshot) -> list[CounterChoice]:
    """Every counter with the names of the lanes that it serves."""
    names = {lane.lane: lane.name for lane in whole.lanes}
    return [
        CounterChoice(counter.counter, counter.name, "・".join(names.get(lane, lane) for lane in counter.lanes))
        for counter in whole.counters
    ]


@dataclass(frozen=True, slots=True)
class Offer:
    """A lane of which a number can be taken, with what its form sends along. `why_none`: it gives none just now."""

    lane: str
    name: str
    id: str
    secret: str
    why_none: str = ""


def why_none(lane: LaneState, at: int) -> str:
    """Why a lane gives no number now, in a few words; empty where it does. static/giving.js says the same."""
    match giving(lane, at):
        case Giving.OPEN:
            return ""
        case Giving.PAUSED:
            return "新しい番号の受付を休止しています"
        case Giving.OVER:
            return "本日の受付は終了しました"
        case Giving.CLOSED:
            opens = next_opening(lane, at)
            return "受付時間外です" if opens is None else f"受付時間外です。次は {moment_text(opens)} から"


def hours_text(opens: int, closes: int) -> str:
    """Minutes of the day as 8:30〜17:00; empty for all hours."""
    if (opens, closes) == (0, DAY_MINUTES):
        return ""
    return f"{opens // 60}:{opens % 60:02}〜{closes // 60}:{closes % 60:02}"
