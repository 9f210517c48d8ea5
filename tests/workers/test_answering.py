"""Answers in the chat: everybody who wrote is answered, and a LINE that hangs keeps no call waiting."""

import asyncio

from config.loopback import HOST, place_at
from config.practice.line_stand_in import LineStandIn
from tests.workers.stand_ins import serving
from workers.answering import AT_ONCE, answer_all
from workers.carriers.line import LineCarrier
from workers.carriers.server import LineServer
from workers.wording import ANSWER

TOKEN, SECRET = "token-of-a-channel", "secret-of-a-channel"
USER = "U" + "7" * 32


class Wrote:
    """So many have written by now."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens

    async def take_answers(self) -> list[str]:
        taken, self.tokens = self.tokens, []
        return taken


async def test_everybody_who_wrote_is_answered_once() -> None:
    stand_in = LineStandIn(TOKEN, SECRET)
    text = {"id": "1", "type": "text", "text": "?"}
    events = [stand_in.event(USER, "message", message=dict(text)) for _ in range(3 * AT_ONCE)]
    async with serving(stand_in.routes()) as url:
        carrier = LineCarrier(LineServer(url, TOKEN), "ward")
        await answer_all(Wrote([event["replyToken"] for event in events]), carrier)
        await carrier.close()
    assert [spoken.text for spoken in stand_in.said if spoken.is_ours] == [ANSWER] * len(events)


async def test_who_wrote_to_a_line_that_hangs_keeps_nobody_waiting() -> None:
    with place_at(0) as silent:
        silent.listen()
        carrier = LineCarrier(LineServer(f"http://{HOST}:{silent.getsockname()[1]}", TOKEN), "ward", timeout_s=600.0)
        async with asyncio.timeout(120.0):
            await answer_all(Wrote(["a", "b", "c"]), carrier)
        await carrier.close()
