"""A peak day at 240 times the speed of life, while hub and store are killed in turn with SIGKILL every twenty seconds.

The office is `junban up --practice`, the day `junban simulate`: separate processes, the public protocol between them.
Only children of the office's own parent process are killed, by pid.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.practice.credentials import FILE
from config.processes import Child, Workshop, start
from tests.eventually import eventually
from tests.ports import free_ports

TICKETS = 1_480
SPEED = 240
KILL_EVERY_S = 20.0
UP_WITHIN_S = 30.0
DAY_WITHIN_S = 900.0


@dataclass
class Stormy:
    kills: int
    exit_code: int
    report: dict[str, Any]


def storm(tickets: int = TICKETS, seed: int = 1480) -> Stormy:
    """Raises RuntimeError where the office does not come up or the day does not end."""
    with Workshop() as folder:
        office = _up(folder)
        try:
            return _day(office, folder, tickets, seed)
        finally:
            office.stop(grace_s=10)


def _up(folder: Path) -> Child:
    port, inside = free_ports(2)
    with (folder / "up.log").open("wb") as log:
        office = start(
            [sys.executable, "-m", "config.cli", "up", "--practice", "--data", str(folder / "data")],
            name="the office",
            environment={"JUNBAN_PORT": str(port), "JUNBAN_INSIDE_PORT": str(inside)},
            stdout=log,
            stderr=log,
        )
    (folder / "inside").write_text(f"http://127.0.0.1:{inside}")
    try:
        asyncio.run(eventually(lambda: _is_ready(inside), within_s=UP_WITHIN_S))
    except AssertionError:
        office.stop()
        raise RuntimeError(f"the office did not come up: {(folder / 'up.log').read_text()[-2000:]}") from None
    return office


def _day(office: Child, folder: Path, tickets: int, seed: int) -> Stormy:
    command = [sys.executable, "-m", "config.cli", "simulate", "--seed", str(seed), "--tickets", str(tickets)]
    command += ["--speed", str(SPEED), "--hub", (folder / "inside").read_text(), "--json"]
    command += ["--credentials", str(folder / "data" / FILE)]
    kills = 0
    with (folder / "report").open("w+") as out, (folder / "progress").open("wb") as progress:
        day = subprocess.Popen(command, stdout=out, stderr=progress)
        _wait_until_under_way(day, folder / "progress")
        for turn in range(int(DAY_WITHIN_S / KILL_EVERY_S)):
            try:
                day.wait(KILL_EVERY_S)
                break
            except subprocess.TimeoutExpired:
                kills += _kill(office.pid, "valkey" if turn % 2 else "hub")
        else:
            day.kill()
            day.wait()
            raise RuntimeError("the day did not end")
        out.seek(0)
        lines = out.read().splitlines()
    if not lines:
        raise RuntimeError(f"the day gave no report: {(folder / 'progress').read_text()[-2000:]}")
    return Stormy(kills, day.returncode, json.loads(lines[-1]))


def _wait_until_under_way(day: "subprocess.Popen[bytes]", progress: Path) -> None:
    """Until it has told how far it is: who finds no office at the very beginning does not begin."""
    deadline = time.monotonic() + UP_WITHIN_S
    while day.poll() is None and not progress.stat().st_size and time.monotonic() < deadline:
        time.sleep(0.1)


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _kill(parent: int, word: str) -> int:
    """SIGKILL the child whose command line holds `word`; 0 where it is not up again yet."""
    for pid in _children(parent):
        if word in _command_line(pid):
            os.kill(pid, signal.SIGKILL)
            return 1
    return 0


def _children(parent: int) -> list[int]:
    """Direct children, as Linux tells them."""
    found: list[int] = []
    for task in Path(f"/proc/{parent}/task").glob("*/children"):
        found += map(int, task.read_text().split())
    return found


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""  # it has ended in between
