"""The command line `junban`. It reads what was asked, and says in one sentence what is wrong with it.

Exit codes: 0 all went well (Ctrl-C of what runs until stopped included), 1 a failure, 2 wrong use.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from config.command_line import (
    DATA_HELP,
    FAILURE,
    WRONG_USE,
    Failure,
    Parser,
    WrongUse,
    as_key,
    as_port,
    read_settings,
    say,
    verb,
)
from config.ledger_verbs import add_erase, add_ledger
from config.people_verbs import add_device, add_user

if TYPE_CHECKING:
    from config.mail import MailSettings
    from config.settings import Machine
    from hub.desk.lane import Office


PORT_HELP = "住民向けの画面のポート。職員向けは N+1（既定: JUNBAN_PORT と JUNBAN_INSIDE_PORT）"

ALIVE_HELP = "動いている間、時刻を更新し続けるファイル（30 秒以上古ければ止まっています）"

OWN_STORE_HELP = "自分だけのデータストアのフォルダー。夜間に再起動してよく、消去の跡を調べます（junban up が付けます）"
NO_MASTER_KEY = (
    "JUNBAN_MASTER_KEY がないため、連絡先を預からず、お知らせも送りません（番号の発行と呼び出しは続きます）。"
    "openssl rand -hex 32 で作った鍵を書くか、systemd の資格情報 junban-master-key を用意して、起動し直してください。"
)
OLD_KEY_HELP = "これまでの鍵（64 文字の 16 進数）を書いたファイル。新しい鍵は JUNBAN_MASTER_KEY に書きます"


def main(arguments: Sequence[str] | None = None) -> int:
    _leave_no_core()
    try:
        asked = parser().parse_args(arguments)
        run: Callable[[argparse.Namespace], int] = asked.run
        return run(asked)
    except WrongUse as error:
        print(f"junban: {error}", file=sys.stderr)
        return WRONG_USE
    except Failure as error:
        print(f"junban: {error}", file=sys.stderr)
        return FAILURE
    except KeyboardInterrupt:
        return 130


def _leave_no_core() -> None:
    """Of this process and its children: a core file holds whatever was in memory."""
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))


def parser() -> Parser:
    whole = Parser(prog="junban", description="受付番号のシステム「順番」。", allow_abbrev=False)
    verbs = whole.add_subparsers(dest="verb", metavar="VERB", required=True, title="命令")

    up = verb(verbs, "up", _up, "この 1 台で窓口課を動かします（Ctrl-C で終わります）")
    up.add_argument("--data", type=Path, metavar="DIR", help=DATA_HELP)
    up.add_argument("--port", type=as_port, metavar="N", help=PORT_HELP)
    up.add_argument("--practice", action="store_true", help="練習: 時計を動かせます。--data がなければ終わると消えます")

    demo = verb(verbs, "demo", _demo, "練習の窓口課を、模擬の一日を 20 倍の速さで流しながら動かします")
    demo.add_argument("--port", type=as_port, metavar="N", help=PORT_HELP)

    hub = verb(verbs, "hub", _hub, "JUNBAN_REDIS_URL のストアにつなぐハブを 1 つ動かします（何台でも並べられます）")
    hub.add_argument("--practice", action="store_true", help="練習: 時計を動かせます。本番のストアには使えません")
    hub.add_argument("--credentials", type=Path, metavar="FILE", help="練習: サインインの画面に出す利用者のファイル")

    kiosk = verb(verbs, "kiosk", _kiosk, "発券機を 1 台動かします（画面はこの機械の中だけで開けます）")
    kiosk.add_argument("--hub", metavar="URL", help="ハブの職員側の場所（既定: この機械の JUNBAN_INSIDE_PORT）")
    kiosk.add_argument("--port", type=as_port, default=8090, metavar="N", help="画面のポート（既定: 8090）")
    kiosk.add_argument("--key", type=as_key, default="kiosk", metavar="KEY", help="この発券機の名前（既定: kiosk）")
    kiosk.add_argument("--out", type=Path, metavar="DIR", help="受付票を紙の代わりに置くフォルダー")

    inbox = verb(verbs, "inbox", _inbox, "練習用のメール、LINE、電話の相手を動かします（どこにも送りません）")
    inbox.add_argument("--port", type=as_port, default=8082, metavar="N", help="画面のポート（既定: 8082）")
    inbox.add_argument(
        "--mail-port", type=as_port, default=8025, metavar="N", help="メールを受けるポート（既定: 8025）"
    )
    inbox.add_argument("--slips", type=Path, metavar="DIR", help="発券機が受付票を置くフォルダー。その画面も出します")
    inbox.add_argument("--hub", metavar="URL", help="LINEの相手が出来事を知らせる、住民向けの画面の場所")

    worker = verb(verbs, "worker", _worker, "お知らせを送るワーカーを 1 つ動かします")
    worker.add_argument(
        "carrier", choices=["line", "email", "phone"], metavar="CARRIER", help="送り方（line、email、phone）"
    )
    worker.add_argument("--alive", type=Path, metavar="FILE", help=ALIVE_HELP)

    keeper = verb(verbs, "keeper", _keeper, "台帳に記録し、連絡先の鍵を翌日に消去し、お知らせを送り残さず見張ります")
    keeper.add_argument("--alive", type=Path, metavar="FILE", help=ALIVE_HELP)
    keeper.add_argument("--own-store", type=Path, metavar="DIR", help=OWN_STORE_HELP)

    key = verbs.add_parser("key", help="連絡先の鍵を包む鍵を替えます", description="連絡先の鍵。", allow_abbrev=False)
    acts = key.add_subparsers(dest="act", metavar="VERB", required=True, title="命令")
    rotate = verb(acts, "rotate", _key_rotate, "連絡先の鍵を、新しい JUNBAN_MASTER_KEY で包み直します")
    rotate.add_argument("--old", type=Path, required=True, metavar="FILE", help=OLD_KEY_HELP)

    bounce = verb(verbs, "bounce", _bounce, "届かずに戻ったメールを標準入力から受け、その宛先を消去します")
    bounce.add_argument("recipient", metavar="RECIPIENT", help="戻ってきたアドレス（JUNBAN_MAIL_BOUNCES の形）")

    add_user(verbs)
    add_ledger(verbs)
    add_device(verbs)

    simulate = verb(verbs, "simulate", _simulate, "練習の窓口課に、模擬の一日の来庁者を流して確かめます")
    simulate.fill = _fill_simulate

    check = verb(verbs, "check", _check, "設定を確かめ、誤りをすべて一度に示します")
    check.add_argument("--json", action="store_true", help="結果を JSON で出します")
    add_erase(verbs)
    doctor = verb(verbs, "doctor", _doctor, "動いているこの機械を診断し、直すべきことをすべて示します")
    doctor.add_argument("--data", type=Path, metavar="DIR", help=DATA_HELP)
    doctor.add_argument("--json", action="store_true", help="結果を JSON で出します")
    doctor.add_argument("--acl", action="store_true", help="ストアの利用者の定義（ACL）を示して終わります")
    doctor.add_argument("--sbom", action="store_true", help="部品の一覧（CycloneDX の JSON）を示して終わります")
    return whole


# What each verb does. Imports stand inside: a wrong word is answered at once, without loading an office.


def _up(asked: argparse.Namespace) -> int:
    return _run(asked.data, asked.port, practice=asked.practice, demo=False)


def _demo(asked: argparse.Namespace) -> int:
    return _run(None, asked.port, practice=True, demo=True)


def _run(data: Path | None, port: int | None, *, practice: bool, demo: bool) -> int:
    from config import up

    stop = up.Stop()  # first of all: from here on Ctrl-C ends things in order
    machine, office = read_settings()
    if practice and machine.redis_url:
        raise WrongUse(
            "練習は自分のストアで動きます。JUNBAN_REDIS_URL を外すか、--practice を付けずに起動してください。"
        )
    try:
        up.run(machine, office, say, stop, data=data, port=port, practice=practice, demo=demo)
    except RuntimeError as error:  # each of them is one sentence for the operator
        raise Failure(str(error)) from error
    return 0


def _hub(asked: argparse.Namespace) -> int:
    from config import up

    machine, office = read_settings()
    if machine.redis_url is None:
        raise WrongUse("JUNBAN_REDIS_URL にストアの場所を書いてください。1 台だけで動かすときは junban up です。")
    if asked.credentials and not asked.practice:
        raise WrongUse("--credentials は --practice と一緒に使ってください。本番の利用者は junban user で登録します。")
    try:
        up.run_hub(machine, office, machine.redis_url, practice=asked.practice, credentials=asked.credentials)
    except RuntimeError as error:
        raise Failure(str(error)) from error
    return 0


def _kiosk(asked: argparse.Namespace) -> int:
    from config import kiosk
    from config.settings import default_data_folder
    from kiosk_client.printer import Paperless, printer_at

    machine, _ = read_settings()
    if asked.hub and not re.fullmatch(r"https?://[^/?#@\s]+/?", asked.hub):
        raise WrongUse("--hub は http://ホスト:ポート の形で書いてください。")
    folder = default_data_folder() / "kiosk"
    slips = asked.out or folder / "slips"
    try:
        kiosk.run(
            hub_url=asked.hub or f"http://127.0.0.1:{machine.inside_port}",
            public_url=machine.public_url or f"http://127.0.0.1:{machine.port}",
            port=asked.port,
            folder=asked.out or folder,
            key=asked.key,
            printer=printer_at(machine.printer) if machine.printer and not asked.out else Paperless(slips),
            say=say,
        )
    except OSError as error:
        raise Failure(f"発券機を始められません（{error.strerror}）。--port と --out を確かめてください。") from error
    return 0


def _inbox(asked: argparse.Namespace) -> int:
    from config.faults import Faulty
    from config.practice import inbox_command
    from config.settings import Machine

    try:
        inbox_command.run(
            Machine.from_environment(),
            port=asked.port,
            mail_port=asked.mail_port,
            slips=asked.slips,
            hub=asked.hub,
            say=say,
        )
    except Faulty as error:
        raise Failure(str(error)) from error
    except OSError as error:
        raise Failure(
            f"受信箱を始められません（{error.strerror}）。--port と --mail-port を確かめてください。"
        ) from error
    return 0


def _worker(asked: argparse.Namespace) -> int:
    from hub.desk.notices import Carrier

    office, mail, urls = _notices("junban worker")
    from config import worker
    from workers.keys import KeysUnusable

    try:
        worker.run(office, Carrier(asked.carrier), mail, **urls, alive=asked.alive)
    except (RuntimeError, KeysUnusable) as error:
        raise Failure(str(error)) from error
    return 0


def _bounce(asked: argparse.Namespace) -> int:
    machine, office, _, urls = _keeping("junban bounce")
    from config import bounce
    from hub.desk.refusals import Refusal

    if machine.mail_bounces is None:
        raise Failure("JUNBAN_MAIL_BOUNCES を設定してください。")
    try:
        bounce.run(office, asked.recipient, machine.mail_bounces, sys.stdin.buffer, redis_url=urls["redis_url"])
    except Refusal as refusal:
        raise Failure(f"戻ったメールを記録できません（{refusal.sentence}）。") from refusal
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
        raise Failure(str(error)) from error
    return 0


def _key_rotate(asked: argparse.Namespace) -> int:
    machine, _ = read_settings()
    from workers.keys import KeyHost, KeysUnusable

    if machine.key_dir is None or machine.master_key is None:
        raise WrongUse("JUNBAN_KEY_DIR に鍵のフォルダー、JUNBAN_MASTER_KEY に新しい鍵を書いてください。")
    try:
        old = asked.old.read_text(encoding="ascii").strip()
        count = KeyHost(machine.key_dir, bytes.fromhex(machine.master_key.get_secret_value())).rotate(
            bytes.fromhex(old)
        )
    except (OSError, UnicodeError, ValueError):
        raise Failure(f"{asked.old} から、これまでの鍵を読めません。64 文字の 16 進数か確かめてください。") from None
    except KeysUnusable as error:
        raise Failure(str(error)) from error
    say(f"{count} 日分の鍵を包み直しました。ワーカーと見張りを新しい鍵で起動し、これまでの鍵を消してください。")
    return 0


def _notices(verb: str) -> "tuple[Office, MailSettings, dict[str, str]]":
    """Office, mail and the two URLs of what sends notices."""
    _, office, mail, urls = _keeping(verb)
    if mail is None:
        raise WrongUse("JUNBAN_SMTP_URL にメールサーバーの場所を書いてください。なければお知らせは送れません。")
    return office, mail, urls


def _keeping(verb: str, *, is_keeper: bool = False) -> "tuple[Machine, Office, MailSettings | None, dict[str, str]]":
    """Machine, office, mail where notices are sent, and the two URLs. A keeper has work without a master key."""
    from config.faults import Faulty
    from config.mail import mail_settings

    machine, office = read_settings()
    if machine.redis_url is None:
        raise WrongUse(f"JUNBAN_REDIS_URL に、ハブと同じストアの場所を書いてください（{verb}）。")
    is_without = is_keeper and machine.smtp_url is not None and machine.master_key is None
    if is_without:
        print(f"junban: {NO_MASTER_KEY}", file=sys.stderr)
    try:
        mail = None if is_without else mail_settings(machine)
    except Faulty as error:
        raise Failure(f"設定に誤りがあります。\n{error}") from error
    return machine, office, mail, {"redis_url": machine.redis_url, "jobs_url": machine.jobs_url or machine.redis_url}


def _fill_simulate(verb: argparse.ArgumentParser) -> None:
    from config.practice.command import add_arguments  # a hub in earnest never loads what plays residents

    add_arguments(verb)


def _simulate(asked: argparse.Namespace) -> int:
    from config.office_process import start_office
    from config.practice.command import run

    return run(asked, start_office)


def _check(asked: argparse.Namespace) -> int:
    from config.check import find_faults

    faults = find_faults()
    if asked.json:
        print(json.dumps({"ok": not faults, "faults": [fault.as_fields() for fault in faults]}, ensure_ascii=False))
    elif faults:
        print(*faults, sep="\n")
    else:
        print("設定に誤りはありません。")
    return FAILURE if faults else 0


def _doctor(asked: argparse.Namespace) -> int:
    machine, office = read_settings()
    from config.doctor import examine
    from config.sbom import bill_of_materials
    from hub.store.access import acl_lines

    if asked.acl:
        say("\n".join(acl_lines(office.key)))
        return 0
    if asked.sbom:
        say(json.dumps(bill_of_materials(), ensure_ascii=False, indent=1))
        return 0
    looks = examine(machine, asked.data)
    is_well = not any(look.faults for look in looks)
    if asked.json:
        told = {"ok": is_well, "looks": {look.name: look.faults for look in looks}}
        told["seen"] = {look.name: look.seen for look in looks}
        say(json.dumps(told, ensure_ascii=False))
        return 0 if is_well else FAILURE
    for look in looks:
        say(f"{'×' if look.faults else '○'} {look.name}")
        for line in (*look.faults, *(f"・{seen}" for seen in look.seen)):
            say(f"   {line}")
    return 0 if is_well else FAILURE


if __name__ == "__main__":
    sys.exit(main())
