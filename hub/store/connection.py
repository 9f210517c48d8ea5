"""How this house talks to Redis: nothing is ever sent a second time behind our back, and nobody waits for long.

redis-py repeats a command whose reply was lost (an INCR was seen to run twice) and lets a blocked read die after five
seconds. Here the library repeats nothing; `Lanes` repeats a function call itself, under the same request id.
"""

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

ANSWER_SECONDS = 2.0  # a healthy store answers in under 5 ms; staff should learn of a dead one before pressing again
CONNECT_SECONDS = 1.0
MOST_CONNECTIONS = 64  # a store of one thread is no faster with more; the next request waits for a free one


def connect(url: str, *, answer_seconds: float = ANSWER_SECONDS, one_connection: bool = False) -> Redis:
    """A client for `redis://…` or `unix://…`; texts in and out. Connects at the first command.

    `one_connection`: no pool, so a connection that broke is an error of the next command and never silently another.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=MOST_CONNECTIONS,
        timeout=answer_seconds,
        decode_responses=True,
        socket_timeout=answer_seconds,
        socket_connect_timeout=CONNECT_SECONDS,
        retry=Retry(NoBackoff(), 0),
        retry_on_error=[],
        health_check_interval=0,
    )
    client = Redis(connection_pool=pool, single_connection_client=one_connection)
    client.auto_close_connection_pool = True  # the pool is this client's own
    return client
