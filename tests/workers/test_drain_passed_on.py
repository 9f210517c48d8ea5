"""A call that one carrier hands to another, who told an earlier call already."""

import pytest

from hub.desk.notices import Carrier, NoticeState, Trigger
from hub.desk.requests import TakeBack
from hub.wire.codes import digest_of
from tests.workers.draining import TO, Recorder, drain_of, office
from tests.workers.test_drain_uncertain import also_by_phone, called, owed_by_phone
from tests.workers.ward import EMAIL, Ward
from workers.carriers.sending import Fate, Outcome

__all__ = ["office"]


async def told_by_phone(office: Ward) -> None:
    """All that is owed there has gone out."""
    phone = Carrier.PHONE
    tenure = await office.outbox.take_over(phone, office.day)
    for claimed in await office.outbox.claim(office.day, phone, tenure):
        await office.outbox.settle(office.day, phone, tenure, claimed.notice, NoticeState.ACCEPTED)


async def test_a_call_is_passed_on_also_to_a_carrier_that_told_an_earlier_one(office: Ward) -> None:
    """Nobody but the telephone was allowed at the first call."""
    ticket = await office.take()
    await also_by_phone(office, ticket)
    await office.call()
    await told_by_phone(office)
    await office.lanes.do(office.stamp(), TakeBack("2", ticket))
    await office.wish(ticket, TO)
    await office.call()
    assert await owed_by_phone(office) == []
    await drain_of(office, Recorder(Outcome(Fate.ELSEWHERE, "429 month"))).run()
    assert await owed_by_phone(office) == ["now.2"]


@pytest.mark.parametrize("is_told", [True, False])
async def test_a_call_that_is_passed_on_and_then_comes_back_is_not_passed_on_twice(office: Ward, is_told: bool) -> None:
    ticket, _ = await called(office)
    await also_by_phone(office, ticket)
    carrier = Recorder(Outcome(Fate.UNCERTAIN, "dot lost"))
    await drain_of(office, carrier).run()
    if is_told:
        await told_by_phone(office)
    callback = digest_of(carrier.sent[-1][1].token)
    await office.outbox.learn(office.day, EMAIL, callback, NoticeState.REFUSED)
    by_mail, _ = await office.lanes.notices_of(office.day, ticket)
    assert by_mail.notices[Trigger.NOW] is NoticeState.REFUSED
    assert await owed_by_phone(office) == ([] if is_told else ["now", "registered"])
