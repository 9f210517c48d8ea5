"""Does the process live, can it serve, and what has it done: three pages for machines, made when they are asked for."""

import time
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from hub.edge.access import Access
from hub.edge.archive import ArchiveWatch
from hub.edge.commands import Commands
from hub.edge.erasure import ErasureWatch
from hub.fanout.relay import Relay

SILENT_SECONDS = 5.0  # a read answers within a second, and a dead store is given up after four
PLAIN = "text/plain; version=0.0.4; charset=utf-8"  # Prometheus' text format


def health_routes(
    relay: Relay,
    days_ahead: Callable[[], int],
    archive: ArchiveWatch | None = None,
    erasure: ErasureWatch | None = None,
    monotonic: Callable[[], float] = time.monotonic,
) -> list[Route]:
    """`/live`: 200 while this process answers. `/ready`: 200 while what it shows is the present, else 503 and why.

    `days_ahead` is how far the open day lies after today; `archive` may be behind and `erasure` overdue. A hub of
    each kind is at work, and stays ready: the reason is told.
    """

    async def live(request: Request) -> Response:
        return PlainTextResponse("live\n")

    async def ready(request: Request) -> Response:
        reasons = why_not_ready(relay, monotonic())
        told = [*reasons, f"the open day is {ahead} days after today"] if (ahead := days_ahead()) else [*reasons]
        if archive and (why := archive.why_alarming()):
            told.append(why)
        if erasure and (why := erasure.why_alarming()):
            told.append(why)
        return JSONResponse({"ready": not reasons, "reasons": told}, 503 if reasons else 200)

    return [Route("/live", live), Route("/ready", ready)]


def why_not_ready(relay: Relay, now: float) -> list[str]:
    reasons = []
    if relay.world is None:
        reasons.append("no picture of the day yet")
    if relay.is_away:
        reasons.append("the store does not answer")
    elif relay.last_read is not None and now - relay.last_read > SILENT_SECONDS:
        reasons.append(f"nothing read for {now - relay.last_read:.0f} s")
    return reasons


def meter_routes(
    relay: Relay,
    commands: Commands,
    access: Access,
    days_ahead: Callable[[], int],
    archive: ArchiveWatch | None = None,
    erasure: ErasureWatch | None = None,
) -> list[Route]:
    """`/metrics` in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(Meters(relay, commands, access, days_ahead, archive, erasure))

    async def metrics(request: Request) -> Response:
        return Response(generate_latest(registry), media_type=PLAIN)

    return [Route("/metrics", metrics)]


class Meters(Collector):
    """Reads the plain figures that the parts keep; nothing counts for its sake. No label holds a person or a number."""

    def __init__(
        self,
        relay: Relay,
        commands: Commands,
        access: Access,
        days_ahead: Callable[[], int],
        archive: ArchiveWatch | None = None,
        erasure: ErasureWatch | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._relay = relay
        self._days_ahead = days_ahead
        self._commands = commands
        self._access = access
        self._archive = archive
        self._erasure = erasure
        self._monotonic = monotonic

    def collect(self) -> Iterator[Metric]:
        relay, registry = self._relay, self._relay.registry
        listeners = GaugeMetricFamily("junban_listeners", "Open listeners by kind of topic", labels=["topic"])
        for kind, count in registry.counts().items():
            listeners.add_metric([kind], count)
        yield listeners
        yield CounterMetricFamily("junban_facts", "Facts told to listeners", relay.facts)
        yield CounterMetricFamily("junban_frames", "Frames told, counted for each listener", registry.frames)
        yield CounterMetricFamily("junban_mailbox_overruns", "Listeners that were too slow", registry.overruns)
        present, altogether = relay.away_s()
        yield GaugeMetricFamily("junban_store_away_seconds", "Seconds without the store, this time", present)
        yield CounterMetricFamily("junban_store_away_seconds_all", "Seconds without the store, altogether", altogether)
        yield CounterMetricFamily("junban_store_outages", "How often the store was lost", relay.outages)
        if relay.last_read is not None:
            lag = self._monotonic() - relay.last_read
            yield GaugeMetricFamily("junban_position_lag_seconds", "Seconds since the tail read the newest fact", lag)
        requests = CounterMetricFamily("junban_requests", "Requests answered", labels=["type", "outcome"])
        for (kind, outcome), count in self._commands.outcomes.items():
            requests.add_metric([kind, outcome], count)
        yield requests
        refused = CounterMetricFamily("junban_acts_refused", "What a role may not do", labels=["role", "act"])
        for (role, act), count in self._access.refusals.items():
            refused.add_metric([role, act], count)
        yield refused
        yield GaugeMetricFamily("junban_ledger_away", "1 while nobody new can be let in", int(self._access.is_away))
        day = GaugeMetricFamily("junban_day", "The business day shown, as year × 10000 + month × 100 + day")
        if relay.day is not None:
            day.add_metric([], int(relay.day.replace("-", "")))
        yield day
        yield GaugeMetricFamily("junban_day_ahead", "Days from today to the open day: 0", self._days_ahead())
        if self._archive is not None:
            behind, lag_s = self._archive.behind, self._archive.lag_s
            yield GaugeMetricFamily("junban_archive_behind", "Facts that are not in the ledger yet", behind)
            yield GaugeMetricFamily("junban_archive_lag_seconds", "Age of the oldest of them; alarm above 60", lag_s)
        if self._erasure is not None:
            overdue, late_s = self._erasure.overdue, self._erasure.late_s
            yield GaugeMetricFamily("junban_erasure_overdue", "Contacts and traces that should be gone: 0", overdue)
            yield GaugeMetricFamily(
                "junban_erasure_late_seconds", "Since when the oldest of them; alarm above 0", late_s
            )
