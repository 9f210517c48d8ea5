"""When was whose turn near? Follows a retold day for those who wished to be told. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from msgspec import UNSET

from config.practice.seen import Seen
from hub.desk.ticket import State


@dataclass(slots=True)
class Stretch:
    """A time in which a ticket waited with as few people ahead as was wished. `until` None: to the end of the day.

    Both in epoch milliseconds of office time.
    """

    since: int
    until: int | None = None


class Nearness:
    """`wishes`: people ahead by arrival. Give `look` to a Retelling."""

    def __init__(self, wishes: Mapping[int, int]) -> None:
        self.stretches: dict[int, list[Stretch]] = {arrival: [] for arrival in wishes}
        self._wishes = wishes
        self._near: dict[int, tuple[str, Stretch]] = {}

    def look(self, at: int, lanes: Collection[str], tickets: Mapping[int, Seen]) -> None:
        """Something happened in these lanes, and this is how it stands now."""
        now = {arrival for lane in lanes for arrival in self._near_in(lane, tickets)}
        for arrival in [known for known, (lane, _) in self._near.items() if lane in lanes and known not in now]:
            self._near.pop(arrival)[1].until = at
        for arrival in now - self._near.keys():
            stretch = Stretch(at)
            self._near[arrival] = tickets[arrival].lane, stretch
            self.stretches[arrival].append(stretch)

    def _near_in(self, lane: str, tickets: Mapping[int, Seen]) -> list[int]:
        line = sorted(
            (ticket.rank, arrival)
            for arrival, ticket in tickets.items()
            if ticket.state is State.WAITING and ticket.lane == lane and ticket.rank is not UNSET
        )
        return [arrival for place, (_, arrival) in enumerate(line) if place <= self._wishes.get(arrival, -1)]
