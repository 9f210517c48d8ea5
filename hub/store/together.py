"""What many ask of the store at the same time goes there in one write and comes back in one read.

Each of them is answered by itself, and each may fail by itself; only a connection that breaks is everybody's: whoever
asks again after that asks `alone`, so that nobody loses his answer twice for the sake of others. A store that writes
its file at each turn (`appendfsync always`) writes once for all of them.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any

from redis.asyncio import Redis

UNDER_WAY = 2  # batches: while the store has one, the answers to the other are read. More is the same in smaller pieces
MOST = 128  # commands of one batch, some 30 ms of the store's: within a hub's patience many times over


class Together:
    """The way of one client's commands. Nothing is sent twice, and nothing waits for more to come."""

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._waiting: list[tuple[Sequence[Any], asyncio.Future[Any]]] = []
        self._batches: set[asyncio.Task[None]] = set()
        self._is_begun = False  # a batch that has not been gathered yet

    def ask(self, *command: Any) -> "asyncio.Future[Any]":
        """The reply to one command, or what the client library raises. It is sent also if nobody awaits it any more."""
        answer = asyncio.get_running_loop().create_future()
        self._waiting.append((command, answer))
        self._begin()
        return answer

    def alone(self, *command: Any) -> Awaitable[Any]:
        """The same on a connection of its own."""
        client: Any = self._client  # redis-py leaves it untyped
        asked: Awaitable[Any] = client.execute_command(*command)
        return asked

    def _begin(self) -> None:
        if self._is_begun or len(self._batches) == UNDER_WAY:
            return
        self._is_begun = True
        batch = asyncio.get_running_loop().create_task(self._carry_out())
        self._batches.add(batch)
        batch.add_done_callback(self._ended)

    def _ended(self, batch: "asyncio.Task[None]") -> None:
        self._batches.discard(batch)
        if self._waiting and not batch.cancelled():
            self._begin()

    async def _carry_out(self) -> None:
        """By now everybody has asked who asks in this turn of the loop."""
        batch, self._waiting, self._is_begun = self._waiting[:MOST], self._waiting[MOST:], False
        pipe: Any = self._client.pipeline(transaction=False)  # redis-py leaves it untyped
        for command, _ in batch:
            pipe.execute_command(*command)
        try:
            replies = await pipe.execute(raise_on_error=False)
        except Exception as error:
            replies = [error] * len(batch)
        except BaseException:
            for _, answer in batch:
                answer.cancel()
            raise
        for (_, answer), reply in zip(batch, replies, strict=True):
            if answer.done():
                continue  # whoever asked has gone
            if isinstance(reply, Exception):
                answer.set_exception(reply)
            else:
                answer.set_result(reply)
