"""A function reads, decides, refuses, and only then writes: whichever of its commands fails, nothing has changed.

A command inside a function fails for two reasons: its key is of another type, or this user may not run it. Both are
brought about for every command that each function runs (as MONITOR saw it), one after the other.
"""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis.asyncio import Redis

from config.embedded import EmbeddedValkey
from hub.desk.notices import Carrier, Ending, NoticeState
from hub.desk.refusals import StoreDamaged
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
from hub.store.erasing import Erasing
from hub.store.library import function_names
from hub.store.outbox import Outbox
from tests.model.desks import CERTIFICATES, DAY, MOVES, NOON, StoreDesk, set_clock, small_office, store_desk

IN_2027 = 1_800_000_000_000  # epoch milliseconds

EMAIL = Carrier.EMAIL
OLD = "old"
HEARD_BY = "5" * 64
LOST = "1" * 64
TENURE = IN_2027  # of the worker in hand: a tenure is later than the clock's moment

Story = Callable[[StoreDesk], Awaitable[object]]


async def _busy(desk: StoreDesk) -> None:
    """1 called at counter 4, 2 absent, 3–5 wait for certificates, 6–7 for moves, no place left behind 4; 8 expected.
    The wall in the lobby has shown the call of 1, and says how crowded it is.

    9 is in the back office; counter 3 has called 10, and who came back before 6 got its rank and left no place. Moves
    is paused and closing; a ticket with priority was the last that was called in each lane. Of 4's two notices one is
    being sent, one claimed; 3 and 6 wish to be told as soon as nobody is ahead. 7 was told by mail, and may be
    telephoned if that never arrives.
    """
    for _ in range(5):
        await desk.ask(Issue(CERTIFICATES, "kiosk"))
    for _ in range(2):
        await desk.ask(Issue(MOVES, "kiosk"))
    await desk.ask(Issue(CERTIFICATES, "web", is_expected=True))
    await desk.ask(Next("4", None))
    await desk.ask(Next("1", None))
    await desk.ask(MarkAbsent("1", 2))
    await desk.ask(Issue(CERTIFICATES, "web", secret=LOST, holder="lost"))
    await desk.ask(Call("1", 9, None, "paper"))
    await desk.ask(Review("1", 9))
    await desk.ask(Issue(MOVES, "kiosk"))
    await desk.ask(Call("3", 10, None, "paper"))
    await desk.ask(AnnounceClosing(MOVES))
    await desk.ask(ShowCall("lobby", 1, 1, NOON))
    await desk.ask(Announce("本日は混み合っています。", 10))
    ranks = desk.keys.waiting(DAY, CERTIFICATES)
    behind_4 = await desk.client.zscore(ranks, "4")
    assert behind_4 is not None
    await desk.client.zadd(ranks, {"5": behind_4 + 1})
    await desk.client.zadd(desk.keys.waiting(DAY, MOVES), {"6": 1, "7": 2})
    await desk.client.zadd(desk.keys.standing(DAY, State.CALLED), {"10": 1})
    await desk.ask(Pause(MOVES, "system"))
    counts: dict[Any, Any] = {f"since:{lane}": "0" for lane in (CERTIFICATES, MOVES)}
    tally: Any = desk.client.hset(desk.keys.tally(DAY), mapping=counts)
    await tally
    await desk.ask(Wish(4, EMAIL, 3, "1", OLD))
    outbox = Outbox(desk.client, desk.office)
    await desk.client.hset(desk.keys.tenures(), EMAIL, TENURE - 1)
    assert await outbox.take_over(EMAIL, DAY) == TENURE
    assert {one.notice for one in await outbox.claim(DAY, EMAIL, TENURE)} == {f"{OLD}:registered", f"{OLD}:near"}
    await outbox.mark(DAY, EMAIL, TENURE, f"{OLD}:registered")
    await desk.client.hset(desk.keys.wishes(DAY), mapping={f"{who}\x1femail": f"{who}\x1f0\x1f" for who in (3, 6)})
    await desk.client.hset(desk.keys.wishes(DAY), "7\x1fphone", "telephone\x1f1\x1f\x1f0")
    told = "\x1f".join(["accepted", "near", "7", "email", "1", "0", "0"])
    await desk.client.hset(desk.keys.notices(DAY), "told:near", told)
    await desk.client.hset(desk.keys.callbacks(DAY), HEARD_BY, "told:near")


def _asks(request: Request) -> Story:
    return lambda desk: desk.ask(request)


async def _open_tomorrow(desk: StoreDesk) -> None:
    await desk.lanes.open_day()


async def _set_clock(desk: StoreDesk) -> None:
    await desk.lanes.set_practice_clock(IN_2027, 240.0)


def _of_notices(act: Callable[[Outbox], Awaitable[object]]) -> Story:
    return lambda desk: act(Outbox(desk.client, desk.office))


async def _learn(desk: StoreDesk) -> None:
    await Outbox(desk.client, desk.office).learn(DAY, EMAIL, HEARD_BY, NoticeState.REFUSED)


STORIES: dict[str, Story] = {
    "desk_issue_v1": _asks(Issue(CERTIFICATES, "kiosk", secret="a" * 64, holder="mine", priority="care")),
    "desk_pause_v1": _asks(Pause(CERTIFICATES, "system")),
    "desk_resume_v1": _asks(Resume(MOVES)),
    "desk_check_in_v1": _asks(CheckIn(8)),
    "desk_next_v1": _asks(Next("4", 1)),
    "desk_call_v1": _asks(Call("4", 3, 1, "health")),
    "desk_take_back_v1": _asks(TakeBack("3", 10)),
    "desk_hold_v1": _asks(Hold("4", 1)),
    "desk_review_v1": _asks(Review("4", 1)),
    "desk_ready_v1": _asks(Ready(9)),
    "desk_push_back_v1": _asks(PushBack(3, 1)),
    "desk_lapse_v1": _asks(Lapse(7)),
    "desk_closing_v1": _asks(AnnounceClosing(CERTIFICATES)),
    "desk_reissue_v1": _asks(Reissue(9, "2" * 64)),
    "desk_recall_v1": _asks(Recall("4", 1)),
    "desk_absent_v1": _asks(MarkAbsent("4", 1)),
    "desk_done_v1": _asks(Done("4", 1)),
    "desk_return_v1": _asks(Return(2)),
    "desk_cancel_v1": _asks(Cancel(1)),
    "desk_transfer_v1": _asks(Transfer(3, MOVES, "3")),
    "desk_wish_v1": _asks(Wish(4, EMAIL, 3, "1", "new")),
    "desk_stop_v1": _asks(Stop(4, EMAIL, Ending.RESIDENT)),
    "desk_reassign_v1": _asks(Reassign("1", (MOVES,))),
    "desk_announce_v1": _asks(Announce("3番窓口は 15時に閉めます。", 60)),
    "desk_withdraw_v1": _asks(Withdraw()),
    "wall_join_v1": _asks(JoinWall("stairs")),
    "wall_leave_v1": _asks(LeaveWall("lobby")),
    "wall_show_v1": _asks(ShowCall("stairs", 1, 1, NOON)),
    "desk_sweep_v1": _asks(Sweep()),
    "notice_learn_v1": _learn,
    "notice_take_over_v1": _of_notices(lambda outbox: outbox.take_over(EMAIL, DAY)),
    "notice_claim_v1": _of_notices(lambda outbox: outbox.claim(DAY, EMAIL, TENURE)),
    "notice_mark_v1": _of_notices(lambda outbox: outbox.mark(DAY, EMAIL, TENURE, f"{OLD}:near")),
    "notice_settle_v1": _of_notices(
        lambda outbox: outbox.settle(DAY, EMAIL, TENURE, f"{OLD}:registered", NoticeState.ACCEPTED)
    ),
    "contact_erase_v1": lambda desk: Erasing(desk.client, desk.office).erase([OLD], 1 << 53),
    "day_now_v1": lambda desk: desk.lanes.day_now(),
    "day_open_v1": _open_tomorrow,
    "practice_clock_v1": _set_clock,
}


def test_every_function_has_its_story() -> None:
    assert sorted(STORIES) == function_names()


@pytest.fixture(params=["valkey", "redis7"])
def server(request: pytest.FixtureRequest) -> EmbeddedValkey:
    found: EmbeddedValkey = request.getfixturevalue(f"{request.param}_server")
    return found


@pytest.mark.parametrize("function", sorted(STORIES))
async def test_whichever_command_fails_nothing_has_changed(server: EmbeddedValkey, function: str) -> None:
    commands = await _commands_of(server, function)
    assert {"TIME", "ZSCORE"} & {name for name, _ in commands}, "the watching itself must see something"
    async with _busy_office(server, function) as desk:  # one for all faults: each leaves it as it was
        for key in dict.fromkeys(key for _, key in commands if key is not None):
            async with _spoilt(desk, key.replace("OFFICE", desk.office.key)):
                await _fails_whole(desk, STORIES[function], desk.client)
        for name in dict.fromkeys(name for name, _ in commands):
            async with _forbidden(desk, name) as lame:
                await _fails_whole(desk, STORIES[function], lame)


async def test_the_watching_sees_renumbering(server: EmbeddedValkey) -> None:
    """Otherwise the stories of those that put in between would leave the longest path untried."""
    inserting = ("return", "transfer", "push_back", "take_back", "issue")
    for function in (f"desk_{name}_v1" for name in inserting):
        assert len([name for name, _ in await _commands_of(server, function) if name == "ZADD"]) >= 3


async def test_the_watching_sees_that_a_use_is_told(server: EmbeddedValkey) -> None:
    assert ("XADD", "{OFFICE}:2026-11-24:facts") in await _commands_of(server, "notice_settle_v1")


async def test_the_watching_sees_what_turns_go_by(server: EmbeddedValkey) -> None:
    tally = ("HSET", "{OFFICE}:2026-11-24:tally")
    assert (await _commands_of(server, "desk_next_v1")).count(tally) == 3, "the lane's count, its turn, and its pace"


@asynccontextmanager
async def _busy_office(server: EmbeddedValkey, function: str) -> AsyncIterator[StoreDesk]:
    async with store_desk(small_office(f"whole-{secrets.token_hex(8)}"), server.url) as desk:
        await desk.open_day()
        await _busy(desk)
        if function == "day_open_v1":
            await set_clock(desk.client, desk.keys, "2026-11-25T00:00:01+09:00")
        yield desk


async def _commands_of(server: EmbeddedValkey, function: str) -> list[tuple[str, str | None]]:
    """Every command that the function runs, with its key (its office's tag replaced by `OFFICE`)."""
    async with _busy_office(server, function) as desk:
        end = f"end-{secrets.token_hex(8)}"
        seen: list[tuple[str, str | None]] = []
        async with desk.client.monitor() as monitor:
            await STORIES[function](desk)
            await desk.client.echo(end)
            async for told in monitor.listen():
                if end in told["command"]:
                    break
                if told["client_type"] == "lua":
                    words = told["command"].split(" ")
                    key = words[1].replace(desk.office.key, "OFFICE") if len(words) > 1 else None
                    seen.append((words[0].upper(), key))
        return seen


@asynccontextmanager
async def _spoilt(desk: StoreDesk, key: str) -> AsyncIterator[None]:
    """Meanwhile the key holds a type that nothing here has."""
    aside = f"{key}:aside"
    if is_there := await desk.client.exists(key):
        await desk.client.rename(key, aside)
    pushed: Any = desk.client.lpush(key, "a type that nothing here has")
    await pushed
    yield
    await desk.client.delete(key)
    if is_there:
        await desk.client.rename(aside, key)


@asynccontextmanager
async def _forbidden(desk: StoreDesk, command: str) -> AsyncIterator[Redis]:
    """A user who may run all commands but this one."""
    user = f"lame-{secrets.token_hex(4)}"
    await desk.client.acl_setuser(
        user, enabled=True, nopass=True, keys=["*"], categories=["+@all"], commands=[f"-{command.lower()}"]
    )
    kwargs = desk.client.connection_pool.connection_kwargs | {"username": user, "password": "x"}
    pool = type(desk.client.connection_pool)(connection_class=desk.client.connection_pool.connection_class, **kwargs)
    try:
        yield Redis(connection_pool=pool)
    finally:
        await pool.disconnect()
        await desk.client.acl_deluser(user)


async def _fails_whole(desk: StoreDesk, story: Story, client: Redis) -> None:
    before = await _everything(desk)
    with pytest.raises(StoreDamaged):
        await story(StoreDesk(desk.office, client))
    assert await _everything(desk) == before


async def _everything(desk: StoreDesk) -> dict[str, tuple[object, int]]:
    """Every key of the office with what it holds, and when it ends."""
    client: Any = desk.client
    keys = [key async for key in client.scan_iter(match=f"{{{desk.office.key}}}*", count=1000)]
    async with client.pipeline() as pipe:
        read = {
            "hash": pipe.hgetall,
            "zset": lambda key: pipe.zrange(key, 0, -1, withscores=True),
            "stream": pipe.xrange,
            "string": pipe.get,
            "list": lambda key: pipe.lrange(key, 0, -1),
        }
        for key in keys:
            pipe.type(key)
        for key, kind in zip(keys, await pipe.execute(), strict=True):
            read[kind](key)
            pipe.expiretime(key)
        told = await pipe.execute()
    return dict(zip(keys, zip(told[::2], told[1::2], strict=True), strict=True))
