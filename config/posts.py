"""The posts of one machine's office: its store, and the verbs of `junban` that run as children beside it.

All of them end with this process, however it ends (`config.processes`).
"""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Sequence
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import redis

from config import processes
from config.alive import STALE_S
from config.embedded import EmbeddedValkey, StoreDidNotStart
from config.given_store import given_server
from config.loopback import HOST
from config.settings import Machine
from config.store_users import StoreUsers
from hub.store import library

# -P: a folder named config where the user happens to stand is not ours.
JUNBAN = (sys.executable, "-P", "-m", "config.cli")
ASK_WITHIN_S = 1.0
TAIL_BYTES = 4096


class OfficeDidNotStart(RuntimeError):
    """One sentence for the operator."""


class StorePost:
    """The embedded store, with the functions of this release: its only hub is ours, and starts after it."""

    name = "データストア"

    def __init__(self, server: EmbeddedValkey, users: StoreUsers, is_wanted: Callable[[], bool]) -> None:
        self._server, self._users = server, users
        self._is_wanted = is_wanted
        self._functions = library.source()  # read once: files that change under a running office are the next start's

    @property
    def is_running(self) -> bool:
        return self._server.is_running

    def start(self) -> None:
        self._server.start(is_wanted=self._is_wanted)
        try:
            with contextlib.closing(given_server(self._server.url)) as client:
                library.renew(client, self._functions)
                self._users.let_in(client)
        except redis.RedisError as error:
            self._server.kill()
            raise StoreDidNotStart(f"データストアに関数と利用者を入れられません（{error}）。") from error

    def stop(self) -> None:
        self._server.stop()

    def kill(self) -> None:
        self._server.kill()

    def answers(self) -> bool:
        return self._server.answers()

    def last_words(self) -> str:
        return "夜間の消去のため" if self._server.has_ended_in_order else ""


class ChildPost:
    """A verb of `junban` as a child. With `log` its lines go there, otherwise to our own standard error.

    `machine` is asked for its settings at each start: a store's socket may only have its place once the server runs.
    It lives as long as `page` of its `port` on loopback answers, or it touches the file `alive`. `temporary`: where it
    makes temporary files, instead of the place of the machine that others fill as well.
    """

    def __init__(
        self,
        name: str,
        words: Sequence[str],
        machine: Callable[[], Machine],
        *,
        log: Path | None,
        temporary: Path,
        port: int | None = None,
        page: str = "/",
        alive: Path | None = None,
        with_secrets: bool = False,
    ) -> None:
        self.name = name
        self._words, self._machine, self._log = words, machine, log
        self._port, self._page, self._alive = port, page, alive
        self._with_secrets, self._temporary = with_secrets, temporary
        self._child: processes.Child | None = None

    @property
    def pid(self) -> int:
        if self._child is None:
            raise RuntimeError(f"{self.name}は起動していません。")
        return self._child.pid

    @property
    def is_running(self) -> bool:
        return self._child is not None and self._child.is_running

    def start(self) -> None:
        words = [*JUNBAN, *self._words]
        if self._alive is not None:
            self._alive.unlink(missing_ok=True)  # what the one before has touched says nothing of this one
            words += ["--alive", str(self._alive)]
        environment = self._machine().environment(with_secrets=self._with_secrets)
        environment["TMPDIR"] = str(self._temporary)
        with contextlib.ExitStack() as files:
            try:
                self._temporary.mkdir(mode=0o700, exist_ok=True)
                out = files.enter_context(self._log.open("ab")) if self._log else None
            except OSError as error:
                raise OfficeDidNotStart(
                    f"{error.filename} を開けません（{error.strerror}）。持ち主と権限を確かめてください。"
                ) from error
            self._child = processes.start(
                words,
                name=self.name,
                environment=environment,
                stdout=out,
                stderr=out,
            )

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop()

    def kill(self) -> None:
        if self._child is not None:
            self._child.kill()

    def last_words(self) -> str:
        code = self._child.exit_code if self._child else None
        if code is None or code < 0:
            return f"シグナル {-code}" if code else ""
        return last_line(self._log) if self._log else f"終了コード {code}"

    def answers(self) -> bool:
        """Whether it lives; one that merely lacks its store does."""
        if self._alive is not None:
            return is_fresh(self._alive)
        return self.status_of(self._page) is not None

    def status_of(self, page: str) -> int | None:
        # Not urllib: it would ask the machine's proxy for its own loopback.
        line = HTTPConnection(HOST, self._port, timeout=ASK_WITHIN_S)
        try:
            line.request("GET", page)
            return line.getresponse().status
        except (HTTPException, OSError):
            return None
        finally:
            line.close()


class HubPost(ChildPost):
    """`junban hub`. `number`: of those that share the public port; the first has the inside pages for all to see."""

    def __init__(
        self,
        machine: Machine,
        on_store: Callable[[], Machine],
        *,
        practice: bool,
        log: Path | None,
        temporary: Path,
        credentials: Path | None = None,
        number: int = 1,
    ) -> None:
        """`credentials`: of the practice people that are offered at staff's door."""
        words = ["hub", *(["--practice"] if practice else [])]
        words += ["--credentials", str(credentials)] if credentials else []
        self.inside_port = port = machine.inside_port
        name = "ハブ" if number == 1 else f"{number} 番目のハブ"
        super().__init__(name, words, on_store, log=log, temporary=temporary, port=port, page="/live")

    def is_ready(self) -> bool:
        """Whether its pages show the present."""
        return self.status_of("/ready") == 200


def is_fresh(alive: Path) -> bool:
    try:
        return time.time() - alive.stat().st_mtime < STALE_S
    except OSError:
        return False


def last_line(log: Path) -> str:
    """The last line of a log that says anything."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL_BYTES))
            lines = file.read().decode(errors="replace").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
