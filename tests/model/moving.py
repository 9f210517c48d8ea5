"""What stories about moves ask of a desk, and look up in its picture."""

from hub.desk.requests import Answer, Issue, Next
from hub.desk.ticket import State
from tests.model.desks import CERTIFICATES, TimelessDesk


async def issue(desk: TimelessDesk, lane: str = CERTIFICATES, times: int = 1) -> None:
    for _ in range(times):
        await desk.ask(Issue(lane, "kiosk"))


async def call(desk: TimelessDesk, counter: str = "2", current: int | None = None) -> Answer:
    return await desk.ask(Next(counter, current))


async def waiting(desk: TimelessDesk, lane: str = CERTIFICATES) -> list[int]:
    return [arrival for _, arrival in (await desk.picture()).waiting.get(lane, [])]


async def state(desk: TimelessDesk, arrival: int) -> State:
    return (await desk.picture()).tickets[arrival].state
