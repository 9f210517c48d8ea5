"""Both engines that a hub can run its websockets on: what is told of sockets is told once and holds on either."""

from collections.abc import Iterator

import pytest

from config.asgi import Engine
from hub.edge.connections import SocketConnection
from hub.edge.websocket.connection import WebsocketConnection
from tests.edge.hubs import CHOSEN

ENGINES: dict[str, Engine] = {"own": WebsocketConnection, "wsproto": SocketConnection}


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """For stories about sockets: `pytest.mark.usefixtures("engine")`."""
    before, CHOSEN.engine = CHOSEN.engine, ENGINES[request.param]
    yield CHOSEN.engine
    CHOSEN.engine = before
