"""What is known between agreeing to LINE on the page and sending the code in the chat. No user id ever stands here.

A code is one of 2⁴⁰, lives for ten minutes and is good for one wish: the wish is written under a request id that is
made from the code, so a second use is refused by the desk itself.
"""

from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from hub.desk.lane import Office
from hub.store.calling import US, answered
from hub.store.keys import Keys
from hub.store.sealing import Language

CODE_MS = 600_000
EVENT_S = 86_400
ANSWER_S = 60  # LINE's reply tokens are good for about as long
MOST_ANSWERS = 200  # whoever is written to by more within a minute answers no more of them


@dataclass(frozen=True, slots=True)
class Agreed:
    """Whoever shows the code has agreed to this on the page of his ticket. `purpose`: mark of the text he read."""

    day: str
    ticket: int
    ahead: int
    minutes: int
    purpose: str
    language: Language


class Links:
    """One office's codes. Everything raises StoreAway or StoreDamaged where the store fails."""

    def __init__(self, client: Redis, office: Office) -> None:
        self._client: Any = client
        self._keys = Keys(office.key)

    async def keep(self, code: str, agreed: Agreed) -> bool:
        """`code`: its SHA-256. False where there is one already, of somebody else."""
        told = (agreed.day, agreed.ticket, agreed.ahead, agreed.minutes, agreed.purpose, agreed.language)
        text = US.join(map(str, told))
        return bool(await answered(self._client.set(self._keys.link(code), text, nx=True, px=CODE_MS)))

    async def find(self, code: str) -> Agreed | None:
        """What was agreed to under this code, while it is good."""
        found: str | None = await answered(self._client.get(self._keys.link(code)))
        if found is None:
            return None
        day, ticket, ahead, minutes, purpose, language = found.split(US)
        return Agreed(day, int(ticket), int(ahead), int(minutes), purpose, Language(language))

    async def drop(self, code: str) -> None:
        """It was used."""
        await answered(self._client.unlink(self._keys.link(code)))

    async def has_heard(self, event: str) -> bool:
        return bool(await answered(self._client.exists(self._keys.line_event(event))))

    async def hear(self, event: str) -> None:
        """All that this event asks for is done: told again, it is nothing new."""
        await answered(self._client.set(self._keys.line_event(event), "1", ex=EVENT_S))

    async def leave(self, owner: str, at: int) -> None:
        """Whoever is known by this keyed digest has blocked the account then (ms, LINE's clock). What he wrote before
        may come later, with a code that is good as long as this is known.
        """
        pipe = self._client.pipeline(transaction=True)
        pipe.zadd(self._keys.line_left(), {owner: at}, gt=True)
        pipe.zremrangebyscore(self._keys.line_left(), "-inf", at - CODE_MS)
        pipe.pexpire(self._keys.line_left(), CODE_MS)
        await answered(pipe.execute())

    async def left_at(self, owner: str) -> int | None:
        """When he last blocked the account; None: not within the life of a code."""
        found: float | None = await answered(self._client.zscore(self._keys.line_left(), owner))
        return int(found) if found is not None else None

    async def want_answer(self, reply_token: str) -> None:
        """Somebody wrote. Who, and what, stands nowhere."""
        pipe = self._client.pipeline(transaction=True)
        pipe.lpush(self._keys.line_answers(), reply_token)
        pipe.ltrim(self._keys.line_answers(), 0, MOST_ANSWERS - 1)
        pipe.expire(self._keys.line_answers(), ANSWER_S)
        await answered(pipe.execute())

    async def take_answers(self) -> list[str]:
        """Reply tokens, each given once; a worker that is killed now leaves somebody without an answer."""
        found: list[str] | None = await answered(self._client.rpop(self._keys.line_answers(), MOST_ANSWERS))
        return found or []
