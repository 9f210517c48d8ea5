"""A practice office on a real store and a real hub, and a small day for it."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from random import Random

import msgspec
import pytest

from config.asgi import hub_running
from config.embedded import EmbeddedValkey
from config.office_folder import PRACTICE_MARK
from config.practice.credentials import Credentials, PracticePass
from config.practice.driver import Plan
from config.practice.figures import read_figures
from config.serving import listen, serving
from hub.desk.lane import Absence, Counter, Lane, Office, PushBacks, Reason
from hub.forecast.day import Figures, Moves, typical_day
from hub.ledger.connection import sqlite_url
from hub.ledger.operations import Ledger

SPEED = 2000.0


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
