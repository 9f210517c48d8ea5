"""Whole days on a real store and a real hub, driven from outside."""

import json
import re
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from random import Random

import anyio
import msgspec
import pytest

from config.asgi import hub_running
from config.embedded import EmbeddedValkey
from config.office_folder import PRACTICE_MARK
from config.office_process import start_office
from config.practice import command, entering
from config.practice.credentials import Credentials, PracticePass
from config.practice.driver import DayFailed, Entries, Outcome, Plan, UnfitDay, drive
from config.practice.figures import read_figures
from config.practice.floor import Tally
from config.practice.listeners import Listener, compare_all
from config.practice.report import ProgressBar, as_fields, as_json, as_text
from config.practice.sockets import fresh_snapshot
from config.serving import listen, serving
from hub.desk.hours import DAY_MINUTES
from hub.desk.lane import Absence, Counter, Lane, Office, Priority, PushBacks, Reason
from hub.forecast.day import Customer, Figures, Moves, typical_day
from hub.ledger.connection import sqlite_url
from hub.ledger.journal import Author
from hub.ledger.operations import Ledger
from hub.ledger.people import People
from hub.wire.position import Position
from tests.eventually import eventually

SPEED = 2000.0
STEADY = 500.0  # where it counts who comes first: a machine that stands still for a second costs eight minutes


@dataclass(frozen=True)
class At:
    """A practice office, as `drive` wants to know it."""

    inside: str
    inbox: str
    credentials: Credentials
    ledger_url: str


def small_figures() -> Figures:
    """Two lanes, everybody within one hour, and more of everything that is rare."""
    whole = read_figures()
    return msgspec.structs.replace(
        whole,
        hours={10: 1.0},
        lanes={
            key: msgspec.structs.replace(whole.lanes[key], share=0.5, service_minutes=4.0, counters_normal=3)
            for key in ("certificates", "moves")
        },
        absence=msgspec.structs.replace(whole.absence, base=0.2, most=0.3),
        transfer_share=0.1,
        cancel_share=0.1,
        moves=Moves(),
    )


def small_plan(tickets: int = 60, speed: float = SPEED, seed: int = 1) -> Plan:
    figures = small_figures()
    customers = typical_day(figures, tickets, Random(seed))
    return Plan(customers=customers, figures=figures, speed=speed, has_lunch=True)


@pytest.fixture
def office(office_name: str) -> Office:
    return Office(
        key=office_name,
        name="練習",
        lanes=(
            Lane("certificates", "証明", "A", 101, 399, delivery="delivery"),
            Lane("moves", "異動", "B", 401, 699),
            Lane("delivery", "交付", "Z", 1, 1, gives_numbers=False),
        ),
        counters=(
            *(Counter(str(n), f"{n}番", ("certificates",)) for n in (1, 2, 3)),
            *(Counter(str(n), f"{n}番", ("moves", "certificates")) for n in (4, 5, 6)),
            Counter("7", "7番", ("delivery",)),
        ),
        reasons=(Reason("health", "体調"),),
        absence=Absence(after_calls=2, after_seconds=20, missed_minutes=10),
        push_backs=PushBacks(times=2, places=5),
    )


@asynccontextmanager
async def practice(office: Office, store: EmbeddedValkey, *, is_practice: bool = True) -> AsyncIterator[At]:
    with tempfile.TemporaryDirectory() as folder, listen("127.0.0.1", 0) as public, listen("127.0.0.1", 0) as inside:
        ledger_url = sqlite_url(Path(folder) / "ledger.sqlite")
        credentials = made_in(Path(folder), ledger_url, office)
        async with (
            hub_running(office, redis_url=store.url, ledger_url=ledger_url, practice=is_practice) as apps,
            serving(apps, public, inside),
        ):
            yield At(f"http://127.0.0.1:{inside.getsockname()[1]}", "", credentials, ledger_url)


def made_in(folder: Path, ledger_url: str, office: Office) -> Credentials:
    (folder / PRACTICE_MARK).touch()
    with closing(Ledger(ledger_url, office.key)) as ledger:
        return PracticePass(folder, ledger).make()


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
        outcome = await drive(hub, lively(small_plan(speed=STEADY)), Random())  # who is missed has a second to return
        assert_good(outcome)
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


def simulate(*words: str) -> int:
    parser = ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(words))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "どちらか一つ"),
        (["day.csv", "--seed", "1"], "どちらか一つ"),
        (["day.csv", "--tickets", "5"], "--tickets"),
        (["--seed", "1", "--tickets", "0"], "--tickets"),
        (["--seed", "1", "--speed", "0"], "--speed"),
        (["--seed", "1", "--speed", "nan"], "--speed"),
        (["--seed", "1"], "--hub"),
        (["--seed", "1", "--hub", "ftp://x"], "http://"),
        (["--seed", "1", "--figures", "none.toml", "--hub", "http://x"], "none.toml"),
        (["none.csv", "--hub", "http://x"], "none.csv を読めません（No such file or directory）。"),
        (["--seed", "1", "--inbox", "http://x"], "--inbox"),
        (["--seed", "1", "--hub", "http://x"], "DIR/credentials.json"),
        (["--seed", "1", "--credentials", "x.json"], "--hub"),
        (["--seed", "1", "--hub", "http://x", "--credentials", "none.json"], "DIR/credentials.json"),
        (["--seed", "1", "--hub", "http://x", "--inbox", "ftp://x"], "--inbox"),
    ],
)
def test_wrong_use_is_one_sentence_and_2(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate(*words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.startswith("junban: ")
    assert err.count("\n") == 1


def test_a_faulty_day_file_names_every_fault_and_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "day.csv"
    file.write_text("arrived_at,lane,source,service_seconds\nx,moves,kiosk,1\n9:00:00,moves,pigeon,y\n", "utf-8")
    assert simulate(str(file), "--hub", "http://x") == 2
    err = capsys.readouterr().err
    assert all(word in err for word in ("2 行目", "3 行目", "pigeon", "「y」"))


def test_a_day_file_in_other_letters_is_one_sentence_and_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "day.csv"
    file.write_bytes("arrived_at,lane,source,service_seconds\n9:00:00,証明,kiosk,1\n".encode("shift_jis"))
    assert simulate(str(file), "--hub", "http://x") == 2
    assert "UTF-8 の CSV で保存し直してください。" in capsys.readouterr().err


def test_a_hub_that_is_not_there_is_one_sentence_and_1(
    tmp_path: Path, office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    made_in(tmp_path, sqlite_url(tmp_path / "ledger.sqlite"), office)
    file = str(tmp_path / "credentials.json")
    assert simulate("--seed", "1", "--hub", "http://127.0.0.1:1", "--credentials", file) == 1
    err = capsys.readouterr().err
    assert "つながりません" in err
    assert err.count("\n") == 1


async def test_who_cannot_sign_in_or_show_a_token_is_told_in_one_sentence(
    valkey_server: EmbeddedValkey, office: Office
) -> None:
    async with practice(office, valkey_server) as hub:
        made = hub.credentials
        strangers = [msgspec.structs.replace(person, password="correct-horse-battery") for person in made.people]
        with pytest.raises(DayFailed, match=r"renshu-\w+ でサインインできません（\d+）.*credentials.json"):
            await drive(replace(hub, credentials=Credentials(strangers, made.devices)), small_plan(), Random())
        screens = [msgspec.structs.replace(device, token="A" * 43) for device in made.devices]
        with pytest.raises(DayFailed, match=r"登録されていません.*credentials\.json"):
            await drive(replace(hub, credentials=Credentials(made.people, screens)), small_plan(), Random())
        with pytest.raises(DayFailed, match="足りません"):
            await drive(replace(hub, credentials=Credentials(made.people)), small_plan(), Random())


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


async def test_the_last_line_of_a_report_is_one_object(valkey_server: EmbeddedValkey, office: Office) -> None:
    async with practice(office, valkey_server) as hub:
        outcome = await drive(hub, small_plan(tickets=5), Random())
    assert json.loads(as_json(outcome))["tickets"] == 5
    assert re.search(r"発券: 5\n", as_text(outcome))


class Paper:
    """Somewhere to write that is a terminal or not."""

    def __init__(self, *, is_terminal: bool) -> None:
        self.text = ""
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass


def test_a_terminal_gets_a_bar_and_a_log_gets_lines_now_and_then() -> None:
    for is_terminal in (True, False):
        paper, now = Paper(is_terminal=is_terminal), iter([0.0, 1.0, 2.0, 30.0, 31.0])
        bar = ProgressBar(paper, lambda now=now: next(now))  # type: ignore[misc]
        for issued in range(4):
            bar(36000 + issued, Tally(issued=issued), 4)
        bar.end()
        assert paper.text.startswith("\r" if is_terminal else "10:00  発券 0/4")
        assert paper.text.count("\n") == (1 if is_terminal else 2)
