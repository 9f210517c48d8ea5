"""A file whose time says when a process last moved: a supervisor sees a hang by its age."""

from collections.abc import Callable
from pathlib import Path

STALE_S = 30.0  # the longest a healthy worker is silent is a store that does not answer, 20 s


def toucher(path: Path | None) -> Callable[[], None]:
    """Call it whenever something moved; does nothing without a path. A full disk is no reason to stop."""

    def touch() -> None:
        if path is not None:
            try:
                path.touch(mode=0o600)
            except OSError:
                return

    return touch
