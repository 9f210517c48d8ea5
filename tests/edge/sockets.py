"""A hub in front of the rules of the desk, for stories about its sockets, and a client that never reads."""

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from hub.edge.sockets import Limits
from hub.fanout.crowd import Bounds
from hub.fanout.mailbox import Depth
from hub.fanout.relay import Relay
from tests.edge.hubs import Served, memory_hub, served
from tests.eventually import eventually
from tests.fanout.days import OFFICE
from tests.fanout.memory import MemoryStore


@asynccontextmanager
async def hub_of(
    store: MemoryStore,
    depth: Depth | None = None,
    limits: Limits | None = None,
    ping_s: float = 20.0,
    bounds: Bounds | None = None,
) -> AsyncIterator[tuple[Relay, Served]]:
    relay, apps = memory_hub(store, depth=depth, bounds=bounds, limits=limits)
    tail = asyncio.create_task(relay.run())
    async with served(apps, ping_s) as ports:
        await eventually(lambda: not relay.is_away)
        yield relay, ports
    tail.cancel()
    await asyncio.wait([tail])


@pytest.fixture
async def store() -> MemoryStore:
    store = MemoryStore(OFFICE)
    await store.open_day()
    return store


@pytest.fixture
async def hub(store: MemoryStore) -> AsyncIterator[Served]:
    async with hub_of(store) as (_, ports):
        yield ports


def new_id() -> str:
    return secrets.token_urlsafe(16)


async def deaf_client(hub: Served, path: str, port: int | None = None) -> socket.socket:
    """A client that says hello and then never reads, with the smallest buffer there is."""
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(deaf, ("127.0.0.1", port or hub.inside))
    head = (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port or hub.inside}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    )
    head += "".join(f"{name}: {value}\r\n" for name, value in hub.headers(path).items()) + "\r\n"
    await loop.sock_sendall(deaf, head.encode())
    return deaf
