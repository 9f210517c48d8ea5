"""Tables in documents that are made from code. `python -m tests.house.documents` writes them anew.

A table stands between `<!-- NAME: made by … -->` and `<!-- end -->`; the tests compare, and never write.
"""

import inspect
import re
import sys
from collections.abc import Callable
from pathlib import Path

from config.settings import settings_table
from hub.desk.ticket import State
from hub.ledger.kept import KEPT, NOTED, OWN
from hub.ledger.tables import METADATA
from hub.store.access import access_table
from hub.store.keys import STANDING, Keys
from hub.store.library import function_names
from hub.wire.roles import Act, Role, may

ROOT = Path(__file__).parents[2]
FUNCTIONS = ROOT / "hub" / "store" / "functions"
SPEAKING = {
    "day": "DAY",
    "lane": "LANE",
    "arrival": "ARRIVAL",
    "state": State.CALLED,
    "carrier": "CARRIER",
    "subscription": "SUBSCRIPTION",
    "code": "CODE",
    "event": "EVENT",
}
CONTRACT = ("KEYS", "ARGS", "GIVES", "REFUSES", "WHOLE")


def key_table() -> str:
    """The key book: every key, what it holds, how long it lives, from the docstrings of `Keys`."""
    lines = ["| key | holds | lives |", "| --- | --- | --- |"]
    for name, method in inspect.getmembers(Keys, inspect.isfunction):
        if name.startswith("_"):
            continue
        wanted = list(inspect.signature(method).parameters)[1:]
        # Names instead of values: annotations are not what counts here.
        key = str(method(Keys("OFFICE"), *(SPEAKING[word] for word in wanted)))
        if "state" in wanted:
            key = key.replace(str(State.CALLED), "STATE")
        holds, _, lives = " ".join((method.__doc__ or "").split()).rstrip(".").rpartition(". ")
        lines.append(f"| `{key}` | {holds}. | {lives.lower()} |")
    lines += ["", f"`STATE` is one of {', '.join(f'`{state}`' for state in STANDING)}."]
    return "\n".join(lines)


def function_table() -> str:
    """Every function with what it does, gives and refuses, from the head of its file."""
    lines = ["| function | does | gives | refuses |", "| --- | --- | --- | --- |"]
    for name in function_names():
        does, parts = contract(FUNCTIONS / f"{name}.lua")
        lines.append(f"| `{name}` | {does} | {parts['GIVES']} | {parts['REFUSES']} |")
    return "\n".join(lines)


def ledger_table() -> str:
    """Every table of the ledger and its columns."""
    lines = ["| table | columns |", "| --- | --- |"]
    for table in METADATA.sorted_tables:
        columns = (f"**{column.name}**" if column.primary_key else column.name for column in table.columns)
        lines.append(f"| `{table.name}` | {', '.join(columns)} |")
    return "\n".join(lines)


def kept_table() -> str:
    """The allow-list: every kind of entry and the fields that it may have."""
    lines = ["| type | fields | comes from |", "| --- | --- | --- |"]
    for kinds, source in ((KEPT, "a fact"), (NOTED, "the journal"), (OWN, "the ledger itself")):
        for kind, names in kinds.items():
            lines.append(f"| `{kind}` | {', '.join(f'`{name}`' for name in names) or '–'} | {source} |")
    return "\n".join(lines)


def contract(path: Path) -> tuple[str, dict[str, str]]:
    """What a Lua file opens with: its sentence, and KEYS, ARGS, GIVES, REFUSES (and WHOLE) where they stand."""
    does: list[str] = []
    parts: dict[str, str] = {}
    last = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("--"):
            break
        text = line.removeprefix("--").strip()
        word = text.split(" ", 1)[0]
        if word in CONTRACT:
            last = word
            parts[word] = text.removeprefix(word).strip()
        elif last:
            parts[last] += f" {text}"
        else:
            does.append(text)
    return " ".join(does), parts


def role_table() -> str:
    """Every act with the roles that may."""
    lines = [f"| | {' | '.join(Role)} |", f"| --- |{' --- |' * len(Role)}"]
    for act in Act:
        marks = ("●" if may(role, act) else "" for role in Role)
        lines.append(f"| `{act}` | {' | '.join(marks)} |")
    return "\n".join(lines)


TABLES: dict[str, tuple[str, Callable[[], str]]] = {
    "settings": ("README.md", settings_table),
    "roles": ("hub/wire/README.md", role_table),
    "keys": ("hub/store/README.md", key_table),
    "ledger": ("hub/ledger/README.md", ledger_table),
    "kept": ("hub/ledger/README.md", kept_table),
    "access": ("hub/store/README.md", access_table),
    "functions": ("hub/store/README.md", function_table),
}


def block(name: str) -> re.Pattern[str]:
    return re.compile(rf"(<!-- {name}: [^\n]*-->\n)(.*?)(\n?<!-- end -->)", re.DOTALL)


def written(name: str) -> str | None:
    """The table as the document has it; None where it has none."""
    page, _ = TABLES[name]
    found = block(name).search((ROOT / page).read_text(encoding="utf-8"))
    return found[2] if found else None


def main() -> None:
    for name, (page, make) in TABLES.items():
        path = ROOT / page
        found = block(name).search(text := path.read_text(encoding="utf-8"))
        if found is None:
            sys.exit(f"{page} has no place for the table {name}")
        path.write_text(text[: found.end(1)] + make() + "\n<!-- end -->" + text[found.end() :], encoding="utf-8")


if __name__ == "__main__":
    main()
