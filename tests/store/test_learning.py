"""What a carrier tells of a message while it is being sent, waits for its second try, or has long been settled."""

from collections.abc import AsyncIterator

import pytest

from config.embedded import EmbeddedValkey
from hub.desk.facts import ContactUsed
from hub.desk.notices import Carrier, NoticeState, Trigger
from hub.desk.refusals import NotClaimed
from hub.desk.requests import Issue, Next, Wish
from hub.store.outbox import Outbox
from tests.model.desks import CERTIFICATES, DAY, StoreDesk, small_office, store_desk

PHONE = Carrier.PHONE
NOW = "sub:now"
FIRST, SECOND = "1" * 64, "2" * 64
ACCEPTED, REFUSED, PENDING = NoticeState.ACCEPTED, NoticeState.REFUSED, NoticeState.PENDING


class Told:
    """A call by telephone, in the hands of a worker."""

    def __init__(self, desk: StoreDesk, outbox: Outbox, tenure: int) -> None:
        self.desk = desk
        self.outbox = outbox
        self.tenure = tenure

    async def begin(self, callback: str) -> None:
        """It is being sent."""
        claimed = await self.outbox.claim(DAY, PHONE, self.tenure)
        assert NOW in [one.notice for one in claimed]
        await self.outbox.mark(DAY, PHONE, self.tenure, NOW, callback)

    async def settle(self, state: NoticeState) -> None:
        await self.outbox.settle(DAY, PHONE, self.tenure, NOW, state)

    async def learn(self, callback: str, state: NoticeState) -> None:
        await self.outbox.learn(DAY, PHONE, callback, state)

    async def state(self) -> NoticeState:
        (wished,) = await self.desk.lanes.notices_of(DAY, 1)
        return wished.notices[Trigger.NOW]


@pytest.fixture(params=["fakeredis", "valkey", "redis7"])
async def told(request: pytest.FixtureRequest, office_name: str) -> AsyncIterator[Told]:
    server: EmbeddedValkey | None = None
    if request.param != "fakeredis":
        server = request.getfixturevalue(f"{request.param}_server")
    async with store_desk(small_office(office_name), server.url if server else None) as desk:
        await desk.open_day()
        await desk.ask(Issue(CERTIFICATES, "kiosk"))
        await desk.ask(Wish(1, PHONE, 1, "1", "sub"))
        await desk.ask(Next("2", None))
        outbox = Outbox(desk.client, desk.office)
        yield Told(desk, outbox, await outbox.take_over(PHONE, DAY))


@pytest.mark.parametrize("state", [ACCEPTED, REFUSED])
async def test_what_is_told_before_the_worker_knows_it_is_an_end_and_a_use(told: Told, state: NoticeState) -> None:
    await told.begin(FIRST)
    await told.learn(FIRST, state)
    assert await told.state() is state
    with pytest.raises(NotClaimed):
        await told.settle(NoticeState.UNCERTAIN)
    assert await told.state() is state
    used = [fact for fact in await told.desk.facts() if isinstance(fact, ContactUsed)]
    assert [(fact.trigger, fact.outcome, fact.times) for fact in used] == [("now", str(state), 1)]
    assert NOW not in [one.notice for one in await told.outbox.claim(DAY, PHONE, told.tenure)]


async def test_what_arrived_is_not_sent_a_second_time(told: Told) -> None:
    await told.begin(FIRST)
    await told.settle(PENDING)
    await told.learn(FIRST, ACCEPTED)
    assert await told.state() is ACCEPTED
    assert NOW not in [one.notice for one in await told.outbox.claim(DAY, PHONE, told.tenure)]


async def test_what_arrived_is_not_sent_a_second_time_by_who_has_it_in_hand(told: Told) -> None:
    await told.begin(FIRST)
    await told.settle(PENDING)
    await told.outbox.claim(DAY, PHONE, told.tenure)
    await told.learn(FIRST, ACCEPTED)
    with pytest.raises(NotClaimed):
        await told.outbox.mark(DAY, PHONE, told.tenure, NOW, SECOND)


async def test_that_the_first_copy_never_arrived_says_nothing_of_the_second(told: Told) -> None:
    await told.begin(FIRST)
    await told.settle(PENDING)
    await told.begin(SECOND)
    with pytest.raises(NotClaimed):
        await told.learn(FIRST, REFUSED)
    await told.settle(ACCEPTED)
    with pytest.raises(NotClaimed):
        await told.learn(FIRST, REFUSED)
    assert await told.state() is ACCEPTED
    await told.learn(SECOND, REFUSED)
    assert await told.state() is REFUSED


async def test_what_arrived_has_arrived_whatever_becomes_of_its_copy(told: Told) -> None:
    await told.begin(FIRST)
    await told.settle(PENDING)
    await told.begin(SECOND)
    await told.learn(FIRST, ACCEPTED)
    with pytest.raises(NotClaimed):
        await told.learn(SECOND, REFUSED)
    assert await told.state() is ACCEPTED


async def test_an_end_stays_an_end(told: Told) -> None:
    await told.begin(FIRST)
    await told.settle(NoticeState.LAPSED)
    for state in (ACCEPTED, REFUSED):
        with pytest.raises(NotClaimed):
            await told.learn(FIRST, state)
