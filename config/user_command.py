"""What `junban user` does on the machine of the ledger: designate handlers, and end, unlock or reset their accounts.

A password for the first sign-in is printed once and kept nowhere.
"""

import json
from dataclasses import asdict
from types import TracebackType
from typing import Self

from config.commands.asking import Say
from config.ledger import LedgerSettings, existing
from config.now import now_ms
from hub.desk.lane import Office
from hub.ledger.journal import Author, tokyo_day
from hub.ledger.people import People, Person
from hub.wire.roles import Role
from web.viewers import ROLES


class UserCommand:
    """One office's handlers, for the time of a block. Its acts raise refusals of the desk."""

    def __init__(self, settings: LedgerSettings, office: Office, say: Say, by: Author) -> None:
        """Raises LedgerUnusable."""
        self._ledger = settings.open(office.key)
        self._say, self._by = say, by
        self._people = People(self._ledger, now_ms=now_ms)

    def __enter__(self) -> Self:
        if self._ledger.is_there:
            self._ledger.prepare()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ledger.close()

    def list(self, *, as_json: bool) -> None:
        people = self._people.list() if self._ledger.is_there else []
        today = tokyo_day(now_ms())
        if as_json:
            told = [asdict(person) | {"has_access": person.has_access(today)} for person in people]
            self._say(json.dumps({"people": told}, ensure_ascii=False))
            return
        for person in people:
            self._say(f"{person.name}  {_told(person.role)}  {person.shown}  {_state(person, today)}")
        if not people:
            self._say(
                "取扱者はまだいません。junban user add 利用者名 --role operator --shown 氏名"
                " --designated 指定日 --trained 研修日 で登録してください。"
            )

    def add(self, name: str, shown: str, role: Role, designated: str, trained: str) -> None:
        self._ledger.prepare()  # the first handler is there before the office ever ran
        password = self._people.add(name, shown, role, designated, trained, self._by)
        self._say(f"{name}（{shown}、{_told(role)}）を登録しました。")
        self._tell(password)
        if not (designated and trained):
            self._say(
                "取扱者の指定日と研修日の両方がそろうまで、利用できません。"
                f"junban user change {name} に --designated と --trained を付けて登録してください。"
            )

    def change(
        self, name: str, shown: str | None, role: Role | None, designated: str | None, trained: str | None
    ) -> None:
        """What is None stays as it is."""
        person = next((one for one in self._known().list() if one.name == name), None)
        self._people.change(
            name,
            shown=_or(shown, person.shown if person else ""),
            role=role or (person.role if person else Role.COUNTER),
            designated=_or(designated, person.designated if person else ""),
            trained=_or(trained, person.trained if person else ""),
            by=self._by,
        )
        self._say(f"{name} の登録を変更しました。")

    def reset(self, name: str) -> None:
        password = self._known().reset_password(name, self._by)
        self._say(f"{name} のパスワードを再発行しました。これまでのサインインは終わります。")
        self._tell(password)

    def end(self, name: str) -> None:
        self._known().end(name, self._by)
        self._say(f"{name} の利用を終了しました。記録は残ります。")

    def restore(self, name: str) -> None:
        self._known().restore(name, self._by)
        self._say(f"{name} の利用を再開しました。")

    def unlock(self, name: str) -> None:
        self._known().unlock(name, self._by)
        self._say(f"{name} のロックを解除しました。")

    def _known(self) -> People:
        """Those who are there. Raises LedgerUnusable before the first of them."""
        existing(self._ledger)
        return self._people

    def _tell(self, password: str) -> None:
        self._say(f"一回限りのパスワード: {password}")
        self._say("表示は今だけです。本人に直接お渡しください。はじめのサインインで新しいパスワードに変更します。")


def _told(role: Role) -> str:
    """As a person says it, and as `--role` wants it."""
    return f"{ROLES[role]} {role}"


def _state(person: Person, today: str) -> str:
    if person.ended_at:
        return "利用終了"
    if not person.has_access(today):
        return f"利用できません（指定日 {person.designated or 'なし'}、研修日 {person.trained or 'なし'}）"
    return "ロック中" if person.locked_until > now_ms() else "利用中"


def _or(given: str | None, kept: str) -> str:
    return kept if given is None else given
