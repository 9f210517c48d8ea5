"""What the machine asks about telephone numbers. They stand in memory alone, no longer than their screen does.

Nothing is asked again after a while, and nothing is kept for a power cut: whoever dialled stands there and dials again.
"""

import asyncio
import secrets

from hub.wire.messages import AnswerBody, AskPurpose, NotifyDialled, OfTelephone, PurposeText, ReadBack, RefusalBody
from kiosk_client.link import Link

ANSWERED_WITHIN_S = 15.0
AHEAD = 3  # people, as the resident's own page proposes
NO_ANSWER = RefusalBody(
    "StoreAway", "ただいま通信が途切れています。少し待ってから、もう一度お試しください。", again=True, details={}
)


class Telephone:
    def __init__(self, link: Link) -> None:
        self._link = link

    async def purpose(self) -> PurposeText | None:
        """What numbers are kept for; None where no number can be left."""
        body = await self._ask(AskPurpose(id=_id()))
        told = body.purpose if isinstance(body, AnswerBody) else None
        return told if isinstance(told, PurposeText) else None

    async def read_back(self, telephone: str) -> AnswerBody | RefusalBody:
        return await self._ask(ReadBack(id=_id(), telephone=telephone))

    async def leave(
        self, secret: str, telephone: str, *, by: str, language: str, purpose: PurposeText
    ) -> AnswerBody | RefusalBody:
        """`secret`: of the slip. `by`: `sms` or `voice`."""
        request = NotifyDialled(
            id=_id(),
            secret=secret,
            telephone=telephone,
            by="voice" if by == "voice" else "sms",
            language="en" if language == "en" else "ja",
            ahead=AHEAD,
            purpose=purpose.mark,
        )
        return await self._ask(request)

    async def _ask(self, request: OfTelephone) -> AnswerBody | RefusalBody:
        try:
            async with asyncio.timeout(ANSWERED_WITHIN_S):
                return await self._link.ask(request)
        except TimeoutError:
            return NO_ANSWER


def _id() -> str:
    return secrets.token_urlsafe(16)
