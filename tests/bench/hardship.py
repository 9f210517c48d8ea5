"""Tabs that never read among those that do, a hub that is killed under all of them, and clerks who press meanwhile."""

import contextlib
import http.client
import math
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.clerks import PunctualClerk
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
    """`late_ms`: by then 99 in 100 of those who read had each broadcast, the median of those told while the deaf were
    there. `gone_s`: since the first of these.
    """

    late_ms: float
    memory_mb: float
    gone_s: float
    exact: Exact


def among_deaf(server: Ours, program: Path, folder: Path, readers: int, seconds: float, *, deaf: bool) -> Slow:
    """So many tabs that read; with `deaf` ones among them, one in DEAF_EVERY of all."""
    count = readers * DEAF_EVERY // (DEAF_EVERY - 1) if deaf else readers
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
        lost = readers * len(instants) - sum(row.tabs for row in rows)
        exact = Exact(lost, tabs.result["dup"], tabs.result["out_of_order"])
        if deaf and not gone.at:
            raise RuntimeError("who never reads is still there")
        until = gone.at * 1e9 if deaf else math.inf
        late_ms = percentile([row.late for row in rows if instants[row.number] < until], 0.5)
        return Slow(late_ms, grown, gone.at - began, exact)


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
    """`back_s`: from the kill until every tab was open again and had its snapshot; `open_s`: since the hub listened;
    `desk_s`: from the kill until a clerk could press, `press_p99_ms` of his presses from then on.
    """

    back_s: float
    open_s: float
    desk_s: float
    press_p99_ms: float
    exact: Exact = field(default_factory=Exact)


def killed(server: Ours, program: Path, folder: Path, count: int) -> Herd:
    with open_tabs(server, program, folder, count) as tabs:
        tabs.go()
        began = time.monotonic()
        server.kill()
    server.start_hub()
    clerk = PunctualClerk(server, PRESSES_PER_S)
    wait_for_port(server.port)
    listened = time.monotonic()
    with clerk.pressing(), open_tabs(server, program, folder, count, AT_ONCE, is_polite=True) as tabs:
        opened = next(note for note in tabs.notes if note.startswith("OPEN"))
        if int(opened.split()[1]) != count:
            raise RuntimeError(f"not all came back: {tabs.notes}")
        opened_at = tabs.opened_at
        tabs.go()
        instants = tell_all(server, [tabs], range(1, BACK + 1))
        tabs.end(BACK, instants)
    herd = Herd(opened_at - began, opened_at - listened, clerk.opened_at - began, percentile(clerk.took_ms, 0.99))
    herd.exact.add(tabs)
    return herd
