"""The processes of one machine's office: the store, one hub, and in a demonstration the simulated days.

All of them are children of this process and end with it, however it ends (`config.processes`).
"""

import contextlib
import errno
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import redis

from config import processes
from config.embedded import EmbeddedValkey, NotWanted, StoreDidNotStart, given_server, why_away
from config.processes import Workshop
from config.settings import Machine
from config.supervisor import Supervisor
from hub.store import library

# -P: a folder named config where the user happens to stand is not ours.
JUNBAN = (sys.executable, "-P", "-m", "config.cli")
INSIDE_HOST = "127.0.0.1"
READY_WITHIN_S = 30.0  # one second on an idle machine
ASK_WITHIN_S = 1.0
PAUSE_S = 0.02
PAUSE_AFTER_FAILURE_S = 10.0  # the hub may just be coming back
TAIL_BYTES = 4096
PRACTICE_MARK = "practice"  # a folder with this file never becomes an office in earnest, nor the other way round
STORE_FOLDER = "valkey"
DEMO_SPEED = 20

Say = Callable[[str], None]


class OfficeDidNotStart(RuntimeError):
    """One sentence for the operator."""


class StorePost:
    """The embedded store, with the functions of this release: its only hub is ours, and starts after it."""

    name = "データストア"

    def __init__(self, server: EmbeddedValkey, is_wanted: Callable[[], bool]) -> None:
        self._server = server
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
        except redis.RedisError as error:
            self._server.kill()
            raise StoreDidNotStart(f"データストアに関数を入れられません（{error}）。") from error

    def stop(self) -> None:
        self._server.stop()

    def kill(self) -> None:
        self._server.kill()

    def answers(self) -> bool:
        return self._server.answers()

    def last_words(self) -> str:
        return ""


class HubPost:
    """`junban hub` as a child. With `log` its lines go there, otherwise to our own standard error.

    `store` is asked for its address at each start: a folder's socket may only have its place once the server runs.
    """

    name = "ハブ"

    def __init__(self, machine: Machine, store: EmbeddedValkey | None, *, practice: bool, log: Path | None) -> None:
        self._machine = machine
        self._store = store
        self._practice = practice
        self._log = log
        self._child: processes.Child | None = None

    @property
    def pid(self) -> int:
        if self._child is None:
            raise RuntimeError("ハブは起動していません。")
        return self._child.pid

    @property
    def is_running(self) -> bool:
        return self._child is not None and self._child.is_running

    def start(self) -> None:
        command = [*JUNBAN, "hub", *(["--practice"] if self._practice else [])]
        given = {"redis_url": self._store.url} if self._store else {}
        machine = self._machine.model_copy(update=given)
        with contextlib.ExitStack() as files:
            try:
                out = files.enter_context(self._log.open("ab")) if self._log else None
            except OSError as error:
                raise OfficeDidNotStart(
                    f"{self._log} を開けません（{error.strerror}）。持ち主と権限を確かめてください。"
                ) from error
            self._child = processes.start(
                command, name=self.name, environment=machine.environment(), stdout=out, stderr=out
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
        return self._status_of("/live") is not None

    def is_ready(self) -> bool:
        """Whether its pages show the present."""
        return self._status_of("/ready") == 200

    def _status_of(self, page: str) -> int | None:
        # Not urllib: it would ask the machine's proxy for its own loopback.
        line = HTTPConnection(INSIDE_HOST, self._machine.inside_port, timeout=ASK_WITHIN_S)
        try:
            line.request("GET", page)
            return line.getresponse().status
        except (HTTPException, OSError):
            return None
        finally:
            line.close()


class SimulatedDays:
    """One simulated day after the other, each with its own seed, through the public protocol of a practice office."""

    def __init__(self, hub_url: str, log: Path, say: Say, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.seed = 0
        # --shared: whoever looks at the demonstration will press buttons too.
        self._command = [*JUNBAN, "simulate", "--shared", "--speed", str(DEMO_SPEED), "--hub", hub_url]
        self._log = log
        self._say = say
        self._monotonic = monotonic
        self._child: processes.Child | None = None
        self._next_at = monotonic()

    def tend(self) -> None:
        """Start the first day, or the next when one has ended. Call it a few times a second."""
        if self._child is not None and not self._child.is_running:
            self._end(self._child)
        if self._child is None and self._monotonic() >= self._next_at:
            self.seed += 1
            if self.seed > 1:
                self._say(f"次の模擬の一日（種 {self.seed}）を始めます。")
            try:
                with self._log.open("wb") as log:
                    command = [*self._command, "--seed", str(self.seed)]
                    self._child = processes.start(command, name="模擬の一日", stdout=log, stderr=log)
            except (OSError, processes.CannotStart) as error:
                self._next_at = self._monotonic() + PAUSE_AFTER_FAILURE_S
                self._say(f"模擬の一日（種 {self.seed}）を始められません: {error}")

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop()

    def kill(self) -> None:
        if self._child is not None:
            self._child.kill()

    def _end(self, child: processes.Child) -> None:
        self._child = None
        if child.exit_code:
            self._next_at = self._monotonic() + PAUSE_AFTER_FAILURE_S
            self._say(f"模擬の一日（種 {self.seed}）は失敗に終わりました: {last_line(self._log)}")


class OfficeProcess:
    """A whole office in `folder`: its own store unless the machine names one, and one hub. `say` hears what happens.

    `is_wanted` is asked while something is waited for.
    """

    def __init__(
        self,
        machine: Machine,
        folder: Path,
        say: Say,
        *,
        practice: bool,
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        self.machine = machine
        store = EmbeddedValkey(folder / STORE_FOLDER) if machine.redis_url is None else None
        self._hub = HubPost(machine, store, practice=practice, log=folder / "hub.log" if practice else None)
        self._supervisor = Supervisor([StorePost(store, is_wanted), self._hub] if store else [self._hub], say)
        self._is_wanted = is_wanted

    @property
    def public_url(self) -> str:
        host = {"0.0.0.0": INSIDE_HOST, "::": "[::1]"}.get(self.machine.public_host, self.machine.public_host)  # noqa: S104
        return self.machine.public_url or f"http://{host}:{self.machine.port}"

    @property
    def inside_url(self) -> str:
        return f"http://{INSIDE_HOST}:{self.machine.inside_port}"

    def start(self) -> None:
        """Returns when the pages answer, or early when the office is no longer wanted.

        Raises CannotStart, StoreDidNotStart or OfficeDidNotStart; nothing runs then.
        """
        try:
            self._supervisor.start()
        except NotWanted:
            return
        deadline = time.monotonic() + READY_WITHIN_S
        while self._is_wanted() and not self._hub.is_ready():
            if not self._hub.is_running or time.monotonic() >= deadline:
                why = self._hub.last_words() or self._why_not_ready()
                self.stop()
                raise OfficeDidNotStart(f"ハブを起動できません: {why}")
            time.sleep(PAUSE_S)

    def tend(self) -> None:
        self._supervisor.tend()

    def stop(self) -> None:
        self._supervisor.stop()

    def kill(self) -> None:
        """Everything at once, without asking."""
        self._supervisor.kill()

    def _why_not_ready(self) -> str:
        if self.machine.redis_url:
            with contextlib.closing(given_server(self.machine.redis_url)) as client:
                if why := why_away(client):
                    return why
        return f"{READY_WITHIN_S:g} 秒以内に応答がありません"


@contextlib.asynccontextmanager
async def start_office() -> AsyncIterator[str]:
    """A fresh practice office in a temporary folder; gives its inside base URL. Only from the main thread."""
    machine = Machine.from_environment().model_copy(update={"redis_url": None, "public_url": None})
    with Workshop() as folder:
        free = with_free_ports(machine)
        office = OfficeProcess(free, folder, lambda _: None, practice=True)
        office.start()
        try:
            yield office.inside_url
        finally:
            office.stop()


def with_free_ports(machine: Machine) -> Machine:
    """The same machine on two ports that nobody uses at the moment."""
    with listening("", 0) as public, listening("", 0) as inside:
        ports = {"port": public.getsockname()[1], "inside_port": inside.getsockname()[1]}
    return machine.model_copy(update=ports)


def taken_ports(machine: Machine) -> list[int]:
    """Which of the machine's two ports somebody else listens on. Raises OfficeDidNotStart for what no port can help."""
    wanted = ((machine.public_host, machine.port), (INSIDE_HOST, machine.inside_port))
    return [port for host, port in wanted if is_taken(host, port)]


def is_taken(host: str, port: int) -> bool:
    try:
        with listening(host, port):
            return False
    except OSError as error:
        if error.errno != errno.EADDRINUSE or isinstance(error, socket.gaierror):
            raise OfficeDidNotStart(why_not_listening(host, str(port), error)) from error
        return True


def why_not_listening(host: str, ports: str, error: OSError) -> str:
    """One sentence; `host` is where the public pages should be."""
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return (
            f"JUNBAN_PUBLIC_HOST の {host} はこの機械のアドレスではありません。"
            "この機械のアドレスか、0.0.0.0（すべて）を書いてください。"
        )
    if error.errno == errno.EADDRINUSE:
        return f"ポート {ports} はほかのプログラムが使っています。--port か JUNBAN_PORT で別の番号を指定してください。"
    if isinstance(error, PermissionError):
        return f"ポート {ports} を開く権限がありません。--port か JUNBAN_PORT で 1024 以上の番号を指定してください。"
    return f"ポート {ports} を開けません（{error.strerror}）。JUNBAN_PORT と JUNBAN_INSIDE_PORT を変えてください。"


@contextlib.contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as place:
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port just given back counts as free
        place.bind((host, port))
        place.listen()
        yield place


class WrongFolder(RuntimeError):
    """Practice and earnest never share a folder: the practice clock would open wrong days."""


def mark_folder(folder: Path, *, practice: bool) -> None:
    """Make the folder and mark one for practice. Raises WrongFolder, and OSError where it cannot be made."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    mark, is_used = folder / PRACTICE_MARK, (folder / STORE_FOLDER).exists()
    if practice and is_used and not mark.exists():
        raise WrongFolder(f"{folder} は本番のデータです。練習には別のフォルダーを --data で指定してください。")
    if not practice and mark.exists():
        raise WrongFolder(f"{folder} は練習用のデータです。本番には別のフォルダーを --data で指定してください。")
    if practice:
        mark.touch()


def last_line(log: Path) -> str:
    """The last line of a log that says anything."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL_BYTES))
            lines = file.read().decode(errors="replace").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
