"""`junban simulate`: a day file or a seeded day, driven at a practice office. Exit: 0 good, 1 not, 2 wrong use."""

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from config.practice.credentials import FILE, Credentials, CredentialsUnreadable, read_credentials
from config.practice.driver import DayFailed, Outcome, Place, Plan, UnfitDay, drive
from config.practice.figures import FaultyFigures, read_figures
from config.practice.report import ProgressBar, as_json, as_text
from hub.forecast.day import typical_day
from hub.forecast.day_file import FaultyDay, read_day

GOOD, FAILURE, WRONG_USE = 0, 1, 2
CREDENTIALS_HELP = f"その窓口課の練習用の利用者のファイル（データのフォルダーの {FILE}）"
SPEED = 240.0  # a day of 17 hours in a little more than four minutes


StartOffice = Callable[[], AbstractAsyncContextManager[Place]]


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("day", nargs="?", type=Path, metavar="DAY.csv", help="来庁者の一日のファイル")
    parser.add_argument("--seed", type=int, metavar="N", help="ファイルの代わりに、種 N から一日を作ります")
    parser.add_argument("--tickets", type=int, metavar="N", help="--seed の一日の来庁者数")
    parser.add_argument("--figures", type=Path, metavar="FILE", help="一日の姿を決める数値（TOML）")
    parser.add_argument("--speed", type=float, default=SPEED, metavar="X", help=f"時計の速さ（既定: {SPEED:g} 倍）")
    parser.add_argument("--hub", metavar="URL", help="練習用の窓口課の、職員向けのアドレス。なければ自分で起動します")
    parser.add_argument("--credentials", type=Path, metavar="FILE", help=CREDENTIALS_HELP)
    parser.add_argument(
        "--inbox", metavar="URL", help="その窓口課の受信箱（メール、LINE、電話）。なければ連絡先は登録しません"
    )
    parser.add_argument("--shared", action="store_true", help="ほかの方も同時にこの窓口課を使います")
    parser.add_argument("--json", action="store_true", help="最後の行に結果を JSON で出します")


def run(args: Namespace, start_office: StartOffice | None = None) -> int:
    """Drive the day that `args` name. `start_office` starts a practice office where no `--hub` is given."""
    try:
        plan = _plan(args)
        if args.inbox is not None and args.hub is None:
            raise _WrongUse("--inbox は --hub と一緒に使ってください。自分で起動する窓口課の受信箱は自動で読みます。")
        if args.hub is None and start_office is None:
            raise _WrongUse("--hub で練習用の窓口課のアドレスを指定してください。")
        if args.hub is not None and not args.hub.startswith(("http://", "https://")):
            raise _WrongUse("--hub には http:// で始まるアドレスを書いてください。")
        if args.inbox is not None and not args.inbox.startswith(("http://", "https://")):
            raise _WrongUse("--inbox には http:// で始まるアドレスを書いてください。")
        if (args.credentials is None) != (args.hub is None):
            raise _WrongUse(
                f"--hub と --credentials は一緒に書いてください。--credentials は、その窓口課を動かしている"
                f" junban up --practice --data DIR の DIR/{FILE} です。"
            )
        credentials = read_credentials(args.credentials) if args.credentials else Credentials()
        outcome = asyncio.run(_drive(_Given(args.hub or "", args.inbox or "", credentials), plan, start_office))
    except (_WrongUse, UnfitDay, FaultyFigures, CredentialsUnreadable) as error:
        return _say_and_give(str(error), WRONG_USE)
    except FaultyDay as error:
        return _say_and_give(f"{args.day} を読めません。\n{error}", WRONG_USE)
    except (DayFailed, RuntimeError) as error:  # an office that does not start says so in a RuntimeError
        return _say_and_give(str(error), FAILURE)
    print(as_json(outcome) if args.json else as_text(outcome))
    return GOOD if outcome.is_good else FAILURE


class _WrongUse(Exception):
    pass


def _plan(args: Namespace) -> Plan:
    if (args.day is None) == (args.seed is None):
        raise _WrongUse("DAY.csv か --seed N のどちらか一つを書いてください。")
    if args.tickets is not None and args.seed is None:
        raise _WrongUse("--tickets は --seed と一緒に使ってください。")
    if args.tickets is not None and args.tickets < 1:
        raise _WrongUse("--tickets には 1 以上の数を書いてください。")
    if not 1 <= args.speed <= 3600:
        raise _WrongUse("--speed には 1 から 3600 までの数を書いてください。")
    figures = read_figures(args.figures) if args.figures else read_figures()
    if args.day is not None:
        customers = read_day(_text(args.day))
    else:
        customers = typical_day(figures, args.tickets or figures.tickets, Random(args.seed))
    return Plan(
        customers=customers,
        figures=figures,
        speed=args.speed,
        has_lunch=args.day is None,
        is_shared=args.shared,
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise _WrongUse(f"{path} を読めません（{error.strerror}）。ファイルの場所を確かめてください。") from error
    except UnicodeError as error:
        raise _WrongUse(f"{path} を読めません。UTF-8 の CSV で保存し直してください。") from error


@dataclass(frozen=True, slots=True)
class _Given:
    inside: str
    inbox: str
    credentials: Credentials


async def _drive(given: _Given, plan: Plan, start_office: StartOffice | None) -> Outcome:
    bar = ProgressBar(sys.stderr)
    try:
        async with _at(given) if given.inside or start_office is None else start_office() as place:
            return await drive(place, plan, Random(), bar)
    finally:
        bar.end()


@asynccontextmanager
async def _at(place: Place) -> AsyncIterator[Place]:
    yield place


def _say_and_give(sentence: str, code: int) -> int:
    print(f"junban: {sentence}", file=sys.stderr)
    return code
