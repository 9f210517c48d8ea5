"""What nobody can know is said to be so, a call is tried once more, and what one carrier cannot tell another does."""

from typing import Any

import pytest

from hub.desk.notices import Carrier, NoticeState, Trigger
from hub.desk.requests import Wish
from hub.store.lanes import SealedContact
from tests.workers.draining import REGISTERED, TO, Recorder, box, drain_of, office, run_with
from tests.workers.postbox import Postbox
from tests.workers.ward import EMAIL, Ward
from workers.carriers.sending import Fate, Outcome
from workers.drain import Drain

__all__ = ["box", "office"]


async def test_a_letter_lost_behind_its_dot_is_uncertain_and_not_sent_again(office: Ward, box: Postbox) -> None:
    ticket = await office.take()
    await office.wish(ticket, TO)
    box.drop = "dot"
    await run_with(office, box)
    box.drop = ""
    await office.let_leases_end()
    await run_with(office, box)
    assert set((await office.states(ticket)).values()) == {NoticeState.UNCERTAIN}
    assert len(box.letters) == 2  # one each: they had arrived


async def test_what_an_earlier_worker_was_sending_is_uncertain(office: Ward, box: Postbox) -> None:
    ticket = await office.take()
    await office.wish(ticket, TO)
    tenure = await office.outbox.take_over(EMAIL, office.day)
    for one in await office.outbox.claim(office.day, EMAIL, tenure):
        await office.outbox.mark(office.day, EMAIL, tenure, one.notice)
    await run_with(office, box)
    assert set((await office.states(ticket)).values()) == {NoticeState.SENDING}  # it may still be at it
    await office.let_leases_end()
    await run_with(office, box)
    assert set((await office.states(ticket)).values()) == {NoticeState.UNCERTAIN}
    assert box.letters == []


async def called(office: Ward) -> tuple[int, Drain]:
    """Somebody who is called, all but that told."""
    ticket = await office.take()
    await office.wish(ticket, TO)
    await drain_of(office, Recorder()).run()
    await office.call()
    return ticket, drain_of(office, Recorder())


async def test_a_call_that_nobody_can_know_of_is_sent_once_more_and_then_said_to_be_uncertain(office: Ward) -> None:
    ticket, _ = await called(office)
    carrier = Recorder(Outcome(Fate.UNCERTAIN, "dot timeout"))
    await drain_of(office, carrier).run()
    await office.let_leases_end()
    await drain_of(office, carrier).run()
    assert [message.notice.partition(":")[2] for _, message in carrier.sent] == ["now", "now"]
    assert (await office.states(ticket))[Trigger.NOW] is NoticeState.UNCERTAIN


async def test_a_try_that_sent_nothing_is_not_the_one_resend_of_a_call(office: Ward) -> None:
    ticket, _ = await called(office)
    for outcome in (Outcome(Fate.AGAIN, "rcpt 451"), Outcome(Fate.UNCERTAIN, "dot timeout", is_silent=True)):
        await drain_of(office, Recorder(outcome)).run()
        await office.let_leases_end()
    assert (await office.states(ticket))[Trigger.NOW] is NoticeState.PENDING
    again = Recorder(Outcome(Fate.UNCERTAIN, "dot timeout", is_silent=True))
    for _ in range(2):
        await drain_of(office, again).run()
        await office.let_leases_end()
    assert len(again.sent) == 1, "twice in all may have arrived"
    assert (await office.states(ticket))[Trigger.NOW] is NoticeState.UNCERTAIN


async def test_what_a_killed_worker_was_sending_is_sent_once_more_whatever_sent_nothing_before(office: Ward) -> None:
    ticket, _ = await called(office)
    await drain_of(office, Recorder(Outcome(Fate.AGAIN, "rcpt 451"))).run()
    await office.let_leases_end()
    for tries in (1, 0):
        tenure = await office.outbox.take_over(EMAIL, office.day)
        for claimed in await office.outbox.claim(office.day, EMAIL, tenure):
            await office.outbox.mark(office.day, EMAIL, tenure, claimed.notice)
        await office.let_leases_end()
        carrier = Recorder(Outcome(Fate.AGAIN, "rcpt 451"))
        await drain_of(office, carrier).run()
        assert len(carrier.sent) == tries
        await office.let_leases_end()
    assert (await office.states(ticket))[Trigger.NOW] is NoticeState.UNCERTAIN


async def test_a_near_that_nobody_can_know_of_is_not_sent_again(office: Ward) -> None:
    ticket = await office.take()
    await office.wish(ticket, TO)
    carrier = Recorder(Outcome(Fate.UNCERTAIN, "dot timeout"))
    for _ in range(2):
        await drain_of(office, carrier).run()
        await office.let_leases_end()
    assert len(carrier.sent) == 2, "registered and near, each once"
    assert set((await office.states(ticket)).values()) == {NoticeState.UNCERTAIN}


async def test_a_carrier_that_knows_a_notice_again_is_given_what_a_killed_worker_had_in_hand(office: Ward) -> None:
    """LINE sends it once, whoever asks: nothing is uncertain."""
    ticket = await office.take()
    await office.wish(ticket, TO)
    tenure = await office.outbox.take_over(EMAIL, office.day)
    for claimed in await office.outbox.claim(office.day, EMAIL, tenure):
        await office.outbox.mark(office.day, EMAIL, tenure, claimed.notice)
    await office.let_leases_end()
    carrier = Recorder(knows_again=True)
    await drain_of(office, carrier).run()
    assert len(carrier.sent) == 2
    assert set((await office.states(ticket)).values()) == {NoticeState.ACCEPTED}


@pytest.mark.parametrize("trigger", [Trigger.NEAR, Trigger.NOW])
async def test_a_carrier_that_knows_a_notice_again_is_given_it_until_it_answers(office: Ward, trigger: Trigger) -> None:
    ticket = await office.take()
    await office.wish(ticket, TO)
    if trigger is Trigger.NOW:
        await office.call()
    carrier = Recorder(Outcome(Fate.UNCERTAIN, "timeout"), knows_again=True)
    for _ in range(4):
        await drain_of(office, carrier).run()
        await office.let_leases_end()
    carrier.outcome = Outcome(Fate.ACCEPTED, "409")
    await drain_of(office, carrier).run()
    states = await office.states(ticket)
    assert (states[REGISTERED], states[trigger]) == (NoticeState.ACCEPTED, NoticeState.ACCEPTED)


async def test_what_may_have_arrived_is_uncertain_where_another_carrier_tells_it(office: Ward) -> None:
    ticket, _ = await called(office)
    await also_by_phone(office, ticket)
    carrier = Recorder(Outcome(Fate.UNCERTAIN, "timeout"), knows_again=True)
    for _ in range(3):
        await drain_of(office, carrier).run()
        await office.let_leases_end()
    by_mail, _ = await office.lanes.notices_of(office.day, ticket)
    assert by_mail.notices[Trigger.NOW] is NoticeState.UNCERTAIN
    assert await owed_by_phone(office) == ["now", "registered"]


async def test_what_may_have_arrived_and_is_of_no_use_any_more_is_uncertain(office: Ward) -> None:
    ticket, _ = await called(office)
    await drain_of(office, Recorder(Outcome(Fate.UNCERTAIN, "dot timeout", is_silent=True))).run()
    await office.call()
    carrier = Recorder()
    await drain_of(office, carrier).run()
    assert carrier.sent == []
    assert (await office.states(ticket))[Trigger.NOW] is NoticeState.UNCERTAIN


async def also_by_phone(office: Ward, ticket: int) -> str:
    """The next carrier that the same resident allows; gives its subscription."""
    sealed, key = SealedContact(f"{(await office.contacts.public_key()).id}:sealed", "0" * 64), "p" * 22
    await office.lanes.do(office.stamp(), Wish(ticket, Carrier.PHONE, 1, "1", key), sealed)
    return key


async def owed_by_phone(office: Ward) -> list[str]:
    client: Any = office.client
    found: list[str] = await client.zrange(office.names.due(office.day, Carrier.PHONE), 0, -1)
    return sorted(one.partition(":")[2] for one in found)


@pytest.mark.parametrize(
    ("outcome", "tries", "state"),
    [
        (Outcome(Fate.REFUSED, "550"), 1, NoticeState.REFUSED),
        (Outcome(Fate.ELSEWHERE, "429 month"), 1, NoticeState.LAPSED),
        (Outcome(Fate.AGAIN, "451"), 3, NoticeState.LAPSED),
        (Outcome(Fate.UNCERTAIN, "lost"), 1, NoticeState.UNCERTAIN),  # sent once more in the same run
    ],
)
async def test_a_call_that_a_carrier_cannot_tell_the_next_one_does(
    office: Ward, outcome: Outcome, tries: int, state: NoticeState
) -> None:
    ticket, _ = await called(office)
    await also_by_phone(office, ticket)
    assert await owed_by_phone(office) == ["registered"]
    passed: list[Carrier] = []

    async def on_due(carrier: Carrier) -> None:
        passed.append(carrier)

    carrier = Recorder(outcome)
    for _ in range(tries):
        assert passed == []
        await drain_of(office, carrier, on_due=on_due).run()
        await office.let_leases_end()
    assert passed == [Carrier.PHONE]
    assert await owed_by_phone(office) == ["now", "registered"]
    by_mail, _ = await office.lanes.notices_of(office.day, ticket)
    assert by_mail.notices[Trigger.NOW] is state


async def test_without_another_carrier_what_was_certainly_not_sent_is_tried_on(office: Ward) -> None:
    ticket, _ = await called(office)
    for _ in range(5):
        await drain_of(office, Recorder(Outcome(Fate.AGAIN, "451"))).run()
        await office.let_leases_end()
    assert (await office.states(ticket))[Trigger.NOW] is NoticeState.PENDING
    await drain_of(office, Recorder()).run()
    assert (await office.states(ticket))[Trigger.NOW] is NoticeState.ACCEPTED


async def test_a_call_is_of_no_use_once_the_number_was_served(office: Ward) -> None:
    ticket, drain = await called(office)
    await also_by_phone(office, ticket)
    await office.call()
    await drain.run()
    by_mail, _ = await office.lanes.notices_of(office.day, ticket)
    assert by_mail.notices[Trigger.NOW] is NoticeState.LAPSED
    assert await owed_by_phone(office) == ["registered"]
