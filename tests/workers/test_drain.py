"""What is due is sent once, what is of no use any more is not, and what nobody can know is said to be so."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import structlog

from config.embedded import EmbeddedValkey
from hub.desk.notices import Carrier, Ending, NoticeState, Trigger
from hub.desk.refusals import StoreAway
from hub.desk.requests import Cancel, Stop, Wish
from hub.store.lanes import SealedContact
from hub.store.outbox import Outbox, Settled
from hub.store.sealing import Contact
from tests.workers.postbox import Postbox, postbox
from tests.workers.ward import EMAIL, Ward, ward
from workers.carriers.email import EmailCarrier
from workers.carriers.sending import Fate, Message, Outcome, Sender
from workers.drain import Drain, Superseded
from workers.keys import KeyHost

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=timezone(timedelta(hours=9)))
TO = "canary-7@example.test"
REGISTERED, NEAR = Trigger.REGISTERED, Trigger.NEAR


@pytest.fixture
async def office(valkey_server: EmbeddedValkey, office_name: str, tmp_path: Path) -> AsyncIterator[Ward]:
    async with ward(valkey_server.url, office_name, tmp_path / "keys") as opened:
        yield opened


@pytest.fixture
def box() -> Iterator[Postbox]:
    with postbox() as opened:
        yield opened


def drain_of(office: Ward, *senders: Sender, keys: KeyHost | None = None, **named: Any) -> Drain:
    return Drain(
        EMAIL,
        office.office,
        office.outbox,
        office.contacts,
        keys or office.keys,
        senders,
        public_url="https://junban.example.jp",
        now=lambda: NOW,
        **{"on_due": nobody, **named},
    )


async def nobody(carrier: Carrier) -> None:
    """Whoever a notice is passed on to looks by himself here."""


async def run_with(office: Ward, box: Postbox, *, connections: int = 1) -> None:
    """One fresh worker, one run."""
    senders = [EmailCarrier(box.server, "junban@city.example.jp", office.office.name) for _ in range(connections)]
    try:
        await drain_of(office, *senders).run()
    finally:
        for sender in senders:
            await sender.close()


@dataclass
class Recorder:
    """A carrier that says what it is told to say, and keeps what it was given."""

    outcome: Outcome = field(default_factory=lambda: Outcome(Fate.ACCEPTED, "250"))
    sent: list[tuple[str, Message]] = field(default_factory=list)
    first: Callable[[], object] = lambda: None
    knows_again: bool = False

    async def send(self, contact: Contact, message: Message) -> Outcome:
        self.sent.append((contact.to, message))
        answer = self.first()
        if asyncio.iscoroutine(answer):
            await answer
        return self.outcome

    async def close(self) -> None:
        pass


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

    async def mark(self, day: str, carrier: Carrier, tenure: int, notice: str, callback: str = "") -> None:
        subscription = notice.partition(":")[0]
        await self.office.contacts.erase(day, subscription, 1, carrier, self.ending)
        await super().mark(day, carrier, tenure, notice, callback)


async def test_who_says_stop_in_the_last_moment_hears_nothing(office: Ward) -> None:
    ticket = await office.take()
    await office.wish(ticket, TO)
    stopping = Stopping(office.client, office.office)
    stopping.office, office.outbox = office, stopping
    carrier = Recorder()
    await drain_of(office, carrier).run()
    assert carrier.sent == []
    assert set((await office.states(ticket)).values()) == {NoticeState.LAPSED}


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


async def test_who_slept_after_the_mark_sends_nothing(office: Ward) -> None:
    """Another worker may have told it by now, and the resident may have said stop."""
    ticket = await office.take()
    await office.wish(ticket, TO)
    carrier = Recorder()
    turns = itertools.count()
    await drain_of(office, carrier, marked_within_s=-1.0, is_stopping=lambda: next(turns) >= 4).run()
    assert carrier.sent == []
    assert set((await office.states(ticket)).values()) == {NoticeState.PENDING}
    await drain_of(office, carrier).run()
    assert len(carrier.sent) == 2


class Deaf(Outbox):
    """Settles, and nobody hears of it: asked again it is in nobody's hands."""

    async def settle(
        self,
        day: str,
        carrier: Carrier,
        tenure: int,
        notice: str,
        state: NoticeState,
        again_ms: int = 0,
        *,
        pass_on: bool = False,
    ) -> Settled:
        await super().settle(day, carrier, tenure, notice, state, again_ms, pass_on=pass_on)
        return await super().settle(day, carrier, tenure, notice, state, again_ms, pass_on=pass_on)


async def test_a_refused_address_is_erased_though_the_answer_of_the_store_is_lost(office: Ward) -> None:
    subscription = await office.wish(await office.take(), TO)
    office.outbox = Deaf(office.client, office.office)
    await drain_of(office, Recorder(Outcome(Fate.REFUSED, "550"))).run()
    assert await office.contacts.sealed(subscription) is None


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
    return [(at - int(put_off[notice].rpartition("\x1f")[2])) / 1000 for notice, at in due]


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


async def test_what_an_earlier_worker_had_only_claimed_is_sent_at_once(office: Ward, box: Postbox) -> None:
    await office.wish(await office.take(), TO)
    tenure = await office.outbox.take_over(EMAIL, office.day)
    assert len(await office.outbox.claim(office.day, EMAIL, tenure)) == 2
    await run_with(office, box)
    assert len(box.letters) == 2


async def test_a_worker_that_was_taken_over_sends_nothing_and_ends(office: Ward) -> None:
    carrier, successor = Recorder(), Recorder()
    earlier, later = drain_of(office, carrier), drain_of(office, successor)
    await earlier.run()
    await later.run()
    await office.wish(await office.take(), TO)
    with pytest.raises(Superseded):
        await earlier.run()
    await later.run()
    assert (len(carrier.sent), len(successor.sent)) == (0, 2)


async def test_a_worker_taken_over_in_the_middle_leaves_what_it_has_not_begun(office: Ward) -> None:
    for _ in range(5):
        await office.wish(await office.take(), TO, ahead=20)
    carrier = Recorder(first=lambda: office.outbox.take_over(EMAIL, office.day))
    with pytest.raises(Superseded):
        await drain_of(office, carrier).run()
    assert len(carrier.sent) == 1
    await office.let_leases_end()
    successor = Recorder()
    await drain_of(office, successor).run()
    assert len(successor.sent) == 9
    assert {message.notice for _, message in successor.sent}.isdisjoint({carrier.sent[0][1].notice})


async def test_before_there_is_a_day_nothing_is_done(
    valkey_server: EmbeddedValkey, office_name: str, tmp_path: Path
) -> None:
    async with ward(valkey_server.url, office_name, tmp_path / "keys") as office:
        await office.client.delete(office.names.day())
        await drain_of(office, Recorder()).run()


async def test_who_is_asked_to_stop_leaves_the_rest_free(office: Ward) -> None:
    for _ in range(5):
        await office.wish(await office.take(), TO, ahead=20)
    asked: list[bool] = []
    carrier = Recorder(first=lambda: asked.append(True))
    drain = drain_of(office, carrier)
    drain._is_stopping = lambda: bool(asked)
    await drain.run()
    assert len(carrier.sent) == 1
    assert await office.due() == 9  # for the next worker, without waiting for a lease


async def test_a_store_away_while_a_letter_went_out_is_told_afterwards_what_became_of_it(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path / "valkey") as server:
        async with ward(server.url, "ward", tmp_path / "keys") as office:
            ticket = await office.take()
            await office.wish(ticket, TO)
            carrier = Recorder(first=server.kill)
            drain = drain_of(office, carrier)
            await drain.run()
            await drain.run()  # still away: nothing, and no exception
            assert len(carrier.sent) == 1
            carrier.first = lambda: None
            server.start()
            await drain.run()  # and waits for no lease: until it is told, nobody could know if this worker died
            assert set((await office.states(ticket)).values()) == {NoticeState.ACCEPTED}
            assert len(carrier.sent) == 2


async def test_what_was_claimed_when_the_store_went_away_waits_for_no_lease(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path / "valkey") as server:
        async with ward(server.url, "ward", tmp_path / "keys") as office:
            for _ in range(3):
                await office.wish(await office.take(), TO, ahead=20)
            carrier = Recorder(first=server.kill)
            drain = drain_of(office, carrier)
            await drain.run()
            carrier.first = lambda: None
            server.start()
            await drain.run()
            assert len(carrier.sent) == 6
            assert len({message.notice for _, message in carrier.sent}) == 6


class Unanswered(Outbox):
    """The store marks, and its answers get lost once."""

    is_lost = True

    async def mark(self, day: str, carrier: Carrier, tenure: int, notice: str, callback: str = "") -> None:
        await super().mark(day, carrier, tenure, notice, callback)
        if self.is_lost:
            self.is_lost = False
            raise StoreAway


async def test_what_was_perhaps_marked_and_not_sent_is_sent_as_soon_as_the_store_answers(office: Ward) -> None:
    ticket = await office.take()
    await office.wish(ticket, TO)
    office.outbox = Unanswered(office.client, office.office)
    carrier = Recorder()
    drain = drain_of(office, carrier)
    await drain.run()
    assert carrier.sent == []
    await drain.run()
    assert sorted(message.notice for _, message in carrier.sent) == sorted(await notices_of(office))
    assert set((await office.states(ticket)).values()) == {NoticeState.ACCEPTED}


class Cut(Outbox):
    """The store settles, and its answer gets lost with the line."""

    is_lost = True

    async def settle(
        self,
        day: str,
        carrier: Carrier,
        tenure: int,
        notice: str,
        state: NoticeState,
        again_ms: int = 0,
        *,
        pass_on: bool = False,
    ) -> Settled:
        settled = await super().settle(day, carrier, tenure, notice, state, again_ms, pass_on=pass_on)
        if self.is_lost:
            self.is_lost = False
            raise StoreAway
        return settled


async def test_what_was_settled_unheard_is_not_settled_again_over_what_came_after(office: Ward) -> None:
    """It was put off; by the time that its worker says so once more, a successor has it in hand."""
    await office.take()
    ticket = await office.take()
    await office.wish(ticket, TO, ahead=0)
    office.outbox = Cut(office.client, office.office)
    drain = drain_of(office, Recorder(Outcome(Fate.AGAIN, "451")))
    await drain.run()
    await office.let_leases_end()
    tenure = await office.outbox.take_over(EMAIL, office.day)
    (claimed,) = await office.outbox.claim(office.day, EMAIL, tenure)
    await office.outbox.mark(office.day, EMAIL, tenure, claimed.notice)
    await drain.run()
    assert await office.states(ticket) == {REGISTERED: NoticeState.SENDING}


async def notices_of(office: Ward) -> list[str]:
    client: Any = office.client
    found: list[str] = await client.hkeys(office.names.notices(office.day))
    return found


async def test_no_line_of_the_log_names_a_contact(office: Ward, box: Postbox) -> None:
    await office.wish(await office.take(), TO)
    with structlog.testing.capture_logs() as lines:
        for box.rcpt[TO] in ("451 later {}", "550 no {}"):
            await run_with(office, box)
            await office.let_leases_end()
    assert lines
    assert "canary" not in repr(lines)


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
    await office.call()
    await drain.run()
    assert (await office.states(ticket))[Trigger.NOW] is NoticeState.LAPSED
