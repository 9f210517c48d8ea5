"""Who types a command, as the log of operations names him: his login on this machine, and an id for each run.

The kernel remembers who has logged in, behind sudo and su as well; nothing that can be set in a shell is believed.
"""

import os
import pwd
import re
import secrets
from pathlib import Path

from hub.ledger.journal import Author

LOGIN_ID = Path("/proc/self/loginuid")
NOBODY = (1 << 32) - 1  # started by the machine itself, or in a container
REQUEST_BYTES = 16
_LOGIN = re.compile(r"[a-z0-9._-]{1,32}", re.ASCII)


def author(login_id: Path = LOGIN_ID) -> Author:
    """`cli:LOGIN`, for one run."""
    return Author(f"cli:{_login(_user_id(login_id))}", secrets.token_urlsafe(REQUEST_BYTES))


def _user_id(login_id: Path) -> int:
    try:
        found = int(login_id.read_text(encoding="ascii"))
    except (OSError, ValueError):  # another system
        found = NOBODY
    return os.getuid() if found == NOBODY else found


def _login(user_id: int) -> str:
    try:
        name = pwd.getpwuid(user_id).pw_name
    except KeyError:
        name = ""
    return name if _LOGIN.fullmatch(name) else f"uid-{user_id}"
