"""`junban user`: who may stand at the desk."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from config.commands import asking

if TYPE_CHECKING:
    from config.user_command import UserCommand

PEOPLE_ROLES = ["counter", "manager", "ad_desk", "operator", "auditor"]
ROLE_HELP = (
    "counter（窓口担当）、manager（窓口責任者）、ad_desk（広告担当）、operator（運用担当者）、auditor（監査担当）"
)


def add(verbs: asking.Verbs) -> None:
    told = "取扱者を登録し、パスワードを再発行し、利用を終了します"
    acts = asking.group(verbs, "user", told, "取扱者。", also="handler")  # the agreement calls them handlers
    listing = asking.verb(acts, "list", _user_list, "取扱者を示します")
    asking.add_json(listing)
    add = asking.verb(acts, "add", _user_add, "取扱者を登録し、一回限りのパスワードを示します")
    change = asking.verb(acts, "change", _user_change, "氏名、役割、指定日、研修日を変更します")
    for act, required in ((add, True), (change, False)):
        act.add_argument("name", metavar="NAME", help="利用者名（英小文字で始まる 2～32 文字）")
        act.add_argument("--role", choices=PEOPLE_ROLES, required=required, metavar="ROLE", help=ROLE_HELP)
        act.add_argument("--shown", required=required, metavar="氏名", help="取扱者の氏名（報告書に載ります）")
        act.add_argument("--designated", metavar="DATE", help="取扱者に指定した日（YYYY-MM-DD）。なければ使えません")
        act.add_argument("--trained", metavar="DATE", help="研修を受けた日（YYYY-MM-DD）。なければ使えません")
    reset = asking.verb(acts, "reset", _user_reset, "パスワードを再発行します")
    unlock = asking.verb(acts, "unlock", _user_unlock, "パスワードの間違いが続いたためのロックを解除します")
    end = asking.verb(acts, "end", _user_end, "利用を終了します。サインインは 1 秒以内に終わります")
    restore = asking.verb(acts, "restore", _user_restore, "終了した利用を再開します")
    for act in (reset, unlock, end, restore):
        act.add_argument("name", metavar="NAME", help="利用者名")
    for act in (listing, add, change, reset, unlock, end, restore):
        asking.add_data(act)


def _user_list(asked: argparse.Namespace) -> int:
    return _user(asked, lambda command: command.list(as_json=asked.json))


def _user_add(asked: argparse.Namespace) -> int:
    from hub.wire.roles import Role

    dates = asked.designated or "", asked.trained or ""
    return _user(asked, lambda command: command.add(asked.name, asked.shown, Role(asked.role), *dates))


def _user_change(asked: argparse.Namespace) -> int:
    from hub.wire.roles import Role

    role = Role(asked.role) if asked.role else None
    return _user(asked, lambda command: command.change(asked.name, asked.shown, role, asked.designated, asked.trained))


def _user_reset(asked: argparse.Namespace) -> int:
    return _user(asked, lambda command: command.reset(asked.name))


def _user_unlock(asked: argparse.Namespace) -> int:
    return _user(asked, lambda command: command.unlock(asked.name))


def _user_end(asked: argparse.Namespace) -> int:
    return _user(asked, lambda command: command.end(asked.name))


def _user_restore(asked: argparse.Namespace) -> int:
    return _user(asked, lambda command: command.restore(asked.name))


def _user(asked: argparse.Namespace, act: "Callable[[UserCommand], None]") -> int:
    machine, office = asking.settings()
    from config.author import author
    from config.ledger import ledger_settings
    from config.user_command import UserCommand

    with (
        asking.failing(),
        UserCommand(ledger_settings(machine, asked.data), office, asking.say, author()) as command,
    ):
        act(command)
    return 0
