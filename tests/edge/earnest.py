"""A hub as it runs in earnest, on a real store, and a store of a story's own that may be killed."""

import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from config.asgi import Tuning, hub_running
from config.embedded import EmbeddedValkey
from hub.desk.lane import Office
from tests.doors import Doors, shared_ledger
from tests.edge.hubs import Served, served
from tests.eventually import eventually
from tests.fanout.days import OFFICE


@pytest.fixture
def office(office_name: str) -> Office:
    return replace(OFFICE, key=office_name)


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    """A store of this test alone: it is killed."""
    with EmbeddedValkey(tmp_path) as own:
        yield own


@asynccontextmanager
async def hub_of(
    office: Office,
    url: str,
    *,
    practice: bool = False,
    tuning: Tuning | None = None,
    doors: Doors | None = None,
) -> AsyncIterator[Served]:
    """`doors`: of another hub of this office; the same people and devices come in here."""
    running = hub_running(office, redis_url=url, ledger_url=shared_ledger(), practice=practice, tuning=tuning)
    with ExitStack() as opened:
        doors = doors or opened.enter_context(closing(Doors(office.key)))
        async with running as apps, served(apps, doors=doors) as hub:
            yield hub


async def is_ready(hub: Served, status: int = 200) -> None:
    async with httpx2.AsyncClient(trust_env=False) as client:

        async def asked() -> bool:
            return (await client.get(hub.page("/ready"))).status_code == status

        await eventually(asked)


def new_id() -> str:
    return secrets.token_urlsafe(16)
