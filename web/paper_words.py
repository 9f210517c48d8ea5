"""Words of the papers for a ward, and what comes in by the door of each. Loads no library that draws."""

from dataclasses import dataclass

CARRIERS = {"email": "電子メールアドレス", "line": "LINE-ID（ユーザーID）", "phone": "電話番号"}
ABOUT = {
    "registered": "登録の確認",
    "near": "まもなく",
    "now": "お呼び出し",
    "missed": "お呼び済み",
    "ready": "交付の準備",
    "jump": "順番の早まり",
    "delayed": "遅れ",
}
OUTCOMES = {
    "accepted": "送信済み",
    "uncertain": "送信結果不明",
    "refused": "受信拒否",
    "pending": "未送信（再送待ち）",
    "lapsed": "送信見送り",
}
METHODS = {
    "key": "鍵の破棄",
    "unlink": "データストアでの上書きと削除",
    "rewrite": "ファイルの書き直し",
    "restart": "再起動",
    "scan": "走査",
}
ENDINGS = {
    "day_after": "利用終了の翌日",
    "resident": "本人の申出",
    "replaced": "本人による入れ直し",
    "refused": "送信先による拒否",
    "block": "LINEのブロック",
    "bounce": "不達",
    "office": "申出による即時の消去",
    "agreement": "協定の終了",
    "": "未消去",
}


@dataclass(frozen=True, slots=True)
class Issue:
    """Inputs of every paper. `issued`: YYYY-MM-DD; `addressee` and `issuer` may have several lines."""

    issued: str
    addressee: str
    issuer: str
    responsible: str
    office_name: str
