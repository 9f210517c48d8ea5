"""What runs until it is stopped: the office, a hub, a kiosk, and what practises with them.

Imports stand inside: a wrong word is answered at once, without loading an office.
"""

import argparse
import re
from pathlib import Path

from config.commands import asking

PORT_HELP = "住民向けの画面のポート。職員向けは N+1（既定: JUNBAN_PORT と JUNBAN_INSIDE_PORT）"


def add_office(verbs: asking.Verbs) -> None:
    up = asking.verb(verbs, "up", _up, "この 1 台で窓口課を動かします（Ctrl-C で終わります）")
    asking.add_data(up)
    up.add_argument("--port", type=asking.port, metavar="N", help=PORT_HELP)
    up.add_argument("--practice", action="store_true", help="練習: 時計を動かせます。--data がなければ終わると消えます")

    demo = asking.verb(verbs, "demo", _demo, "練習の窓口課を、模擬の一日を 20 倍の速さで流しながら動かします")
    demo.add_argument("--port", type=asking.port, metavar="N", help=PORT_HELP)

    hub = asking.verb(
        verbs, "hub", _hub, "JUNBAN_REDIS_URL のストアにつなぐハブを 1 つ動かします（何台でも並べられます）"
    )
    hub.add_argument("--practice", action="store_true", help="練習: 時計を動かせます。本番のストアには使えません")
    hub.add_argument("--credentials", type=Path, metavar="FILE", help="練習: サインインの画面に出す利用者のファイル")

    kiosk = asking.verb(verbs, "kiosk", _kiosk, "発券機を 1 台動かします（画面はこの機械の中だけで開けます）")
    kiosk.add_argument("--hub", metavar="URL", help="ハブの職員向けの URL（既定: この機械の JUNBAN_INSIDE_PORT）")
    kiosk.add_argument("--port", type=asking.port, default=8090, metavar="N", help="画面のポート（既定: 8090）")
    kiosk.add_argument(
        "--key", type=asking.place_key, default="kiosk", metavar="KEY", help="この発券機の名前（既定: kiosk）"
    )
    kiosk.add_argument("--out", type=Path, metavar="DIR", help="番号札を印刷せず、紙の代わりに画像を置くフォルダー")
    asking.add_data(kiosk)

    inbox = asking.verb(verbs, "inbox", _inbox, "練習用のメール、LINE、電話の相手を動かします（どこにも送りません）")
    inbox.add_argument("--port", type=asking.port, default=8082, metavar="N", help="画面のポート（既定: 8082）")
    inbox.add_argument(
        "--mail-port", type=asking.port, default=8025, metavar="N", help="メールを受けるポート（既定: 8025）"
    )
    inbox.add_argument("--slips", type=Path, metavar="DIR", help="発券機が番号札を置くフォルダー。その画面も出します")
    inbox.add_argument("--hub", metavar="URL", help="LINEの相手が出来事を知らせる、住民向けの画面の URL")


def add_simulate(verbs: asking.Verbs) -> None:
    simulate = asking.verb(verbs, "simulate", _simulate, "練習の窓口課に、模擬の一日の来庁者を流して確かめます")
    simulate.fill = _fill_simulate


def _up(asked: argparse.Namespace) -> int:
    return _run(asked.data, asked.port, practice=asked.practice, demo=False)


def _demo(asked: argparse.Namespace) -> int:
    return _run(None, asked.port, practice=True, demo=True)


def _run(data: Path | None, port: int | None, *, practice: bool, demo: bool) -> int:
    from config import up

    stop = up.Stop()  # first of all: from here on Ctrl-C ends things in order
    machine, office = asking.settings()
    if practice and machine.redis_url:
        raise asking.WrongUse(
            "練習は自分のストアで動きます。JUNBAN_REDIS_URL を外すか、--practice を付けずに起動してください。"
        )
    try:
        up.run(machine, office, asking.say, stop, data=data, port=port, practice=practice, demo=demo)
    except RuntimeError as error:  # each of them is one sentence for the operator
        raise asking.Failure(str(error)) from error
    return 0


def _hub(asked: argparse.Namespace) -> int:
    from config import up

    machine, office = asking.settings()
    if machine.redis_url is None:
        raise asking.WrongUse(
            "JUNBAN_REDIS_URL にストアの URL を書いてください。1 台だけで動かすときは junban up です。"
        )
    if asked.credentials and not asked.practice:
        raise asking.WrongUse(
            "--credentials は --practice と一緒に使ってください。本番の利用者は junban user で登録します。"
        )
    try:
        up.run_hub(machine, office, machine.redis_url, practice=asked.practice, credentials=asked.credentials)
    except RuntimeError as error:
        raise asking.Failure(str(error)) from error
    return 0


def _kiosk(asked: argparse.Namespace) -> int:
    from config import kiosk
    from config.office_folder import KIOSK_FOLDER, SLIPS_FOLDER
    from config.settings import default_data_folder
    from kiosk_client.printer import Paperless, printer_at

    machine, _ = asking.settings()
    if asked.hub and not re.fullmatch(r"https?://[^/?#@\s]+/?", asked.hub):
        raise asking.WrongUse("--hub は http://ホスト:ポート の形で書いてください。")
    folder = (asked.data or default_data_folder()) / KIOSK_FOLDER
    slips = asked.out or folder / SLIPS_FOLDER
    try:
        kiosk.run(
            hub_url=asked.hub or f"http://127.0.0.1:{machine.inside_port}",
            public_url=machine.public_url or f"http://127.0.0.1:{machine.port}",
            port=asked.port,
            folder=folder,
            key=asked.key,
            printer=printer_at(machine.printer) if machine.printer and not asked.out else Paperless(slips),
            say=asking.say,
        )
    except OSError as error:
        raise asking.Failure(
            f"発券機を始められません（{error.strerror}）。--port と --data を確かめてください。"
        ) from error
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
            say=asking.say,
        )
    except Faulty as error:
        raise asking.Failure(str(error)) from error
    except OSError as error:
        raise asking.Failure(
            f"受信箱を始められません（{error.strerror}）。--port と --mail-port を確かめてください。"
        ) from error
    return 0


def _fill_simulate(verb: argparse.ArgumentParser) -> None:
    from config.practice.command import add_arguments  # a hub in earnest never loads what plays residents

    add_arguments(verb)


def _simulate(asked: argparse.Namespace) -> int:
    from config.office_process import start_office
    from config.practice.command import run

    return run(asked, start_office)
