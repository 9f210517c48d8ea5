"""Children that die with their parent, and a private folder that does not outlive its owner for long.

It knows nothing of what the children do. It never kills a process that it did not start, and never removes a folder
that somebody still holds.

On Linux a child is killed by the kernel when its parent ends, however that happens (PR_SET_PDEATHSIG). Systems without
prctl (macOS, the BSDs) have nothing like it: there a child outlives a parent that was killed with SIGKILL, and only the
orderly ends are covered.
"""

import ctypes
import fcntl
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

Output = int | IO[bytes] | None

PR_SET_PDEATHSIG = 1  # linux/prctl.h
DIES_WITH_PARENT = sys.platform == "linux"

STOP_GRACE_S = 5.0  # an orderly stop of any of our processes takes well below a second
KILLED_WITHIN_S = 5.0  # SIGKILL works at once, unless the process sits in the kernel on a dead disk

PREFIX = "junban-"
LOCK = ".workshop"  # a name nobody else uses: what carries it, and only that, may be swept away
LOCK_BEING_MADE = ".workshop.new"
BEING_MADE_FOR_S = 60.0  # takes microseconds; older, its maker was killed half-way


class CannotStart(RuntimeError):
    """A child could not be started; the message says in one sentence what to do."""


class CannotStop(RuntimeError):
    """Even SIGKILL did not end a child in time; the message says in one sentence what to do."""


class Child:
    """A running process that ends with this one. Made by `start`."""

    def __init__(self, name: str, process: subprocess.Popen[bytes]) -> None:
        self.name = name
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative: the number of the signal that ended it."""
        return self._process.poll()

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def stop(self, *, grace_s: float = STOP_GRACE_S) -> int:
        """Ask it to end (SIGTERM), wait at most `grace_s`, then kill(). Gives its exit code; may be repeated."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            return self._process.wait(grace_s)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        """End it and what it started in its group at once, without asking. Gives its exit code; may be repeated.

        Raises CannotStop.
        """
        if self._process.poll() is None:
            # Not yet waited for, so neither its number nor its group's can have been given to somebody else.
            os.killpg(self._process.pid, signal.SIGKILL)
        try:
            return self._process.wait(KILLED_WITHIN_S)
        except subprocess.TimeoutExpired as error:
            raise CannotStop(
                f"{self.name}（プロセス {self.pid}）を終了できません。ディスクの状態を確かめてください。"
            ) from error


def start(
    command: Sequence[str | Path],
    *,
    name: str,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    stdout: Output = None,
    stderr: Output = None,
    keep_open: Collection[int] = (),
) -> Child:
    """Start a child that dies with this process. Only from the main thread.

    `environment` None hands on ours; `folder` is where it works; `keep_open` are file descriptors that it inherits
    beside the usual three; its standard input is empty. It gets a process group of its own, so that Ctrl-C reaches
    this process alone and the order of stopping is ours. Raises CannotStart.
    """
    if threading.current_thread() is not threading.main_thread():
        # The kernel kills the child when the *thread* that started it ends.
        raise CannotStart(f"{name}はメインスレッドから起動してください。起動したスレッドが終わると一緒に終わります。")
    try:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env=None if environment is None else dict(environment),
            cwd=folder,
            pass_fds=tuple(keep_open),
            process_group=0,
            preexec_fn=tie_to_parent(os.getpid()) if DIES_WITH_PARENT else None,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise CannotStart(f"{name}を起動できません（{command[0]}: {error}）。導入し直してください。") from error
    return Child(name, process)


def tie_to_parent(parent: int) -> Callable[[], None]:
    """What the new process does before it becomes the command: ask to be killed when `parent` ends.

    Everything is looked up beforehand; between fork and exec it calls the kernel and nothing else.
    """
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    getppid, leave = os.getppid, os._exit

    def tie() -> None:
        if prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0 or getppid() != parent:
            leave(1)  # the parent ended between fork and prctl: nobody would ever tell us

    return tie


class Workshop:
    """A private temporary folder (mode 0700) for the time of a `with`. Gives its path.

    A lock file in it is held for as long as this process lives. Before a new folder is made, folders of the same prefix
    and the same user whose lock nobody holds any more are removed: their owner was killed with SIGKILL.
    """

    def __init__(self, *, prefix: str = PREFIX, parent: Path | None = None) -> None:
        self._prefix = prefix
        self._parent = Path(tempfile.gettempdir()) if parent is None else parent
        self._path: Path | None = None
        self._lock: int | None = None

    @property
    def path(self) -> Path:
        if self._path is None:
            raise RuntimeError("The workshop is not open; use it in a with statement.")
        return self._path

    def __enter__(self) -> Path:
        sweep(self._parent, self._prefix)
        self._path = Path(tempfile.mkdtemp(prefix=self._prefix, dir=self._parent))
        # Locked before it gets its name: no sweep can find the name and not the lock.
        unnamed = self._path / LOCK_BEING_MADE
        self._lock = os.open(unnamed, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        unnamed.rename(self._path / LOCK)
        return self._path

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # What cannot be removed now (a child still writes) is removed by the next sweep: the lock is let go anyway.
        if self._path is not None:
            shutil.rmtree(self._path, ignore_errors=True)
            self._path = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def open(self) -> Self:
        """For an owner that lives longer than one block: the same as entering."""
        self.__enter__()
        return self

    def close(self) -> None:
        """The same as leaving the block; may be repeated."""
        self.__exit__(None, None, None)


def sweep(parent: Path, prefix: str = PREFIX) -> list[Path]:
    """Remove the workshops of this prefix in `parent` that are ours and that nobody holds. Gives those removed.

    A folder that merely has such a name (somebody's `--data` folder, a backup) is no workshop and stays.
    """
    return [
        folder for folder in sorted(parent.glob(f"{prefix}*")) if _is_our_folder(folder) and _remove_if_left(folder)
    ]


def _is_our_folder(path: Path) -> bool:
    try:
        seen = path.lstat()  # never through a link: /tmp belongs to everybody
    except OSError:
        return False
    return stat.S_ISDIR(seen.st_mode) and seen.st_uid == os.geteuid()


def _remove_if_left(folder: Path) -> bool:
    try:
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        return _remove_if_half_made(folder)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)  # while we hold the lock: of two sweepers one removes
        return not folder.exists()
    except BlockingIOError:
        return False
    finally:
        os.close(lock)


def _remove_if_half_made(folder: Path) -> bool:
    unnamed = folder / LOCK_BEING_MADE
    try:
        if time.time() - unnamed.stat().st_mtime < BEING_MADE_FOR_S:
            return False
        unnamed.unlink()
        folder.rmdir()  # refuses where anything else lies in it
    except OSError:
        return False
    return True
