"""The only kind of job there is: an empty wake-up, "drain this carrier". What a stranger plants there never runs.

RQ keeps a job's function, arguments, callbacks and web hooks in Redis, and would import and call whatever stands there.
Here a job that is not word for word ours does not exist, and of one that is ours only its book-keeping is read.
"""

import asyncio
import contextlib
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from types import FrameType
from typing import Any

import structlog
from rq import SimpleWorker
from rq.exceptions import NoSuchJobError, StopRequested
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.timeouts import BaseDeathPenalty

from hub.desk.notices import Carrier
from hub.store.jobs import AWAY, connect_for_jobs

_log = structlog.get_logger("workers.jobs")

FUNCTION = "workers.jobs.drain"  # a name to compare; nothing is ever imported by it
DESCRIPTION = "drain"
LIVES_S = 60  # a wake-up that waited longer: there were others since
RUNS_S = 90  # a run ends by itself after 20 s and the message in hand; the net under it, and RQ's measure of a dead one
FAILURE_S = 600
RESULT_S = 0

WORKER_LIVES_S = 20  # RQ waits 15 s less than that for a job, and then shows that it lives
MAINTENANCE_S = 15
LONGEST_WAIT_S = 4.0  # for a store that is away
PAUSE_S = 1.0

# What is read of a job; callbacks, web hooks, dependents, repeats and the like are not.
READ = frozenset(
    {
        "created_at",
        "data",
        "ended_at",
        "enqueued_at",
        "last_heartbeat",
        "origin",
        "started_at",
        "status",
        "ttl",
        "worker_name",
    }
)


def queue_name(office: str, carrier: Carrier) -> str:
    """One queue for each office and carrier: of several queues in one worker RQ loses jobs."""
    return f"junban-{office}-{carrier}"


class WakeUp(Job):
    """A job with a fixed form. Raises NoSuchJobError for any other, which RQ takes for "gone already"."""

    def restore(self, raw_data: Mapping[bytes, bytes]) -> None:
        kept = {name: value for name, value in raw_data.items() if name.decode(errors="replace") in READ}
        try:
            super().restore(kept)
            words = self.serializer.loads(self.data)
            is_ours = words[:2] == [FUNCTION, None] and [*words[2]] in [[c] for c in Carrier] and words[3] == {}
        except Exception:  # dates, numbers, bytes that are none: whoever wrote them was not us
            is_ours = False
        if not is_ours:
            _log.error("a job that is not ours was left alone")
            raise NoSuchJobError("not ours")
        self.description = DESCRIPTION
        self.timeout, self.result_ttl, self.failure_ttl = RUNS_S, RESULT_S, FAILURE_S

    def perform(self) -> None:
        raise NotImplementedError  # each process has a drain of its own: `wake_up_for`


def wake_up_for(drain: Callable[[], None]) -> type[WakeUp]:
    """The function's name in a job is only a password; this is what runs."""

    class Ours(WakeUp):
        def perform(self) -> None:
            drain()

    return Ours


class NoAlarm(BaseDeathPenalty):
    """RQ's alarm jumps out of the loop and leaves the run in it: that would go on beside the next, on its connection,
    and a letter would have two addressees. A run is ended from within the loop (`Executor`).
    """

    def setup_death_penalty(self) -> None:
        pass

    def cancel_death_penalty(self) -> None:
        pass


class Worker(SimpleWorker):
    """One carrier's executor: no thread that takes commands from Redis, no suspension from there, nothing but jobs."""

    death_penalty_class: type[BaseDeathPenalty] = NoAlarm
    max_connection_wait_time = LONGEST_WAIT_S
    log_result_lifespan = False
    is_stopping = False
    on_alive: Callable[[], None]

    def subscribe(self) -> None:
        pass

    def check_for_suspension(self, burst: bool) -> None:
        pass

    def clean_group_registries(self) -> None:
        pass

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        self.on_alive()
        super().heartbeat(timeout, pipeline)

    def handle_exception(self, job: Job, *exc_info: Any) -> None:
        pass  # `Executor` has told it; RQ would print arguments and the exception's own words

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        self.is_stopping = True
        with contextlib.suppress(*AWAY):  # it wants to write down that it stops
            super().request_stop(signum, frame)  # type: ignore[no-untyped-call]


class Failed(Exception):
    """A run ended in a fault that was logged. RQ keeps this one's traceback for ten minutes; it holds nothing else."""


class Executor:
    """Runs `drain` at first and whenever a wake-up comes, on one event loop that lives as long as the process.

    `on_alive` is called every few seconds while everything moves. `ends`: exceptions of a run after which this process
    is of no more use; the first of them is kept in `ended_by`.
    """

    def __init__(
        self,
        jobs_url: str,
        office: str,
        carrier: Carrier,
        drain: Callable[[], Awaitable[None]],
        *,
        on_alive: Callable[[], None] = lambda: None,
        ends: tuple[type[Exception], ...] = (),
    ) -> None:
        self._jobs_url = jobs_url
        self._queue = queue_name(office, carrier)
        self._drain = drain
        self._on_alive = on_alive
        self._ends = ends
        self._runner = asyncio.Runner()
        self._worker: Worker | None = None
        self._is_asked = False
        self._is_busy = False  # in a run or at its goodbye, which end by themselves
        self.ended_by: Exception | None = None

    @property
    def is_stopping(self) -> bool:
        """Asked to end: by a signal, or by what a run came upon."""
        return self._is_asked or self.ended_by is not None or (self._worker is not None and self._worker.is_stopping)

    def run(self, goodbye: Callable[[], Awaitable[None]], *, burst: bool = False) -> None:
        """Until SIGTERM or SIGINT, then `goodbye` on the same loop; a store that is away is waited for.

        Main thread only. `burst`: only until the queue is empty.
        """
        self._hear_signals()
        with self._runner:
            try:
                while not self.is_stopping:
                    self._work(burst=burst)
                    if burst:
                        break
            except StopRequested:
                pass
            self._is_busy = True
            self._hear_signals()  # asked twice, it ends no faster
            self._runner.run(_awaited(goodbye))

    def _work(self, *, burst: bool) -> None:
        """A fresh worker as long as it goes; RQ gives up where the store goes away in the middle of a job.

        What is due by now was perhaps called out to nobody: it is looked for before any wake-up is waited for.
        """
        if not burst:
            self._hear_signals()  # RQ has left its own, which would jump out of the run
            with contextlib.suppress(Failed):
                self._run_once()
        if self.is_stopping:
            return
        try:
            self._worker = self._made()
            self._worker.work(burst=burst, logging_level="WARNING")
        except AWAY:
            _log.warning("wake-ups cannot be heard", seconds=PAUSE_S)
        if not burst and not self.is_stopping:
            self._on_alive()
            time.sleep(PAUSE_S)

    def _hear_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)

    def _stop(self, signum: int, frame: FrameType | None) -> None:
        """Before RQ has put its own in this place."""
        self._is_asked = True
        if not self._is_busy:
            self._is_busy = True  # from here to the goodbye nobody tears it out once more
            raise StopRequested

    def _made(self) -> Worker:
        made = Worker(
            [self._queue],
            connection=connect_for_jobs(self._jobs_url, answer_seconds=WORKER_LIVES_S),
            job_class=wake_up_for(self._run_once),
            serializer=JSONSerializer,
            default_result_ttl=RESULT_S,
            maintenance_interval=MAINTENANCE_S,
            worker_ttl=WORKER_LIVES_S,
            log_job_description=False,
        )
        made.on_alive = self._on_alive
        return made

    def _run_once(self) -> None:
        self._is_busy = True
        try:
            self._runner.run(self._drained())
        except self._ends as error:
            self.ended_by = error
            signal.raise_signal(signal.SIGTERM)  # RQ ends after this job, as for anybody who asks it to
        except Exception:
            _log.exception("run failed")
            raise Failed from None
        finally:
            self._is_busy = False

    async def _drained(self) -> None:
        async def beat() -> None:
            while True:
                self._on_alive()
                await asyncio.sleep(1.0)

        beating = asyncio.create_task(beat())
        try:
            async with asyncio.timeout(RUNS_S):
                await self._drain()
        finally:
            beating.cancel()


async def _awaited(call: Callable[[], Awaitable[None]]) -> None:
    await call()
