"""Residents' tabs by the thousand: the program of tabs.c, and what it counted."""

import contextlib
import json
import os
import select
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
OPEN_WITHIN_S = 120
LIMIT_S = 300  # whatever happens, it ends by itself
MOST = 100_000  # broadcasts of one run


def built(source: str, folder: Path) -> Path:
    """A program of this folder. Raises RuntimeError where there is no compiler."""
    program = folder / source
    command = ["cc", "-O2", "-Wall", "-o", str(program), str(HERE / f"{source}.c")]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise RuntimeError(
            f"a C compiler is needed to build {source}.c (as root: apt-get install gcc libc6-dev)"
        ) from error
    return program


@dataclass(frozen=True)
class Told:
    """One broadcast: milliseconds from its publication to the first, middle, 99th in 100, and last tab."""

    number: int
    tabs: int
    first: float
    middle: float
    late: float
    last: float


class Tabs:
    """`count` open tabs at one server. Use it in a with statement."""

    def __init__(
        self,
        program: Path,
        port: int,
        count: int,
        more: Sequence[str] = (),
        *,
        folder: Path,
        core: int,
        is_busy: bool = True,
        nice: int = 0,
    ) -> None:
        """`is_busy`: it never sleeps, so that no server pays for waking it. Not where others need the core, too."""
        self.count = count
        self.result: dict[str, Any] = {}
        self.notes: list[str] = []
        self._dump = folder / f"tabs-{port}-{time.monotonic_ns()}.jsonl"
        self._credits, credit = os.pipe()
        gate, self._gate = os.pipe()
        os.set_blocking(self._credits, False)
        command = [
            "nice",
            "-n",
            str(nice),
            "taskset",
            "-c",
            str(core),
            str(program),
            "-p",
            str(port),
            "-n",
            str(count),
            "-k",
            str(MOST),
        ]
        command += [
            "-r",
            str(credit),
            "-R",
            str(gate),
            "-d",
            str(self._dump),
            "-T",
            str(LIMIT_S),
            *(["-b"] if is_busy else []),
            *more,
        ]
        self._child = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=(credit, gate), text=True
        )
        os.close(credit)
        os.close(gate)
        self.opened_at = 0.0  # monotonic seconds
        self.arrived = 0  # broadcasts that reached every tab

    def __enter__(self) -> "Tabs":
        self._until("OPEN")
        self.opened_at = time.monotonic()
        self._until("QUIET")
        return self

    def __exit__(self, *what: object) -> None:
        if self._child.poll() is None:
            self._child.kill()
            self._child.wait()
        for end in (self._credits, self._gate):
            with contextlib.suppress(OSError):
                os.close(end)
        for pipe in (self._child.stdout, self._child.stderr):
            if pipe:
                pipe.close()
        self._dump.unlink(missing_ok=True)

    @property
    def pid(self) -> int:
        return self._child.pid

    def go(self) -> None:
        """From now on broadcasts are counted."""
        os.write(self._gate, b"g\n")
        self._until("READY")

    def wait_for(self, arrived: int, within_s: float) -> bool:
        """Until so many broadcasts have reached every tab."""
        end = time.monotonic() + within_s
        while self.arrived < arrived and (left := end - time.monotonic()) > 0:
            if select.select([self._credits], [], [], left)[0]:
                piece = os.read(self._credits, 4096)
                if not piece:
                    break
                self.arrived += len(piece)
        return self.arrived >= arrived

    def end(self, last: int, instants: dict[int, int] | None = None) -> list[Told]:
        """After broadcast `last`. `instants`: when each was published, where the messages do not say so."""
        os.write(self._gate, f"e {last}\n".encode())
        out, notes = self._child.communicate(timeout=LIMIT_S)
        self.notes += notes.splitlines()
        self.result = json.loads(out)
        return list(self._rows(instants))

    def _rows(self, instants: dict[int, int] | None) -> Iterator[Told]:
        with self._dump.open() as rows:
            for row in map(json.loads, rows):
                since = 0.0 if instants is None else (instants[row["seq"]] - self.result["t0"]) / 1e6
                first, middle, late, last = (row[key] - since for key in ("first", "p50", "p99", "last"))
                yield Told(row["seq"], row["n"], first, middle, late, last)

    def _until(self, word: str) -> None:
        for line in self._child.stderr or ():
            self.notes.append(line.strip())
            if line.startswith(word):
                return
        raise RuntimeError(f"the tabs ended: {self.notes[-5:]}")
