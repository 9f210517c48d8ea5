"""Whoever writes to the ward's account in LINE is answered, always the same. Who it was nobody here knows."""

from typing import Protocol, runtime_checkable

from hub.desk.refusals import TryAgain
from workers.wording import ANSWER


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
    try:
        for reply_token in await written.take_answers():
            await carrier.answer(reply_token, ANSWER)
    except TryAgain:
        return
