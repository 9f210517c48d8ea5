"""A PostgreSQL as Debian ships it, on a socket in a folder of its own; it ends with the tests."""

import os
import pwd
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import anyio

from config import processes
from tests.eventually import eventually
from tests.ports import free_ports

OWNER = "postgres"  # the account that Debian's package brings; the server refuses to run as root
DATABASE = "postgres"
START_WITHIN_S = 60.0


class PostgreSql:
    """A server that can be stopped and started. Main thread only."""

    def __init__(self, binaries: Path, folder: Path) -> None:
        self._binaries, self._folder = binaries, folder
        self._data, self._socket = folder / "data", folder / "socket"
        self._port = free_ports(1)[0]  # names the socket; nothing listens on the network
        self._child: processes.Child | None = None
        for place in (self._data, self._socket):
            place.mkdir(mode=0o700)
            if os.geteuid() == 0:
                owner = pwd.getpwnam(OWNER)
                os.chown(place, owner.pw_uid, owner.pw_gid)
        options = ["--auth=trust", "--username=junban", "--encoding=UTF8", "--locale=C", "--no-sync"]
        self._run(self._as_owner("initdb", "--pgdata", str(self._data), *options))

    @property
    def url(self) -> str:
        return f"postgresql://junban@/{DATABASE}?host={self._socket}&port={self._port}"

    def start(self) -> None:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._socket),
            "port": str(self._port),
            "fsync": "off",  # what is tested is a killed program, not a lost machine
            "shared_buffers": "16MB",
            "max_connections": "40",
        }
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with (self._folder / "server.log").open("ab") as log:
            command = self._as_owner("postgres", "-D", str(self._data), *words)
            self._child = processes.start(command, name="PostgreSQL", stdout=log, stderr=log, folder=self._socket)
        with ThreadPoolExecutor(1) as beside:  # stories that ask for it have a loop running already
            beside.submit(lambda: anyio.run(eventually, self._answers, START_WITHIN_S)).result()

    def stop(self) -> None:
        """At once, whoever is connected; nothing that was committed is lost."""
        if self._child is not None and self._child.is_running:
            os.kill(self._child.pid, signal.SIGINT)
            self._child.stop()

    def _answers(self) -> bool:
        if self._child is None or not self._child.is_running:
            raise RuntimeError(f"PostgreSQL ended: {(self._folder / 'server.log').read_text()[-2000:]}")
        ask = [str(self._binaries / "psql"), "--no-psqlrc", "--quiet", "--command", "SELECT", self.url]
        return subprocess.run(ask, capture_output=True).returncode == 0

    def _as_owner(self, program: str, *words: str) -> list[str]:
        command = [str(self._binaries / program), *words]
        if os.geteuid() != 0:
            return command
        # The kernel forgets with the account that the child is to die with us: it is asked once more.
        return ["setpriv", f"--reuid={OWNER}", f"--regid={OWNER}", "--clear-groups", "--pdeathsig=KILL", *command]

    def _run(self, command: list[str]) -> None:
        done = subprocess.run(command, capture_output=True, text=True, cwd=self._folder)
        if done.returncode:
            raise RuntimeError(f"{Path(command[-1]).name}: {done.stderr[-2000:]}")


@contextmanager
def postgresql_running(binaries: Path) -> Iterator[PostgreSql]:
    # Not below the tests' own folder: that is closed to the account that runs it, and too long for a socket.
    with processes.Workshop(prefix="junban-pg-") as folder:
        folder.chmod(0o755)
        server = PostgreSql(binaries, folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()
