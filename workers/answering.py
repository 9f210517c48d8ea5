"""Whoever writes to the ward's account in LINE is answered, always the same. Who it was nobody here knows.

An answer is a courtesy, and calls wait while it is given: what LINE does not take in time is not said.
"""

import asyncio
import contextlib
from typing import Protocol, runtime_checkable

from hub.desk.refusals import TryAgain
from workers.wording import ANSWER

WITHIN_S = 2.0  # all of them: as long as a call that falls due meanwhile may wait
AT_ONCE = 10  # two hundred are answered within a second where each takes fifty milliseconds


class Written(Protocol):
    """The store's reply tokens. Raises a Refusal."""

    async def take_answers(self) -> list[str]: ...


@runtime_checkable
class Answers(Protocol):
    """A carrier by which one can answer."""

    async def answer(self, reply_token: str, text: str) -> None:
        """Raises nothing but what cancels it."""


async def answer_all(written: Written, carrier: Answers) -> None:
    """Everybody who has written since the last time; a store that is away is asked at the next wake-up."""
    with contextlib.suppress(TryAgain, TimeoutError):
        waiting = iter(await written.take_answers())

        async def one_after_the_other() -> None:
            for reply_token in waiting:
                await carrier.answer(reply_token, ANSWER)

        async with asyncio.timeout(WITHIN_S):
            await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))
