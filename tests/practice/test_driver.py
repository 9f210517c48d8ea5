"""Whole days on a real store and a real hub, driven from outside."""

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from random import Random

import anyio
import msgspec
import pytest

from config.embedded import EmbeddedValkey
from config.office_process import start_office
from config.practice import entering
from config.practice.driver import DayFailed, Entries, Outcome, Plan, UnfitDay, drive
from config.practice.figures import read_figures
from config.practice.floor import Tally
from config.practice.listeners import Listener, compare_all
from config.practice.report import as_fields, as_text
from config.practice.sockets import fresh_snapshot
from hub.desk.hours import DAY_MINUTES
from hub.desk.lane import Office, Priority
from hub.forecast.day import Customer, Moves, typical_day
from hub.ledger.journal import Author
from hub.ledger.operations import Ledger
from hub.ledger.people import People
from hub.wire.position import Position
from tests.eventually import eventually
from tests.practice.practising import office, practice, small_figures, small_plan

__all__ = ["office"]

STEADY = 500.0  # where it counts who comes first: a machine that stands still for a second costs eight minutes


@pytest.fixture
def own_store(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    """A store of this test alone: it is killed."""
    with EmbeddedValkey(tmp_path) as server:
        yield server


def assert_good(outcome: Outcome, tickets: int = 60, screens: int = 9) -> None:
    fields = as_fields(outcome)
    assert fields["complaints"] == []
    assert outcome.is_good
    assert fields["tickets"] == tickets
    assert fields["served"] + fields["cancelled"] + fields["lapsed"] + fields["closed_out"] == tickets
    assert fields["screens"] == fields["screens_equal"] == screens


# So much of each that a day without any is no matter of chance. Who is called by then cannot let others go first.
_OFTEN = Moves(chosen=0.1, mistaken=0.05, held=0.2, for_counter=0.05, reviewed=0.4, pushed_back=0.6, reissued=0.2)
LIVELY = msgspec.structs.replace(_OFTEN, act_within_minutes=1.0)


def lively(plan: Plan) -> Plan:
    """More of every move than any real day has."""
    return replace(plan, figures=msgspec.structs.replace(plan.figures, moves=LIVELY))


async def test_a_day_ends_by_itself_and_every_check_holds(valkey_server: EmbeddedValkey, office: Office) -> None:
    async with practice(office, valkey_server) as hub:
        # Who is missed has a second to return; and so many come that there is somebody behind who lets others go first.
        outcome = await drive(hub, lively(small_plan(tickets=120, speed=STEADY)), Random())
        assert_good(outcome, 120)
        again = await drive(hub, small_plan(tickets=20, seed=2), Random())
    assert_good(again, 20)
    assert again.day > outcome.day
    findings = outcome.findings
    assert min(findings.absent, findings.returned, findings.transferred) > 0
    assert min(findings.held, findings.reviewed, findings.chosen + findings.taken_back, findings.pushed_back) > 0


async def test_a_store_that_is_killed_in_the_middle_costs_nothing(own_store: EmbeddedValkey, office: Office) -> None:
    seen = Tally()

    def watch(_: float, tally: Tally, __: int) -> None:
        nonlocal seen
        seen = tally

    outcomes: list[Outcome] = []
    async with practice(office, own_store) as hub, anyio.create_task_group() as group:

        async def day() -> None:
            outcomes.append(await drive(hub, lively(small_plan(speed=1000)), Random(), watch))

        group.start_soon(day)
        for called in (10, 30):
            await eventually(lambda called=called: seen.called >= called, 30)  # type: ignore[misc]
            own_store.kill()
            own_store.start()
    assert_good(outcomes[0])


async def test_a_day_file_begins_before_opening_and_those_who_left_do_not_come(
    valkey_server: EmbeddedValkey, office: Office
) -> None:
    def customer(arrived_at: int, service: int | None, left_at: int | None = None) -> Customer:
        return Customer(
            arrived_at=arrived_at, lane="certificates", source="kiosk", service_seconds=service, left_at=left_at
        )

    busy = [customer(7 * 3600 + n, 1800) for n in range(6)]
    early = [*busy, customer(7 * 3600 + 60, None, 7 * 3600 + 120), customer(7 * 3600 + 70, None, 9 * 3600)]
    plan = Plan(customers=early, figures=small_figures(), speed=STEADY, has_lunch=False)
    told: list[float] = []
    office = replace(office, absence=replace(office.absence, missed_minutes=DAY_MINUTES))  # else it lapses first
    async with practice(office, valkey_server) as hub:
        outcome = await drive(hub, plan, Random(), lambda now, *_: told.append(now))
    assert_good(outcome, 8)
    assert (outcome.findings.served, outcome.findings.closed_out) == (7, 1)
    assert 6.9 * 3600 <= told[0] < 7.5 * 3600


async def test_who_gives_the_number_back_is_not_called(valkey_server: EmbeddedValkey, office: Office) -> None:
    nine = 9 * 3600
    visits = [
        Customer(
            arrived_at=nine + 60 * n, lane="certificates", source="desk", service_seconds=3000, cancels_after=cancels
        )
        for n, cancels in enumerate([None] * 6 + [400])
    ]
    plan = Plan(customers=visits, figures=small_figures(), speed=STEADY, has_lunch=False)
    async with practice(office, valkey_server) as hub:
        outcome = await drive(hub, plan, Random())
    assert_good(outcome, 7)
    assert (outcome.findings.served, outcome.findings.cancelled, outcome.findings.calls) == (6, 1, 6)


async def test_who_still_waits_at_midnight_is_closed_out(valkey_server: EmbeddedValkey, office: Office) -> None:
    late = [Customer(arrived_at=22 * 3600, lane="moves", source="kiosk", service_seconds=8000) for _ in range(8)]
    plan = Plan(customers=late, figures=small_figures(), speed=STEADY, has_lunch=False)
    async with practice(office, valkey_server) as hub:
        outcome = await drive(hub, plan, Random())
    assert_good(outcome, 8)
    assert outcome.findings.closed_out == 8


async def test_who_left_a_contact_is_told_everything_that_is_owed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A whole office; half of the customers leave a contact, on the web and at a machine, of all kinds in turn."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    whole = small_plan(tickets=60, speed=300)
    kinds = cycle(("email", "line", "phone"))
    customers = [
        replace(customer, contact=next(kinds) if n % 2 else None, source="web" if n % 4 == 1 else "kiosk")
        for n, customer in enumerate(whole.customers)
    ]
    plan = replace(whole, customers=customers)
    async with start_office() as office:
        outcome = await drive(office, plan, Random())
    assert_good(outcome, screens=13)
    findings = outcome.findings
    assert (findings.contacts + findings.contacts_refused, outcome.contacts_left_out) == (30, 0)
    assert findings.notices_due == findings.notices_arrived + findings.notices_lapsed > findings.contacts
    assert findings.notices_arrived > 30


async def test_who_has_priority_takes_the_number_where_it_is_given_and_stands_by_it(
    valkey_server: EmbeddedValkey, office: Office
) -> None:
    office = replace(office, priorities=(Priority("care", "優先", 3, frozenset({"desk"})),))
    plan = small_plan(tickets=30)
    customers = [replace(customer, priority=int(n % 5 == 4)) for n, customer in enumerate(plan.customers)]
    async with practice(office, valkey_server) as hub:
        outcome = await drive(hub, replace(plan, customers=customers), Random())
        with pytest.raises(UnfitDay, match="優先の区分は 1 つ"):
            await drive(hub, replace(plan, customers=[replace(customers[0], priority=2)]), Random())
        entries = Entries.of(hub.inside, hub.credentials)
        await entries.sign_in()
        desk = hub.inside.replace("http", "ws", 1) + "/ws/desk"
        snapshot = await fresh_snapshot(desk, entries.information.headers)
    assert outcome.is_good, outcome.findings.complaints
    assert len(snapshot.by_priority) == 6


async def test_without_an_inbox_nobody_leaves_an_address_and_it_is_said(
    valkey_server: EmbeddedValkey, office: Office
) -> None:
    plan = small_plan(tickets=5)
    plan = replace(plan, customers=[replace(customer, contact="email") for customer in plan.customers])
    async with practice(office, valkey_server) as hub:
        outcome = await drive(hub, plan, Random())
        with pytest.raises(DayFailed, match="受信箱"):
            await drive(replace(hub, inbox=hub.inside), plan, Random())
    assert (outcome.is_good, outcome.contacts_left_out, outcome.findings.notices_due) == (True, 5, 0)
    assert "5 人の連絡先は登録していません" in as_text(outcome)


async def test_a_listener_that_knows_something_else_is_not_equal(valkey_server: EmbeddedValkey, office: Office) -> None:
    async with practice(office, valkey_server) as hub, anyio.create_task_group() as group:
        await drive(hub, small_plan(tickets=5), Random())
        address = hub.inside.replace("http", "ws", 1) + "/ws/board"
        listeners = [Listener(address, Random()) for _ in range(3)]
        for listener in listeners:
            group.start_soon(listener.stay)
        await eventually(lambda: all(listener.screen.position for listener in listeners))
        _, wrong, stale = listeners
        wrong.screen.office = "elsewhere"
        stale.screen.position = Position("another-epoch", 1, 0)
        ends = await compare_all(listeners, Random(), within_s=0.2)
        group.cancel_scope.cancel()
    assert [bool(end.why) for end in ends] == [False, True, True]


async def test_an_office_that_is_none_or_not_for_practice_says_so(
    valkey_server: EmbeddedValkey, office: Office
) -> None:
    async with practice(office, valkey_server, is_practice=False) as hub:
        with pytest.raises(DayFailed, match="練習用"):
            await drive(hub, small_plan(), Random())
    with pytest.raises(DayFailed, match="つながりません"):
        await drive(hub, small_plan(), Random())


async def test_a_lane_that_the_office_lacks_is_told_before_anything_starts(
    valkey_server: EmbeddedValkey, office: Office
) -> None:
    figures = read_figures()
    plan = Plan(customers=typical_day(figures, 99, Random(1)), figures=figures, speed=240, has_lunch=True)
    async with practice(office, valkey_server) as hub:
        with pytest.raises(UnfitDay, match=r"foreign.*koseki.*mynumber.*seal"):
            await drive(hub, plan, Random())


# The command line ---------------------------------------------------------------------------------------------------


async def test_staff_that_is_put_out_signs_in_again_and_nothing_is_lost(
    valkey_server: EmbeddedValkey, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entering, "HELD_S", 0.0)  # a day of minutes, in which a session ends after seconds
    seen = Tally()

    def watch(_: float, tally: Tally, __: int) -> None:
        nonlocal seen
        seen = tally

    outcomes: list[Outcome] = []
    async with practice(office, valkey_server) as hub, anyio.create_task_group() as group:

        async def day() -> None:
            outcomes.append(await drive(hub, lively(small_plan(speed=1000)), Random(), watch))

        group.start_soon(day)
        await eventually(lambda: seen.called >= 10, 30)
        with closing(Ledger(hub.ledger_url, office.key)) as ledger:
            people = People(ledger, now_ms=lambda: time.time_ns() // 1_000_000)
            ended = [people.end_sessions(person.name, Author("cli"), "ended") for person in hub.credentials.people[:2]]
    assert ended == [1, 1]
    assert_good(outcomes[0])
    assert outcomes[0].joins > outcomes[0].screens_equal
