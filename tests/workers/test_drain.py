"""What is due is sent once, in its order and with its pauses, and what is of no use any more is not."""

from typing import Any

import pytest
import structlog

from hub.desk.notices import Carrier, Ending, NoticeState, Trigger
from hub.desk.requests import Cancel, Stop, TakeBack
from hub.store.outbox import Outbox, Useful
from tests.workers.draining import NEAR, REGISTERED, TO, Recorder, box, drain_of, office, run_with
from tests.workers.postbox import Postbox
from tests.workers.ward import EMAIL, Ward
from workers.carriers.sending import Fate, Outcome
from workers.keys import KeyHost

__all__ = ["box", "office"]


async def test_a_wish_is_confirmed_and_its_turn_is_told(office: Ward, box: Postbox) -> None:
    third = [await office.take() for _ in range(3)][-1]
    await office.wish(third, TO, ahead=1)
    await run_with(office, box)
    assert await office.states(third) == {REGISTERED: NoticeState.ACCEPTED}
    await office.call()
    await run_with(office, box)
    assert await office.states(third) == {REGISTERED: NoticeState.ACCEPTED, NEAR: NoticeState.ACCEPTED}
    assert [letter.to for letter in box.letters] == [TO, TO]
    confirmed, near = (letter.message.get_content() for letter in box.letters)
    assert "翌日に消去" in confirmed
    assert "A103" in near
    assert "証明" in near
    assert "あと 1 人" in near
    assert await office.due() == 0


async def test_what_was_sent_is_not_sent_again(office: Ward, box: Postbox) -> None:
    await office.wish(await office.take(), TO)
    for _ in range(3):
        await office.let_leases_end()
        await run_with(office, box)
    assert len(box.letters) == 2  # registered and near: one is at the head at once


@pytest.mark.parametrize("connections", [1, 2])
async def test_a_wish_that_is_due_at_once_is_confirmed_first(office: Ward, box: Postbox, connections: int) -> None:
    for number in range(5):
        await office.wish(await office.take(), f"resident-{number}@example.test", ahead=20)
    await run_with(office, box, connections=connections)
    for number in range(5):
        mine = [letter.message for letter in box.letters if letter.to == f"resident-{number}@example.test"]
        assert ["受け付けました" in letter["Subject"] for letter in mine] == [True, False]


async def test_a_hundred_notices_go_over_two_connections(office: Ward, box: Postbox) -> None:
    for number in range(50):
        await office.wish(await office.take(), f"resident-{number}@example.test", ahead=20)
    await run_with(office, box, connections=2)
    assert box.connections == 2
    assert len(box.letters) == 50 + 21
    assert len({letter.message["Message-ID"] for letter in box.letters}) == 71
    assert await office.due() == 0


async def test_a_number_called_meanwhile_is_told_nothing_any_more(office: Ward, box: Postbox) -> None:
    ticket = await office.take()
    await office.wish(ticket, TO)
    await office.call()
    await run_with(office, box)
    assert (await office.states(ticket))[NEAR] is NoticeState.LAPSED
    assert [letter.message["Subject"].rpartition("/ ")[2] for letter in box.letters] == [
        "Notice registered",
        "You are being called",
    ]


async def test_a_cancelled_number_is_told_nothing_about_its_turn(office: Ward, box: Postbox) -> None:
    ticket = await office.take()
    await office.wish(ticket, TO)
    await office.lanes.do(office.stamp(), Cancel(ticket))
    await run_with(office, box)
    assert (await office.states(ticket))[NEAR] is NoticeState.LAPSED


@pytest.mark.parametrize("ending", [Ending.RESIDENT, Ending.REPLACED])
async def test_who_said_stop_hears_nothing(office: Ward, box: Postbox, ending: Ending) -> None:
    ticket = await office.take()
    await office.wish(ticket, TO)
    await office.lanes.do(office.stamp(), Stop(ticket, EMAIL, ending))
    await run_with(office, box)
    assert box.letters == []
    assert set((await office.states(ticket)).values()) == {NoticeState.LAPSED}


class Stopping(Outbox):
    """The resident says stop while a worker is about to mark."""

    office: Ward
    ending = Ending.RESIDENT

    async def mark(
        self, day: str, carrier: Carrier, tenure: int, notice: str, callback: str = "", useful: Useful | None = None
    ) -> None:
        subscription = notice.partition(":")[0]
        await self.office.contacts.erase(day, subscription, 1, carrier, self.ending)
        await super().mark(day, carrier, tenure, notice, callback, useful)


async def test_who_says_stop_in_the_last_moment_hears_nothing(office: Ward) -> None:
    ticket = await office.take()
    await office.wish(ticket, TO)
    stopping = Stopping(office.client, office.office)
    stopping.office, office.outbox = office, stopping
    carrier = Recorder()
    await drain_of(office, carrier).run()
    assert carrier.sent == []
    assert set((await office.states(ticket)).values()) == {NoticeState.LAPSED}


class Calling(Outbox):
    """The next number is called while a worker is about to mark a near."""

    office: Ward

    async def mark(
        self, day: str, carrier: Carrier, tenure: int, notice: str, callback: str = "", useful: Useful | None = None
    ) -> None:
        if notice.endswith(":near"):
            await self.office.call()
        await super().mark(day, carrier, tenure, notice, callback, useful)


async def test_who_is_called_in_the_last_moment_is_told_of_the_call_alone(office: Ward) -> None:
    ticket = await office.take()
    await office.wish(ticket, TO)
    calling = Calling(office.client, office.office)
    calling.office, office.outbox = office, calling
    carrier = Recorder()
    await drain_of(office, carrier).run()
    assert [message.notice.partition(":")[2] for _, message in carrier.sent] == ["registered", "now"]
    assert (await office.states(ticket))[NEAR] is NoticeState.LAPSED


async def test_a_number_called_while_others_are_sent_to_is_told_nothing_any_more(office: Ward) -> None:
    for _ in range(3):
        await office.take()
    await office.wish(2, TO, ahead=20)
    await office.wish(1, TO, ahead=20)
    carrier = Recorder()

    async def call_once() -> None:
        carrier.first = lambda: None
        await office.call()

    carrier.first = call_once
    await drain_of(office, carrier).run()
    assert await office.states(1) == {
        REGISTERED: NoticeState.ACCEPTED,
        NEAR: NoticeState.LAPSED,
        Trigger.NOW: NoticeState.ACCEPTED,
    }
    assert len(carrier.sent) == 4


async def test_of_two_calls_that_are_due_at_once_only_the_later_is_told(office: Ward) -> None:
    ticket = await office.take()
    await office.wish(ticket, TO)
    await drain_of(office, Recorder()).run()
    await office.call()
    await drain_of(office, Recorder(Outcome(Fate.AGAIN, "451"))).run()
    await office.lanes.do(office.stamp(), TakeBack("2", ticket))
    await office.call()
    await office.let_leases_end()
    carrier = Recorder()
    await drain_of(office, carrier).run()
    assert [message.notice.partition(":")[2] for _, message in carrier.sent] == ["now.2"]
    assert await office.due() == 0


async def test_a_new_address_hears_and_the_old_one_does_not(office: Ward, box: Postbox) -> None:
    ticket = await office.take()
    await office.wish(ticket, "old@example.test")
    await office.wish(ticket, "new@example.test")
    await run_with(office, box)
    assert {letter.to for letter in box.letters} == {"new@example.test"}


async def test_with_its_key_gone_a_contact_is_not_opened(office: Ward, box: Postbox) -> None:
    ticket = await office.take()
    await office.wish(ticket, TO)
    office.keys.destroy_before("9999-12-31")
    await run_with(office, box)
    assert set((await office.states(ticket)).values()) == {NoticeState.LAPSED}
    assert box.letters == []


async def test_a_wrong_master_key_delays_and_lapses_nothing(office: Ward) -> None:
    ticket = await office.take()
    await office.wish(ticket, TO)
    carrier = Recorder()
    await drain_of(office, carrier, keys=KeyHost(office.folder, bytes(32))).run()
    assert set((await office.states(ticket)).values()) == {NoticeState.PENDING}
    assert carrier.sent == []
    await office.let_leases_end()
    await drain_of(office, carrier).run()
    assert len(carrier.sent) == 2


async def test_a_refused_address_is_erased_and_told_no_more(office: Ward, box: Postbox) -> None:
    box.rcpt[TO] = "550 5.1.1 <{}> unknown"
    ticket = await office.take()
    subscription = await office.wish(ticket, TO)
    await run_with(office, box)
    assert await office.contacts.sealed(subscription) is None
    (wished,) = await office.lanes.notices_of(office.day, ticket)
    assert wished.ended is Ending.REFUSED
    assert NoticeState.REFUSED in wished.notices.values()
    assert set(wished.notices.values()) <= {NoticeState.REFUSED, NoticeState.LAPSED}
    assert await office.due() == 0


async def test_later_means_after_two_then_five_then_fifteen_then_thirty_seconds(office: Ward) -> None:
    ticket = await office.take()
    await office.take()
    await office.wish(await office.take(), TO, ahead=1)
    carrier = Recorder(Outcome(Fate.AGAIN, "451"))
    drain = drain_of(office, carrier)
    for tries, pause_s in enumerate((2, 5, 15, 30, 30), start=1):
        await drain.run()
        assert len(carrier.sent) == tries
        assert await pauses_s(office) == [pause_s]
        await office.let_leases_end()
    carrier.outcome = Outcome(Fate.ACCEPTED)
    await drain.run()
    assert await office.due() == 0
    assert await office.states(ticket + 2) == {REGISTERED: NoticeState.ACCEPTED}


async def pauses_s(office: Ward) -> list[float]:
    """How long each notice is put off, from the moment when it was."""
    client: Any = office.client
    put_off: dict[str, str] = await client.hgetall(office.names.notices(office.day))
    due = await client.zrange(office.names.due(office.day, EMAIL), 0, -1, withscores=True)
    return [(at - int(put_off[notice].split("\x1f")[6])) / 1000 for notice, at in due]


async def test_no_line_of_the_log_names_a_contact(office: Ward, box: Postbox) -> None:
    await office.wish(await office.take(), TO)
    with structlog.testing.capture_logs() as lines:
        for box.rcpt[TO] in ("451 later {}", "550 no {}"):
            await run_with(office, box)
            await office.let_leases_end()
    assert lines
    assert "canary" not in repr(lines)
