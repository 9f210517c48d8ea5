"""Every story of the ledger is told on both databases."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from config.embedded import EmbeddedValkey
from hub.ledger.connection import sqlite_url
from hub.ledger.operations import Ledger
from tests.ledger.office import ArchivedOffice, archived_office
from tests.postgresql import PostgreSql


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "ledger.sqlite")
    server: PostgreSql = request.getfixturevalue("postgresql_server")
    return server.url


@pytest.fixture
def ledger(ledger_url: str, office_name: str) -> Iterator[Ledger]:
    """A ledger ready for its first entry."""
    book = Ledger(ledger_url, office_name)
    book.prepare()
    yield book
    book.close()


@pytest.fixture
async def office(
    valkey_server: EmbeddedValkey, office_name: str, ledger: Ledger, tmp_path: Path
) -> AsyncIterator[ArchivedOffice]:
    async with archived_office(valkey_server.url, office_name, ledger, tmp_path) as opened:
        yield opened
