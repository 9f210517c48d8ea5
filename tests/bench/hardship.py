"""Tabs that never read among those that do, a hub that is killed under all of them, and clerks who press meanwhile."""

import contextlib
import http.client
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.clerks import Clerks
from tests.bench.servers import Ours, wait_for_port
from tests.bench.telling import Exact, open_tabs, percentile, tell_all, tell_steadily

DEAF_EVERY = 20
DEAF = ("-S", str(DEAF_EVERY), "-B", "4096")
TOLD_PER_S = 100.0
GONE_WITHIN_S = 40.0
PRESSES_PER_S = 20
AT_ONCE = ("-c", "2000", "-W", '"type":"snapshot"')  # a page's jitter spreads them no more
BACK = 3  # broadcasts that all who came back must hear


@dataclass
class Slow:
    """`late_ms`: by then 99 in 100 of those who read had each broadcast, the median of all broadcasts."""

    late_ms: float
    memory_mb: float
    gone_s: float
    exact: Exact


def among_deaf(server: Ours, program: Path, folder: Path, count: int, seconds: float, *, deaf: bool) -> Slow:
    readers = count - count // DEAF_EVERY if deaf else count
    with open_tabs(server, program, folder, count, DEAF if deaf else ()) as tabs:
        tabs.go()
        memory, began = server.memory(), time.monotonic()
        gone = Gone(server.ports[0][1], readers)
        with gone.watching():
            instants = tell_steadily(server, TOLD_PER_S, seconds)
            while deaf and not gone.at and time.monotonic() - began < GONE_WITHIN_S:
                instants |= tell_steadily(server, TOLD_PER_S, 0.5, max(instants) + 1)
        grown = (server.memory() - memory) / 1e6
        rows = tabs.end(max(instants), instants)
        exact = Exact(sum(readers - row.tabs for row in rows), tabs.result["dup"], tabs.result["out_of_order"])
        return Slow(percentile([row.late for row in rows], 0.5), grown, gone.at - began if gone.at else 0.0, exact)


class Gone:
    """Notices when no more than so many listen."""

    def __init__(self, inside: int, left: int) -> None:
        self.at = 0.0
        self._inside, self._left = inside, left
        self._is_over = threading.Event()

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        thread = threading.Thread(target=self._watch)
        thread.start()
        try:
            yield
        finally:
            self._is_over.set()
            thread.join()

    def _watch(self) -> None:
        while not self._is_over.wait(0.2):
            with contextlib.suppress(OSError):
                if listeners(self._inside) <= self._left:
                    self.at = time.monotonic()
                    return


def listeners(inside: int) -> int:
    line = http.client.HTTPConnection("127.0.0.1", inside, timeout=10)
    with contextlib.closing(line):
        line.request("GET", "/metrics")
        told = line.getresponse().read().decode()
    found = re.search(r'^junban_listeners\{topic="board"\} (\S+)', told, re.M)
    return int(float(found[1])) if found else 0


@dataclass
class Herd:
    """`back_s`: from the kill until every tab was open again and had its snapshot; `open_s`: since the hub listened."""

    back_s: float
    open_s: float
    press_p99_ms: float
    presses: int
    exact: Exact = field(default_factory=Exact)


def killed(server: Ours, program: Path, folder: Path, count: int) -> Herd:
    with open_tabs(server, program, folder, count) as tabs:
        tabs.go()
        began = time.monotonic()
        server.kill()
    server.start_hub()
    clerk = Clerks(server, PRESSES_PER_S)
    wait_for_port(server.port)
    listened = time.monotonic()
    with clerk.pressing(), open_tabs(server, program, folder, count, AT_ONCE, is_polite=True) as tabs:
        opened = next(note for note in tabs.notes if note.startswith("OPEN"))
        if int(opened.split()[1]) != count:
            raise RuntimeError(f"not all came back: {tabs.notes}")
        back_s = tabs.opened_at - began
        tabs.go()
        instants = tell_all(server, [tabs], range(1, BACK + 1))
        tabs.end(BACK, instants)
        open_s = tabs.opened_at - listened
        herd = Herd(back_s, open_s, percentile(clerk.took_ms, 0.99), len(clerk.took_ms))
        herd.exact.add(tabs)
    return herd
