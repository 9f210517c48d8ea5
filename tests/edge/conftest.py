"""Both engines that a hub can run its websockets on: what is told of sockets is told once and holds on either."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from config.serving import ENGINES, Engine
from tests.edge.hubs import CHOSEN

SOCKETS = ("test_sockets.py", "test_floods.py", "test_timers.py", "test_doorstep.py", "websocket")
ON_UVLOOP = [Path(__file__).parent / name for name in SOCKETS]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """uvloop swallows what a signal raises, and does not survive a warning that is an error where it cleans up."""
    for item in items:
        if any(item.path.is_relative_to(place) for place in ON_UVLOOP):
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed resource <:ResourceWarning"))
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(300, method="thread"))


@pytest.fixture(scope="module")
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    """The loop of a hub in earnest where it is about sockets; everywhere else asyncio's own."""
    return "asyncio", {"use_uvloop": any(request.path.is_relative_to(place) for place in ON_UVLOOP)}


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """For stories about sockets: `pytest.mark.usefixtures("engine")`."""
    before, CHOSEN.engine = CHOSEN.engine, ENGINES[request.param]
    yield CHOSEN.engine
    CHOSEN.engine = before
