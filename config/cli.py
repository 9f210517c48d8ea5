"""The command line `junban`. It reads what was asked, and says in one sentence what is wrong with it.

Exit codes: 0 all went well (Ctrl-C of what runs until stopped included), 1 a failure, 2 wrong use, 130 ended in the
middle: by Ctrl-C of what ends by itself, or by a second one.
"""

import argparse
import sys
from collections.abc import Callable, Sequence

from config.commands import devices, looking, notices, people, records, running
from config.commands.asking import FAILURE, WRONG_USE, Failure, Parser, WrongUse


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
    verbs = whole.add_subparsers(dest="verb", metavar="VERB", required=True, title="コマンド")
    running.add_office(verbs)
    notices.add(verbs)
    people.add(verbs)
    records.add_ledger(verbs)
    devices.add(verbs)
    running.add_simulate(verbs)
    looking.add_check(verbs)
    records.add_erase(verbs)
    looking.add_doctor(verbs)
    return whole


if __name__ == "__main__":
    sys.exit(main())
