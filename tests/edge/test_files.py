"""How many files a hub may have open, and who may have them."""

import asyncio
import errno
import resource
import sys

import pytest
import structlog

from config.serving import listen as place
from config.serving import open_files, public_connections, public_listeners, raise_open_files, serving
from tests.edge.hubs import memory_hub
from tests.fanout.days import OFFICE
from tests.fanout.memory import MemoryStore

pytestmark = pytest.mark.anyio


def test_a_hub_takes_all_the_files_that_it_may_have() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before[1] // 2, before[1]))
        raise_open_files()
        assert open_files() == before[1]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize(
    ("files", "connections", "listeners"),
    [(256, 64, 56), (1024, 640, 560), (20_000, 19_616, 17_164), (sys.maxsize, sys.maxsize - 384, 20_000)],
)
def test_the_public_side_leaves_some_to_the_inside_and_the_store(files: int, connections: int, listeners: int) -> None:
    assert public_connections(files) == connections
    assert public_listeners(files) == listeners


async def test_what_cannot_be_accepted_is_told_once() -> None:
    """As asyncio tells it, once a connection."""
    _, apps = memory_hub(MemoryStore(OFFICE))
    with place("127.0.0.1", 0) as public, place("127.0.0.1", 0) as inside:
        async with serving(apps, public, inside):
            failure = OSError(errno.EMFILE, "Too many open files")
            with structlog.testing.capture_logs() as told:
                for _ in range(1000):
                    asyncio.get_running_loop().call_exception_handler(
                        {"message": "socket.accept() out of system resource", "exception": failure}
                    )
    assert [line["event"] for line in told] == ["connections not accepted"]
