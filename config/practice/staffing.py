"""Who sits at which counter, and when the counter is empty for lunch. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from hub.forecast.day import Figures, seconds_of
from hub.wire.messages import CounterState


@dataclass(frozen=True, slots=True)
class Post:
    """A staffed counter. `away`: from and until when (seconds of the office day) nobody sits there."""

    counter: str
    lanes: tuple[str, ...]
    away: tuple[int, int] | None = None

    def back_at(self, now: float) -> int | None:
        """Until when nobody sits here; None: somebody does."""
        if self.away is not None and self.away[0] <= now < self.away[1]:
            return self.away[1]
        return None


def staff(
    counters: Sequence[CounterState], wanted: Collection[str], figures: Figures, *, is_peak: bool, has_lunch: bool
) -> list[Post]:
    """The counters to staff: those that serve a wanted lane, of each kind as many as the figures say, at least one.

    Counters with the same lanes are of one kind, and their first lane gives the figure; of a lane that the figures do
    not know all are staffed.
    """
    kinds: dict[tuple[str, ...], list[CounterState]] = {}
    for counter in counters:
        if any(lane in wanted for lane in counter.lanes):
            kinds.setdefault(tuple(counter.lanes), []).append(counter)
    posts: list[Post] = []
    for lanes, group in kinds.items():
        count = figures.counters(lanes[0], is_peak=is_peak)
        staffed = group if count is None else group[: max(1, count)]
        stay = max(1, int(len(staffed) * figures.lunch.factor + 0.5))
        for place, counter in enumerate(staffed):
            away = (seconds_of(figures.lunch.begins), seconds_of(figures.lunch.ends))
            goes = has_lunch and place >= stay
            posts.append(Post(counter.counter, lanes, away if goes else None))
    return posts


def unserved(counters: Sequence[CounterState], wanted: Collection[str]) -> list[str]:
    """Lanes that customers want and no counter serves."""
    return sorted(set(wanted) - {lane for counter in counters for lane in counter.lanes})
