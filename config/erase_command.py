"""What `junban erase --now` does: it asks the keeper through the ledger, waits, and says what was done and verified.

It needs the ledger alone: the store of an office of one machine lets in nobody but the office's own processes.
"""

import json
import time

from config.commands.asking import Say
from config.ledger import LedgerSettings
from config.now import now_ms
from hub.desk.lane import Office
from hub.desk.notices import Ending
from hub.ledger.asked import Answer, Asks
from hub.ledger.erasures import Erasures, Handled
from hub.ledger.journal import Author
from hub.ledger.operations import Ledger
from web.paper_words import CARRIERS
from web.times import moment
from workers.asked import ANSWERED_WITHIN_MS

ANSWERED_WITHIN_S = ANSWERED_WITHIN_MS / 1000 + 5.0  # nobody does it later: what is said then stays true
VERIFIED_WITHIN_S = 120.0  # the store's files are written anew, and every file is read
PAUSE_S = 0.2


class NotErased(Exception):
    """One sentence: there was none, nobody did it, it is not verified yet, or something is left, and where."""


class EraseCommand:
    """One office's. Raises LedgerUnusable, NotErased."""

    def __init__(self, settings: LedgerSettings, office: Office, say: Say, by: Author) -> None:
        self._settings, self._office, self._say, self._by = settings, office, say, by

    def run(self, number: str, *, as_json: bool = False) -> None:
        ledger = self._settings.open_existing(self._office.key)
        try:
            ledger.prepare()
            answer = _answered(ledger, number, self._by)
            if not answer.contacts:
                raise NotErased(
                    f"{number} の連絡先はありません。今日の番号か確かめてください（消去したものは監査の画面に出ます）。"
                )
            erased = _verified(ledger, number, answer)
            if as_json:
                self._say(json.dumps({"ok": True, "number": number, "erased": [_figures(one) for one in erased]}))
                return
            for one in erased:
                self._say(_sentence(one))
        finally:
            ledger.close()


def _answered(ledger: Ledger, number: str, by: Author) -> Answer:
    asks = Asks(ledger)
    request = asks.ask(number, by, now_ms())
    until = time.monotonic() + ANSWERED_WITHIN_S
    while time.monotonic() < until:
        if (answer := asks.answer_to(request)) is not None:
            return answer
        time.sleep(PAUSE_S)
    raise NotErased(
        f"常駐処理（junban keeper）が応答しません。{number} の連絡先は消去していません。"
        "常駐処理を動かして、もう一度実行してください。"
    )


def _verified(ledger: Ledger, number: str, answer: Answer) -> list[Handled]:
    """What was erased by this request, once no file has a trace of it."""
    until = time.monotonic() + VERIFIED_WITHIN_S
    while time.monotonic() < until:
        of_day = Erasures(ledger).handled(answer.day, answer.day)
        mine = [one for one in of_day if one.number == number and one.ending == Ending.OFFICE]
        if len(mine) >= answer.contacts and all(one.verified_ms is not None for one in mine):
            return mine[-answer.contacts :]
        time.sleep(PAUSE_S)
    raise NotErased(
        f"{number} の連絡先 {answer.contacts} 件を消去しました。ファイルに残っていないことはまだ確かめられていません。"
        "junban doctor と監査の画面で確かめてください。"
    )


def _figures(one: Handled) -> dict[str, int | str | None]:
    """Moments in real ms."""
    told = {"subscription": one.subscription, "carrier": one.carrier}
    return {**told, "erased_at": one.erased_ms, "verified_at": one.verified_ms}


def _sentence(one: Handled) -> str:
    erased, verified = moment(one.erased_ms or 0).seconds, moment(one.verified_ms or 0).seconds
    carrier = CARRIERS.get(one.carrier, one.carrier)
    return (
        f"{one.number} の{carrier}を {erased} に消去し、"
        f"ファイルに残っていないことを {verified} に確かめました（登録 {one.subscription}）。"
    )
