"""The pages of staff: sign-in, the own password, designated handlers, devices, the operations log.

They show what they are given, in the words that a ward prints. No page shows a contact, and a password only where it
was made this moment.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from hub.desk.lane import Office
from hub.ledger.devices import Device, Waiting
from hub.ledger.log import LogPage
from hub.ledger.people import Person
from hub.wire.roles import PEOPLE, Act, Role, may
from web.log import KINDS, line_of, shown_who
from web.pages import rendered
from web.times import ago, date_of, moment, today
from web.viewers import CARDS, ROLES, Viewer, viewed

# What each role of a person is for, beside its name in the form.
DUTIES = {
    Role.COUNTER: "番号の呼び出し",
    Role.MANAGER: "呼び出し、機器の登録、ロックの解除",
    Role.AD_DESK: "広告の受付",
    Role.OPERATOR: "取扱者と機器の登録、操作の記録",
    Role.AUDITOR: "記録の閲覧のみ",
}
NEWS = {
    "changed": "変更しました。",
    "ended": "利用を終了しました。サインイン中の画面も終わります。",
    "restored": "利用を再開しました。",
    "unlocked": "ロックを解除しました。",
    "signed-out": "すべての端末からサインアウトさせました。",
    "let-in": "機器を登録しました。まもなく機器の画面が切り替わります。",
    "revoked": "機器の登録を取り消しました。",
}
KNOWN_PLACES = ("lobby",)  # what a first screen is usually called

Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PersonView:
    """A handler in words. `state` is one of the marks of tables.css."""

    name: str
    shown: str
    role: str
    role_key: str
    designated: str
    trained: str
    state: str
    state_text: str
    is_locked: bool
    is_ended: bool

    @classmethod
    def of(cls, person: Person, now_ms: int) -> "PersonView":
        is_locked, is_ended = person.locked_until > now_ms, person.ended_at > 0
        if is_ended:
            state, text = "ended", f"利用終了（{date_of(person.ended_at)}）"
        elif not person.has_access(today(now_ms)):
            state, text = "blocked", "利用不可（指定日か研修日が未登録）"
        elif is_locked:
            state, text = "blocked", f"ロック中（{moment(person.locked_until).minutes}まで）"
        elif person.must_change:
            state, text = "new", "初回サインイン待ち"
        else:
            state, text = "good", "利用中"
        return cls(
            name=person.name,
            shown=person.shown,
            role=ROLES[person.role],
            role_key=str(person.role),
            designated=person.designated,
            trained=person.trained,
            state=state,
            state_text=text,
            is_locked=is_locked,
            is_ended=is_ended,
        )


@dataclass(frozen=True, slots=True)
class DeviceView:
    id: str
    role: str
    place: str
    version: str
    seen: str
    seen_at: str
    state: str
    state_text: str
    is_ended: bool


class StaffPages:
    """What everybody who signs in meets. `practice_people`: (name, password, label) offered at the door in practice."""

    def __init__(self, office: Office, practice_people: Sequence[tuple[str, str, str]] = ()) -> None:
        self._office, self._practice_people = office, practice_people

    def sign_in(
        self, *, then: str, is_first: bool, name: str = "", news: str = "", refusal: str = "", status: int = 200
    ) -> Response:
        return rendered(
            "sign_in.html",
            status,
            office=self._office.name,
            then=then,
            is_first=is_first and not self._practice_people,
            name=name,
            news=news,
            refusal=refusal,
            practice_people=self._practice_people,
        )

    def password(self, viewer: Viewer, *, is_done: bool = False, refusal: str = "", status: int = 200) -> Response:
        return self._page("password.html", viewer, status, is_done=is_done, refusal=refusal)

    def refused(self, viewer: Viewer | None, refusal: str, status: int) -> Response:
        return self._page("refused.html", viewer, status, refusal=refusal)

    def admin(self, viewer: Viewer) -> Response:
        return self._page("admin.html", viewer, cards=[card[1:] for card in CARDS if may(viewer.role, card[0])])

    def people(
        self,
        viewer: Viewer,
        people: Sequence[Person],
        *,
        now_ms: int,
        news: str = "",
        refusal: str = "",
        typed: Fields | None = None,
        given: tuple[str, str] | None = None,
        status: int = 200,
    ) -> Response:
        views = [
            PersonView.of(person, now_ms) for person in sorted(people, key=lambda one: (one.ended_at > 0, one.name))
        ]
        return self._page(
            "people.html",
            viewer,
            status,
            people=views,
            changes=may(viewer.role, Act.CHANGE_PEOPLE),
            acts=may(viewer.role, Act.UNLOCK_PEOPLE),
            news=NEWS.get(news, ""),
            refusal=refusal,
            typed=typed or {},
            given=given,
            today=today(now_ms),
        )

    def person(
        self,
        viewer: Viewer,
        person: Person,
        *,
        now_ms: int,
        refusal: str = "",
        typed: Fields | None = None,
        status: int = 200,
    ) -> Response:
        view = PersonView.of(person, now_ms)
        kept = {"shown": view.shown, "role": view.role_key, "designated": view.designated, "trained": view.trained}
        return self._page(
            "person.html",
            viewer,
            status,
            person=view,
            changes=may(viewer.role, Act.CHANGE_PEOPLE),
            unlocks=may(viewer.role, Act.UNLOCK_PEOPLE),
            refusal=refusal,
            typed={**kept, **(typed or {})},
            today=today(now_ms),
        )

    def devices(
        self,
        viewer: Viewer,
        devices: Sequence[Device],
        waiting: Sequence[Waiting],
        *,
        now_ms: int,
        news: str = "",
        refusal: str = "",
        typed: Fields | None = None,
        status: int = 200,
    ) -> Response:
        return self._page(
            "devices.html",
            viewer,
            status,
            devices=[self._device(device, now_ms) for device in sorted(devices, key=_order)],
            waiting=[
                (ROLES[one.role], self._place(one.role, one.place), one.version, moment(one.until).minutes)
                for one in waiting
            ],
            places=self._places(devices, waiting),
            changes=may(viewer.role, Act.CHANGE_DEVICES),
            news=NEWS.get(news, ""),
            refusal=refusal,
            typed=typed or {},
        )

    def audit(
        self,
        viewer: Viewer,
        page: LogPage,
        people: Sequence[Person],
        asked: Fields,
        *,
        refusal: str = "",
        status: int = 200,
    ) -> Response:
        names = {f"staff:{person.name}": f"{person.shown}（{ROLES[person.role]}）" for person in people}
        lanes = {lane.key: lane.name for lane in self._office.lanes}
        counters = {counter.key: counter.name for counter in self._office.counters}
        places = {"lane": lanes, "from_lane": lanes, "counter": counters}
        return self._page(
            "audit.html",
            viewer,
            status,
            entries=[line_of(entry, names, places) for entry in page.entries],
            more_unchained=max(0, page.unchained - sum(entry.seq is None for entry in page.entries)),
            before=page.before_seq,
            asked=asked,
            is_filtered=any(asked.get(name) for name in ("day", "who", "type")),
            kinds=KINDS,
            whos=[(who, shown_who(who, names)) for who in (*names, "cli", "hub", "keeper", "web")],
            refusal=refusal,
        )

    def _page(self, template: str, viewer: Viewer | None, status: int = 200, **told: Any) -> Response:
        return rendered(template, status, office=self._office.name, **viewed(viewer), roles=_choices(), **told)

    def _device(self, device: Device, now_ms: int) -> DeviceView:
        is_ended = device.ended_at > 0
        return DeviceView(
            id=device.id,
            role=ROLES[device.role],
            place=self._place(device.role, device.place),
            version=device.version,
            seen=ago(device.seen_at, now_ms),
            seen_at=moment(device.seen_at).full if device.seen_at else "",
            state="ended" if is_ended else "good",
            state_text=f"取り消し済み（{date_of(device.ended_at)}）" if is_ended else "登録中",
            is_ended=is_ended,
        )

    def _place(self, role: Role, place: str) -> str:
        names = {counter.key: counter.name for counter in self._office.counters}
        return f"{names[place]}（{place}）" if role is Role.DESK and place in names else place

    def _places(self, devices: Sequence[Device], waiting: Collection[Waiting]) -> list[tuple[str, str]]:
        """What may be chosen as a place: each key with what it is."""
        found = {counter.key: counter.name for counter in self._office.counters}
        for place in KNOWN_PLACES:
            found.setdefault(place, ROLES[Role.WALL])
        for role, place in [(one.role, one.place) for one in devices] + [(one.role, one.place) for one in waiting]:
            found.setdefault(place, ROLES[role])
        return [(key, name) for key, name in found.items() if key]


def _choices() -> list[tuple[str, str, str]]:
    return [(str(role), ROLES[role], DUTIES[role]) for role in PEOPLE]


def _order(device: Device) -> tuple[bool, str, str]:
    return device.ended_at > 0, str(device.role), device.place
