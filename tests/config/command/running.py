"""A `junban` that runs, as its operator meets it: what it says, who belongs to it, what is left of it."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from pathlib import Path

from config.practice.entering import SESSION_COOKIE, post_form
from hub.edge.access import DEVICE_COOKIE
from tests.eventually import eventually
from tests.ports import free_ports

JUNBAN = Path(sys.executable).with_name("junban")
# What runs in a practice office, by a word of its command line; with what it is called when it ends.
PRACTICE = {
    "valkey-server": "データストア",
    "cli inbox": "受信箱",
    "cli keeper": "常駐処理（keeper）",
    "cli worker line": "LINEのワーカー",
    "cli worker email": "メールのワーカー",
    "cli worker phone": "電話のワーカー",
    "cli hub": "ハブ",
}
WITHIN_S = 100.0  # a start takes one second on an idle machine, and is given up after ninety
ENDED_WITHIN_S = 30.0  # likewise


def clean(tmp_path: Path, **settings: str) -> dict[str, str]:
    """An environment without settings of the house, with data and temporary files of its own."""
    temporary = tmp_path / "tmp"
    temporary.mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JUNBAN_")}
    return kept | {"TMPDIR": str(temporary), "XDG_DATA_HOME": str(tmp_path / "home")} | settings


def junban(tmp_path: Path, *words: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [JUNBAN, *words], capture_output=True, text=True, timeout=60, env=clean(tmp_path, **settings), cwd=tmp_path
    )


class Running:
    """A `junban` that runs until it is stopped, and what it has printed so far."""

    def __init__(self, process: "subprocess.Popen[str]", output: Path) -> None:
        self.process = process
        self._output = output

    @property
    def said(self) -> str:
        return self._output.read_text(encoding="utf-8")

    def address(self, page: str) -> tuple[str, int, str]:
        """Host, port and path of the page that the line with this word names."""
        found = re.search(rf"^ +{page}.* http://([\d.]+):(\d+)(/\S*)$", self.said, re.MULTILINE)
        assert found, self.said
        return found[1], int(found[2]), found[3]

    def way_in(self, role: str) -> tuple[str, str]:
        """Account and password of this role, as they are printed."""
        found = re.search(rf"^  {role}のサインイン\s+(\S+) +(\S+)$", self.said, re.MULTILINE)
        assert found, self.said
        return found[1], found[2]

    def family(self) -> dict[int, str]:
        """Every process below it, with its command line."""
        lines = subprocess.run(
            ["ps", "-eww", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True
        ).stdout
        rows = [
            (int(pid), int(parent), words) for pid, parent, words in (row.split(None, 2) for row in lines.splitlines())
        ]
        known, found = {self.process.pid}, dict[int, str]()
        for _ in rows:
            fresh = {pid: words for pid, parent, words in rows if parent in known and pid not in known}
            known |= fresh.keys()
            found |= fresh
        return found

    def child(self, word: str) -> int | None:
        return next((pid for pid, words in self.family().items() if word in words and "defunct" not in words), None)


def running(tmp_path: Path, *words: str, **settings: str) -> AbstractContextManager[Running]:
    return running_into(None, tmp_path, *words, **settings)


@contextmanager
def running_into(stdout: int | None, tmp_path: Path, *words: str, **settings: str) -> Iterator[Running]:
    """`stdout` None: all that it says is kept; otherwise only what it complains about."""
    output = tmp_path / f"output-{len(list(tmp_path.iterdir()))}"
    with output.open("w") as file:
        process = subprocess.Popen(
            [JUNBAN, *words],
            stdout=file if stdout is None else stdout,
            stderr=file,
            text=True,
            env=clean(tmp_path, **settings),
            cwd=tmp_path,
        )
    try:
        yield Running(process, output)
    finally:
        process.kill()
        process.wait()


def free_port() -> str:
    """The lower of two neighbours that nobody uses."""
    return str(free_ports(2)[0])


def get(host: str, port: int, path: str, session: str = "", device: str = "") -> tuple[int, str]:
    """Status and text of a page; one that leads to staff's door, or lets a screen in, is gone through."""
    line = HTTPConnection(host, port, timeout=30)
    held = {SESSION_COOKIE: session, DEVICE_COOKIE: device}
    try:
        line.request("GET", path, headers={"Cookie": "; ".join(f"{name}={one}" for name, one in held.items() if one)})
        answer = line.getresponse()
        status, body, place = answer.status, answer.read().decode(), answer.getheader("Location") or ""
        given = SimpleCookie(answer.getheader("Set-Cookie") or "").get(DEVICE_COOKIE)
    finally:
        line.close()
    if status != 303 or not (place.startswith("/sign-in") or given):
        return status, body
    return get(host, port, place, session, given.value if given else device)


def signed_in(host: str, port: int, name: str, password: str) -> str:
    """A session, got as a browser gets it."""
    status, place, session = post_form(f"http://{host}:{port}", "/sign-in", {"name": name, "password": password})
    assert (status, place) == (303, "/desk")
    return session


def is_ready(host: str, port: int) -> bool:
    try:
        return get(host, port, "/ready")[0] == 200
    except OSError:
        return False


async def is_up(office: Running) -> None:
    await eventually(lambda: "Ctrl-C" in office.said or office.process.poll() is not None, within_s=WITHIN_S)
    assert office.process.poll() is None, office.said


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def left_over(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "tmp").iterdir())
