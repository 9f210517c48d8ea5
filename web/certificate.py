"""消去証明書: what 特記事項 11 and 12 ask of whoever erased, as a paper and as JSON."""

from dataclasses import asdict
from typing import Any

from hub.ledger.certificate import Certified
from web.paper_words import CARRIERS, ENDINGS, Issue
from web.papers import begin, clock, japanese

NAME = "個人情報消去証明書"
METHODS = {
    "key": "利用日ごとの鍵による暗号化と、その秘密鍵の破棄（上書き、書込みの確認、削除）",
    "unlink": "稼働中のデータストアでの上書きと削除",
    "rewrite": "データストアの追記ファイルの書き直しと、旧ファイルの削除",
    "restart": "データストアの再起動による主記憶の解放",
    "scan": "データ、記録、一時ファイルの走査（破棄した鍵による暗号文と、試験用の宛先が残っていないことの確認）",
}
RESIDUE = (
    "電磁的記録媒体（受託者のサーバー）。連絡先は受信時から暗号化しており、平文を媒体に書いたことはありません。"
    "媒体の未使用領域に暗号文が残る場合がありますが、その鍵は破棄済みで、復号できません。"
    "再起動を伴わない消去では、主記憶の解放済み領域に鍵のない暗号文が次の再起動まで残ることがあります。"
)
CARRIERS_KEEP = (
    "送信先の事業者側に残るもの: 電子メールは、送信経路のメールサーバーと受信者の利用する事業者の記録。"
    "LINE は、LINEヤフー株式会社が同社の規約により保存する送信の記録（窓口や業務を示す内容は送っていません）。"
    "電話は、電気通信事業者の通信記録。これらは本証明の対象に含みません。"
)


def number_of(facts: Certified) -> str:
    """The paper's own number: the same period of the same ledger has the same."""
    return f"{facts.office}-{facts.first_day.replace('-', '')}-{facts.last_day.replace('-', '')}-{facts.last[1][:8]}"


def certificate_json(facts: Certified, issue: Issue) -> dict[str, Any]:
    return {"number": number_of(facts), "issue": asdict(issue), "facts": facts.as_fields()}


def certificate_pdf(facts: Certified, issue: Issue) -> bytes:
    paper = begin(NAME, issue)
    paper.line_of(f"証明番号　{number_of(facts)}", align="R", size=9)
    paper.ln(2)
    paper.line_of(
        "　協定書に付された「特記事項」第 11 項及び第 12 項に基づき、業務を行うために収集し、受託者の電子計算機に"
        "記録した個人情報を、下記のとおり消去したことを証明します。"
    )
    paper.ln(2)
    paper.line_of("記", align="C")

    paper.section("1　対象")
    carriers = "、".join(CARRIERS.values())
    rows = [
        ["業務", f"{issue.office_name}　受付番号発券システム"],
        ["期間", f"{japanese(facts.first_day)} から {japanese(facts.last_day)} まで（利用日）"],
        ["記録項目", f"{carriers}（氏名、住所その他の項目は収集していません）"],
    ]
    paper.rows(["項目", "内容"], rows, [30, 135])

    paper.section("2　消去した件数")
    told = [
        [CARRIERS.get(carrier, carrier), ENDINGS.get(ending, ending), f"{n} 件"] for carrier, ending, n in facts.counts
    ]
    told = [row for row in told if row[1] != ENDINGS[""]]
    erased = facts.contacts - facts.left
    paper.rows(["記録項目", "消去の理由", "件数"], [*told, ["合計", "", f"{erased} 件"]], [60, 65, 40])
    paper.line_of(f"未消去　{facts.left} 件　　消去の確認が済んでいないもの　{facts.unproved} 件", size=10)

    paper.section("3　消去の方法")
    words = sorted({word for method in facts.methods for word in method.split("+")}, key=list(METHODS).index)
    for place, word in enumerate(words, 1):
        paper.line_of(f"（{place}）{METHODS[word]}", size=10)

    paper.section("4　利用日ごとの鍵と消去の日時")
    rows = [
        [key.date, f"{key.contacts} 件", key.key or "－", clock(key.destroyed_ms), clock(key.verified_ms)]
        for key in facts.keys
    ]
    paper.rows(
        ["利用日", "連絡先", "鍵の番号", "鍵の破棄", "消去の確認"], rows or [["－"] * 5], [25, 20, 42, 39, 39], 8.5
    )

    paper.section("5　記録の検証")
    whole = "改ざん、欠落、入替えは認められませんでした。" if facts.is_whole else "台帳に誤りがあります。"
    rows = [
        ["検証の結果", whole],
        ["期間の最初の記録", f"{facts.first[0]} 番　{facts.first[1]}"],
        ["期間の最後の記録", f"{facts.last[0]} 番　{facts.last[1]}"],
        [
            "検証の方法",
            "台帳の書出し（junban ledger export）と verify_certificate.py を用い、どの機械でも確かめられます。",
        ],
    ]
    paper.rows(["項目", "内容"], rows, [35, 130], 8.5)

    paper.section("6　記録媒体と残留")
    paper.line_of(RESIDUE, size=10)
    paper.section("7　送信先の事業者")
    paper.line_of(CARRIERS_KEEP, size=10)
    paper.ln(2)
    paper.line_of("以上", align="R")
    return paper.to_bytes()
