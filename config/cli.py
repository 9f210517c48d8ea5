"""The command line `junban`. It reads what was asked, and says in one sentence what is wrong with it.

Exit codes: 0 all went well (Ctrl-C of what runs until stopped included), 1 a failure, 2 wrong use.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from config.device_command import DeviceCommand
    from config.mail import MailSettings
    from config.paper_command import Asked, PaperCommand
    from config.settings import Machine
    from config.user_command import UserCommand
    from hub.desk.lane import Office

WRONG_USE = 2
FAILURE = 1

# What argparse says, in the operator's language; `{}` stands for what was wrong.
WRONG_USES: tuple[tuple[str, str], ...] = (
    (r"unrecognized arguments: (.*)", "{} は使えません"),
    (r"argument VERB: invalid choice: '([^']*)'.*", "{} という命令はありません"),
    (r"the following arguments are required: VERB", "命令を書いてください"),
    (r"the following arguments are required: (.*)", "{} を書いてください"),
    (r"argument (\S+): expected one argument", "{} の後に値を書いてください"),
    (r"argument (\S+?)(?:/\S+)?: (?:invalid|not allowed).*", "{} の値が正しくありません"),
    (r"ambiguous option: (\S+).*", "{} は略さずに書いてください"),
)


PORT_HELP = "住民向けの画面のポート。職員向けは N+1（既定: JUNBAN_PORT と JUNBAN_INSIDE_PORT）"
DATA_HELP = "データを置くフォルダー（既定: $XDG_DATA_HOME/junban、なければ ~/.local/share/junban）"

ALIVE_HELP = "動いている間、時刻を更新し続けるファイル（30 秒以上古ければ止まっています）"

OWN_STORE_HELP = "自分だけのデータストアのフォルダー。夜間に再起動してよく、消去の跡を調べます（junban up が付けます）"
NO_MASTER_KEY = (
    "JUNBAN_MASTER_KEY がないため、連絡先を預からず、お知らせも送りません（番号の発行と呼び出しは続きます）。"
    "openssl rand -hex 32 で作った鍵を書くか、systemd の資格情報 junban-master-key を用意して、起動し直してください。"
)
KIND_HELP = "on_site（立入調査）か documents（書面）"
RESULT_HELP = "sound（適正）か to_mend（改善を要する）"
OLD_KEY_HELP = "これまでの鍵（64 文字の 16 進数）を書いたファイル。新しい鍵は JUNBAN_MASTER_KEY に書きます"

PEOPLE_ROLES = ["counter", "manager", "ad_desk", "operator", "auditor"]
ROLE_HELP = "counter（窓口担当）、manager（責任者）、ad_desk（広告担当）、operator（運用担当者）、auditor（監査担当）"


class WrongUse(Exception):
    """One sentence that says what to do."""


class Failure(Exception):
    """One sentence that says what to do, or one for each fault."""


class Parser(argparse.ArgumentParser):
    """argparse that answers wrong use with one sentence. `fill` adds the arguments of a verb when it is asked for."""

    fill: Callable[[argparse.ArgumentParser], None] | None = None

    def parse_known_args(self, *given: Any, **named: Any) -> Any:
        if self.fill is not None:
            fill, self.fill = self.fill, None
            fill(self)
        return super().parse_known_args(*given, **named)

    def error(self, message: str) -> NoReturn:
        for pattern, sentence in WRONG_USES:
            if found := re.fullmatch(pattern, message, re.DOTALL):
                message = sentence.format(*found.groups())
                break
        raise WrongUse(f"{message}。使い方は {self.prog} --help でご覧ください。")


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

    up = _verb(verbs, "up", _up, "この 1 台で窓口課を動かします（Ctrl-C で終わります）")
    up.add_argument("--data", type=Path, metavar="DIR", help=DATA_HELP)
    up.add_argument("--port", type=_port, metavar="N", help=PORT_HELP)
    up.add_argument("--practice", action="store_true", help="練習: 時計を動かせます。--data がなければ終わると消えます")

    demo = _verb(verbs, "demo", _demo, "練習の窓口課を、模擬の一日を 20 倍の速さで流しながら動かします")
    demo.add_argument("--port", type=_port, metavar="N", help=PORT_HELP)

    hub = _verb(verbs, "hub", _hub, "JUNBAN_REDIS_URL のストアにつなぐハブを 1 つ動かします（何台でも並べられます）")
    hub.add_argument("--practice", action="store_true", help="練習: 時計を動かせます。本番のストアには使えません")
    hub.add_argument("--credentials", type=Path, metavar="FILE", help="練習: サインインの画面に出す利用者のファイル")

    kiosk = _verb(verbs, "kiosk", _kiosk, "発券機を 1 台動かします（画面はこの機械の中だけで開けます）")
    kiosk.add_argument("--hub", metavar="URL", help="ハブの職員側の場所（既定: この機械の JUNBAN_INSIDE_PORT）")
    kiosk.add_argument("--port", type=_port, default=8090, metavar="N", help="画面のポート（既定: 8090）")
    kiosk.add_argument("--key", type=_key, default="kiosk", metavar="KEY", help="この発券機の名前（既定: kiosk）")
    kiosk.add_argument("--out", type=Path, metavar="DIR", help="受付票を紙の代わりに置くフォルダー")

    inbox = _verb(verbs, "inbox", _inbox, "練習用のメール、LINE、電話の相手を動かします（どこにも送りません）")
    inbox.add_argument("--port", type=_port, default=8082, metavar="N", help="画面のポート（既定: 8082）")
    inbox.add_argument("--mail-port", type=_port, default=8025, metavar="N", help="メールを受けるポート（既定: 8025）")
    inbox.add_argument("--slips", type=Path, metavar="DIR", help="発券機が受付票を置くフォルダー。その画面も出します")
    inbox.add_argument("--hub", metavar="URL", help="LINEの相手が出来事を知らせる、住民向けの画面の場所")

    worker = _verb(verbs, "worker", _worker, "お知らせを送るワーカーを 1 つ動かします")
    worker.add_argument(
        "carrier", choices=["line", "email", "phone"], metavar="CARRIER", help="送り方（line、email、phone）"
    )
    worker.add_argument("--alive", type=Path, metavar="FILE", help=ALIVE_HELP)

    keeper = _verb(verbs, "keeper", _keeper, "台帳に記録し、連絡先の鍵を翌日に消去し、お知らせを送り残さず見張ります")
    keeper.add_argument("--alive", type=Path, metavar="FILE", help=ALIVE_HELP)
    keeper.add_argument("--own-store", type=Path, metavar="DIR", help=OWN_STORE_HELP)

    key = verbs.add_parser("key", help="連絡先の鍵を包む鍵を替えます", description="連絡先の鍵。", allow_abbrev=False)
    acts = key.add_subparsers(dest="act", metavar="VERB", required=True, title="命令")
    rotate = _verb(acts, "rotate", _key_rotate, "連絡先の鍵を、新しい JUNBAN_MASTER_KEY で包み直します")
    rotate.add_argument("--old", type=Path, required=True, metavar="FILE", help=OLD_KEY_HELP)

    bounce = _verb(verbs, "bounce", _bounce, "届かずに戻ったメールを標準入力から受け、その宛先を消去します")
    bounce.add_argument("recipient", metavar="RECIPIENT", help="戻ってきたアドレス（JUNBAN_MAIL_BOUNCES の形）")

    _add_user(verbs)
    _add_ledger(verbs)
    _add_device(verbs)

    simulate = _verb(verbs, "simulate", _simulate, "練習の窓口課に、模擬の一日の来庁者を流して確かめます")
    simulate.fill = _fill_simulate

    check = _verb(verbs, "check", _check, "設定を確かめ、誤りをすべて一度に示します")
    check.add_argument("--json", action="store_true", help="結果を JSON で出します")
    erase = _verb(
        verbs, "erase", _erase, "協定の終了: すべての連絡先を消去し、記録と証明書を 1 つのフォルダーに置きます"
    )
    erase.add_argument("--agreement", required=True, metavar="KEY", help="終わる窓口課の key（確認のため書きます）")
    erase.add_argument("--to", type=Path, required=True, metavar="DIR", help="区に返す記録を置くフォルダー")
    erase.add_argument("--issued", type=_date, required=True, metavar="DATE", help="書類に書く発行日")
    erase.add_argument("--issuer", required=True, metavar="TEXT", help="発行者（行を分けるには ／）")
    erase.add_argument("--addressee", required=True, metavar="TEXT", help="宛先（例: 新宿区長　様）")
    erase.add_argument("--responsible", default="", metavar="NAME", help="取扱責任者の利用者名（既定: 運用担当者）")
    erase.add_argument("--data", type=Path, metavar="DIR", help=DATA_HELP)
    doctor = _verb(verbs, "doctor", _doctor, "動いているこの機械を診断し、直すべきことをすべて示します")
    doctor.add_argument("--data", type=Path, metavar="DIR", help=DATA_HELP)
    doctor.add_argument("--json", action="store_true", help="結果を JSON で出します")
    doctor.add_argument("--acl", action="store_true", help="ストアの利用者の定義（ACL）を示して終わります")
    doctor.add_argument("--sbom", action="store_true", help="部品の一覧（CycloneDX の JSON）を示して終わります")
    return whole


def _add_user(verbs: "argparse._SubParsersAction[Parser]") -> None:
    user = verbs.add_parser(
        "user",
        help="取扱者を登録し、パスワードを出し直し、利用を終えます",
        description="取扱者。",
        allow_abbrev=False,
    )
    acts = user.add_subparsers(dest="act", metavar="VERB", required=True, title="命令")
    listing = _verb(acts, "list", _user_list, "取扱者を示します")
    listing.add_argument("--json", action="store_true", help="結果を JSON で出します")
    add = _verb(acts, "add", _user_add, "取扱者を登録し、最初のパスワードを 1 度だけ示します")
    change = _verb(acts, "change", _user_change, "氏名、役割、指定日、研修日を変更します")
    for act, required in ((add, True), (change, False)):
        act.add_argument("name", metavar="NAME", help="利用者名（英小文字で始まる 2～32 文字）")
        act.add_argument("--role", choices=PEOPLE_ROLES, required=required, metavar="ROLE", help=ROLE_HELP)
        act.add_argument("--shown", required=required, metavar="氏名", help="取扱者の氏名（報告書に載ります）")
        act.add_argument("--designated", metavar="DATE", help="取扱者に指定した日（YYYY-MM-DD）。なければ使えません")
        act.add_argument("--trained", metavar="DATE", help="研修を受けた日（YYYY-MM-DD）。なければ使えません")
    reset = _verb(acts, "reset", _user_reset, "パスワードを出し直します")
    unlock = _verb(acts, "unlock", _user_unlock, "間違いが続いたための一時停止を解除します")
    end = _verb(acts, "end", _user_end, "利用を終えます。サインインは 1 秒以内に終わります")
    restore = _verb(acts, "restore", _user_restore, "終えた利用を再び認めます")
    for act in (reset, unlock, end, restore):
        act.add_argument("name", metavar="NAME", help="利用者名")
    for act in (listing, add, change, reset, unlock, end, restore):
        act.add_argument("--data", type=Path, metavar="DIR", help=DATA_HELP)


def _add_ledger(verbs: "argparse._SubParsersAction[Parser]") -> None:
    ledger = verbs.add_parser(
        "ledger",
        help="操作の記録（台帳）を確かめ、書き出します",
        description="操作の記録（台帳）。",
        allow_abbrev=False,
    )
    acts = ledger.add_subparsers(dest="act", metavar="VERB", required=True, title="命令")
    verify = _verb(acts, "verify", _ledger_verify, "台帳に書き換え、抜け、入れ替えがないか確かめます")
    verify.add_argument("--head", type=Path, metavar="FILE", help="区に渡した先頭値のファイル（.sig も同じ所に）")
    verify.add_argument("--key", type=Path, metavar="PEM", help="先頭値の署名を確かめる公開鍵（ledger-key.pem）")
    export = _verb(acts, "export", _ledger_export, "台帳をファイルに書き出し、確かめるプログラムを横に置きます")
    export.add_argument("file", type=Path, metavar="FILE", help="書き出すファイル")
    close = _verb(acts, "close", _ledger_close, "保存期間を過ぎた記録を閉じます（件数とハッシュ値が残ります）")
    close.add_argument("--years", type=_years, required=True, metavar="N", help="保存期間の年数（1 以上）")
    certificate = _verb(acts, "certificate", _ledger_certificate, "消去証明書を PDF と JSON で作ります")
    report = _verb(acts, "report", _ledger_report, "取扱状況報告書、名簿、監査記録簿、事故報告書の様式を作ります")
    for act in (certificate, report):
        act.add_argument("file", type=Path, metavar="FILE", help="作る PDF（JSON は同じ名前で横に置きます）")
        act.add_argument("--from", dest="first", type=_date, required=True, metavar="DATE", help="最初の利用日")
        act.add_argument("--until", dest="last", type=_date, required=True, metavar="DATE", help="最後の利用日")
        act.add_argument("--issued", type=_date, required=True, metavar="DATE", help="書類に書く発行日")
        act.add_argument("--issuer", required=True, metavar="TEXT", help="発行者（行を分けるには ／）")
        act.add_argument("--addressee", required=True, metavar="TEXT", help="宛先（例: 新宿区長　様）")
        act.add_argument("--responsible", default="", metavar="NAME", help="取扱責任者の利用者名（既定: 運用担当者）")
    audit = _verb(acts, "audit", _ledger_audit, "区が行った監査を記録簿に書きます（年度に 1 回以上）")
    audit.add_argument("held", type=_date, metavar="DATE", help="実施日（YYYY-MM-DD）")
    audit.add_argument("--kind", choices=["on_site", "documents"], default="on_site", metavar="KIND", help=KIND_HELP)
    audit.add_argument("--result", choices=["sound", "to_mend"], default="sound", metavar="RESULT", help=RESULT_HELP)
    for act in (certificate, report, audit):
        act.add_argument("--data", type=Path, metavar="DIR", help=DATA_HELP)
    for act in (verify, export, close):
        act.add_argument("--data", type=Path, metavar="DIR", help=DATA_HELP)
        act.add_argument("--json", action="store_true", help="結果を JSON で出します")


def _add_device(verbs: "argparse._SubParsersAction[Parser]") -> None:
    device = verbs.add_parser(
        "device",
        help="番号表示の画面、発券機、窓口の端末を登録し、取り消します",
        description="機器（番号表示の画面、発券機、窓口の端末）。",
        allow_abbrev=False,
    )
    acts = device.add_subparsers(dest="act", metavar="VERB", required=True, title="命令")
    listing = _verb(acts, "list", _device_list, "登録した機器と、登録を待つ機器を示します")
    listing.add_argument("--json", action="store_true", help="結果を JSON で出します")
    let_in = _verb(acts, "let-in", _device_let_in, "機器の画面に出ているコードで、その機器を登録します")
    let_in.add_argument("code", metavar="CODE", help="機器の画面のコード（ABCD-EFGH）")
    let_in.add_argument("--place", default="", metavar="KEY", help="機器の場所（既定: 機器が自分で示した場所）")
    revoke = _verb(acts, "revoke", _device_revoke, "機器の登録を取り消します。その画面は 1 秒以内に終わります")
    revoke.add_argument("id", metavar="ID", help="機器の番号（wall-3k9f2a の形）")
    for act in (listing, let_in, revoke):
        act.add_argument("--data", type=Path, metavar="DIR", help=DATA_HELP)


def _verb(
    verbs: "argparse._SubParsersAction[Parser]", name: str, run: Callable[[argparse.Namespace], int], help_text: str
) -> Parser:
    made = verbs.add_parser(name, help=help_text, description=f"{help_text}。", allow_abbrev=False)
    made.set_defaults(run=run)
    return made


def _port(text: str) -> int:
    port = int(text)
    if not 1 <= port <= 65534:  # the next one is for the inside
        raise ValueError(text)
    return port


def _years(text: str) -> int:
    years = int(text)
    if not 1 <= years <= 100:
        raise ValueError(text)
    return years


def _date(text: str) -> str:
    if date.fromisoformat(text).isoformat() != text:
        raise ValueError(text)
    return text


def _key(text: str) -> str:
    if re.fullmatch(r"[a-z0-9_-]{1,32}", text, re.ASCII) is None:
        raise ValueError(text)
    return text


# What each verb does. Imports stand inside: a wrong word is answered at once, without loading an office.


def _up(asked: argparse.Namespace) -> int:
    return _run(asked.data, asked.port, practice=asked.practice, demo=False)


def _demo(asked: argparse.Namespace) -> int:
    return _run(None, asked.port, practice=True, demo=True)


def _run(data: Path | None, port: int | None, *, practice: bool, demo: bool) -> int:
    from config import up

    stop = up.Stop()  # first of all: from here on Ctrl-C ends things in order
    machine, office = _settings()
    if practice and machine.redis_url:
        raise WrongUse(
            "練習は自分のストアで動きます。JUNBAN_REDIS_URL を外すか、--practice を付けずに起動してください。"
        )
    try:
        up.run(machine, office, _say, stop, data=data, port=port, practice=practice, demo=demo)
    except RuntimeError as error:  # each of them is one sentence for the operator
        raise Failure(str(error)) from error
    return 0


def _hub(asked: argparse.Namespace) -> int:
    from config import up

    machine, office = _settings()
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

    machine, _ = _settings()
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
            say=_say,
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
            say=_say,
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
    machine, _ = _settings()
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
    _say(f"{count} 日分の鍵を包み直しました。ワーカーと見張りを新しい鍵で起動し、これまでの鍵を消してください。")
    return 0


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
    machine, office = _settings()
    from config.ledger import ledger_settings
    from config.user_command import UserCommand
    from hub.desk.refusals import Refusal
    from hub.ledger.connection import LedgerUnusable

    try:
        with UserCommand(ledger_settings(machine, asked.data), office, _say) as command:
            act(command)
    except LedgerUnusable as error:
        raise Failure(str(error)) from error
    except Refusal as error:
        raise Failure(error.sentence) from error
    return 0


def _ledger_verify(asked: argparse.Namespace) -> int:
    if (asked.head is None) != (asked.key is None):
        raise WrongUse("--head と --key は一緒に書いてください。")
    machine, office = _settings()
    from config.ledger import ledger_settings
    from config.ledger_command import run_verify
    from hub.ledger.connection import LedgerUnusable
    from hub.ledger.heads import WrongHead

    settings = ledger_settings(machine, asked.data)
    try:
        is_whole = run_verify(settings, office, _say, head=asked.head, key=asked.key, as_json=asked.json)
    except (LedgerUnusable, WrongHead) as error:
        raise Failure(str(error)) from error
    return 0 if is_whole else FAILURE


def _ledger_export(asked: argparse.Namespace) -> int:
    machine, office = _settings()
    from config.ledger import ledger_settings
    from config.ledger_command import run_export
    from hub.ledger.connection import LedgerUnusable

    try:
        run_export(ledger_settings(machine, asked.data), office, _say, to=asked.file, as_json=asked.json)
    except LedgerUnusable as error:
        raise Failure(str(error)) from error
    except OSError as error:
        raise Failure(f"{asked.file} に書けません（{error.strerror}）。場所と空き容量を確かめてください。") from error
    return 0


def _ledger_close(asked: argparse.Namespace) -> int:
    machine, office = _settings()
    import time

    from config.ledger import ledger_settings
    from config.ledger_command import run_close
    from hub.ledger.connection import LedgerUnusable
    from hub.ledger.retention import NotWhole

    now_ms = time.time_ns() // 1_000_000
    settings = ledger_settings(machine, asked.data)
    try:
        run_close(settings, office, _say, years=asked.years, now_ms=now_ms, as_json=asked.json)
    except LedgerUnusable as error:
        raise Failure(str(error)) from error
    except NotWhole as error:
        raise Failure("台帳に誤りがあるため、閉じません。junban ledger verify で確かめてください。") from error
    return 0


def _ledger_certificate(asked: argparse.Namespace) -> int:
    return _paper(asked, lambda command: command.certificate(_asked_paper(asked)))


def _ledger_report(asked: argparse.Namespace) -> int:
    return _paper(asked, lambda command: command.report(_asked_paper(asked)))


def _ledger_audit(asked: argparse.Namespace) -> int:
    return _paper(asked, lambda command: command.audit(asked.held, asked.kind, asked.result))


def _asked_paper(asked: argparse.Namespace) -> "Asked":
    from config.paper_command import Asked

    issuer, addressee = (text.replace("／", "\n") for text in (asked.issuer, asked.addressee))
    return Asked(asked.file, asked.first, asked.last, asked.issued, issuer, addressee, asked.responsible)


def _paper(asked: argparse.Namespace, act: "Callable[[PaperCommand], bool]") -> int:
    machine, office = _settings()
    import time

    from config.ledger import ledger_settings
    from config.paper_command import PaperCommand
    from hub.desk.refusals import Refusal
    from hub.ledger.connection import LedgerUnusable

    settings = ledger_settings(machine, asked.data)
    try:
        is_sound = act(PaperCommand(settings, office, _say, now_ms=lambda: time.time_ns() // 1_000_000))
        return 0 if is_sound else FAILURE
    except LedgerUnusable as error:
        raise Failure(str(error)) from error
    except Refusal as error:
        raise Failure(error.sentence) from error
    except OSError as error:
        raise Failure(
            f"{error.filename} に書けません（{error.strerror}）。場所と空き容量を確かめてください。"
        ) from error


def _device_list(asked: argparse.Namespace) -> int:
    return _device(asked, lambda command: command.list(as_json=asked.json))


def _device_let_in(asked: argparse.Namespace) -> int:
    return _device(asked, lambda command: command.let_in(asked.code, asked.place))


def _device_revoke(asked: argparse.Namespace) -> int:
    return _device(asked, lambda command: command.revoke(asked.id))


def _device(asked: argparse.Namespace, act: "Callable[[DeviceCommand], None]") -> int:
    machine, office = _settings()
    from config.device_command import DeviceCommand
    from config.ledger import ledger_settings
    from hub.desk.refusals import Refusal
    from hub.ledger.connection import LedgerUnusable

    try:
        with DeviceCommand(ledger_settings(machine, asked.data), office, _say) as command:
            act(command)
    except LedgerUnusable as error:
        raise Failure(str(error)) from error
    except Refusal as error:
        raise Failure(error.sentence) from error
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

    machine, office = _settings()
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


def _settings() -> "tuple[Machine, Office]":
    from config.faults import Faulty
    from config.settings import read_all

    try:
        return read_all()
    except Faulty as error:
        raise Failure(f"設定に誤りがあります。\n{error}") from error


def _say(line: str) -> None:
    """Nobody may be reading any more (`junban up | head`): the office goes on."""
    try:
        print(line, flush=True)
    except OSError:
        sys.stdout = None  # print says nothing from here on, and nobody flushes what is left


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


def _erase(asked: argparse.Namespace) -> int:
    machine, office = _settings()
    from config.embedded import StoreDidNotStart
    from config.end_command import EndCommand, NotErased
    from config.ledger import ledger_settings
    from config.paper_command import Asked
    from config.settings import default_data_folder
    from hub.desk.refusals import Refusal
    from hub.ledger.connection import LedgerUnusable
    from workers.keys import KeysUnusable

    if asked.agreement != office.key:
        raise WrongUse(f"--agreement には、終わる窓口課の key（{office.key}）を書いてください。元には戻せません。")
    issuer, addressee = (text.replace("／", "\n") for text in (asked.issuer, asked.addressee))
    paper = Asked(asked.to, asked.issued, asked.issued, asked.issued, issuer, addressee, asked.responsible)
    command = EndCommand(
        machine, office, ledger_settings(machine, asked.data), asked.data or default_data_folder(), _say
    )
    try:
        return 0 if command.run(asked.to, paper) else FAILURE
    except (LedgerUnusable, KeysUnusable, StoreDidNotStart, NotErased) as error:
        raise Failure(str(error)) from error
    except Refusal as error:
        raise Failure(error.sentence) from error
    except OSError as error:
        raise Failure(
            f"{error.filename} に書けません（{error.strerror}）。場所と空き容量を確かめてください。"
        ) from error


def _doctor(asked: argparse.Namespace) -> int:
    machine, office = _settings()
    from config.doctor import examine
    from config.sbom import bill_of_materials
    from hub.store.access import acl_lines

    if asked.acl:
        _say("\n".join(acl_lines(office.key)))
        return 0
    if asked.sbom:
        _say(json.dumps(bill_of_materials(), ensure_ascii=False, indent=1))
        return 0
    looks = examine(machine, asked.data)
    is_well = not any(look.faults for look in looks)
    if asked.json:
        _say(json.dumps({"ok": is_well, "looks": {look.name: look.faults for look in looks}}, ensure_ascii=False))
        return 0 if is_well else FAILURE
    for look in looks:
        _say(f"{'×' if look.faults else '○'} {look.name}")
        for fault in look.faults:
            _say(f"   {fault}")
    return 0 if is_well else FAILURE


if __name__ == "__main__":
    sys.exit(main())
