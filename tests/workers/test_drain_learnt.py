"""A carrier tells what became of a message before its worker knows: the worker's own word comes too late."""

import pytest

from hub.desk.notices import Ending, NoticeState, Trigger
from hub.wire.codes import digest_of
from tests.workers.draining import Recorder, drain_of, office
from tests.workers.test_drain_uncertain import also_by_phone, called, owed_by_phone
from tests.workers.ward import EMAIL, Ward
from workers.carriers.sending import Fate, Outcome

__all__ = ["office"]


async def test_what_arrived_is_not_sent_again_though_its_worker_heard_no_answer(office: Ward) -> None:
    ticket, _ = await called(office)

    async def it_arrives() -> None:
        await office.outbox.learn(office.day, EMAIL, digest_of(carrier.sent[-1][1].token), NoticeState.ACCEPTED)

    carrier = Recorder(Outcome(Fate.UNCERTAIN, "timeout"), first=it_arrives)
    for _ in range(2):
        await drain_of(office, carrier).run()
        await office.let_leases_end()
    assert len(carrier.sent) == 1
    assert (await office.states(ticket))[Trigger.NOW] is NoticeState.ACCEPTED


@pytest.mark.parametrize("heard", [Outcome(Fate.ACCEPTED, "250"), Outcome(Fate.UNCERTAIN, "dot lost")])
async def test_what_comes_back_before_its_worker_settles_is_told_by_the_next_carrier(
    office: Ward, heard: Outcome
) -> None:
    ticket, _ = await called(office)
    await also_by_phone(office, ticket)

    async def it_comes_back() -> None:
        callback = digest_of(carrier.sent[-1][1].token)
        stop = await office.outbox.stop_behind(office.day, callback)
        assert stop is not None
        await office.contacts.erase(office.day, stop.subscription, stop.ticket, EMAIL, Ending.BOUNCE)
        await office.outbox.learn(office.day, EMAIL, callback, NoticeState.REFUSED)

    carrier = Recorder(heard, first=it_comes_back)
    await drain_of(office, carrier).run()
    by_mail, _ = await office.lanes.notices_of(office.day, ticket)
    assert by_mail.notices[Trigger.NOW] is NoticeState.REFUSED
    assert await owed_by_phone(office) == ["now", "registered"]
    assert len(carrier.sent) == 1
