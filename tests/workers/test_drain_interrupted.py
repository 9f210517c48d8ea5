"""A worker that slept, was taken over or asked to stop, and a store that went away: nothing is lost or sent twice."""

import itertools
from pathlib import Path
from typing import Any

import pytest

from config.embedded import EmbeddedValkey
from hub.desk.notices import Carrier, NoticeState
from hub.desk.refusals import StoreAway
from hub.store.outbox import Outbox, Settled, Useful
from tests.workers.draining import REGISTERED, TO, Recorder, box, drain_of, office, run_with
from tests.workers.postbox import Postbox
from tests.workers.ward import EMAIL, Ward, ward
from workers.carriers.sending import Fate, Outcome
from workers.drain import Superseded

__all__ = ["box", "office"]


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
        again_ms: int | None = 0,
        *,
        pass_on: bool = False,
        may_have_arrived: bool = False,
    ) -> Settled:
        named = {"pass_on": pass_on, "may_have_arrived": may_have_arrived}
        await super().settle(day, carrier, tenure, notice, state, again_ms, **named)
        return await super().settle(day, carrier, tenure, notice, state, again_ms, **named)


async def test_a_refused_address_is_erased_though_the_answer_of_the_store_is_lost(office: Ward) -> None:
    subscription = await office.wish(await office.take(), TO)
    office.outbox = Deaf(office.client, office.office)
    await drain_of(office, Recorder(Outcome(Fate.REFUSED, "550"))).run()
    assert await office.contacts.sealed(subscription) is None


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
        ticket = await office.take()
        await office.wish(ticket, TO)
        carrier, day = Recorder(), office.names.day()
        await office.client.rename(day, f"{day}:aside")
        await drain_of(office, carrier).run()
        assert carrier.sent == []
        assert await office.due() == 2, "in nobody's hands"
        assert set((await office.states(ticket)).values()) == {NoticeState.PENDING}
        await office.client.rename(f"{day}:aside", day)
        await drain_of(office, carrier).run()
        assert len(carrier.sent) == 2


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

    async def mark(
        self, day: str, carrier: Carrier, tenure: int, notice: str, callback: str = "", useful: Useful | None = None
    ) -> None:
        await super().mark(day, carrier, tenure, notice, callback, useful)
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
        again_ms: int | None = 0,
        *,
        pass_on: bool = False,
        may_have_arrived: bool = False,
    ) -> Settled:
        named = {"pass_on": pass_on, "may_have_arrived": may_have_arrived}
        settled = await super().settle(day, carrier, tenure, notice, state, again_ms, **named)
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
