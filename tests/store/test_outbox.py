"""Notices in hand: whoever is killed at whatever moment, each is sent once, or it is known that nobody can know."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from config.embedded import EmbeddedValkey
from hub.desk.facts import ContactUsed
from hub.desk.notices import Carrier, Ending, NoticeState, Trigger
from hub.desk.refusals import NotClaimed, StaleDay
from hub.desk.requests import Issue, Next, PushBack, Stop, Wish
from hub.desk.ticket import State
from hub.store.outbox import Claimed, Outbox, Prospect
from tests.eventually import eventually
from tests.model.desks import CERTIFICATES, DAY, StoreDesk, small_office, store_desk

EMAIL = Carrier.EMAIL


@pytest.fixture(params=["fakeredis", "valkey", "redis7"])
async def desk(request: pytest.FixtureRequest, office_name: str) -> AsyncIterator[StoreDesk]:
    """Four wait; the third has wished to be told with one ahead: its wish is confirmed, nothing more."""
    server: EmbeddedValkey | None = None
    if request.param != "fakeredis":
        server = request.getfixturevalue(f"{request.param}_server")
    async with store_desk(small_office(office_name), server.url if server else None) as made:
        await made.open_day()
        for _ in range(4):
            await made.ask(Issue(CERTIFICATES, "kiosk"))
        await made.ask(Wish(3, EMAIL, 1, "1", "sub"))
        yield made


@pytest.fixture
def outbox(desk: StoreDesk) -> Outbox:
    return Outbox(desk.client, desk.office)


async def lease_is_over(desk: StoreDesk, notice: str) -> None:
    """As if the time of the lease had gone by."""
    changed = await desk.client.zadd(desk.keys.due(DAY, EMAIL), {notice: 1}, xx=True, ch=True)
    assert changed == 1


async def rests_ms(desk: StoreDesk) -> list[int]:
    """For how long each notice that is under way is still left alone."""
    seconds, micros = await desk.client.time()
    now = seconds * 1000 + micros // 1000
    due: Any = await desk.client.zrange(desk.keys.due(DAY, EMAIL), 0, -1, withscores=True)
    return [int(at) - now for _, at in due]


async def state_of(desk: StoreDesk, trigger: Trigger = Trigger.REGISTERED) -> NoticeState:
    wished = await desk.lanes.notices_of(DAY, 3)
    return wished[0].notices[trigger]


async def test_a_notice_goes_from_due_to_accepted(desk: StoreDesk, outbox: Outbox) -> None:
    assert await outbox.count_due(DAY, EMAIL) == 1
    tenure = await outbox.take_over(EMAIL, DAY)
    (claimed,) = await outbox.claim(DAY, EMAIL, tenure)
    assert claimed == Claimed("sub:registered", "sub", Trigger.REGISTERED, 3, 0, was_sending=False)
    assert await outbox.count_due(DAY, EMAIL) == 0
    await outbox.mark(DAY, EMAIL, tenure, claimed.notice)
    assert await state_of(desk) is NoticeState.SENDING
    await outbox.settle(DAY, EMAIL, tenure, claimed.notice, NoticeState.ACCEPTED)
    assert await state_of(desk) is NoticeState.ACCEPTED
    assert await rests_ms(desk) == []


async def test_what_is_in_hand_is_claimed_by_nobody_else(outbox: Outbox) -> None:
    tenure = await outbox.take_over(EMAIL, DAY)
    assert len(await outbox.claim(DAY, EMAIL, tenure)) == 1
    assert await outbox.claim(DAY, EMAIL, tenure) == []


async def test_a_new_worker_has_at_once_what_the_old_one_had_only_claimed(outbox: Outbox) -> None:
    old = await outbox.take_over(EMAIL, DAY)
    (claimed,) = await outbox.claim(DAY, EMAIL, old)
    new = await outbox.take_over(EMAIL, DAY)
    assert await outbox.claim(DAY, EMAIL, new) == [claimed]


async def test_a_store_that_forgot_its_workers_numbers_no_two_alike(desk: StoreDesk, outbox: Outbox) -> None:
    old = await outbox.take_over(EMAIL, DAY)

    async def forgotten_and_taken_over() -> bool:
        assert await desk.client.delete(desk.keys.tenures()) == 1
        return await outbox.take_over(EMAIL, DAY) > old  # within the same millisecond it may be the same

    await eventually(forgotten_and_taken_over)


async def test_the_old_worker_can_neither_claim_nor_mark_nor_settle(outbox: Outbox) -> None:
    old = await outbox.take_over(EMAIL, DAY)
    (claimed,) = await outbox.claim(DAY, EMAIL, old)
    new = await outbox.take_over(EMAIL, DAY)
    for refused in (
        outbox.claim(DAY, EMAIL, old),
        outbox.mark(DAY, EMAIL, old, claimed.notice),
        outbox.settle(DAY, EMAIL, old, claimed.notice, NoticeState.ACCEPTED),
    ):
        with pytest.raises(NotClaimed):
            await refused
    assert await outbox.claim(DAY, EMAIL, new) == [claimed]


async def test_what_an_old_worker_is_sending_stays_his_until_its_lease_is_over(desk: StoreDesk, outbox: Outbox) -> None:
    old = await outbox.take_over(EMAIL, DAY)
    (claimed,) = await outbox.claim(DAY, EMAIL, old)
    await outbox.mark(DAY, EMAIL, old, claimed.notice)
    new = await outbox.take_over(EMAIL, DAY)
    assert await outbox.claim(DAY, EMAIL, new) == []
    await outbox.settle(DAY, EMAIL, old, claimed.notice, NoticeState.ACCEPTED)
    assert await state_of(desk) is NoticeState.ACCEPTED


async def test_where_the_carrier_knows_a_message_again_a_new_worker_has_it_at_once(desk: StoreDesk) -> None:
    outbox, line = Outbox(desk.client, desk.office), Carrier.LINE
    await desk.ask(Wish(2, line, 1, "1", "chat"))
    old = await outbox.take_over(line, DAY)
    first, *_ = await outbox.claim(DAY, line, old)
    await outbox.mark(DAY, line, old, first.notice)
    new = await outbox.take_over(line, DAY)
    (again,) = [one for one in await outbox.claim(DAY, line, new) if one.notice == first.notice]
    assert again.was_sending, "it may have arrived, and is handed over once more under the same key"
    await outbox.mark(DAY, line, new, first.notice)
    await outbox.settle(DAY, line, new, first.notice, NoticeState.ACCEPTED)
    with pytest.raises(NotClaimed):
        await outbox.settle(DAY, line, old, first.notice, NoticeState.ACCEPTED)


async def test_what_was_being_sent_when_its_lease_ended_says_so(desk: StoreDesk, outbox: Outbox) -> None:
    old = await outbox.take_over(EMAIL, DAY)
    (claimed,) = await outbox.claim(DAY, EMAIL, old)
    await outbox.mark(DAY, EMAIL, old, claimed.notice)
    new = await outbox.take_over(EMAIL, DAY)
    await lease_is_over(desk, claimed.notice)
    (again,) = await outbox.claim(DAY, EMAIL, new)
    assert again.was_sending
    with pytest.raises(NotClaimed):
        await outbox.settle(DAY, EMAIL, old, claimed.notice, NoticeState.ACCEPTED)
    await outbox.settle(DAY, EMAIL, new, claimed.notice, NoticeState.UNCERTAIN)
    assert await state_of(desk) is NoticeState.UNCERTAIN


async def test_a_mark_whose_reply_was_lost_may_be_made_again(outbox: Outbox) -> None:
    tenure = await outbox.take_over(EMAIL, DAY)
    (claimed,) = await outbox.claim(DAY, EMAIL, tenure)
    await outbox.mark(DAY, EMAIL, tenure, claimed.notice)
    await outbox.mark(DAY, EMAIL, tenure, claimed.notice)
    await outbox.settle(DAY, EMAIL, tenure, claimed.notice, NoticeState.PENDING)
    (again,) = await outbox.claim(DAY, EMAIL, tenure)
    assert (again.attempts, again.was_sending) == (1, False)


async def test_what_shall_be_tried_again_rests_for_its_pause(desk: StoreDesk, outbox: Outbox) -> None:
    tenure = await outbox.take_over(EMAIL, DAY)
    (claimed,) = await outbox.claim(DAY, EMAIL, tenure)
    await outbox.settle(DAY, EMAIL, tenure, claimed.notice, NoticeState.PENDING, again_ms=60_000)
    assert await outbox.claim(DAY, EMAIL, tenure) == []
    (rest,) = await rests_ms(desk)
    assert 0 < rest <= 60_000
    await lease_is_over(desk, claimed.notice)
    assert len(await outbox.claim(DAY, EMAIL, tenure)) == 1


async def test_each_try_to_send_is_a_fact_and_what_was_only_in_hand_is_none(desk: StoreDesk, outbox: Outbox) -> None:
    tenure = await outbox.take_over(EMAIL, DAY)
    (claimed,) = await outbox.claim(DAY, EMAIL, tenure)
    await outbox.settle(DAY, EMAIL, tenure, claimed.notice, NoticeState.PENDING)
    assert not [fact for fact in await desk.facts() if isinstance(fact, ContactUsed)]
    for outcome in (NoticeState.PENDING, NoticeState.ACCEPTED):
        await outbox.claim(DAY, EMAIL, tenure)
        await outbox.mark(DAY, EMAIL, tenure, claimed.notice)
        await outbox.settle(DAY, EMAIL, tenure, claimed.notice, outcome)
        with pytest.raises(NotClaimed):
            await outbox.settle(DAY, EMAIL, tenure, claimed.notice, outcome)
    used = [fact for fact in await desk.facts() if isinstance(fact, ContactUsed)]
    assert [(fact.subscription, fact.carrier, fact.trigger, fact.outcome, fact.times) for fact in used] == [
        ("sub", "email", "registered", "pending", 1),
        ("sub", "email", "registered", "accepted", 2),
    ]
    expires = await desk.client.hget(desk.keys.day(), "facts_expire_at")
    assert await desk.client.expiretime(desk.keys.facts(DAY)) == int(expires or 0) > 0


async def test_an_end_is_an_end(outbox: Outbox) -> None:
    tenure = await outbox.take_over(EMAIL, DAY)
    (claimed,) = await outbox.claim(DAY, EMAIL, tenure)
    await outbox.settle(DAY, EMAIL, tenure, claimed.notice, NoticeState.LAPSED)
    for state in (NoticeState.ACCEPTED, NoticeState.PENDING):
        with pytest.raises(NotClaimed):
            await outbox.settle(DAY, EMAIL, tenure, claimed.notice, state)
    assert await outbox.claim(DAY, EMAIL, tenure) == []


async def test_a_look_tells_how_the_ticket_stands(desk: StoreDesk, outbox: Outbox) -> None:
    (claimed,) = await outbox.claim(DAY, EMAIL, await outbox.take_over(EMAIL, DAY))
    assert await outbox.look(DAY, EMAIL, [claimed]) == [Prospect(State.WAITING, 2, "A103", CERTIFICATES, "", "")]
    current = None
    for _ in range(3):
        current = (await desk.ask(Next("2", current))).arrival
    await desk.ask(Stop(3, EMAIL, Ending.RESIDENT))
    assert await outbox.look(DAY, EMAIL, [claimed]) == [
        Prospect(State.CALLED, None, "A103", CERTIFICATES, "2", "resident")
    ]
    assert await outbox.look(DAY, EMAIL, []) == []


async def test_the_longest_due_come_first_and_no_more_than_asked_for(desk: StoreDesk, outbox: Outbox) -> None:
    for place in range(8):
        await desk.client.hset(
            desk.keys.notices(DAY), f"{place}:near", "\x1f".join(["pending", "near", "3", "email", "0", "0", "1"])
        )
        await desk.client.zadd(desk.keys.due(DAY, EMAIL), {f"{place}:near": 100 - place})
    tenure = await outbox.take_over(EMAIL, DAY)
    assert [one.notice for one in await outbox.claim(DAY, EMAIL, tenure, 3)] == ["7:near", "6:near", "5:near"]


async def test_a_call_comes_before_what_is_due_longer_and_behind_its_wish(desk: StoreDesk, outbox: Outbox) -> None:
    for place, notice in enumerate(["a:near", "b:near", "a:registered", "a:now.2", "c:missed", "d:ready"]):
        trigger = notice.partition(":")[2].partition(".")[0]
        text = "\x1f".join(["pending", trigger, "3", "email", "0", "0", "1"])
        await desk.client.hset(desk.keys.notices(DAY), notice, text)
        await desk.client.zadd(desk.keys.due(DAY, EMAIL), {notice: place})
    tenure = await outbox.take_over(EMAIL, DAY)
    first = [one.notice for one in await outbox.claim(DAY, EMAIL, tenure, 4)]
    assert first == ["a:registered", "a:now.2", "c:missed", "d:ready"]
    assert [one.notice for one in await outbox.claim(DAY, EMAIL, tenure)] == ["a:near", "b:near", "sub:registered"]


async def test_what_was_in_hand_and_not_begun_is_due_in_its_old_place(desk: StoreDesk, outbox: Outbox) -> None:
    key = desk.keys.due(DAY, EMAIL)
    before = await desk.client.zscore(key, "sub:registered")
    tenure = await outbox.take_over(EMAIL, DAY)
    (claimed,) = await outbox.claim(DAY, EMAIL, tenure)
    assert await desk.client.zscore(key, claimed.notice) != before
    await outbox.settle(DAY, EMAIL, tenure, claimed.notice, NoticeState.PENDING, None)
    assert await desk.client.zscore(key, claimed.notice) == before
    await outbox.claim(DAY, EMAIL, tenure)
    await outbox.take_over(EMAIL, DAY)
    assert await desk.client.zscore(key, claimed.notice) == before


async def test_yesterdays_notices_are_nobodys(desk: StoreDesk, outbox: Outbox) -> None:
    tenure = await outbox.take_over(EMAIL, DAY)
    await desk.open_day("2026-11-25")
    with pytest.raises(StaleDay):
        await outbox.claim(DAY, EMAIL, tenure)
    assert await outbox.day() == "2026-11-25"


@pytest.mark.parametrize("is_claimed", [False, True])
async def test_what_is_not_sent_of_a_place_that_he_left_is_not_sent_any_more(
    desk: StoreDesk, outbox: Outbox, is_claimed: bool
) -> None:
    await desk.ask(Next("2", None))
    tenure = await outbox.take_over(EMAIL, DAY)
    if is_claimed:
        assert len(await outbox.claim(DAY, EMAIL, tenure)) == 2
    await desk.ask(Issue(CERTIFICATES, "kiosk"))
    await desk.ask(PushBack(3, 2))
    assert await state_of(desk, Trigger.NEAR) is NoticeState.LAPSED
    with pytest.raises(NotClaimed):
        await outbox.mark(DAY, EMAIL, tenure, "sub:near")
    if not is_claimed:
        assert [one.notice for one in await outbox.claim(DAY, EMAIL, tenure)] == ["sub:registered"]


async def test_what_is_being_sent_of_a_place_that_he_left_stays_so(desk: StoreDesk, outbox: Outbox) -> None:
    await desk.ask(Next("2", None))
    tenure = await outbox.take_over(EMAIL, DAY)
    await outbox.claim(DAY, EMAIL, tenure)
    await outbox.mark(DAY, EMAIL, tenure, "sub:near")
    await desk.ask(Issue(CERTIFICATES, "kiosk"))
    await desk.ask(PushBack(3, 2))
    await outbox.settle(DAY, EMAIL, tenure, "sub:near", NoticeState.ACCEPTED)
    await desk.ask(Next("2", 1))
    await desk.ask(Next("2", 2))
    assert [one.notice for one in await outbox.claim(DAY, EMAIL, tenure)] == ["sub:near.2"]
