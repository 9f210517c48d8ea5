"""A carrier that does not answer: a call is tried first, the others keep their place, and the next carrier tells it."""

from typing import Any

import pytest

from hub.desk.notices import NoticeState, Trigger
from hub.desk.requests import Next
from tests.workers.draining import TO, Recorder, drain_of, office
from tests.workers.test_drain_uncertain import also_by_phone, called, owed_by_phone
from tests.workers.ward import EMAIL, Ward
from workers.carriers.sending import Fate, Outcome
from workers.drain import PASSED_ON_AFTER_S

__all__ = ["office"]

SILENT = Outcome(Fate.AGAIN, "connect timeout", is_silent=True)


async def crowd(office: Ward, number: int = 12) -> None:
    """So many others, with two notices each."""
    for _ in range(number):
        await office.wish(await office.take(), "crowd@example.test", ahead=20)


async def in_row(office: Ward) -> list[str]:
    """What is due, the longest due first."""
    client: Any = office.client
    found: list[str] = await client.zrange(office.names.due(office.day, EMAIL), 0, -1)
    return found


async def owe_since(office: Ward, seconds: int) -> None:
    """As if everything had been owed for so long."""
    client: Any = office.client
    key = office.names.notices(office.day)
    for notice, text in (await client.hgetall(key)).items():
        parts = text.split("\x1f")
        parts[7] = str(int(parts[7]) - seconds * 1000)
        await client.hset(key, notice, "\x1f".join(parts))


def told(carrier: Recorder) -> list[str]:
    return [message.notice.partition(":")[2] for _, message in carrier.sent]


async def test_a_call_is_told_before_what_was_due_long_before_it(office: Ward) -> None:
    await office.take()
    await drain_of(office, Recorder()).run()
    await crowd(office)
    await office.wish(1, TO)
    await office.call()
    carrier = Recorder()
    await drain_of(office, carrier).run()
    assert [carrier.sent[place][0] for place in (0, 1)] == [TO, TO]
    assert told(carrier)[:2] == ["registered", "now"], "the wish is confirmed first"
    assert len(carrier.sent) == 26, "the first is near no more"


async def test_a_silent_carrier_is_asked_once_a_connection_and_run(office: Ward) -> None:
    await crowd(office)
    carriers = [Recorder(SILENT), Recorder(SILENT)]
    drain = drain_of(office, *carriers)
    await drain.run()
    assert [len(carrier.sent) for carrier in carriers] == [1, 1]
    assert await office.due() == 22, "free at once for the next run"


async def test_who_was_not_come_to_keeps_his_place(office: Ward) -> None:
    await crowd(office)
    before = await in_row(office)
    carrier = Recorder(SILENT)
    await drain_of(office, carrier).run()
    assert [one for one in await in_row(office) if one != carrier.sent[0][1].notice] == [
        one for one in before if one != carrier.sent[0][1].notice
    ]
    await office.wish(await office.take(), TO, ahead=20)
    again = Recorder(SILENT)
    await drain_of(office, again).run()
    assert again.sent[0][0] != TO


async def test_a_call_is_tried_first_in_each_run_and_then_the_next_carrier_has_it(office: Ward) -> None:
    ticket, _ = await called(office)
    await also_by_phone(office, ticket)
    await crowd(office)
    carrier = Recorder(SILENT)
    for _ in range(3):
        await drain_of(office, carrier).run()
        await office.let_leases_end()
    assert told(carrier) == ["now", "now", "now"]
    assert "now" in await owed_by_phone(office)


@pytest.mark.parametrize(("age_s", "is_passed"), [(PASSED_ON_AFTER_S - 10, False), (PASSED_ON_AFTER_S, True)])
async def test_a_call_that_no_connection_came_to_is_passed_on_by_its_age(
    office: Ward, age_s: int, is_passed: bool
) -> None:
    for _ in range(2):
        await office.wish(await office.take(), TO)
    await drain_of(office, Recorder()).run()
    await also_by_phone(office, 2)
    await office.call()
    await office.lanes.do(office.stamp(), Next("1", None))
    await owe_since(office, age_s)
    carrier = Recorder(SILENT)
    await drain_of(office, carrier).run()
    assert told(carrier) == ["now"]
    assert (await office.states(1))[Trigger.NOW] is NoticeState.PENDING, "of the two it was due before"
    assert ("now" in await owed_by_phone(office)) is is_passed
    by_mail, _ = await office.lanes.notices_of(office.day, 2)
    assert by_mail.notices[Trigger.NOW] is (NoticeState.LAPSED if is_passed else NoticeState.PENDING)


async def test_what_a_killed_worker_was_sending_is_not_sent_again_because_no_connection_came_to_it(
    office: Ward,
) -> None:
    await crowd(office, 3)
    tenure = await office.outbox.take_over(EMAIL, office.day)
    marked = [one.notice for one in await office.outbox.claim(office.day, EMAIL, tenure)][-2:]
    for notice in marked:
        await office.outbox.mark(office.day, EMAIL, tenure, notice)
    await office.let_leases_end()
    await drain_of(office, Recorder(SILENT)).run()
    await office.let_leases_end()
    carrier = Recorder()
    await drain_of(office, carrier).run()
    assert {message.notice for _, message in carrier.sent}.isdisjoint(marked)
