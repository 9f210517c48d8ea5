"""A contact that ended while a call was due by it: whoever allows another carrier is told by that one."""

import pytest

from hub.desk.notices import Ending, NoticeState, Trigger
from hub.desk.requests import Stop
from tests.workers.draining import TO, Recorder, drain_of, office
from tests.workers.test_drain import Stopping
from tests.workers.test_drain_uncertain import also_by_phone, called, owed_by_phone
from tests.workers.ward import EMAIL, Ward
from workers.carriers.sending import Fate, Outcome

__all__ = ["office"]


async def state_by_mail(office: Ward, ticket: int, trigger: Trigger = Trigger.NOW) -> NoticeState:
    by_mail, *_ = await office.lanes.notices_of(office.day, ticket)
    return by_mail.notices[trigger]


@pytest.mark.parametrize("ending", [ending for ending in Ending if ending is not Ending.REPLACED])
async def test_a_call_whose_contact_is_gone_is_told_by_the_next_carrier(office: Ward, ending: Ending) -> None:
    ticket, drain = await called(office)
    await also_by_phone(office, ticket)
    await office.lanes.do(office.stamp(), Stop(ticket, EMAIL, ending))
    await drain.run()
    assert await state_by_mail(office, ticket) is NoticeState.LAPSED
    assert await owed_by_phone(office) == ["now", "registered"]


async def test_a_call_is_not_told_elsewhere_because_its_address_was_changed(office: Ward) -> None:
    ticket, drain = await called(office)
    await also_by_phone(office, ticket)
    await office.wish(ticket, "new@example.test")
    await drain.run()
    assert "now" not in await owed_by_phone(office)


async def test_a_call_of_a_refused_address_is_told_elsewhere_though_its_worker_was_killed_at_it(office: Ward) -> None:
    """Between erasing the address and settling the notice."""
    ticket, _ = await called(office)
    await also_by_phone(office, ticket)
    tenure = await office.outbox.take_over(EMAIL, office.day)
    (claimed,) = await office.outbox.claim(office.day, EMAIL, tenure)
    await office.outbox.mark(office.day, EMAIL, tenure, claimed.notice)
    await office.contacts.erase(office.day, claimed.subscription, ticket, EMAIL, Ending.REFUSED)
    await office.let_leases_end()
    carrier = Recorder()
    await drain_of(office, carrier).run()
    assert carrier.sent == []
    assert await owed_by_phone(office) == ["now", "registered"]


async def test_a_call_that_waits_for_its_second_try_is_told_elsewhere_when_the_address_bounces(office: Ward) -> None:
    ticket, _ = await called(office)
    await also_by_phone(office, ticket)
    await drain_of(office, Recorder(Outcome(Fate.AGAIN, "451"))).run()
    await office.lanes.do(office.stamp(), Stop(ticket, EMAIL, Ending.BOUNCE))
    await office.let_leases_end()
    await drain_of(office, Recorder()).run()
    assert await owed_by_phone(office) == ["now", "registered"]


async def test_a_call_whose_contact_goes_in_the_last_moment_is_told_by_the_next_carrier(office: Ward) -> None:
    ticket, _ = await called(office)
    await also_by_phone(office, ticket)
    stopping = Stopping(office.client, office.office)
    stopping.office, office.outbox = office, stopping
    carrier = Recorder()
    await drain_of(office, carrier).run()
    assert carrier.sent == []
    assert await owed_by_phone(office) == ["now", "registered"]


async def test_near_is_left_to_the_next_carriers_own_wish(office: Ward) -> None:
    ticket = await office.take()
    await office.wish(ticket, TO)
    await also_by_phone(office, ticket)
    owed = await owed_by_phone(office)
    await office.lanes.do(office.stamp(), Stop(ticket, EMAIL, Ending.RESIDENT))
    expected = await owed_by_phone(office)
    await drain_of(office, Recorder()).run()
    assert await state_by_mail(office, ticket, Trigger.NEAR) is NoticeState.LAPSED
    assert owed == ["registered"]
    assert await owed_by_phone(office) == expected == ["near", "registered"]
