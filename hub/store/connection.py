"""How this house talks to Redis: nothing is ever sent a second time behind our back, nobody waits for long, and whoever
is told to end does end.

redis-py repeats a command whose reply was lost (an INCR was seen to run twice) and lets a blocked read die after five
seconds. Here the library repeats nothing; `Lanes` repeats a function call itself, under the same request id. It also
bounds each write by `asyncio.wait_for`, which in Python 3.11 forgets a cancellation that comes while the write ends
(one in thirty was forgotten): a task that should end went on. Here the bounds are those of `asyncio.timeout`.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

import redis.exceptions
from redis.asyncio import BlockingConnectionPool, Connection, Redis, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

ANSWER_SECONDS = 2.0  # a healthy store answers in under 5 ms; staff should learn of a dead one before pressing again
CONNECT_SECONDS = 1.0
MOST_CONNECTIONS = 64  # a store of one thread is no faster with more; the next request waits for a free one


class _Bounded(AbstractConnection):
    """`answer_seconds` for a write, with the connection that it may need, and again for its reply."""

    def __init__(self, *, answer_seconds: float, **named: Any) -> None:
        super().__init__(**named)
        self._answer_seconds = answer_seconds

    async def send_packed_command(self, command: bytes | str | Iterable[bytes], check_health: bool = True) -> None:
        try:
            async with asyncio.timeout(self._answer_seconds):
                await super().send_packed_command(command, check_health)
        except TimeoutError:
            await self.disconnect(nowait=True)
            raise redis.exceptions.TimeoutError("not sent in time") from None

    async def read_response(
        self,
        disable_decoding: bool = False,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's own word
        **named: Any,
    ) -> Any:
        return await super().read_response(disable_decoding, timeout or self._answer_seconds, **named)


class _Tcp(_Bounded, Connection):
    pass


class _Tls(_Bounded, SSLConnection):
    pass


class _Unix(_Bounded, UnixDomainSocketConnection):
    pass


_BOUNDED: dict[Any, Any] = {Connection: _Tcp, SSLConnection: _Tls, UnixDomainSocketConnection: _Unix}


def connect(url: str, *, answer_seconds: float = ANSWER_SECONDS, one_connection: bool = False) -> Redis:
    """A client for `redis://…` or `unix://…`; texts in and out. Connects at the first command.

    `one_connection`: no pool, so a connection that broke is an error of the next command and never silently another.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=MOST_CONNECTIONS,
        timeout=answer_seconds,
        decode_responses=True,
        answer_seconds=answer_seconds,
        socket_timeout=None,
        socket_connect_timeout=CONNECT_SECONDS,
        retry=Retry(NoBackoff(), 0),
        retry_on_error=[],
        health_check_interval=0,
    )
    pool.connection_class = _BOUNDED[pool.connection_class]
    client = Redis(connection_pool=pool, single_connection_client=one_connection)
    client.auto_close_connection_pool = True  # the pool is this client's own
    return client
