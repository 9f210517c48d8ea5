"""Who looks at a page of staff: what the role is called, where it may go, and what the head of the page says."""

from typing import Any, Protocol

from hub.ledger.people import IDLE_MS
from hub.wire.roles import Act, Role, may

ROLES = {
    Role.COUNTER: "窓口担当",
    Role.MANAGER: "窓口責任者",
    Role.AD_DESK: "広告担当",
    Role.OPERATOR: "運用担当者",
    Role.AUDITOR: "監査担当",
    Role.WALL: "番号表示モニター",
    Role.KIOSK: "発券機",
    Role.DESK: "窓口の端末",
}
# (act, path, title, what it is for): the ways that a role may go, the first is where it begins.
CARDS = (
    (Act.OPEN_DESK, "/desk", "窓口", "番号をお呼びします。"),
    (Act.SEE_OVERVIEW, "/admin/overview", "全体の状況", "すべての業務と窓口を見て、受付の休止や終了をします。"),
    (Act.SEE_PEOPLE, "/admin/people", "取扱者", "だれが、どの役割で利用できるかを管理します。"),
    (Act.SEE_DEVICES, "/admin/devices", "機器", "番号表示モニター、発券機、窓口の端末を登録します。"),
    (Act.SEE_OPERATIONS, "/audit", "操作の記録", "だれが、いつ、何をしたかを確かめます。"),
    (Act.SEE_FAIRNESS, "/audit/fairness", "順番の記録", "受付順と違う順番でお呼びした番号と、その理由を確かめます。"),
    (Act.SEE_OPERATIONS, "/audit/contacts", "連絡先の取扱い", "登録、消去、確認を確かめ、証明書を作ります。"),
)


class Viewer(Protocol):
    """Who looks at the page."""

    @property
    def who(self) -> str: ...
    @property
    def role(self) -> Role: ...
    @property
    def name(self) -> str: ...
    @property
    def must_change(self) -> bool: ...


def viewed(viewer: Viewer | None) -> dict[str, Any]:
    """What the head of a page of staff says about who looks at it."""
    if viewer is None:
        return {"viewer": None}
    may_see = [(path, title) for act, path, title, _ in CARDS if may(viewer.role, act) and not viewer.must_change]
    return {
        "viewer": {
            "name": viewer.name,
            "role": ROLES[viewer.role],
            "account": viewer.who.partition(":")[2],
            "links": may_see,
            "must_change": viewer.must_change,
        },
        "idle_minutes": IDLE_MS // 60_000,
    }
