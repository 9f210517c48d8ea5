"""How quickly and how cheaply everybody is told: one broadcast at a time, and more than can leave one by one."""

import statistics
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.servers import OTHERS_CORE, Server
from tests.bench.tabs import Tabs, Told

WARM = 3
# As in life: to a tab that heard nothing for 0.2 s Linux acknowledges the next 16 frames at once, at the cost of who
# sends, as it does at first; of frames that come faster the tab's own reading pays. That is 2 us of 6.6 a delivery.
PAUSE_S = 0.25
ARRIVES_WITHIN_S = 60
WINDOW = 8  # broadcasts under way when it is told as fast as it is delivered
SETTLE_S = 1.0
POLITE = 10  # of `nice`


@dataclass
class Exact:
    """Deliveries that went wrong."""

    lost: int = 0
    doubled: int = 0
    disordered: int = 0

    def add(self, tabs: Tabs) -> None:
        self.lost += tabs.result["lost"]
        self.doubled += tabs.result["dup"]
        self.disordered += tabs.result["out_of_order"]


@dataclass
class Telling:
    """One run of one server."""

    last_ms: float
    cpu_us: float
    bytes_per_tab: float
    handshakes_per_s: float
    handshake_us: float
    exact: Exact = field(default_factory=Exact)
    saturated_per_s: float = 0.0  # deliveries


def told(server: Server, program: Path, folder: Path, count: int, broadcasts: int, *, saturate_s: float = 0) -> Telling:
    """`count` tabs, one broadcast after the other; then for `saturate_s` as many as arrive."""
    time.sleep(SETTLE_S)
    memory, cpu = server.memory(), server.cpu_s()
    with open_tabs(server, program, folder, count) as tabs:
        handshake_us = (server.cpu_s() - cpu) * 1e6 / count
        bytes_per_tab = (server.memory() - memory) / count
        tabs.go()
        instants = tell_all(server, [tabs], range(1, WARM + 1))
        cpu = server.cpu_s()
        timed = range(WARM + 1, WARM + broadcasts + 1)
        instants |= tell_all(server, [tabs], timed)
        cpu_us = (server.cpu_s() - cpu) * 1e6 / (broadcasts * count)
        last = timed[-1]
        many = instants_of_many(server, tabs, last + 1, saturate_s) if saturate_s else {}
        instants |= many
        rows = tabs.end(max(instants), None if server.says_instants else instants)
        telling = Telling(
            statistics.median(row.last for row in rows if row.number in timed),
            cpu_us,
            bytes_per_tab,
            tabs.result["handshakes_per_s"],
            handshake_us,
        )
        telling.exact.add(tabs)
        if many:
            telling.saturated_per_s = rate_of([row for row in rows if row.number in many], many)
        return telling


def told_by_several(
    server: Server,
    ports: Sequence[int],
    program: Path,
    folder: Path,
    count: int,
    broadcasts: int,
    *,
    warm: int = WARM,
    pause_s: float = PAUSE_S,
) -> tuple[float, Exact]:
    """Processor time a delivery, microseconds, of one hub or several that share `count` tabs."""
    time.sleep(SETTLE_S)
    share = count // len(ports)
    with ExitStack() as stack:
        opened = [stack.enter_context(open_tabs(server, program, folder, share, port=port)) for port in ports]
        for tabs in opened:
            tabs.go()
        instants = tell_all(server, opened, range(1, warm + 1), pause_s)
        cpu = server.cpu_s()
        instants |= tell_all(server, opened, range(warm + 1, warm + broadcasts + 1), pause_s)
        cpu_us = (server.cpu_s() - cpu) * 1e6 / (broadcasts * share * len(ports))
        exact = Exact()
        for tabs in opened:
            tabs.end(max(instants), instants)
            exact.add(tabs)
        return cpu_us, exact


def told_at(
    server: Server, program: Path, folder: Path, count: int, per_s: float, seconds: float
) -> tuple[float, Exact]:
    """Whatever arrives, so many broadcasts a second: 99 in 100 had reached the last tab within so many seconds."""
    with open_tabs(server, program, folder, count) as tabs:
        tabs.go()
        instants = tell_steadily(server, per_s, seconds)
        rows = tabs.end(max(instants), instants)
        exact = Exact()
        exact.add(tabs)
        return percentile([row.last for row in rows], 0.99) / 1000, exact


def open_tabs(
    server: Server,
    program: Path,
    folder: Path,
    count: int,
    more: Sequence[str] = (),
    *,
    port: int | None = None,
    is_told: bool = True,
    is_polite: bool = False,
) -> Tabs:
    """`is_told` False: `more` says what they wait for, and there is more on their core than they.

    `is_polite`: the store and a clerk come first on their core, where tabs are not in life.
    """
    words = ["-u", server.path, *(server.tabs if is_told else ()), *more]
    return Tabs(
        program,
        port or server.port,
        count,
        words,
        folder=folder,
        core=OTHERS_CORE,
        is_busy=is_told,
        nice=POLITE if is_polite else 0,
    )


def tell_all(server: Server, tabs: Sequence[Tabs], numbers: range, pause_s: float = PAUSE_S) -> dict[int, int]:
    """One after the other, each when the one before has reached every tab, and `pause_s` later."""
    instants = {}
    for number in numbers:
        instants[number] = server.tell(number)
        for one in tabs:
            if not one.wait_for(number, ARRIVES_WITHIN_S):
                raise RuntimeError(f"{server.name}: broadcast {number} did not arrive everywhere")
        time.sleep(pause_s)
    return instants


def tell_steadily(server: Server, per_s: float, seconds: float, first: int = 1) -> dict[int, int]:
    began, instants = time.monotonic(), dict[int, int]()
    for count in range(int(per_s * seconds)):
        time.sleep(max(0.0, began + count / per_s - time.monotonic()))
        instants[first + count] = server.tell(first + count)
    return instants


def instants_of_many(server: Server, tabs: Tabs, first: int, seconds: float) -> dict[int, int]:
    end, number, instants = time.monotonic() + seconds, first, dict[int, int]()
    while time.monotonic() < end:
        tabs.wait_for(number - WINDOW, ARRIVES_WITHIN_S)
        instants[number] = server.tell(number)
        number += 1
    tabs.wait_for(number - 1, ARRIVES_WITHIN_S)
    return instants


def rate_of(rows: Sequence[Told], instants: dict[int, int]) -> float:
    """Deliveries a second."""
    began = min(instants.values()) / 1e9
    ended = max(instants[row.number] / 1e9 + row.last / 1e3 for row in rows)
    return sum(row.tabs for row in rows) / (ended - began)


def percentile(values: Sequence[float], share: float) -> float:
    """Raises ValueError where there are none."""
    if not values:
        raise ValueError("nothing was measured")
    found = sorted(values)
    return found[min(len(found) - 1, int(share * len(found)))]
