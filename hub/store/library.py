"""The library of functions inside the store: built from the table of moves and the Lua files, loaded once.

Function names are global in a store, over all libraries, and part of its data set. They end in `_vN`: a change of what
a function does is a new file with a new number in a new library, which stands beside the old one during an upgrade.
"""

from pathlib import Path
from typing import Any

import redis
from redis.asyncio import Redis

from hub.desk.notices import (
    BY_FACT,
    CALLED_SINCE,
    EACH_TIME,
    FAR_OFF_MS,
    FEWEST_CALLS,
    KNOWS_AGAIN,
    LATE_MS,
    LOOKED_AT,
    MOVES_A_LANE,
    PACE_CALLS,
    PLACED_ANEW,
    SENT_AGAIN,
    USUAL_PACE_MS,
    Carrier,
)
from hub.desk.ticket import AT_COUNTER, MOVES, Action
from hub.store.keys import EXPIRES_AFTER_MS, STANDING, TRACES_LIVE_MS
from hub.store.sealing import SEALED_CHARACTERS

LIBRARY = "junban_v1"
SHARED = ("prelude", "notices", "outbox", "order")  # what functions stand on, each on those before it
_FOLDER = Path(__file__).parent / "functions"


class LibraryDiffers(Exception):
    """The store holds a library of this name with other code: another release wrote it. Nothing was changed."""

    def __init__(self) -> None:
        super().__init__(
            f"ストアの関数ライブラリー {LIBRARY} は別のバージョンのものです。入れたバージョンの junban に戻すか、"
            f"すべてのハブを止めて redis-cli FUNCTION DELETE {LIBRARY} を実行してください（番号は消えません）。"
        )


def function_names() -> list[str]:
    """Every function of the library: the file name is the function's name."""
    return sorted(path.stem for path in _FOLDER.glob("*_v*.lua"))


def source() -> str:
    """The library's whole text: the tables from Python, what functions stand on, then one file a function."""
    parts = [f"#!lua name={LIBRARY}", _tables()]
    parts += [(_FOLDER / f"{name}.lua").read_text(encoding="utf-8") for name in SHARED]
    parts += [(_FOLDER / f"{name}.lua").read_text(encoding="utf-8") for name in function_names()]
    return "\n".join(parts)


async def install(client: Redis) -> None:
    """Load the library if the store has none of its name. Raises LibraryDiffers if it has one with other code."""
    wanted = source()
    try:
        await client.function_load(wanted)
    except redis.exceptions.ResponseError as error:
        if "already exists" not in str(error):
            raise
        if await _loaded_code(client) != wanted:
            raise LibraryDiffers from None


def renew(client: redis.Redis, wanted: str) -> bool:
    """Put `wanted` in the place of whatever the store has of this library; True if that was something else.

    For a store of our own that no hub serves from yet: a hub of the other release would call functions that it does
    not know. No ticket is touched.
    """
    command: Any = client.execute_command
    if _code_of(command("FUNCTION", "LIST", "LIBRARYNAME", LIBRARY, "WITHCODE")) == wanted:
        return False
    client.function_load(wanted, replace=True)
    return True


async def _loaded_code(client: Redis) -> str | None:
    command: Any = client.execute_command  # redis-py leaves it untyped
    return _code_of(await command("FUNCTION", "LIST", "LIBRARYNAME", LIBRARY, "WITHCODE"))


def _code_of(reply: Any) -> str | None:
    for entry in reply:
        fields = entry if isinstance(entry, dict) else dict(zip(entry[::2], entry[1::2], strict=True))
        return str(fields["library_code"])
    return None


def _tables() -> str:
    """MOVES[action][state] = next state ("none" before a ticket exists), the sets of states, what the sweep needs."""
    lines = ["-- Written by hub/store/library.py from hub/desk/ticket.py and hub/desk/notices.py.", "local MOVES = {"]
    for action in Action:
        rows = ", ".join(f"['{state or 'none'}'] = '{into}'" for (state, done), into in MOVES.items() if done is action)
        lines.append(f"  ['{action}'] = {{{rows}}},")
    lines.append("}")
    lines.append("local STANDING = {" + ", ".join(f"'{state}'" for state in STANDING) + "}")
    lines.append("local CARRIERS = {" + ", ".join(f"'{carrier}'" for carrier in Carrier) + "}")
    lines.append(f"local TRACES_LIVE_MS = {TRACES_LIVE_MS}")
    lines.append(f"local EXPIRES_AFTER_MS = {EXPIRES_AFTER_MS}")
    lines.append(f"local SEALED_CHARACTERS = {SEALED_CHARACTERS}")
    for name, figure in (
        ("LOOKED_AT", LOOKED_AT),
        ("PACE_CALLS", PACE_CALLS),
        ("FEWEST_CALLS", FEWEST_CALLS),
        ("USUAL_PACE_MS", USUAL_PACE_MS),
        ("FAR_OFF_MS", FAR_OFF_MS),
        ("CALLED_SINCE", CALLED_SINCE),
        ("LATE_MS", LATE_MS),
    ):
        lines.append(f"local {name} = {figure}")
    lines.append("local BY_FACT = {" + ", ".join(f"{kind.__name__} = '{due}'" for kind, due in BY_FACT.items()) + "}")
    lines.append("local KNOWS_AGAIN = {" + ", ".join(f"['{carrier}'] = true" for carrier in sorted(KNOWS_AGAIN)) + "}")
    lines.append("local SENT_AGAIN = {" + ", ".join(f"['{trigger}'] = true" for trigger in sorted(SENT_AGAIN)) + "}")
    moving = ", ".join(f"{kind.__name__} = true" for kind in MOVES_A_LANE)
    lines.append(f"local MOVES_A_LANE = {{{moving}}}")
    placed = ", ".join(f"{kind.__name__} = true" for kind in PLACED_ANEW)
    lines.append(f"local PLACED_ANEW = {{{placed}}}")
    lines.append("local EACH_TIME = {" + ", ".join(f"['{trigger}'] = true" for trigger in sorted(EACH_TIME)) + "}")
    lines.append("local AT_COUNTER = {" + ", ".join(f"['{state}'] = true" for state in sorted(AT_COUNTER)) + "}")
    return "\n".join(lines)
