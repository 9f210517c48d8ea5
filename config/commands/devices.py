"""`junban device`: walls, kiosks and desks are let in and sent out."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from config.commands import asking

if TYPE_CHECKING:
    from config.device_command import DeviceCommand


def add(verbs: asking.Verbs) -> None:
    acts = asking.group(
        verbs,
        "device",
        "番号表示モニター、発券機、窓口の端末を登録し、取り消します",
        "機器（番号表示モニター、発券機、窓口の端末）。",
    )
    listing = asking.verb(acts, "list", _device_list, "登録した機器と、登録を待つ機器を示します")
    asking.add_json(listing)
    let_in = asking.verb(acts, "let-in", _device_let_in, "機器の画面に出ているコードで、その機器を登録します")
    let_in.add_argument("code", metavar="CODE", help="機器の画面のコード（ABCD-EFGH）")
    let_in.add_argument("--place", default="", metavar="KEY", help="機器の場所（既定: 機器が自分で示した場所）")
    asking.add_json(let_in)
    revoke = asking.verb(acts, "revoke", _device_revoke, "機器の登録を取り消します。その画面は 1 秒以内に終わります")
    revoke.add_argument("id", metavar="ID", help="機器の番号（wall-3k9f2a の形）")
    for act in (listing, let_in, revoke):
        asking.add_data(act)


def _device_list(asked: argparse.Namespace) -> int:
    return _device(asked, lambda command: command.list(as_json=asked.json))


def _device_let_in(asked: argparse.Namespace) -> int:
    return _device(asked, lambda command: command.let_in(asked.code, asked.place, as_json=asked.json))


def _device_revoke(asked: argparse.Namespace) -> int:
    return _device(asked, lambda command: command.revoke(asked.id))


def _device(asked: argparse.Namespace, act: "Callable[[DeviceCommand], None]") -> int:
    machine, office = asking.settings()
    from config.author import author
    from config.device_command import DeviceCommand
    from config.ledger import ledger_settings

    with (
        asking.failing(),
        DeviceCommand(ledger_settings(machine, asked.data), office, asking.say, author()) as command,
    ):
        act(command)
    return 0
