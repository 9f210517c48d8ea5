"""Processes of the office that start in a few milliseconds: forked from one that has loaded everything already.

Each is a process of its own, with its own environment, that runs a verb of `junban` from its beginning and can be
killed as any other; only the loading of libraries, a second of processor time each, is left out. A bench that kills a
thousand times measures the office, and not the loader.
"""

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

from config import processes

KILLED_WITHIN_S = 5.0


class Nursery:
    """Main thread only. Ends with this process, and all its children with it."""

    def __init__(self) -> None:
        ours, theirs = os.pipe()
        answers, said = os.pipe()
        command = [sys.executable, "-m", "tests.bench.nursery", str(ours), str(said)]
        self._process = processes.start(command, name="nursery", keep_open=(ours, said))
        os.close(ours)
        os.close(said)
        self._asks, self._answers = os.fdopen(theirs, "w"), os.fdopen(answers)

    def start(self, words: Sequence[str], environment: Mapping[str, str], log: Path) -> "Fledgling":
        """`words`: what stands behind `junban`."""
        self._asks.write(json.dumps([list(words), dict(environment), str(log)]) + "\n")
        self._asks.flush()
        return Fledgling(int(self._answers.readline()))

    def close(self) -> None:
        self._process.kill()
        self._asks.close()
        self._answers.close()


class Fledgling:
    """One of its children. The nursery takes their ends off its hands at once, so no number stays behind."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    @property
    def is_running(self) -> bool:
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def kill(self) -> int:
        """SIGKILL; returns when it is gone."""
        deadline = time.monotonic() + KILLED_WITHIN_S
        with contextlib.suppress(ProcessLookupError):  # it ended by itself
            os.kill(self.pid, signal.SIGKILL)
        while self.is_running:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.pid} does not end")
            time.sleep(0.001)
        return -signal.SIGKILL


def main(asks: int, says: int) -> None:
    _load()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    parent = os.getpid()
    with os.fdopen(asks) as asked, os.fdopen(says, "w") as said:
        for line in asked:
            tie = processes.tie_to_parent(parent)
            pid = os.fork()
            if not pid:
                tie()
                os.close(asks)
                os.close(says)
                os._exit(_live(*json.loads(line)))
            said.write(f"{pid}\n")
            said.flush()


def _load() -> None:
    """What any of them needs."""
    for module in (
        "config.cli",
        "config.keeper",
        "config.ledger",
        "config.up",
        "config.worker",
        "workers.carriers.line",
    ):
        import_module(module)


def _live(words: list[str], environment: dict[str, str], log: str) -> int:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setpgid(0, 0)
    os.environ.clear()
    os.environ.update(environment)
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for descriptor in (1, 2):
        os.dup2(handle, descriptor)
    from config.cli import main as junban

    try:
        return junban(words)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
