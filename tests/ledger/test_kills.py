"""An archiver that is killed at any moment, again and again, keeps each fact once and in order."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from config import processes
from config.embedded import EmbeddedValkey
from hub.desk.requests import Issue
from hub.ledger.operations import Ledger
from hub.ledger.verifying import verify
from tests.eventually import eventually
from tests.ledger.office import ArchivedOffice, archived_office, later
from tests.model.desks import CERTIFICATES

KILLS = 100  # on each of the two databases
DAYS = 4  # a new day after each 25 kills: signing and deleting are killed as well
MOST_STEPS = 12  # of an archiver's life: two turns
MOST_FACTS = 16  # while it lives
SEED = 7


class Archivers:
    """One at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.pid = 0

    async def start(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(b"go\n")
        self.pid = int(await self._said())

    async def steps(self, count: int) -> None:
        for _ in range(count):
            assert await self._said() == "step"

    async def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        while (said := await self._said()) == "step":
            pass
        assert said == "gone"

    async def _said(self) -> str:
        assert self._process.stdout is not None
        return (await self._process.stdout.readline()).decode().strip()


@pytest.fixture
async def archivers(
    valkey_server: EmbeddedValkey, office_name: str, ledger_url: str, tmp_path: Path
) -> AsyncIterator[Archivers]:
    words = [valkey_server.url, office_name, ledger_url, str(tmp_path)]
    with (tmp_path / "archiver.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *[sys.executable, "-m", "tests.ledger.archiving", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=os.environ | {"PYTHONPATH": ":".join(path or "." for path in sys.path)},
            process_group=0,
            preexec_fn=processes.tie_to_parent(os.getpid()) if processes.DIES_WITH_PARENT else None,
        )
    try:
        yield Archivers(process)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


@pytest.mark.timeout(600)  # many small steps: a busy machine takes its time
async def test_each_fact_once_and_in_order_although_the_archiver_is_killed_again_and_again(
    valkey_server: EmbeddedValkey, office_name: str, ledger: Ledger, archivers: Archivers, tmp_path: Path
) -> None:
    chance = random.Random(SEED)
    told: dict[str, list[tuple[str, dict[str, str]]]] = {}
    behind = ahead = 0
    async with archived_office(valkey_server.url, office_name, ledger, tmp_path) as office:

        async def give_numbers(day: str, count: int) -> None:
            for _ in range(count):
                await office.desk.ask(Issue(CERTIFICATES, "kiosk"), day=day)

        for n in range(DAYS):
            day = later(n)
            for _ in range(KILLS // DAYS):
                before = ledger.end()
                await archivers.start()
                meanwhile = asyncio.create_task(give_numbers(day, chance.randrange(MOST_FACTS)))
                await archivers.steps(chance.randrange(MOST_STEPS))
                await give_numbers(day, chance.randrange(4))  # a fraction of a step later
                await archivers.kill()
                await meanwhile
                ahead += ledger.end() != before
                behind += office.archived_to(day) != (await office.stream(day))[-1][0]
            await office.desk.open_day(later(n + 1))  # no archiver is there: nothing goes before it was read here
            told[day] = await office.stream(day)
        await archivers.start()
        await eventually(lambda: is_only_in_the_ledger(office, list(told)), 60.0)
        await archivers.kill()
        assert all(office.holds(facts, day) for day, facts in told.items())
        assert [gap for day in told for gap in office.gaps(day)] == []
    assert verify(ledger, [head[:3] for head in ledger.heads()]).is_whole
    assert len(ledger.heads()) == DAYS
    # The kills came at all moments: after something was written, and while there was more to do.
    assert ahead > KILLS / 4, ahead
    assert behind > KILLS / 4, behind


async def is_only_in_the_ledger(office: ArchivedOffice, days: list[str]) -> bool:
    return not [day for day in days if await office.stream(day)]
