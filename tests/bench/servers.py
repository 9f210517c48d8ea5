"""Who tells: this hub, four others that do the same with another program, and the floor under all of them.

Each runs on the core for servers; its store, whoever publishes and the tabs have the other one.
"""

import asyncio
import contextlib
import http.client
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import redis

from config.embedded import EmbeddedValkey
from config.processes import Child, start
from hub.desk.lane import Office
from hub.desk.requests import Issue, Next, Recall, Stamp
from hub.ledger.connection import sqlite_url
from hub.store import library
from hub.store.connection import connect
from hub.store.lanes import Lanes
from tests.bench.tabs import HERE
from tests.model.desks import CERTIFICATES, small_office
from tests.ports import free_ports

OFFICE = "bench"
OFFICE_FILE = f"""
key = "{OFFICE}"
name = "計測"
lanes = [ {{ key = "{CERTIFICATES}", name = "証明", prefix = "A", first = 101, last = 99999 }} ]
counters = [ {{ key = "2", name = "2番窓口", lanes = ["{CERTIFICATES}"] }} ]
"""
SERVERS_CORE, OTHERS_CORE = 0, 1
UP_WITHIN_S = 120  # of a busy machine
FRAME_BYTES = 250  # of a recall, as this hub tells it; the others tell as many


class Server:
    """One that runs. `tell` publishes one broadcast and gives its instant (monotonic nanoseconds)."""

    name: str
    path = "/ws"
    says_instants = True

    def __init__(self, children: list[Child], port: int) -> None:
        self.children = children
        self.port = port

    @abstractmethod
    def tell(self, number: int) -> int: ...

    @property
    def tabs(self) -> Sequence[str]:
        """How tabs know a broadcast, where it is not by `seq` and `t`."""
        return ()

    def pids(self) -> list[int]:
        return [pid for child in self.children for pid in _tree(child.pid)]

    def cpu_s(self) -> float:
        """Seconds on a processor so far, all threads."""
        return sum(_on_processor(pid) for pid in self.pids()) / 1e9

    def memory(self) -> int:
        return sum(_resident(pid) for pid in self.pids())


class OfRedis(Server):
    """Follows one channel of a Redis."""

    def __init__(self, name: str, children: list[Child], port: int, client: "redis.Redis") -> None:
        super().__init__(children, port)
        self.name = name
        self._client = client

    def tell(self, number: int) -> int:
        at = time.monotonic_ns()
        self._client.publish("q", payload(number, at))
        return at


class Nchan(Server):
    name = "nchan"

    def __init__(self, children: list[Child], port: int) -> None:
        super().__init__(children, port)
        self._connection = http.client.HTTPConnection("127.0.0.1", port)

    def tell(self, number: int) -> int:
        at = time.monotonic_ns()
        self._connection.request("POST", "/pub", payload(number, at))
        self._connection.getresponse().read()
        return at


class Ours(Server):
    """`junban hub` as it is: each broadcast is a press of "recall", from the store's function to every tab."""

    name = "junban"
    path = "/ws/board"
    says_instants = False

    def __init__(self, folder: Path, ports: list[tuple[int, int]], store: EmbeddedValkey) -> None:
        super().__init__([], ports[0][0])
        self.folder = folder
        self.ports = ports
        self.store = store
        self.ledger_url = sqlite_url(folder.absolute() / "ledger.sqlite")
        self._told = 0
        self._runner = asyncio.Runner()
        self._day = ""
        self._lanes: Lanes | None = None

    @property
    def tabs(self) -> Sequence[str]:
        """The ticket was called once before it was called again, and again in runs before this one."""
        return "-A", "-K", "calls", "-O", str(1 + self._told), "-m", '"type":"TicketRecalled"'

    def open_day(self) -> None:
        """One ticket, called once: from now on it is called again and again."""

        async def open_day() -> tuple[Lanes, str]:
            client = connect(self.store.url)
            await library.install(client)
            lanes = Lanes(client, office())
            day = await lanes.open_day()
            for request in (Issue(CERTIFICATES, "kiosk"), Next("2", None)):
                await lanes.do(Stamp(day, "bench", secrets.token_urlsafe(16)), request)
            return lanes, day

        self._lanes, self._day = self._runner.run(open_day())

    def tell(self, number: int) -> int:
        if self._lanes is None:
            raise RuntimeError("the day is not open")
        self._told += 1
        stamp = Stamp(self._day, "bench", secrets.token_urlsafe(16))
        at = time.monotonic_ns()
        self._runner.run(self._lanes.do(stamp, Recall("2", 1)))
        return at

    def start_hub(self, number: int = 0, *, practice: bool = False) -> None:
        """One of its hubs, in the place of the one before."""
        public, inside = self.ports[number]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("JUNBAN_")}
        settings = {"JUNBAN_REDIS_URL": self.store.url, "JUNBAN_LEDGER_URL": self.ledger_url}
        settings |= {"JUNBAN_OFFICE": str(self.folder / "office.toml")}
        settings |= {"JUNBAN_PORT": str(public), "JUNBAN_INSIDE_PORT": str(inside)}
        with (self.folder / "hub.log").open("ab") as log:
            child = start(
                [*pinned(), sys.executable, "-m", "config.cli", "hub", *(["--practice"] if practice else [])],
                name="hub", environment=kept | settings, stdout=log, stderr=log,
            )  # fmt: skip
        self.children[number : number + 1] = [child]

    def kill(self) -> None:
        for child in self.children:
            child.kill()

    def close(self) -> None:
        self._runner.close()


def office() -> Office:
    return small_office(OFFICE, last=99_999)


def payload(number: int, at: int) -> str:
    head = f'{{"type":"called","ticket":105,"counter":3,"version":8812,"seq":{number},"t":{at},"pad":"'
    return head + "x" * (FRAME_BYTES - 2 - len(head)) + '"}'


@contextlib.contextmanager
def ours(folder: Path, hubs: int = 1, *, practice: bool = False) -> Iterator[Ours]:
    """`hubs` of them on one store, each with ports of its own; in practice a clerk may press as often as he likes."""
    folder.mkdir()
    (folder / "office.toml").write_text(OFFICE_FILE, encoding="utf-8")
    with ExitStack() as opened:
        store = opened.enter_context(EmbeddedValkey(folder / "store"))
        os.sched_setaffinity(store.pid, {OTHERS_CORE})
        numbers = free_ports(2 * hubs)
        server = Ours(folder, list(zip(numbers[::2], numbers[1::2], strict=True)), store)
        opened.callback(server.close)
        opened.callback(server.kill)
        server.open_day()
        for number in range(hubs):
            server.start_hub(number, practice=practice)
        for public, _ in server.ports:
            wait_ready(public)
        yield server


@contextlib.contextmanager
def other(name: str, folder: Path, floor: Path, node: Path | None) -> Iterator[Server]:
    """One of the others. Raises LookupError where it is not installed."""
    folder.mkdir()
    port, store_port = free_ports(2)
    with ExitStack() as opened, (folder / "log").open("ab") as log:

        def run(*command: str | Path, environment: dict[str, str] | None = None) -> Child:
            child = start(
                [*pinned(), *command], name=name, environment=os.environ | (environment or {}),
                folder=folder, stdout=log, stderr=log,
            )  # fmt: skip
            opened.callback(child.kill)
            return child

        if name == Nchan.name:
            child = run(_found("nginx", "libnginx-mod-nchan"), "-c", _nchan_file(folder, port))
            wait_for_port(port)
            yield Nchan([child], port)
            return
        store = start(
            ["taskset", "-c", str(OTHERS_CORE), _found("redis-server", "redis-server"), "--port", str(store_port),
             "--bind", "127.0.0.1", "--save", "", "--client-output-buffer-limit", "pubsub 256mb 128mb 60"],
            name="the store of the others", folder=folder, stdout=log, stderr=log,
        )  # fmt: skip
        opened.callback(store.kill)
        wait_for_port(store_port)
        client = opened.enter_context(contextlib.closing(redis.Redis(port=store_port)))
        match name:
            case "floor":
                child = run(floor, str(port), str(store_port), "q")
            case "ws":
                if node is None:
                    raise LookupError("node with ws and ioredis")
                child = run(
                    _found("node", "nodejs"), HERE / "peers" / "node_ws.js", str(port), str(store_port),
                    environment={"NODE_PATH": str(node / "node_modules")},
                )  # fmt: skip
            case _:
                child = run(
                    sys.executable, "-m", "uvicorn", "--app-dir", HERE / "peers", "--port", str(port),
                    "--loop", "uvloop", "--ws", "websockets-sansio", "--ws-per-message-deflate", "false",
                    "--ws-ping-interval", "600", "--log-level", "error", "--backlog", "65535", "starlette_naive:app",
                    environment={"REDIS_PORT": str(store_port)},
                )  # fmt: skip
        wait_for_port(port)
        yield OfRedis(name, [child], port, client)


def install_node(folder: Path) -> Path | None:
    """`ws` and its store's client from npm, into `folder`; None where there is no npm, or no way to it."""
    npm = shutil.which("npm")
    if npm is None:
        return None
    place = folder / "node"
    place.mkdir()
    command = [npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(place), "ws@8", "ioredis@5"]
    done = subprocess.run(command, capture_output=True, timeout=180)
    return place if done.returncode == 0 else None


def pinned() -> list[str]:
    return ["taskset", "-c", str(SERVERS_CORE)]


def wait_for_port(port: int) -> None:
    end = time.monotonic() + UP_WITHIN_S
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.5):
            return
        time.sleep(0.02)
    raise RuntimeError(f"nobody listens on {port}")


def wait_ready(port: int) -> None:
    """Until a hub shows the present."""
    end = time.monotonic() + UP_WITHIN_S
    while time.monotonic() < end:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        with contextlib.suppress(OSError), contextlib.closing(connection):
            connection.request("GET", "/ready")
            if connection.getresponse().status == 200:
                return
        time.sleep(0.02)
    raise RuntimeError(f"the hub on {port} is not ready")


def _nchan_file(folder: Path, port: int) -> Path:
    folder.chmod(0o755)
    path = folder / "nginx.conf"
    text = (HERE / "peers" / "nchan.conf").read_text(encoding="utf-8")
    path.write_text(text.replace("@PORT@", str(port)).replace("@DIR@", str(folder)), encoding="utf-8")
    return path


def _found(program: str, package: str) -> str:
    found = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None or (program == "nginx" and not list(Path("/usr/lib/nginx/modules").glob("ngx_nchan_module.so"))):
        raise LookupError(package)
    return found


def _tree(pid: int) -> list[int]:
    found = [pid]
    for one in found:
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{one}/task"):
                found += map(int, Path(f"/proc/{one}/task/{task}/children").read_text().split())
    return found


def _on_processor(pid: int) -> int:
    """Nanoseconds, from the scheduler itself."""
    with contextlib.suppress(OSError):
        return sum(
            int(Path(f"/proc/{pid}/task/{task}/schedstat").read_text().split()[0])
            for task in os.listdir(f"/proc/{pid}/task")
        )
    return 0


def _resident(pid: int) -> int:
    with contextlib.suppress(OSError):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) * 1024
    return 0
