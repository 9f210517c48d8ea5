"""Everything the desk can answer "no" with: one tree, one sentence each, and whether trying again helps.

Refusal
├── TryAgain               the same request may succeed later
│   ├── StaleDay           the business day has changed since the request was made
│   ├── StoreAway          the live queue cannot be reached
│   ├── Crowded            too many asked for the same at the same moment
│   ├── TooManyTries       too many wrong codes for a number, or numbers taken on the web, within a minute
│   ├── TooManyWishes      too many addresses for a ticket within ten minutes
│   └── NoticesClosed      no contact can be taken at the moment: there is no key to seal it with
├── WorldDiffers           the request was sound, the world is otherwise: look, then decide anew
│   ├── UnknownTicket      no such ticket today
│   ├── WrongMove          the ticket's state does not allow this
│   ├── NotCurrent         the counter has another ticket than the one named
│   ├── SameLane           transferred to where it already waits
│   ├── LaneExhausted      the lane's number band is used up; it never wraps
│   ├── HasNumber          this browser holds a number of the lane already
│   ├── SecretUsed         another ticket of today has this secret
│   ├── NotYours           no ticket of today belongs to this secret, or to this number and code
│   ├── WebClosed          numbers are not given on the web at this hour
│   ├── TicketEnded        nothing will come of this ticket any more
│   ├── NoContact          the ticket has no such contact (any more)
│   ├── NotClaimed         this notice is in other hands, or was settled
│   ├── PurposeChanged     another text was accepted than the one in force
│   └── OtherBody          this request id was used before for another request
├── StoreDamaged           what the store holds is not ours: an operator must look
└── NotUnderstood          wrong words; repeating them never helps
    ├── UnknownLane
    ├── UnknownCounter
    ├── LaneNotServed      this counter does not serve that lane
    ├── BadMessage
    ├── BadAddress         no address that can be written to, or more than one
    ├── NoConsent          an address without the consent to keep it
    └── ForeignPage        the request comes from a page of somebody else

Sentences are for staff and residents: polite, plain, and they say what to do.
"""

from typing import ClassVar


class Refusal(Exception):
    """The desk says no. `code` travels on the wire, `sentence` is shown, `details` are ids and states only."""

    code: ClassVar[str] = "Refusal"
    again: ClassVar[bool] = False
    sentence: ClassVar[str] = "この操作は受け付けられません。"

    def __init__(self, **details: str) -> None:
        self.details = details
        super().__init__(f"{self.code} {details}" if details else self.code)

    def __init_subclass__(cls) -> None:
        cls.code = cls.__name__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Refusal) and (self.code, self.details) == (other.code, other.details)

    def __hash__(self) -> int:
        return hash((self.code, tuple(sorted(self.details.items()))))


class TryAgain(Refusal):
    again = True
    sentence = "少し待ってから、もう一度お試しください。"


class StaleDay(TryAgain):
    sentence = "業務日が切り替わりました。画面が新しくなってから、もう一度操作してください。"


class StoreAway(TryAgain):
    sentence = "ただいまつながりにくくなっています。そのまま少しお待ちのうえ、もう一度操作してください。"


class Crowded(TryAgain):
    sentence = "操作が重なりました。もう一度操作してください。"


class TooManyTries(TryAgain):
    sentence = "続けて操作されたため、しばらく受け付けられません。1 分ほど待ってから、もう一度お試しください。"


class TooManyWishes(TryAgain):
    sentence = "お知らせの登録が続いたため、しばらく受け付けられません。10 分ほど待ってから、もう一度お試しください。"


class NoticesClosed(TryAgain):
    sentence = "ただいま、お知らせの登録を受け付けられません。この画面か、窓口の表示をご覧ください。"


class WorldDiffers(Refusal):
    sentence = "状況が変わりました。画面を確かめてから操作してください。"


class UnknownTicket(WorldDiffers):
    sentence = "この番号は本日の受付にありません。番号をお確かめください。"


class WrongMove(WorldDiffers):
    sentence = "この番号は、いまの状態ではその操作ができません。画面を確かめてください。"


class NotCurrent(WorldDiffers):
    sentence = "この窓口でお呼びしている番号が変わっています。画面を確かめてから操作してください。"


class SameLane(WorldDiffers):
    sentence = "この番号は、すでにその業務でお待ちです。"


class LaneExhausted(WorldDiffers):
    sentence = "この業務の本日の受付番号は終了しました。窓口の職員にお尋ねください。"


class HasNumber(WorldDiffers):
    sentence = "この業務の番号をすでにお持ちです。お持ちの番号の画面をご覧ください。"


class SecretUsed(WorldDiffers):
    sentence = "番号の確認コードを作り直す必要があります。画面を読み込み直してから、もう一度お取りください。"


class NotYours(WorldDiffers):
    sentence = "番号と確認コードの組み合わせを本日の受付で確認できません。番号と確認コードをお確かめください。"


class WebClosed(WorldDiffers):
    sentence = "ただいまは、インターネットで番号をお取りいただける時間ではありません。受付時間をお確かめください。"


class TicketEnded(WorldDiffers):
    sentence = "この番号の受付は終わっています。お知らせは登録できません。"


class NoContact(WorldDiffers):
    sentence = "お知らせの登録はありません。アドレスは消去されています。"


class NotClaimed(WorldDiffers):
    sentence = "このお知らせは、すでに処理されています。"


class PurposeChanged(WorldDiffers):
    sentence = "お知らせの説明が新しくなりました。画面を読み込み直し、説明をご覧になってから登録してください。"


class OtherBody(WorldDiffers):
    sentence = "同じ要求番号で別の操作が送られました。画面を読み込み直してから操作してください。"


class StoreDamaged(Refusal):
    sentence = "受付システムのデータに異常があります。番号は呼び出さず、システムの担当者に連絡してください。"


class NotUnderstood(Refusal):
    sentence = "要求の内容を読み取れません。"


class UnknownLane(NotUnderstood):
    sentence = "その業務はこの窓口課にありません。設定をお確かめください。"


class UnknownCounter(NotUnderstood):
    sentence = "その窓口はありません。窓口を選び直してください。"


class LaneNotServed(NotUnderstood):
    sentence = "この窓口では、その業務を扱っていません。"


class BadMessage(NotUnderstood):
    sentence = "要求の形が正しくありません。画面を読み込み直してください。"


class BadAddress(NotUnderstood):
    sentence = "メールアドレスを確かめて、一つだけ入れてください（例 taro@example.jp）。"


class NoConsent(NotUnderstood):
    sentence = "説明をお読みになり、同意の欄に印を付けてから登録してください。"


class ForeignPage(NotUnderstood):
    sentence = "このページからは操作できません。区役所のページを開き直してください。"


def every_refusal() -> dict[str, type[Refusal]]:
    """Code → class for the whole tree, so that a code from the store becomes the same refusal again."""
    found: dict[str, type[Refusal]] = {}
    waiting = [Refusal]
    while waiting:
        kind = waiting.pop()
        found[kind.code] = kind
        waiting.extend(kind.__subclasses__())
    return found
