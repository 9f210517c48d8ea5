"""How a function of ours is called in the store, and what its reply means as an answer or a refusal.

A call whose reply was lost is made once more: every function that writes either knows the request by its id, or does
the same again when it is asked again.
"""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeAlias

import redis.exceptions

from hub.desk.refusals import Refusal, StoreAway, StoreDamaged, every_refusal

Ask: TypeAlias = Callable[..., Awaitable[Any]]

TRIES = 2

US = "\x1f"  # joins what contains no control characters, as in prelude.lua

# A replica after a failover, a full memory or disk, a running script: it may be well again in a moment.
PASSING = (redis.exceptions.ReadOnlyError, redis.exceptions.OutOfMemoryError)
PASSING_WORDS = ("READONLY", "OOM", "MISCONF", "BUSY ", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN")

_REFUSALS = every_refusal()


class Functions:
    """The functions of the library. `ask` sends one command, `again` the same after its reply was lost."""

    def __init__(self, ask: Ask, again: Ask) -> None:
        self._ask, self._again = ask, again

    async def call(
        self, function: str, keys: list[str], words: list[str], *, writes: bool = True, tries: int = TRIES
    ) -> list[str]:
        """The raw reply. Raises StoreAway, StoreDamaged."""
        verb = "FCALL" if writes else "FCALL_RO"
        ask = self._ask
        for left in reversed(range(tries)):
            try:
                reply: list[str] = await answered(ask(verb, function, len(keys), *keys, *words))
                return reply
            except StoreAway:
                if not left:
                    raise
                ask = self._again
        raise AssertionError("tries is at least one")


async def answered(reply: Any) -> Any:
    """Await a reply; what the client library raises becomes a refusal of ours."""
    try:
        return await reply
    except (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError, OSError) as error:
        raise StoreAway from error
    except redis.exceptions.ResponseError as error:
        raise damage(error) from error


def damage(error: redis.exceptions.ResponseError) -> Refusal:
    """What an error reply means: the store cannot just now, or what it holds is not ours."""
    if isinstance(error, PASSING) or str(error).startswith(PASSING_WORDS):
        return StoreAway()
    return StoreDamaged(why=str(error).split(":", 1)[0])


def told_in(reply: list[str]) -> dict[str, str]:
    """A function's reply as its fields; a refusal is raised."""
    return dict(_pairs(reply))


def rows_in(reply: list[str], first: str) -> list[dict[str, str]]:
    """A reply that tells the same of several: a row begins with each field named `first`."""
    rows: list[dict[str, str]] = []
    for name, value in _pairs(reply):
        if name == first:
            rows.append({})
        rows[-1][name] = value
    return rows


def _pairs(reply: list[str]) -> Iterator[tuple[str, str]]:
    if reply[0] == "no":
        kind: type[Refusal] = _REFUSALS[reply[1]]
        raise kind(**dict(zip(reply[2::2], reply[3::2], strict=True)))
    return zip(reply[1::2], reply[2::2], strict=True)
