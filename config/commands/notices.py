"""What sends notices and keeps watch over contacts: workers, the keeper, the keys, returned mail."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from config.commands import asking

if TYPE_CHECKING:
    from config.mail import MailSettings
    from config.settings import Machine
    from hub.desk.lane import Office
    from hub.desk.notices import Carrier

ALIVE_HELP = "動いている間、時刻を更新し続けるファイル（30 秒以上古ければ止まっています）"

OWN_STORE_HELP = "自分だけのデータストアのフォルダー。夜間に再起動してよく、消去の跡を調べます（junban up が付けます）"
NO_MASTER_KEY = (
    "JUNBAN_MASTER_KEY がないため、連絡先を預からず、お知らせも送りません（番号の発行と呼び出しは続きます）。"
    "openssl rand -hex 32 で作った鍵を書くか、systemd の資格情報 junban-master-key を用意して、起動し直してください。"
)
OLD_KEY_HELP = "これまでの鍵（64 文字の 16 進数）を書いたファイル。新しい鍵は JUNBAN_MASTER_KEY に書きます"


def add(verbs: asking.Verbs) -> None:
    worker = asking.verb(verbs, "worker", _worker, "お知らせを送るワーカーを 1 つ動かします")
    worker.add_argument(
        "carrier", choices=["line", "email", "phone"], metavar="CARRIER", help="送り方（line、email、phone）"
    )
    worker.add_argument("--alive", type=Path, metavar="FILE", help=ALIVE_HELP)

    keeper = asking.verb(
        verbs, "keeper", _keeper, "常駐処理: 台帳に記録し、連絡先の鍵を翌日に消去し、お知らせの送り残しを防ぎます"
    )
    keeper.add_argument("--alive", type=Path, metavar="FILE", help=ALIVE_HELP)
    keeper.add_argument("--own-store", type=Path, metavar="DIR", help=OWN_STORE_HELP)

    acts = asking.group(verbs, "key", "連絡先の鍵を包む鍵を替えます", "連絡先の鍵。")
    rotate = asking.verb(acts, "rotate", _key_rotate, "連絡先の鍵を、新しい JUNBAN_MASTER_KEY で包み直します")
    rotate.add_argument("--old", type=Path, required=True, metavar="FILE", help=OLD_KEY_HELP)
    asking.add_data(rotate)

    bounce = asking.verb(verbs, "bounce", _bounce, "届かずに戻ったメールを標準入力から受け、その宛先を消去します")
    bounce.add_argument("recipient", metavar="RECIPIENT", help="戻ってきたアドレス（JUNBAN_MAIL_BOUNCES の形）")


def _worker(asked: argparse.Namespace) -> int:
    from hub.desk.notices import Carrier

    carrier = Carrier(asked.carrier)
    office, mail, urls = _notices("junban worker", carrier)
    from config import worker
    from workers.keys import KeysUnusable

    try:
        worker.run(office, carrier, mail, **urls, alive=asked.alive)
    except (RuntimeError, KeysUnusable) as error:
        raise asking.Failure(str(error)) from error
    return 0


def _bounce(asked: argparse.Namespace) -> int:
    machine, office, _, urls = _keeping("junban bounce")
    from config import bounce
    from hub.desk.refusals import Refusal

    if machine.mail_bounces is None:
        raise asking.Failure("JUNBAN_MAIL_BOUNCES を設定してください。")
    try:
        bounce.run(office, asked.recipient, machine.mail_bounces, sys.stdin.buffer, redis_url=urls["redis_url"])
    except Refusal as refusal:
        raise asking.Failure(f"戻ったメールを記録できません（{refusal.sentence}）。") from refusal
    return 0


def _keeper(asked: argparse.Namespace) -> int:
    machine, office, mail, urls = _keeping("junban keeper", is_keeper=True)
    from config import keeper
    from config.ledger import ledger_settings
    from config.mail import keys_to_destroy
    from hub.ledger.connection import LedgerUnusable
    from workers.keys import KeysUnusable

    try:
        keeper.run(
            office,
            mail,
            ledger_settings(machine),
            **urls,
            alive=asked.alive,
            keys=mail.key_host() if mail else keys_to_destroy(machine),
            own_store=asked.own_store,
            searched=machine.search_dirs,
        )
    except (KeysUnusable, LedgerUnusable) as error:
        raise asking.Failure(str(error)) from error
    return 0


def _key_rotate(asked: argparse.Namespace) -> int:
    machine, office = asking.settings()
    from config.author import author
    from config.key_command import rotate
    from config.ledger import ledger_settings
    from workers.keys import KeyHost, KeysUnusable

    if machine.key_dir is None or machine.master_key is None:
        raise asking.WrongUse("JUNBAN_KEY_DIR に鍵のフォルダー、JUNBAN_MASTER_KEY に新しい鍵を書いてください。")
    try:
        old = bytes.fromhex(asked.old.read_text(encoding="ascii").strip())
    except (OSError, UnicodeError, ValueError):
        raise asking.Failure(
            f"{asked.old} から、これまでの鍵を読めません。64 文字の 16 進数か確かめてください。"
        ) from None
    with asking.failing(KeysUnusable), asking.writing():
        keys = KeyHost(machine.key_dir, bytes.fromhex(machine.master_key.get_secret_value()))
        count = rotate(keys, old, ledger_settings(machine, asked.data), office, author())
    asking.say(f"{count} 日分の鍵を包み直しました。ワーカーと常駐処理を新しい鍵で起動し、前の鍵を消してください。")
    return 0


def _notices(verb: str, carrier: "Carrier") -> "tuple[Office, MailSettings, dict[str, str]]":
    """Office, mail and the two URLs of what sends notices by this carrier."""
    _, office, mail, urls = _keeping(verb)
    from config.mail import variables_of

    if mail is None or carrier not in mail.carriers:
        needed = " と ".join(variables_of(carrier))
        raise asking.WrongUse(f"{needed} を設定してください。なければ {carrier} のお知らせは送れません。")
    return office, mail, urls


def _keeping(verb: str, *, is_keeper: bool = False) -> "tuple[Machine, Office, MailSettings | None, dict[str, str]]":
    """Machine, office, mail where notices are sent, and the two URLs. A keeper has work without a master key."""
    from config.faults import Faulty
    from config.mail import begun_carriers, mail_settings

    machine, office = asking.settings()
    if machine.redis_url is None:
        raise asking.WrongUse(f"JUNBAN_REDIS_URL に、ハブと同じストアの URL を書いてください（{verb}）。")
    is_without = is_keeper and machine.master_key is None and bool(begun_carriers(machine))
    if is_without:
        print(f"junban: {NO_MASTER_KEY}", file=sys.stderr)
    try:
        mail = None if is_without else mail_settings(machine)
    except Faulty as error:
        raise asking.Failure(f"設定に誤りがあります。\n{error}") from error
    return machine, office, mail, {"redis_url": machine.redis_url, "jobs_url": machine.jobs_url or machine.redis_url}
