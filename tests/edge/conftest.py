"""Both engines that a hub can run its websockets on: what is told of sockets is told once and holds on either."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from config.serving import ENGINES, Engine
from tests.edge.hubs import CHOSEN

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """uvloop swallows what a signal raises: a story that hangs ends the run from another thread instead."""
    for item in items:
        if HERE in item.path.parents and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(300, method="thread"))


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """The loop of a hub in earnest; everywhere else the tests run on asyncio's own."""
    return "asyncio", {"use_uvloop": True}


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """For stories about sockets: `pytest.mark.usefixtures("engine")`."""
    before, CHOSEN.engine = CHOSEN.engine, ENGINES[request.param]
    yield CHOSEN.engine
    CHOSEN.engine = before
