"""Everything the desk can answer "no" with: one tree, one sentence each, and whether trying again helps.

Refusal
├── TryAgain               the same request may succeed later
│   ├── StaleDay           the business day has changed since the request was made
│   ├── StoreAway          the live queue cannot be reached
│   ├── Crowded            too many asked for the same at the same moment
│   ├── TooManyTries       too many wrong codes for a number, or numbers taken on the web, within a minute
│   ├── TooManyWishes      too many addresses for a ticket within ten minutes
│   ├── NoticesClosed      no contact can be taken at the moment: there is no key to seal it with
│   ├── LedgerAway         the ledger cannot be reached: nobody new can be let in
│   ├── SignInBusy         too many sign in at the same moment
│   ├── SignInLocked       too many wrong passwords for this account
│   └── CodeTries          too many wrong codes of devices, or too many devices that wait
├── WorldDiffers           the request was sound, the world is otherwise: look, then decide anew
│   ├── UnknownTicket      no such ticket today
│   ├── WrongMove          the ticket's state does not allow this
│   ├── NotCurrent         the counter has another ticket than the one named
│   ├── CallOver           a wall has shown a call that is not the present one of its ticket any more
│   ├── SameLane           transferred to where it already waits
│   ├── NoReason           a number is called out of order for a reason, or not at all
│   ├── CalledTooFewTimes  not absent yet: it must be called more often first
│   ├── CalledTooRecently  not absent yet: its resident still has some seconds to come
│   ├── MissedTooLong      the time in which it might have come back is over
│   ├── NotYet             it may still come back, and closing was not announced
│   ├── PushedEnough       a number is pushed back so often and no more
│   ├── NobodyBehind       pushed back behind whom?
│   ├── NoDelivery         the lane has no second stage
│   ├── LaneClosing        closing was announced: no more numbers today
│   ├── LaneExhausted      the lane's number band is used up; it never wraps
│   ├── LaneFull           the lane has given as many numbers as it may on one day
│   ├── LaneIsPaused       the lane gives no numbers for the time being
│   ├── LaneNotPaused      resumed without having been paused
│   ├── StillReserved      somebody waits for this counter alone in a lane that it would leave
│   ├── NoAnnouncement     withdrawn without having been announced
│   ├── HasNumber          this browser holds a number of the lane already
│   ├── SecretUsed         another ticket of today has this secret
│   ├── NotYours           no ticket of today belongs to this secret, or to this number and code
│   ├── ClosedNow          outside the hours; it says when it opens next
│   │   ├── LaneClosed     of the lane
│   │   └── WebClosed      of numbers from the web
│   ├── TicketEnded        nothing will come of this ticket any more
│   ├── SlipEnded          no new slip for a ticket that has ended
│   ├── NoContact          the ticket has no such contact (any more)
│   ├── NotClaimed         this notice is in other hands, or was settled
│   ├── TelephoneUsedUp    a telephone is told of so many tickets a day and no more
│   ├── PurposeChanged     another text was accepted than the one in force
│   ├── NameTaken          an account of this name is there, or was once
│   ├── LastOperator       nobody could add handlers any more
│   ├── UnknownPerson
│   ├── UnknownDevice
│   ├── UnknownCode        no device that waits shows this code
│   └── OtherBody          this request id was used before for another request
├── NoAccess               who asks may not
│   ├── NotSignedIn        nobody, or a session that is over
│   ├── SignInWrong        no such account, or another password
│   ├── NotDesignated      without the date of designation and of training there is no access
│   ├── MustChange         a password that was given must be changed first
│   └── NotAllowed         this role may not do that
├── StoreDamaged           what the store holds is not ours: an operator must look
└── NotUnderstood          wrong words; repeating them never helps
    ├── UnknownLane
    ├── UnknownCounter
    ├── LaneNotServed      this counter does not serve that lane
    ├── NoLanes            a counter serves at least one lane
    ├── WrongAnnouncement  too long, more than a line, or not to be seen
    ├── LaneNotOffered     no numbers are given for it: it delivers
    ├── UnknownPriority    no such class of priority
    ├── PriorityNotGiven   numbers of this class are not given here
    ├── UnknownReason      not in the office's list of reasons
    ├── TooManyPlaces      pushed back further than the office allows
    ├── BadMessage
    ├── BadAddress         no address that can be written to, or more than one
    ├── BadTelephone       no telephone number in Japan that can be told anything
    ├── NoConsent          a contact without the consent to keep it
    ├── PasswordWeak       too short, too long, or one that everybody tries first
    ├── WrongName          no name of an account
    ├── WrongShown         no name of a handler
    ├── WrongDates         a date of designation or training that is none
    ├── WrongAuditDate     a date of an audit that is none, or still to come
    ├── MonthNotOver       a certificate of a month that is not over
    └── ForeignPage        the request comes from a page of somebody else

Sentences are for staff and residents: polite, plain, and they say what to do.
"""

from typing import ClassVar

from hub.desk.hours import moment_text


class Refusal(Exception):
    """The desk says no. `code` travels on the wire, `sentence` is shown, `details` are ids and states only."""

    code: ClassVar[str] = "Refusal"
    again: ClassVar[bool] = False
    sentence: ClassVar[str] = "この操作は受け付けられません。"

    def __init__(self, **details: str) -> None:
        self.details = details
        super().__init__(f"{self.code} {details}" if details else self.code)

    @property
    def said(self) -> str:
        """The sentence with its details put in."""
        return self.sentence.format_map(self.details)

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
    sentence = "ただいま、お知らせの登録を受け付けられません。この画面か、番号表示モニターをご覧ください。"


class LedgerAway(TryAgain):
    sentence = "ただいま台帳につながらないため、確認できません。少し待ってから、もう一度お試しください。"


class SignInBusy(TryAgain):
    sentence = "サインインが混み合っています。少し待ってから、もう一度お試しください。"


class SignInLocked(TryAgain):
    sentence = "続けて間違えたため、しばらくサインインできません。15 分ほど待つか、窓口責任者に解除を依頼してください。"


class CodeTries(TryAgain):
    sentence = "登録の操作が続いたため、しばらく受け付けられません。10 分ほど待ってから、もう一度お試しください。"


class WorldDiffers(Refusal):
    sentence = "状況が変わりました。画面を確かめてから操作してください。"


class UnknownTicket(WorldDiffers):
    sentence = "この番号は本日の受付にありません。番号をお確かめください。"


class WrongMove(WorldDiffers):
    sentence = "この番号は、いまの状態ではその操作ができません。画面を確かめてください。"


class NotCurrent(WorldDiffers):
    sentence = "この窓口でお呼びしている番号が変わっています。画面を確かめてから操作してください。"


class CallOver(WorldDiffers):
    sentence = "このお呼び出しは、すでに終わっています。"


class SameLane(WorldDiffers):
    sentence = "この番号は、すでにその業務でお待ちです。"


class NoReason(WorldDiffers):
    sentence = "順番より先にお呼びする理由を選んでください。"


class CalledTooFewTimes(WorldDiffers):
    sentence = "まだ不在にできません。あと {calls} 回お呼びしてください。"


class CalledTooRecently(WorldDiffers):
    sentence = "まだ不在にできません。最後のお呼び出しから、あと {seconds} 秒お待ちください。"


class MissedTooLong(WorldDiffers):
    sentence = "お戻りいただける時刻を過ぎました。恐れ入りますが、新しい番号をお取りください。"


class NotYet(WorldDiffers):
    sentence = "この番号はまだ終わりにできません。お戻りの期限を過ぎるか、受付終了をお知らせしてから操作してください。"


class PushedEnough(WorldDiffers):
    sentence = "順番を後にできる回数を使い切りました。このままお待ちいただくか、窓口の職員にお尋ねください。"


class NobodyBehind(WorldDiffers):
    sentence = "後ろでお待ちの方がいないため、順番は変わりません。"


class NoDelivery(WorldDiffers):
    sentence = "この業務には、交付の窓口が決められていません。設定をお確かめください。"


class LaneClosing(WorldDiffers):
    sentence = "この業務の本日の受付は終了しました。窓口の職員にお尋ねください。"


class LaneExhausted(WorldDiffers):
    sentence = "この業務の本日の受付番号は終了しました。窓口の職員にお尋ねください。"


class LaneFull(WorldDiffers):
    sentence = "この業務は、本日お受けできる件数に達しました。お急ぎの方は、窓口の職員にお尋ねください。"


class ClosedNow(WorldDiffers):
    """`opens`: when it opens next, epoch milliseconds; '' where nobody knows."""

    sentence = "ただいまは受付時間外です。"

    @property
    def said(self) -> str:
        opens = self.details.get("opens")
        return self.sentence + (f"次の受付は {moment_text(int(opens))} からです。" if opens else "")


class LaneClosed(ClosedNow):
    sentence = "ただいまは、この業務の受付時間外です。"


class LaneIsPaused(WorldDiffers):
    sentence = (
        "この業務は、新しい番号の受付を一時休止しています。番号をお持ちの方は順にお呼びします。"
        "お急ぎの方は、窓口の職員にお尋ねください。"
    )


class LaneNotPaused(WorldDiffers):
    sentence = "この業務は休止していません。画面を確かめてください。"


class StillReserved(WorldDiffers):
    sentence = "この窓口を指定した {number} が残っています。先にお呼びするか、転送してください。"


class NoAnnouncement(WorldDiffers):
    sentence = "番号表示モニターにお知らせは出ていません。"


class HasNumber(WorldDiffers):
    sentence = "この業務の番号をすでにお持ちです。お持ちの番号の画面をご覧ください。"


class SecretUsed(WorldDiffers):
    sentence = "番号の確認コードを作り直す必要があります。画面を読み込み直してから、もう一度お取りください。"


class NotYours(WorldDiffers):
    sentence = "番号と確認コードの組み合わせを本日の受付で確認できません。番号と確認コードをお確かめください。"


class WebClosed(ClosedNow):
    sentence = "ただいまは、インターネットで番号をお取りいただける時間ではありません。"


class TicketEnded(WorldDiffers):
    sentence = "この番号の受付は終わっています。お知らせは登録できません。"


class SlipEnded(WorldDiffers):
    sentence = "この番号の受付は終わっています。番号札は再発行できません。"


class NoContact(WorldDiffers):
    sentence = "お知らせの登録はありません。連絡先は消去されています。"


class NotClaimed(WorldDiffers):
    sentence = "このお知らせは、すでに処理されています。"


class TelephoneUsedUp(WorldDiffers):
    sentence = "この電話番号は、1 日に登録できる回数に達しました。別の番号を入れるか、番号表示モニターをご覧ください。"


class PurposeChanged(WorldDiffers):
    sentence = "お知らせの説明が新しくなりました。画面を読み込み直し、説明をご覧になってから登録してください。"


class OtherBody(WorldDiffers):
    sentence = "同じ処理番号で別の操作が送られました。画面を読み込み直してから操作してください。"


class NameTaken(WorldDiffers):
    sentence = "この利用者名は使われているか、以前に使われていました。別の利用者名を付けてください。"


class LastOperator(WorldDiffers):
    sentence = "運用担当者がいなくなるため、変更できません。先に別の運用担当者を登録してください。"


class UnknownPerson(WorldDiffers):
    sentence = "この利用者は登録されていません。利用者名をお確かめください。"


class UnknownDevice(WorldDiffers):
    sentence = "この機器は登録されていません。機器の一覧を読み込み直してください。"


class UnknownCode(WorldDiffers):
    sentence = "この登録コードで待っている機器はありません。機器の画面のコードをお確かめください。"


class NoAccess(Refusal):
    sentence = "この操作をする権限がありません。"


class NotSignedIn(NoAccess):
    sentence = "サインインしてください。一定の時間が過ぎると、自動でサインアウトします。"


class SignInWrong(NoAccess):
    sentence = "利用者名かパスワードが違います。"


class NotDesignated(NoAccess):
    sentence = "取扱者の指定日と研修日の記録がないため、利用できません。運用担当者に登録を依頼してください。"


class MustChange(NoAccess):
    sentence = "はじめに、新しいパスワードに変更してください。"


class NotAllowed(NoAccess):
    sentence = "この操作をする権限がありません。必要なときは窓口責任者か運用担当者に依頼してください。"


class StoreDamaged(Refusal):
    sentence = "受付システムのデータに異常があります。番号は呼び出さず、システムの担当者に連絡してください。"


class NotUnderstood(Refusal):
    sentence = "送信内容を読み取れませんでした。"


class UnknownLane(NotUnderstood):
    sentence = "その業務はこの窓口課にありません。設定をお確かめください。"


class UnknownCounter(NotUnderstood):
    sentence = "その窓口はありません。窓口を選び直してください。"


class LaneNotOffered(NotUnderstood):
    sentence = "この業務の番号はお取りいただけません。お手続きの業務を選び直してください。"


class LaneNotServed(NotUnderstood):
    sentence = "この窓口では、その業務を扱っていません。"


class NoLanes(NotUnderstood):
    sentence = "窓口の業務は一つ以上選んでください。"


class WrongAnnouncement(NotUnderstood):
    sentence = "お知らせは 60 文字以内の 1 行で入れ、表示する時間を選んでください。"


class UnknownPriority(NotUnderstood):
    sentence = "その優先区分はありません。選び直してください。"


class PriorityNotGiven(NotUnderstood):
    sentence = "この優先区分の番号は、ここではお取りいただけません。窓口の職員にお尋ねください。"


class UnknownReason(NotUnderstood):
    sentence = "その理由は一覧にありません。理由を選び直してください。"


class TooManyPlaces(NotUnderstood):
    sentence = "一度に後にできるのは {places} 人分までです。"


class BadMessage(NotUnderstood):
    sentence = "送信の形式が正しくありません。画面を読み込み直してください。"


class BadAddress(NotUnderstood):
    sentence = "メールアドレスを確かめて、一つだけ入れてください（例 taro@example.jp）。"


class BadTelephone(NotUnderstood):
    sentence = (
        "国内の携帯電話、固定電話、050 の番号を、一つだけ入れてください（例 090-1234-5678）。"
        "0120、0570 などの番号にはお知らせできません。"
    )


class NoConsent(NotUnderstood):
    sentence = "説明をお読みになり、同意の欄に印を付けてから登録してください。"


class PasswordWeak(NotUnderstood):
    sentence = "パスワードは 12 文字以上 128 文字以内で、利用者名や推測されやすい語とは違うものにしてください。"


class WrongName(NotUnderstood):
    sentence = "利用者名は英小文字で始め、英小文字、数字、「.」「_」「-」で 2～32 文字にしてください。"


class WrongShown(NotUnderstood):
    sentence = "氏名は 40 文字以内で入れてください。"


class WrongDates(NotUnderstood):
    sentence = "指定日と研修日は、今日までの日付を年月日で入れてください。"


class WrongAuditDate(NotUnderstood):
    sentence = "監査の実施日は、今日までの日付を年月日で入れてください。"


class MonthNotOver(NotUnderstood):
    sentence = "証明書は、対象の月が終わってから発行します。月を選び直すか、発行日を月の末日以降にしてください。"


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
