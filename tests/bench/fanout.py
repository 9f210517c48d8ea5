"""Ten thousand open tabs: this hub beside others that do nothing else, and beside the floor, in one run on one core.

The servers take turns, so that whatever else the machine does hits all of them; figures are medians of the rounds.
"""

import json
import math
import os
import resource
import statistics
import time
from contextlib import AbstractContextManager
from pathlib import Path

from config.processes import Workshop
from config.serving import open_files, public_listeners
from tests.bench.clerks import Clerks, PunctualClerk
from tests.bench.hardship import PRESSES_PER_S, among_deaf, killed
from tests.bench.painting import GIVEN, press_to_screen
from tests.bench.picture import draw
from tests.bench.servers import OTHERS_CORE, Server, install_node, other, ours
from tests.bench.tabs import built
from tests.bench.telling import PAUSE_S, Exact, Telling, open_tabs, percentile, told, told_at, told_by_several

TABS = 10_000
READERS = 9_500  # of them, where the others never read
OURS, FLOOR, NCHAN = "junban", "floor", "nchan"
NAMES = (FLOOR, OURS, NCHAN, "ws", "starlette")
SATURATE_S = 4.0
BEYOND_NCHAN = 3  # times the rate at which it is saturated
WITHOUT_NCHAN = 13  # broadcasts a second to ten thousand tabs, as it was seen to manage
GROWN = (100, 1_000, TABS)
MOST = 20_000
DELIVERIES = 200_000  # at least, of each of them
GROWN_WARM = 40  # broadcasts: those that are acknowledged at once are over by then (`PAUSE_S`)
COUNTS = ("lost", "doubled", "disordered")


class Part:
    """One run of the whole part."""

    def __init__(self, folder: Path, *, quick: bool) -> None:
        self.folder = folder
        self.rounds, self.turns, self.broadcasts, self.seconds = (2, 1, 8, 6.0) if quick else (5, 5, 30, 12.0)
        self.exact = Exact()
        self.tabs = built("tabs", folder)
        self.floor = built("floor", folder)
        self.node = install_node(folder)
        self._made = 0

    def compare(self) -> tuple[dict[str, list[Telling]], float]:
        """All in turns; and processor time a delivery of two hubs, which have their turn after them."""
        found: dict[str, list[Telling]] = {name: [] for name in NAMES}
        two_us = []
        for turn in range(self.rounds):
            for name in NAMES[turn % len(NAMES) :] + NAMES[: turn % len(NAMES)]:
                try:
                    with self.server(name) as server:
                        saturate = SATURATE_S if name == NCHAN else 0
                        telling = told(server, self.tabs, self.folder, TABS, self.broadcasts, saturate_s=saturate)
                except LookupError as missing:
                    if turn == 0:
                        print(f"{name} is left out: {missing} is not installed")
                    continue
                found[name].append(telling)
                if name == OURS:
                    self.add(telling.exact)
            two_us.append(self.two_hubs_us())
        return found, statistics.median(two_us)

    def server(self, name: str) -> AbstractContextManager[Server]:
        folder = self.next_folder()
        return ours(folder) if name == OURS else other(name, folder, self.floor, self.node)

    def hardship(self, lag_per_s: float) -> dict[str, float | None]:
        """Medians of several turns, each of which tells every story once; None for what cannot be measured here."""
        turns = [
            {"lag_p99_s": self.lag_s(lag_per_s), **self.slow(), **self.herd(), **self.commands(), **self.screen()}
            for _ in range(self.turns)
        ]
        found = {key: [figure for turn in turns if (figure := turn[key]) is not None] for key in turns[0]}
        return {key: statistics.median(figures) if figures else None for key, figures in found.items()}

    def lag_s(self, per_s: float) -> float:
        with ours(self.next_folder()) as server:
            lag, exact = told_at(server, self.tabs, self.folder, TABS, per_s, self.seconds)
        self.add(exact)
        return lag

    def slow(self) -> dict[str, float]:
        found = {}
        for deaf in (False, True):
            with ours(self.next_folder()) as server:
                found[deaf] = among_deaf(server, self.tabs, self.folder, READERS, self.seconds, deaf=deaf)
            self.add(found[deaf].exact)
        return {
            "slow_p99_ratio": found[True].late_ms / found[False].late_ms,
            "slow_memory_mb": found[True].memory_mb - found[False].memory_mb,
            "slow_gone_s": found[True].gone_s,
        }

    def herd(self) -> dict[str, float]:
        with ours(self.next_folder()) as server:
            herd = killed(server, self.tabs, self.folder, TABS)
        self.add(herd.exact)
        return {
            "herd_s": herd.back_s,
            "herd_open_s": herd.open_s,
            "herd_desk_s": herd.desk_s,
            "herd_command_p99_ms": herd.press_p99_ms,
        }

    def commands(self) -> dict[str, float]:
        with ours(self.next_folder(), practice=True) as server:
            clerks = Clerks(server, clerks=4, at_once=8)
            with clerks.pressing():
                time.sleep(self.seconds)
        with (
            ours(self.next_folder()) as server,
            open_tabs(server, self.tabs, self.folder, TABS, GIVEN, is_told=False, is_polite=True) as tabs,
        ):
            tabs.go()
            clerk = PunctualClerk(server, PRESSES_PER_S)
            with clerk.pressing():
                time.sleep(self.seconds)
            tabs.end(len(clerk.took_ms))
        exact = Exact()
        exact.add(tabs)
        self.add(exact)
        return {
            "commands_per_s": len(clerks.took_ms) / self.seconds,
            "command_p99_ms": percentile(clerk.took_ms, 0.99),
        }

    def two_hubs_us(self) -> float:
        with ours(self.next_folder(), hubs=2) as server:
            ports = [public for public, _ in server.ports]
            cpu_us, exact = told_by_several(server, ports, self.tabs, self.folder, TABS, self.broadcasts)
        self.add(exact)
        return cpu_us

    def grown(self) -> dict[str, float]:
        """Processor time a delivery as tabs grow, each the median of several runs in turn.

        The hub is at work: no pause between two broadcasts. After one caches are cold, and what a hub does each second
        when nobody presses comes on top; few tabs share both, which `cpu_us_at_100_rested` tells.
        """
        one_hub = min(MOST, public_listeners(open_files()))
        sizes = {f"cpu_us_at_{count}": (count, 1, 0.0) for count in GROWN} | {
            "cpu_us_at_most": (one_hub, 1, 0.0),
            "cpu_us_at_20000": (MOST, math.ceil(MOST / one_hub), 0.0),
        }
        rested = {"cpu_us_at_100_rested": (100, 1, PAUSE_S)}
        runs: dict[str, list[float]] = {key: [] for key in sizes | rested}
        for _ in range(self.turns):
            for key, (count, hubs, pause_s) in (sizes | rested).items():
                runs[key].append(self._cost_us(count, hubs, pause_s))
        found = {key: statistics.median(costs) for key, costs in runs.items()}
        at_work = [found[key] for key in sizes]
        return {
            **found,
            "most_tabs": one_hub,
            "grown_cpu_ratio": max(at_work) / min(at_work),
            "cpu_ratio_100_to_20000": found["cpu_us_at_20000"] / found["cpu_us_at_100"],
        }

    def _cost_us(self, count: int, hubs: int, pause_s: float) -> float:
        with ours(self.next_folder(), hubs) as server:
            ports = [public for public, _ in server.ports]
            broadcasts = max(self.broadcasts, 0 if pause_s else DELIVERIES // count)
            cpu_us, exact = told_by_several(
                server, ports, self.tabs, self.folder, count, broadcasts, warm=GROWN_WARM, pause_s=pause_s
            )
        self.add(exact)
        return cpu_us

    def screen(self) -> dict[str, float | None]:
        with ours(self.next_folder()) as server:
            painted = press_to_screen(server, self.tabs, self.folder, TABS, 2 * self.broadcasts)
        if painted is None:
            return dict.fromkeys(("press_tabs_ms", "press_paint_p50_ms", "press_paint_p99_ms"))
        self.add(painted.exact)
        return {
            "press_tabs_ms": painted.tabs_ms,
            "press_paint_p50_ms": painted.p50_ms,
            "press_paint_p99_ms": painted.p99_ms,
        }

    def add(self, exact: Exact) -> None:
        self.exact.lost += exact.lost
        self.exact.doubled += exact.doubled
        self.exact.disordered += exact.disordered

    def next_folder(self) -> Path:
        self._made += 1
        return self.folder / f"run-{self._made}"


def run(quick: bool) -> bool:
    """Print the table and the JSON line; True if every tab heard everything once and in order."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    before = os.sched_getaffinity(0)
    if len(before) > OTHERS_CORE:
        os.sched_setaffinity(0, {OTHERS_CORE})  # whoever publishes, and all that this process starts
    try:
        with Workshop() as folder:
            return _run(Part(folder, quick=quick), quick)
    finally:
        os.sched_setaffinity(0, before)


def _run(part: Part, quick: bool) -> bool:
    found, two_us = part.compare()
    best = {name: summed(tellings) for name, tellings in found.items() if tellings}
    floor, mine, nchan = best[FLOOR], best[OURS], best.get(NCHAN)
    for name, telling in best.items():
        print(
            f"{name:<10} last {telling.last_ms:7.1f} ms ({telling.last_ms / floor.last_ms:4.2f}x)   "
            f"cpu {telling.cpu_us:5.2f} us ({telling.cpu_us / floor.cpu_us:4.2f}x)   "
            f"{telling.bytes_per_tab:7,.0f} bytes a tab   {telling.handshakes_per_s:7,.0f} handshakes/s"
        )
    per_s = nchan.saturated_per_s / TABS if nchan else WITHOUT_NCHAN
    figures: dict[str, object] = {
        "part": "fanout",
        "quick": quick,
        "tabs": TABS,
        "last_ms": mine.last_ms,
        "last_vs_floor": mine.last_ms / floor.last_ms,
        "last_vs_nchan": mine.last_ms / nchan.last_ms if nchan else None,
        "cpu_us": mine.cpu_us,
        "cpu_vs_floor": mine.cpu_us / floor.cpu_us,
        "bytes_per_tab": mine.bytes_per_tab,
        "handshakes_per_s": mine.handshakes_per_s,
        "lag_at_per_s": BEYOND_NCHAN * per_s,
        "two_hubs_cpu_ratio": two_us / mine.cpu_us,
        **part.hardship(BEYOND_NCHAN * per_s),
        **({} if quick else part.grown()),
        "lost": part.exact.lost,
        "doubled": part.exact.doubled,
        "disordered": part.exact.disordered,
    }
    for key, value in figures.items():
        if isinstance(value, float):
            print(f"{key:<26} {value:>12,.2f}")
            figures[key] = round(value, 3)
    if not quick:
        draw({name: telling.cpu_us for name, telling in best.items()}, FLOOR)
    print(json.dumps(figures))
    return not any(figures[key] for key in COUNTS)


def summed(tellings: list[Telling]) -> Telling:
    """The medians of several rounds."""
    last_ms, cpu_us, bytes_per_tab, handshakes_per_s, handshake_us, saturated_per_s = (
        statistics.median(getattr(telling, name) for telling in tellings)
        for name in ("last_ms", "cpu_us", "bytes_per_tab", "handshakes_per_s", "handshake_us", "saturated_per_s")
    )
    return Telling(last_ms, cpu_us, bytes_per_tab, handshakes_per_s, handshake_us, saturated_per_s=saturated_per_s)
