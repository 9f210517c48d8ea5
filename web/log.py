"""An entry of the operations log in words. What is not known here is shown by its own name, never left out."""

from collections.abc import Mapping
from dataclasses import dataclass

from hub.ledger.log import Logged
from hub.wire.roles import Act
from web.paper_words import ABOUT, CARRIERS, ENDINGS, METHODS, OUTCOMES
from web.times import Moment, moment
from web.viewers import ROLES

KINDS = {
    "TicketIssued": "番号の発行",
    "TicketExpected": "番号の発行（来庁前）",
    "TicketCheckedIn": "来庁の受付",
    "TicketCalled": "呼び出し",
    "CallTakenBack": "誤った呼び出しの取り消し",
    "TicketRecalled": "再呼び出し",
    "TicketMarkedAbsent": "不在",
    "TicketReturned": "不在からの復帰",
    "TicketHeld": "保留",
    "TicketSentToReview": "審査へ",
    "TicketReady": "交付の準備完了",
    "TicketPushedBack": "後の順番への変更（本人）",
    "TicketServed": "完了",
    "TicketCancelled": "番号の取り消し",
    "TicketLapsed": "番号の終了",
    "TicketTransferred": "転送",
    "SlipReissued": "番号札の再発行",
    "LaneRenumbered": "順番の内部値の再設定",
    "LanePaused": "番号の受付の休止",
    "LaneResumed": "番号の受付の再開",
    "ClosingAnnounced": "受付終了のお知らせ",
    "CounterReassigned": "窓口の担当業務の変更",
    "AnnouncementPosted": "番号表示モニターのお知らせの表示",
    "AnnouncementWithdrawn": "番号表示モニターのお知らせの取り下げ",
    "CallShown": "お呼び出しの表示",
    "WallJoined": "番号表示モニターの利用開始",
    "WallLeft": "番号表示モニターの利用終了",
    "ContactGiven": "お知らせの登録",
    "ContactUsed": "お知らせの送信",
    "ContactErased": "お知らせの宛先の消去",
    "DayOpened": "業務日の開始",
    "DayClosed": "業務日の終了",
    "SignedIn": "サインイン",
    "SignInRefused": "サインインの失敗",
    "SignedOut": "サインアウト",
    "SessionsEnded": "サインインの終了",
    "AccountLocked": "ロック",
    "AccountUnlocked": "ロックの解除",
    "PasswordChanged": "パスワードの変更",
    "PasswordReset": "パスワードの再発行",
    "HandlerAdded": "取扱者の登録",
    "HandlerChanged": "取扱者の変更",
    "HandlerEnded": "取扱者の利用終了",
    "HandlerRestored": "取扱者の利用再開",
    "DeviceEnrolled": "機器の登録",
    "DeviceRevoked": "機器の登録の取り消し",
    "DeviceRotated": "機器の鍵の更新",
    "KeyDestroyed": "連絡先の鍵の破棄",
    "ContactDestroyed": "連絡先の消去（翌日）",
    "ErasureVerified": "消去の確認",
    "ErasureAsked": "連絡先の即時消去の依頼",
    "ErasureAnswered": "連絡先の即時消去の依頼への対応",
    "AuditHeld": "監査の記録",
    "OfficeHandedBack": "協定終了時の消去",
    "RecordsTaken": "記録の書き出し",
    "KeysRewrapped": "連絡先の鍵の包み直し",
    "ProcessStarted": "システムの起動",
    "ProcessStopped": "システムの終了",
    "ActRefused": "権限のない操作の拒否",
    "GapFound": "記録の欠落の検出",
    "SegmentClosed": "保存期間の区切り",
    "NoteWithheld": "記録できない種類の操作",
}
FIELDS = {
    "number": "番号",
    "lane": "業務",
    "from_lane": "転送元",
    "lanes": "担当業務",
    "former": "変更前",
    "counter": "窓口",
    "for_counter": "窓口の指定",
    "reason": "理由",
    "state": "状態",
    "still_waiting": "お待ちの人数",
    "wall": "番号表示モニター",
    "calls": "回数",
    "is_priority": "優先",
    "source": "受付",
    "carrier": "手段",
    "ahead": "人数",
    "trigger": "お知らせ",
    "outcome": "結果",
    "times": "回数",
    "ending": "理由",
    "purpose": "説明の版",
    "name": "利用者名",
    "role": "役割",
    "designated": "指定日",
    "trained": "研修日",
    "why": "理由",
    "device": "機器",
    "place": "場所",
    "act": "操作",
    "after": "ここから",
    "before": "ここまで",
    "missing": "欠落",
    "first": "最初",
    "last": "最後",
    "date": "利用日",
    "given": "登録日",
    "key": "鍵の番号",
    "method": "方法",
    "verified_until": "この時刻までの消去",
    "contacts": "連絡先",
    "files": "調べたファイル",
    "keys": "鍵",
    "held": "実施日",
    "kind": "種類",
    "result": "結果",
    "first_day": "最初の日",
    "last_day": "最後の日",
    "count": "件数",
    "what": "対象",
    "process": "対象",
}
ACTS = {
    Act.OPEN_WALL: "番号表示モニターとして接続",
    Act.OPEN_DESK: "窓口の画面を開く",
    Act.OPEN_KIOSK: "発券機として接続",
    Act.DESK_ISSUE: "番号の発行",
    Act.DESK_NEXT: "次の番号の呼び出し",
    Act.DESK_CALL: "番号を選んだ呼び出し",
    Act.DESK_TAKE_BACK: "誤った呼び出しの取り消し",
    Act.DESK_RECALL: "再呼び出し",
    Act.DESK_ABSENT: "不在にする",
    Act.DESK_DONE: "完了にする",
    Act.DESK_HOLD: "保留",
    Act.DESK_REVIEW: "審査へ回す",
    Act.DESK_READY: "交付の準備完了",
    Act.DESK_RETURN: "不在から戻す",
    Act.DESK_CANCEL: "番号の取り消し",
    Act.DESK_TRANSFER: "転送",
    Act.DESK_CHECK_IN: "来庁の受付",
    Act.DESK_REISSUE: "番号札の再発行",
    Act.DESK_LAPSE: "番号を終わりにする",
    Act.DESK_CLOSING: "受付終了のお知らせ",
    Act.DESK_REASSIGN: "窓口の担当業務の変更",
    Act.DESK_ANNOUNCE: "番号表示モニターのお知らせの表示",
    Act.DESK_WITHDRAW: "番号表示モニターのお知らせの取り下げ",
    Act.DESK_PAUSE: "番号の受付の休止",
    Act.DESK_RESUME: "番号の受付の再開",
    Act.WALL_SHOWN: "お呼び出しの表示の報告",
    Act.KIOSK_ISSUE: "発券機での発行",
    Act.KIOSK_CHECK_IN: "発券機での来庁の受付",
    Act.KIOSK_PURPOSE: "発券機での利用目的の表示",
    Act.KIOSK_READ_BACK: "発券機での電話番号の確認",
    Act.KIOSK_NOTIFY: "発券機でのお知らせの登録",
    Act.SEE_ADMIN: "管理の画面を見る",
    Act.SEE_PEOPLE: "取扱者を見る",
    Act.CHANGE_PEOPLE: "取扱者の変更",
    Act.UNLOCK_PEOPLE: "ロックの解除・サインアウト",
    Act.SEE_DEVICES: "機器を見る",
    Act.CHANGE_DEVICES: "機器の変更",
    Act.SEE_OPERATIONS: "操作の記録を見る",
    Act.SEE_FAIRNESS: "順番の記録を見る",
    Act.SEE_OVERVIEW: "全体の状況を見る",
}
WHYS = {
    "signed_out": "本人の操作",
    "by_staff": "窓口責任者・運用担当者の操作",
    "idle": "30 分間操作なし",
    "twelve_hours": "12 時間の経過",
    "wrong": "パスワード違い",
    "ended": "利用終了",
    "not_designated": "指定日か研修日の記録なし",
    "role_changed": "役割の変更",
    "password_changed": "パスワードの変更",
    "password_reset": "パスワードの再発行",
    "replaced": "新しいサインイン",
    "missed": "お戻りの期限切れ",
    "closing": "受付終了",
}
STATES = {"waiting": "順番待ち", "held": "保留"}
OTHERS = {
    "cli": "コマンド（運用担当者）",
    "hub": "システム",
    "keeper": "システム（常駐処理）",
    "worker": "システム（送信処理）",
    "web": "インターネットの利用者",
    "desk": "窓口",
    "kiosk": "発券機",
}
TAKEN = {"ledger": "台帳のすべて", "certificate": "個人情報消去証明書", "report": "個人情報取扱状況報告書"}
PROCESSES = {"office": "全体（1 台での運用）", "hub": "画面の処理", "keeper": "記録・消去処理"}
VALUES: dict[str, Mapping[str, str]] = {
    "role": {str(role): name for role, name in ROLES.items()},
    "act": {str(act): name for act, name in ACTS.items()},
    "why": WHYS,
    "state": STATES,
    "source": OTHERS,
    "is_priority": {"1": "あり"},
    "carrier": CARRIERS,
    "trigger": ABOUT,
    "outcome": OUTCOMES,
    "ending": ENDINGS,
    "what": TAKEN,
    "process": PROCESSES,
}
LEFT_OUT = frozenset(
    {"arrival", "rank", "ranks", "turn", "until", "subscription", "last_hash"}
)  # for the verifier, not for a reader


@dataclass(frozen=True, slots=True)
class LogLine:
    seq: int | None
    at: Moment
    what: str
    who: str
    who_key: str
    request: str
    about: tuple[tuple[str, str], ...]


def line_of(entry: Logged, names: Mapping[str, str], places: Mapping[str, Mapping[str, str]]) -> LogLine:
    """`names`: who is called what; `places`: the lanes and the counters by their keys, each under the field's name."""
    about = tuple(
        (FIELDS.get(field, field), _value(field, str(value), places))
        for field, value in entry.fields.items()
        if field not in LEFT_OUT and value != ""
    )
    return LogLine(
        entry.seq,
        moment(entry.at),
        KINDS.get(entry.type, entry.type),
        shown_who(entry.who, names),
        entry.who,
        entry.request,
        about,
    )


def shown_who(who: str, names: Mapping[str, str]) -> str:
    """The handler's name and role, or what a device, a login of the machine or a part of the system is called."""
    kind, _, rest = who.partition(":")
    if kind == "device":
        return f"機器 {rest}"
    if kind == "cli" and rest:
        return f"コマンド（{rest}）"
    return names.get(who) or (rest if kind == "staff" else OTHERS.get(who, who))


def _value(field: str, value: str, places: Mapping[str, Mapping[str, str]]) -> str:
    if field in ("lanes", "former"):
        return "・".join(places.get("lane", {}).get(lane, lane) for lane in value.split())
    if field == "method":
        return "・".join(METHODS.get(word, word) for word in value.split("+"))
    words = VALUES.get(field) or places.get(field, {})
    return words.get(value, value)
