"""The connection on which wake-ups travel. They may be lost or come twice, so here, unlike elsewhere, is asked again.

The executor (RQ) wants a blocking client and bytes. What it does on it is its own business.
"""

import redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

AWAY = (redis.ConnectionError, redis.TimeoutError, OSError)  # what a store that is away looks like on this client
FAILED = (redis.RedisError, OSError)  # and one that is there and says no, besides

CONNECT_SECONDS = 1.0
ANSWER_SECONDS = 2.0
TRIES_AGAIN = 2


def connect_for_jobs(url: str, *, answer_seconds: float = ANSWER_SECONDS) -> redis.Redis:
    """A blocking client, which connects at the first command and anew after the server came back."""
    return redis.Redis.from_url(
        url,
        socket_timeout=answer_seconds,
        socket_connect_timeout=CONNECT_SECONDS,
        retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), TRIES_AGAIN),
        retry_on_error=[redis.ConnectionError],
    )
