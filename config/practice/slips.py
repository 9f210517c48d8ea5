"""Residents who act for their own number: some let others go first, some lose their slip and get a new one.

They do it by the number's secret, as a telephone that has read the QR. What a lost slip still opens is a complaint.
"""

from config.practice.asking import Asker, new_id
from config.practice.browser import Browser, Unanswered
from config.practice.contacts import new_secret
from config.practice.floor import Floor, Visit
from hub.forecast.day import Chance, Moves
from hub.wire.codes import digest_of
from hub.wire.messages import AnswerBody, RefusalBody, Reissue
from hub.wire.tickets import Told

# Called, held, gone or last of all by now; or the office does not offer it.
EXPECTED = frozenset({"WrongMove", "NobodyBehind", "PushedEnough", "TooManyPlaces", "SlipEnded"})
ASKS_WITHIN_S = 30.0


class Slips:
    """`staff` makes new slips."""

    def __init__(self, browser: Browser, staff: Asker, floor: Floor, moves: Moves, chance: Chance) -> None:
        self._browser, self._staff, self._floor = browser, staff, floor
        self._moves, self._chance = moves, chance

    @property
    def repeats(self) -> int:
        return self._browser.repeats

    def wants(self) -> bool:
        """Whether the next customer will act for his number."""
        share = self._moves.pushed_back + self._moves.reissued
        return share > 0 and self._chance.random() < share

    async def act(self, visit: Visit, secret: str) -> None:
        """Some minutes later."""
        await self._floor.clock.sleep(self._moves.act_within_minutes * 60 * self._chance.random())
        if visit.arrival is None or visit.end is not None:
            return
        if self._chance.random() * (self._moves.pushed_back + self._moves.reissued) < self._moves.reissued:
            secret = await self._reissue(visit, visit.arrival, secret)
        body = {"id": new_id(), "secret": secret, "places": 1 + int(self._chance.random() * 3)}
        self._judge(visit, await self._post("/t/later", body))

    async def _reissue(self, visit: Visit, arrival: int, old: str) -> str:
        new = new_secret()
        answer = await self._staff.ask(Reissue(id=new_id(), ticket=arrival, secret=digest_of(new)))
        self._judge(visit, answer)
        if not isinstance(answer, AnswerBody):
            return old
        opened = await self._post("/t/find", {"secret": old})
        if not isinstance(opened, RefusalBody) or opened.code != "NotYours":
            self._floor.complaints.append(f"{visit.number} の古い番号札がまだ使えます")
        return new

    async def _post(self, path: str, body: dict[str, object]) -> Told | RefusalBody | None:
        try:
            return await self._browser.ask(path, body, Told, ASKS_WITHIN_S)
        except Unanswered:
            return None  # the hub was away for long: whoever waits does not try for ever

    def _judge(self, visit: Visit, answer: Told | AnswerBody | RefusalBody | None) -> None:
        if isinstance(answer, RefusalBody) and answer.code not in EXPECTED:
            self._floor.complaints.append(f"{visit.number} の申し出が断られました: {answer.code}")
