"""個人情報取扱状況報告書, with the list of handlers, the register of audits, and an empty form for an incident.

What 特記事項 13 to 19 ask of the contractor, as one file that is laid into the ward's folder.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from hub.desk.notices import Carrier
from hub.ledger.certificate import Certified
from hub.ledger.person import Person
from hub.wire.roles import Role
from web.log import KINDS
from web.paper_words import CARRIERS, ENDINGS, OUTCOMES, Issue
from web.papers import Paper, begin, japanese
from web.viewers import ROLES

NAME = "個人情報取扱状況報告書"
AUDIT_KINDS = {"on_site": "立入調査", "documents": "書面"}
RESULTS = {"sound": "適正", "to_mend": "改善を要する"}
RESPONSIBLE = (Role.OPERATOR,)
INCIDENT = (
    ("発生日時", 9), ("発見日時・発見者", 9), ("発生場所", 9), ("種類（漏えい、滅失、き損、そのおそれ、違反）", 12),
    ("対象となった個人情報の項目と件数", 14), ("概要と経過", 46), ("原因", 26), ("本人及び区への通知の状況", 20),
    ("応急の措置", 20), ("再発防止策", 26),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Audit:
    """`held`: YYYY-MM-DD."""

    held: str
    kind: str
    result: str


@dataclass(frozen=True, slots=True)
class Handling:
    """What a period's report states beside the erasures. `uses`: (carrier, outcome) → how many messages; `operations`:
    kind of entry → how many.
    """

    erased: Certified
    people: tuple[Person, ...]
    audits: tuple[Audit, ...]
    uses: Mapping[tuple[str, str], int]
    operations: Mapping[str, int]
    purposes: tuple[str, ...]  # versions of the text that residents accepted


def report_json(handling: Handling, issue: Issue) -> dict[str, Any]:
    people = [
        {
            "name": one.name,
            "shown": one.shown,
            "role": str(one.role),
            "designated": one.designated,
            "trained": one.trained,
        }
        for one in handling.people
    ]
    audits = [asdict(one) for one in handling.audits]
    uses = [[carrier, outcome, count] for (carrier, outcome), count in handling.uses.items()]
    told = {"people": people, "audits": audits, "uses": uses, "operations": dict(handling.operations)}
    return {"issue": asdict(issue), "facts": {**handling.erased.as_fields(), **told, "purposes": handling.purposes}}


def report_pdf(handling: Handling, issue: Issue) -> bytes:
    paper = begin(NAME, issue)
    facts = handling.erased
    paper.line_of(
        f"　特記事項第 14 項に基づき、{japanese(facts.first_day)} から {japanese(facts.last_day)} までの"
        "個人情報の取扱状況を、下記のとおり報告します。"
    )
    paper.ln(2)
    paper.line_of("記", align="C")
    paper.section("1　収集と消去")
    told = [
        [CARRIERS.get(carrier, carrier), ENDINGS.get(ending, ending), f"{n} 件"] for carrier, ending, n in facts.counts
    ]
    paper.rows(["記録項目", "消去の理由", "件数"], [*told, ["収集の合計", "", f"{facts.contacts} 件"]], [60, 65, 40])
    paper.line_of("　すべて、利用目的の説明に同意した本人から、番号の画面又は発券機で直接収集しました。", size=10)
    paper.line_of(f"　説明の版　{'、'.join(handling.purposes) or '－'}", size=10)
    paper.section("2　利用（お知らせの送信）")
    rows = [[CARRIERS.get(by, by), OUTCOMES.get(end, end), f"{n} 件"] for (by, end), n in handling.uses.items()]
    paper.rows(["記録項目", "送信の結果", "件数"], rows or [["－", "－", "0 件"]], [60, 65, 40])
    paper.section("3　取扱いの方法")
    for line in ways_of(handling):
        paper.line_of(line, size=10)
    paper.section("4　操作の記録")
    rows = [[KINDS.get(kind, kind), f"{count} 件"] for kind, count in handling.operations.items()]
    paper.rows(["操作", "件数"], rows or [["－", "0 件"]], [110, 55])
    whole = "改ざん、欠落、入替えは認められませんでした。" if facts.is_whole else "台帳に誤りがあります。"
    paper.line_of(f"台帳の検証　{whole}", size=10)
    _handlers(paper, handling.people)
    _audits(paper, handling.audits)
    _incident(paper)
    return paper.to_bytes()


def ways_of(handling: Handling) -> tuple[str, ...]:
    """How contacts were handled. 特記事項 10: who telephones for us was given numbers, by the ward's consent."""
    carriers = {carrier for carrier, _, _ in handling.erased.counts} | {carrier for carrier, _ in handling.uses}
    passed_on = "持出し、複写、再委託は行っていません。"
    if Carrier.PHONE in carriers:
        passed_on = "持出しと複写は行っていません。再委託は、区の承諾を得て電話の事業者に行わせた送信だけです。"
    return (
        "（1）受信時に暗号化し、送信する処理だけが復号します。画面や記録に連絡先は現れません。",
        f"（2）{passed_on}お知らせは送信先の事業者へ直接送ります。",
        "（3）利用終了の翌日に消去し、台帳に記録します。証明は個人情報消去証明書によります。",
    )


def _handlers(paper: Paper, people: Sequence[Person]) -> None:
    """特記事項 13, 18."""
    paper.add_page()
    paper.heading("個人情報取扱責任者・取扱者名簿")
    rows = [
        [
            "取扱責任者" if one.role in RESPONSIBLE else "取扱者",
            one.shown,
            ROLES[one.role],
            one.designated or "－",
            one.trained or "－",
            "利用終了" if one.ended_at else "",
        ]
        for one in sorted(people, key=lambda one: (one.role not in RESPONSIBLE, bool(one.ended_at), one.name))
    ]
    paper.rows(["区分", "氏名", "役割", "指定日", "教育を受けた日", "備考"], rows, [26, 38, 30, 24, 27, 20])


def _audits(paper: Paper, audits: Sequence[Audit]) -> None:
    """特記事項 15 to 17: at least once in each fiscal year."""
    paper.add_page()
    paper.heading("監査記録簿")
    paper.line_of("　特記事項第 15 項から第 17 項までに基づく確認の記録です。年度当たり 1 回以上行います。", size=10)
    paper.ln(2)
    rows = [
        [japanese(one.held), AUDIT_KINDS.get(one.kind, one.kind), RESULTS.get(one.result, one.result), ""]
        for one in audits
    ]
    paper.rows(["実施日", "方法", "結果", "区の確認者（署名）"], [*rows, *([[" "] * 4] * 3)], [50, 25, 30, 60])


def _incident(paper: Paper) -> None:
    """特記事項 19."""
    paper.add_page()
    paper.heading("個人情報事故報告書")
    paper.line_of("（様式）　特記事項第 19 項に基づき、下記のとおり報告します。　　　　　年　　月　　日", size=10)
    paper.ln(2)
    for label, height in INCIDENT:
        paper.set_font("body", size=9)
        top = paper.get_y()
        paper.rect(paper.l_margin, top, paper.epw, height)
        paper.set_xy(paper.l_margin + 1, top + 1)
        paper.cell(0, 5, label)
        paper.set_y(top + height)
