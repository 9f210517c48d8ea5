"""What a manager decides for the day, told once for the rules and for every store."""

import pytest

from hub.desk.facts import AnnouncementPosted, AnnouncementWithdrawn, CounterReassigned, Fact
from hub.desk.refusals import (
    LaneNotServed,
    NoAnnouncement,
    NoLanes,
    StillReserved,
    UnknownCounter,
    UnknownLane,
    WrongAnnouncement,
)
from hub.desk.requests import Announce, Call, Cancel, Issue, Next, Reassign, Transfer, Withdraw
from tests.model.desks import CERTIFICATES, DELIVERY, MOVES, TimelessDesk

TOMORROW = "2026-11-25"
TEXT = "本日は混み合っています。"


async def latest(desk: TimelessDesk) -> Fact:
    return (await desk.facts())[-1]


async def test_a_counter_calls_from_the_lanes_it_was_given_today(desk: TimelessDesk) -> None:
    await desk.ask(Issue(CERTIFICATES, "kiosk"))
    await desk.ask(Issue(MOVES, "kiosk"))
    await desk.ask(Reassign("3", (DELIVERY, CERTIFICATES, CERTIFICATES)))
    told = await latest(desk)
    assert isinstance(told, CounterReassigned)
    assert (told.lanes, told.former) == ((CERTIFICATES, DELIVERY), (MOVES,)), "each once, as the office lists them"
    assert (await desk.ask(Next("3", None))).lane == CERTIFICATES
    assert (await desk.ask(Next("3", 1))).number is None, "who waits for moves is not its business any more"
    with pytest.raises(LaneNotServed):
        await desk.ask(Next("3", None, (MOVES,)))
    with pytest.raises(LaneNotServed):
        await desk.ask(Call("3", 2, None, "health"))
    with pytest.raises(LaneNotServed):
        await desk.ask(Transfer(2, MOVES, "3"))
    await desk.ask(Reassign("2", (MOVES,)))
    assert (await desk.ask(Next("2", None))).number == "B401"


async def test_a_lane_of_a_day_weighs_as_the_lightest(desk: TimelessDesk) -> None:
    """Counter 4 calls certificates three times as often; what it serves besides for a day has one turn in its four."""
    await desk.ask(Reassign("4", (CERTIFICATES, DELIVERY)))
    for lane in (CERTIFICATES, DELIVERY):
        for _ in range(4):
            await desk.ask(Issue(lane, "kiosk"))
    called, current = [], None
    for _ in range(4):
        answer = await desk.ask(Next("4", current))
        called.append(answer.lane)
        current = answer.arrival
    assert (called.count(CERTIFICATES), called.count(DELIVERY)) == (3, 1)


async def test_nobody_is_left_waiting_for_a_counter_that_went_elsewhere(desk: TimelessDesk) -> None:
    await desk.ask(Issue(MOVES, "kiosk"))
    await desk.ask(Transfer(1, MOVES, "3"))
    with pytest.raises(StillReserved) as refused:
        await desk.ask(Reassign("3", (CERTIFICATES,)))
    assert refused.value.details == {"number": "B401", "lane": MOVES}
    await desk.ask(Reassign("3", (CERTIFICATES, MOVES)))
    await desk.ask(Cancel(1))
    await desk.ask(Reassign("3", (CERTIFICATES,)))


async def test_a_new_day_begins_with_what_the_office_file_says(desk: TimelessDesk) -> None:
    await desk.ask(Reassign("3", (CERTIFICATES,)))
    await desk.ask(Announce(TEXT, 30))
    await desk.open_day(TOMORROW)
    assert (await desk.picture()).announcement is None
    await desk.ask(Issue(MOVES, "kiosk"), day=TOMORROW)
    assert (await desk.ask(Next("3", None), day=TOMORROW)).lane == MOVES


async def test_what_is_not_there_is_refused(desk: TimelessDesk) -> None:
    for request, refusal in (
        (Reassign("9", (MOVES,)), UnknownCounter),
        (Reassign("1", ("taxes",)), UnknownLane),
        (Reassign("1", ()), NoLanes),
        (Withdraw(), NoAnnouncement),
    ):
        with pytest.raises(refusal):
            await desk.ask(request)


async def test_what_no_day_allows_is_said_first_whatever_the_id_was_used_for(desk: TimelessDesk) -> None:
    await desk.ask(Announce(TEXT, 30), id="used")
    for request, refusal in (
        (Reassign("1", ()), NoLanes),
        (Reassign("9", (MOVES,)), UnknownCounter),
        (Issue("taxes", "kiosk"), UnknownLane),
        (Next("9", None), UnknownCounter),
        (Announce("", 30), WrongAnnouncement),
    ):
        with pytest.raises(refusal):
            await desk.ask(request, id="used")


async def test_the_walls_say_it_until_a_moment_or_until_it_is_withdrawn(desk: TimelessDesk) -> None:
    await desk.ask(Announce("もうすぐ終わります。", 5))
    await desk.ask(Announce(TEXT, 30))
    told = await latest(desk)
    assert isinstance(told, AnnouncementPosted)
    assert (await desk.picture()).announcement == (TEXT, desk.now + 30 * 60_000) == (told.text, told.until)
    await desk.ask(Withdraw(), id="withdraw-1")
    assert isinstance(await latest(desk), AnnouncementWithdrawn)
    assert (await desk.picture()).announcement is None
    told_of = len(await desk.facts())
    await desk.ask(Withdraw(), id="withdraw-1")
    assert len(await desk.facts()) == told_of


@pytest.mark.parametrize(
    "text", ["", " 前に空き", "二\n行", "\u202e逆さ", "見えない\u200b字", "行\u2028替え", "鐘\x07", "長" * 61]
)
async def test_an_announcement_is_one_line_that_can_be_seen(desk: TimelessDesk, text: str) -> None:
    with pytest.raises(WrongAnnouncement):
        await desk.ask(Announce(text, 30))


@pytest.mark.parametrize("minutes", [0, 721])
async def test_an_announcement_ends_within_a_days_work(desk: TimelessDesk, minutes: int) -> None:
    with pytest.raises(WrongAnnouncement):
        await desk.ask(Announce(TEXT, minutes))
