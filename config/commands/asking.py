"""How a verb is asked for: the parser, what an argument may look like, the settings, and the sentences."""

import argparse
import contextlib
import re
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

if TYPE_CHECKING:
    from config.settings import Machine
    from hub.desk.lane import Office

WRONG_USE = 2
FAILURE = 1

# What argparse says, in the operator's language; `{}` stands for what was wrong.
WRONG_USES: tuple[tuple[str, str], ...] = (
    (r"one of the arguments (.*) is required", "{} のどちらかを書いてください"),
    (r"argument (\S+): not allowed with argument (\S+)", "{} と {} は一緒に使えません"),
    (r"unrecognized arguments: (.*)", "{} は使えません"),
    (r"argument VERB: invalid choice: '([^']*)'.*", "{} というコマンドはありません"),
    (r"the following arguments are required: VERB", "コマンドを書いてください"),
    (r"the following arguments are required: (.*)", "{} を書いてください"),
    (r"argument (\S+): expected one argument", "{} の後に値を書いてください"),
    (r"argument (\S+?)(?:/\S+)?: (?:invalid|not allowed).*", "{} の値が正しくありません"),
    (r"ambiguous option: (\S+).*", "{} は略さずに書いてください"),
)

DATA_HELP = "データを置くフォルダー（既定: $XDG_DATA_HOME/junban、なければ ~/.local/share/junban）"


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


Say: TypeAlias = Callable[[str], None]
Verbs: TypeAlias = "argparse._SubParsersAction[Parser]"


def verb(verbs: Verbs, name: str, run: Callable[[argparse.Namespace], int], help_text: str) -> Parser:
    made = verbs.add_parser(name, help=help_text, description=f"{help_text}。", allow_abbrev=False)
    made.set_defaults(run=run)
    return made


def group(verbs: Verbs, name: str, help_text: str, description: str, *, also: str = "") -> Verbs:
    """A word that verbs of its own follow: `junban user add`. `also`: another word for the same."""
    made = verbs.add_parser(
        name, aliases=[also] if also else [], help=help_text, description=description, allow_abbrev=False
    )
    return made.add_subparsers(dest="act", metavar="VERB", required=True, title="コマンド")


def add_data(verb: Parser) -> None:
    verb.add_argument("--data", type=Path, metavar="DIR", help=DATA_HELP)


def add_json(verb: Parser) -> None:
    verb.add_argument("--json", action="store_true", help="結果を JSON で出します")


def port(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 65534:  # the next one is for the inside
        raise ValueError(text)
    return number


def years(text: str) -> int:
    count = int(text)
    if not 1 <= count <= 100:
        raise ValueError(text)
    return count


def day(text: str) -> str:
    if date.fromisoformat(text).isoformat() != text:
        raise ValueError(text)
    return text


def place_key(text: str) -> str:
    if re.fullmatch(r"[a-z0-9_-]{1,32}", text, re.ASCII) is None:
        raise ValueError(text)
    return text


def settings() -> "tuple[Machine, Office]":
    from config.faults import Faulty
    from config.settings import read_all

    try:
        return read_all()
    except Faulty as error:
        raise Failure(f"設定に誤りがあります。\n{error}") from error


@contextlib.contextmanager
def failing(*others: type[Exception]) -> Iterator[None]:
    """A refusal, a ledger that cannot be used, and what `others` say in one sentence of their own, as a Failure."""
    from hub.desk.refusals import Refusal
    from hub.ledger.connection import LedgerUnusable

    in_a_sentence: tuple[type[Exception], ...] = (LedgerUnusable, *others)
    try:
        yield
    except Refusal as error:
        raise Failure(error.sentence) from error
    except in_a_sentence as error:
        raise Failure(str(error)) from error


@contextlib.contextmanager
def writing() -> Iterator[None]:
    """A file that cannot be written, as a Failure."""
    try:
        yield
    except OSError as error:
        raise Failure(
            f"{error.filename} に書けません（{error.strerror}）。場所と空き容量を確かめてください。"
        ) from error


def say(line: str) -> None:
    """Nobody may be reading any more (`junban up | head`): the office goes on."""
    try:
        print(line, flush=True)
    except OSError:
        sys.stdout = None  # print says nothing from here on, and nobody flushes what is left
