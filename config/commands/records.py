"""The ledger, the papers made from it, and the end of the agreement."""

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from config.commands import asking

if TYPE_CHECKING:
    from config.paper_command import Asked, PaperCommand

KIND_HELP = "on_site（立入調査）か documents（書面）"
RESULT_HELP = "sound（適正）か to_mend（改善を要する）"

PAPER_WORDS = ("to", "issued", "issuer", "addressee")  # of the end of an agreement, and the responsible's name


def add_ledger(verbs: asking.Verbs) -> None:
    acts = asking.group(verbs, "ledger", "操作の記録（台帳）を確かめ、書き出します", "操作の記録（台帳）。")
    verify = asking.verb(acts, "verify", _ledger_verify, "台帳に書き換え、抜け、入れ替えがないか確かめます")
    verify.add_argument("--head", type=Path, metavar="FILE", help="区に渡した先頭値のファイル（.sig も同じ所に）")
    verify.add_argument("--key", type=Path, metavar="PEM", help="先頭値の署名を確かめる公開鍵（ledger-key.pem）")
    export = asking.verb(acts, "export", _ledger_export, "台帳をファイルに書き出し、確かめるプログラムを横に置きます")
    export.add_argument("file", type=Path, metavar="FILE", help="書き出すファイル")
    close = asking.verb(acts, "close", _ledger_close, "保存期間を過ぎた記録を閉じます（件数とハッシュ値が残ります）")
    close.add_argument("--years", type=asking.years, required=True, metavar="N", help="保存期間の年数（1 以上）")
    certificate = asking.verb(acts, "certificate", _ledger_certificate, "消去証明書を PDF と JSON で作ります")
    report = asking.verb(acts, "report", _ledger_report, "取扱状況報告書、名簿、監査記録簿、事故報告書の様式を作ります")
    for act in (certificate, report):
        act.add_argument("file", type=Path, metavar="FILE", help="作る PDF（JSON は同じ名前で横に置きます）")
        act.add_argument("--from", dest="first", type=asking.day, required=True, metavar="DATE", help="最初の利用日")
        act.add_argument("--until", dest="last", type=asking.day, required=True, metavar="DATE", help="最後の利用日")
        act.add_argument("--issued", type=asking.day, required=True, metavar="DATE", help="書類に書く発行日")
        act.add_argument("--issuer", required=True, metavar="TEXT", help="発行者（行を分けるには ／）")
        act.add_argument("--addressee", required=True, metavar="TEXT", help="宛先（例: ○○区長　様）")
        act.add_argument("--responsible", default="", metavar="NAME", help="取扱責任者（運用担当者）の利用者名")
    audit = asking.verb(acts, "audit", _ledger_audit, "区が行った監査を記録簿に書きます（年度に 1 回以上）")
    audit.add_argument("held", type=asking.day, metavar="DATE", help="実施日（YYYY-MM-DD）")
    audit.add_argument("--kind", choices=["on_site", "documents"], default="on_site", metavar="KIND", help=KIND_HELP)
    audit.add_argument("--result", choices=["sound", "to_mend"], default="sound", metavar="RESULT", help=RESULT_HELP)
    for act in (certificate, report, audit):
        asking.add_data(act)
    for act in (verify, export, close):
        asking.add_data(act)
    for act in (verify, export, close, audit):
        asking.add_json(act)


def add_erase(verbs: asking.Verbs) -> None:
    erase = asking.verb(
        verbs, "erase", _erase, "連絡先を消去します: 申出のあった番号のものを直ちに、または協定の終了ですべて"
    )
    which = erase.add_mutually_exclusive_group(required=True)
    which.add_argument("--now", type=_number, metavar="TICKET", help="申出のあった番号（例: A101）。確かめて終わります")
    which.add_argument("--agreement", metavar="KEY", help="協定の終了: 終わる窓口課の key（確認のため書きます）")
    erase.add_argument("--to", type=Path, metavar="DIR", help="協定の終了: 区に返す記録を置くフォルダー")
    erase.add_argument("--issued", type=asking.day, metavar="DATE", help="協定の終了: 書類に書く発行日")
    erase.add_argument("--issuer", metavar="TEXT", help="協定の終了: 発行者（行を分けるには ／）")
    erase.add_argument("--addressee", metavar="TEXT", help="協定の終了: 宛先（例: ○○区長　様）")
    erase.add_argument("--responsible", metavar="NAME", help="協定の終了: 取扱責任者（運用担当者）の利用者名")
    asking.add_data(erase)
    asking.add_json(erase)


def _number(text: str) -> str:
    if re.fullmatch(r"[A-Z]{0,3}[0-9]{1,5}", text, re.ASCII) is None:
        raise ValueError(text)
    return text


def _ledger_verify(asked: argparse.Namespace) -> int:
    if (asked.head is None) != (asked.key is None):
        raise asking.WrongUse("--head と --key は一緒に書いてください。")
    machine, office = asking.settings()
    from config.ledger import ledger_settings
    from config.ledger_command import run_verify
    from hub.ledger.heads import WrongHead

    settings = ledger_settings(machine, asked.data)
    with asking.failing(WrongHead):
        is_whole = run_verify(settings, office, asking.say, head=asked.head, key=asked.key, as_json=asked.json)
    return 0 if is_whole else asking.FAILURE


def _ledger_export(asked: argparse.Namespace) -> int:
    machine, office = asking.settings()
    from config.author import author
    from config.ledger import ledger_settings
    from config.ledger_command import run_export
    from config.now import now_ms

    settings = ledger_settings(machine, asked.data)
    with asking.failing(), asking.writing():
        run_export(settings, office, asking.say, author(), to=asked.file, now_ms=now_ms(), as_json=asked.json)
    return 0


def _ledger_close(asked: argparse.Namespace) -> int:
    machine, office = asking.settings()
    from config.author import author
    from config.ledger import ledger_settings
    from config.ledger_command import run_close
    from config.now import now_ms
    from hub.ledger.retention import NotWhole

    settings = ledger_settings(machine, asked.data)
    try:
        with asking.failing():
            run_close(settings, office, asking.say, author(), years=asked.years, now_ms=now_ms(), as_json=asked.json)
    except NotWhole as error:
        raise asking.Failure("台帳に誤りがあるため、閉じません。junban ledger verify で確かめてください。") from error
    return 0


def _ledger_certificate(asked: argparse.Namespace) -> int:
    from config.now import now_ms
    from hub.ledger.journal import tokyo_day

    if asked.last >= tokyo_day(now_ms()):
        raise asking.WrongUse("--until には、昨日までの日を書いてください。終わっていない日の消去は証明できません。")
    return _paper(asked, lambda command: command.certificate(_asked_paper(asked)))


def _ledger_report(asked: argparse.Namespace) -> int:
    return _paper(asked, lambda command: command.report(_asked_paper(asked)))


def _ledger_audit(asked: argparse.Namespace) -> int:
    return _paper(asked, lambda command: command.audit(asked.held, asked.kind, asked.result, as_json=asked.json))


def _asked_paper(asked: argparse.Namespace) -> "Asked":
    from config.paper_command import Asked

    if not asked.first <= asked.last <= asked.issued:
        raise asking.WrongUse("--from、--until、--issued は、早い日から順に書いてください。")
    issuer, addressee = (text.replace("／", "\n") for text in (asked.issuer, asked.addressee))
    return Asked(asked.file, asked.first, asked.last, asked.issued, issuer, addressee, asked.responsible)


def _paper(asked: argparse.Namespace, act: "Callable[[PaperCommand], bool]") -> int:
    machine, office = asking.settings()
    from config.author import author
    from config.ledger import ledger_settings
    from config.now import now_ms
    from config.paper_command import NotResponsible, PaperCommand

    settings = ledger_settings(machine, asked.data)
    with asking.failing(NotResponsible), asking.writing():
        is_sound = act(PaperCommand(settings, office, asking.say, author(), now_ms=now_ms))
    return 0 if is_sound else asking.FAILURE


def _erase(asked: argparse.Namespace) -> int:
    given = [f"--{name}" for name in (*PAPER_WORDS, "responsible") if getattr(asked, name) is not None]
    if asked.now is not None:
        if given:
            raise asking.WrongUse(f"{' '.join(given)} は --agreement と一緒に使ってください。")
        return _erase_now(asked)
    if asked.json:
        raise asking.WrongUse("--json は --now と一緒に使ってください。")
    if missing := [f"--{name}" for name in PAPER_WORDS if getattr(asked, name) is None]:
        raise asking.WrongUse(f"--agreement には {' '.join(missing)} も書いてください。")
    return _erase_all(asked)


def _erase_now(asked: argparse.Namespace) -> int:
    machine, office = asking.settings()
    from config.author import author
    from config.erase_command import EraseCommand, NotErased
    from config.ledger import ledger_settings

    with asking.failing(NotErased):
        EraseCommand(ledger_settings(machine, asked.data), office, asking.say, author()).run(
            asked.now, as_json=asked.json
        )
    return 0


def _erase_all(asked: argparse.Namespace) -> int:
    machine, office = asking.settings()
    from config.author import author
    from config.embedded import StoreDidNotStart
    from config.end_command import EndCommand
    from config.erase_command import NotErased
    from config.ledger import ledger_settings
    from config.paper_command import Asked, NotResponsible
    from config.settings import default_data_folder
    from workers.keys import KeysUnusable

    if asked.agreement != office.key:
        raise asking.WrongUse(
            f"--agreement には、終わる窓口課の key（{office.key}）を書いてください。元には戻せません。"
        )
    issuer, addressee = (text.replace("／", "\n") for text in (asked.issuer, asked.addressee))
    paper = Asked(asked.to, asked.issued, asked.issued, asked.issued, issuer, addressee, asked.responsible or "")
    settings, folder = ledger_settings(machine, asked.data), asked.data or default_data_folder()
    command = EndCommand(machine, office, settings, folder, asking.say, author())
    with asking.failing(KeysUnusable, StoreDidNotStart, NotErased, NotResponsible), asking.writing():
        is_erased = command.run(asked.to, paper)
    return 0 if is_erased else asking.FAILURE
