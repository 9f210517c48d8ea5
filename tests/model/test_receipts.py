"""Which wall has shown which call, told once for the pure rules, fakeredis, Valkey and the oldest Redis."""

import pytest

from hub.desk.facts import CallShown, Fact, WallJoined, WallLeft
from hub.desk.refusals import CallOver, UnknownTicket
from hub.desk.requests import Done, Issue, JoinWall, LeaveWall, MarkAbsent, Next, Recall, Return, ShowCall, Transfer
from tests.model.desks import CERTIFICATES, MOVES, NOON, TimelessDesk


@pytest.fixture
async def called(desk: TimelessDesk) -> TimelessDesk:
    """1 is called at counter 2, two more wait; the walls in the lobby and on the stairs are there."""
    for wall in ("lobby", "stairs"):
        await desk.ask(JoinWall(wall))
    for _ in range(3):
        await desk.ask(Issue(CERTIFICATES, "kiosk"))
    await desk.ask(Next("2", None))
    return desk


async def told(desk: TimelessDesk) -> list[Fact]:
    return [fact for fact in await desk.facts() if isinstance(fact, CallShown | WallJoined | WallLeft)]


async def shown(desk: TimelessDesk, arrival: int = 1) -> tuple[str, ...]:
    return (await desk.picture()).tickets[arrival].shown


async def test_a_wall_that_shows_a_call_is_told_once(called: TimelessDesk) -> None:
    answer = await called.ask(ShowCall("lobby", 1, 1, NOON))
    assert (answer.number, answer.shown_before) == ("A101", 0)
    assert (await called.ask(ShowCall("lobby", 1, 1, NOON))).shown_before == 1
    assert (await called.ask(ShowCall("stairs", 1, 1, NOON))).shown_before == 1
    assert await shown(called) == ("lobby", "stairs")
    assert [fact.wall for fact in await told(called) if isinstance(fact, CallShown)] == ["lobby", "stairs"]


async def test_the_same_report_sent_again_gives_the_first_answer(called: TimelessDesk) -> None:
    first = await called.ask(ShowCall("lobby", 1, 1, NOON), id="same")
    assert await called.ask(ShowCall("lobby", 1, 1, NOON), id="same") == first
    assert await shown(called) == ("lobby",)


async def test_a_recall_must_be_shown_anew(called: TimelessDesk) -> None:
    await called.ask(ShowCall("lobby", 1, 1, NOON))
    await called.ask(Recall("2", 1))
    assert await shown(called) == ()
    with pytest.raises(CallOver):
        await called.ask(ShowCall("stairs", 1, 1, NOON))
    await called.ask(ShowCall("stairs", 1, 2, NOON))
    assert await shown(called) == ("stairs",)


async def test_two_calls_close_together_have_a_receipt_each(called: TimelessDesk) -> None:
    await called.ask(Next("1", None))
    await called.ask(ShowCall("lobby", 2, 1, NOON))
    assert (await shown(called, 1), await shown(called, 2)) == ((), ("lobby",))
    await called.ask(ShowCall("lobby", 1, 1, NOON))
    assert (await shown(called, 1), await shown(called, 2)) == (("lobby",), ("lobby",))


async def test_who_waits_anew_takes_no_receipt_along(called: TimelessDesk) -> None:
    await called.ask(ShowCall("lobby", 1, 1, NOON))
    await called.ask(Transfer(1, MOVES))
    assert await shown(called) == ()
    await called.ask(Next("3", None))
    assert await shown(called) == ()
    await called.ask(ShowCall("lobby", 1, 1, NOON))
    await called.ask(MarkAbsent("3", 1))
    await called.ask(Return(1))
    assert await shown(called) == ()


async def test_a_call_that_is_over_is_no_more_shown(called: TimelessDesk) -> None:
    await called.ask(Done("2", 1))
    with pytest.raises(CallOver) as refused:
        await called.ask(ShowCall("lobby", 1, 1, NOON))
    assert refused.value.details == {"ticket": "1", "state": "served"}
    with pytest.raises(CallOver):
        await called.ask(ShowCall("lobby", 2, 1, NOON))
    with pytest.raises(UnknownTicket):
        await called.ask(ShowCall("lobby", 9, 1, NOON))


async def test_a_call_of_another_moment_is_another_call(called: TimelessDesk) -> None:
    with pytest.raises(CallOver):
        await called.ask(ShowCall("lobby", 1, 1, NOON + 5))


async def test_a_wall_counts_from_its_coming_until_it_is_put_out(called: TimelessDesk) -> None:
    await called.ask(JoinWall("lobby"))
    assert set((await called.picture()).walls) == {"lobby", "stairs"}
    await called.ask(LeaveWall("lobby"))
    await called.ask(LeaveWall("lobby"))
    assert (await called.picture()).walls == ["stairs"]
    assert [type(fact).__name__ for fact in await told(called)] == ["WallJoined", "WallJoined", "WallLeft"]


async def test_a_wall_that_shows_something_is_there(called: TimelessDesk) -> None:
    await called.ask(ShowCall("entrance", 1, 1, NOON))
    assert set((await called.picture()).walls) == {"lobby", "stairs", "entrance"}
    assert await shown(called) == ("entrance",)


async def test_a_new_day_begins_without_walls(called: TimelessDesk) -> None:
    await called.open_day("2026-11-25")
    assert (await called.picture()).walls == []
