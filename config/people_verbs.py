"""The verbs of `junban` about who and what is let in: handlers and devices."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from config.command_line import DATA_HELP, Failure, Parser, read_settings, say, verb

if TYPE_CHECKING:
    from config.device_command import DeviceCommand
    from config.user_command import UserCommand

PEOPLE_ROLES = ["counter", "manager", "ad_desk", "operator", "auditor"]
ROLE_HELP = "counter（窓口担当）、manager（責任者）、ad_desk（広告担当）、operator（運用担当者）、auditor（監査担当）"


def add_user(verbs: "argparse._SubParsersAction[Parser]") -> None:
    user = verbs.add_parser(
        "user",
        help="取扱者を登録し、パスワードを出し直し、利用を終えます",
        description="取扱者。",
        allow_abbrev=False,
    )
    acts = user.add_subparsers(dest="act", metavar="VERB", required=True, title="命令")
    listing = verb(acts, "list", _user_list, "取扱者を示します")
    listing.add_argument("--json", action="store_true", help="結果を JSON で出します")
    add = verb(acts, "add", _user_add, "取扱者を登録し、最初のパスワードを 1 度だけ示します")
    change = verb(acts, "change", _user_change, "氏名、役割、指定日、研修日を変更します")
    for act, required in ((add, True), (change, False)):
        act.add_argument("name", metavar="NAME", help="利用者名（英小文字で始まる 2～32 文字）")
        act.add_argument("--role", choices=PEOPLE_ROLES, required=required, metavar="ROLE", help=ROLE_HELP)
        act.add_argument("--shown", required=required, metavar="氏名", help="取扱者の氏名（報告書に載ります）")
        act.add_argument("--designated", metavar="DATE", help="取扱者に指定した日（YYYY-MM-DD）。なければ使えません")
        act.add_argument("--trained", metavar="DATE", help="研修を受けた日（YYYY-MM-DD）。なければ使えません")
    reset = verb(acts, "reset", _user_reset, "パスワードを出し直します")
    unlock = verb(acts, "unlock", _user_unlock, "間違いが続いたための一時停止を解除します")
    end = verb(acts, "end", _user_end, "利用を終えます。サインインは 1 秒以内に終わります")
    restore = verb(acts, "restore", _user_restore, "終えた利用を再び認めます")
    for act in (reset, unlock, end, restore):
        act.add_argument("name", metavar="NAME", help="利用者名")
    for act in (listing, add, change, reset, unlock, end, restore):
        act.add_argument("--data", type=Path, metavar="DIR", help=DATA_HELP)


def add_device(verbs: "argparse._SubParsersAction[Parser]") -> None:
    device = verbs.add_parser(
        "device",
        help="番号表示の画面、発券機、窓口の端末を登録し、取り消します",
        description="機器（番号表示の画面、発券機、窓口の端末）。",
        allow_abbrev=False,
    )
    acts = device.add_subparsers(dest="act", metavar="VERB", required=True, title="命令")
    listing = verb(acts, "list", _device_list, "登録した機器と、登録を待つ機器を示します")
    listing.add_argument("--json", action="store_true", help="結果を JSON で出します")
    let_in = verb(acts, "let-in", _device_let_in, "機器の画面に出ているコードで、その機器を登録します")
    let_in.add_argument("code", metavar="CODE", help="機器の画面のコード（ABCD-EFGH）")
    let_in.add_argument("--place", default="", metavar="KEY", help="機器の場所（既定: 機器が自分で示した場所）")
    revoke = verb(acts, "revoke", _device_revoke, "機器の登録を取り消します。その画面は 1 秒以内に終わります")
    revoke.add_argument("id", metavar="ID", help="機器の番号（wall-3k9f2a の形）")
    for act in (listing, let_in, revoke):
        act.add_argument("--data", type=Path, metavar="DIR", help=DATA_HELP)


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
    machine, office = read_settings()
    from config.ledger import ledger_settings
    from config.user_command import UserCommand
    from hub.desk.refusals import Refusal
    from hub.ledger.connection import LedgerUnusable

    try:
        with UserCommand(ledger_settings(machine, asked.data), office, say) as command:
            act(command)
    except LedgerUnusable as error:
        raise Failure(str(error)) from error
    except Refusal as error:
        raise Failure(error.sentence) from error
    return 0


def _device_list(asked: argparse.Namespace) -> int:
    return _device(asked, lambda command: command.list(as_json=asked.json))


def _device_let_in(asked: argparse.Namespace) -> int:
    return _device(asked, lambda command: command.let_in(asked.code, asked.place))


def _device_revoke(asked: argparse.Namespace) -> int:
    return _device(asked, lambda command: command.revoke(asked.id))


def _device(asked: argparse.Namespace, act: "Callable[[DeviceCommand], None]") -> int:
    machine, office = read_settings()
    from config.device_command import DeviceCommand
    from config.ledger import ledger_settings
    from hub.desk.refusals import Refusal
    from hub.ledger.connection import LedgerUnusable

    try:
        with DeviceCommand(ledger_settings(machine, asked.data), office, say) as command:
            act(command)
    except LedgerUnusable as error:
        raise Failure(str(error)) from error
    except Refusal as error:
        raise Failure(error.sentence) from error
    return 0
