"""A wake-up wakes; whatever else stands in the queue never runs; and neither stays for long."""

import asyncio
import json
import os
import pickle
import signal
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from config.embedded import EmbeddedValkey
from hub.desk.notices import Carrier
from hub.desk.refusals import StoreAway
from workers import jobs
from workers.jobs import FUNCTION, Executor, queue_name
from workers.wake import Waker

EMAIL = Carrier.EMAIL


@pytest.fixture
def client(valkey_server: EmbeddedValkey) -> Iterator[redis.Redis]:
    made = redis.Redis.from_url(valkey_server.url)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """An executor takes them for its process; the next test wants them back."""
    held = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM)}
    yield
    for number, handler in held.items():
        signal.signal(number, handler)


async def nothing() -> None:
    pass


def work_off(url: str, office: str, drain: Callable[[], Any] | None = None, **named: Any) -> list[str]:
    """All that waits in the queue; gives a word for each run."""
    runs: list[str] = []

    async def recorded() -> None:
        runs.append("run")
        if drain is not None:
            drain()

    Executor(url, office, EMAIL, recorded, **named).run(nothing, burst=True)
    return runs


def keys_of(client: redis.Redis, office: str) -> set[str]:
    """What RQ keeps of this office's queue."""
    return {key.decode() for key in client.scan_iter(f"rq:*{office}*")}


def plant(client: redis.Redis, office: str, data: bytes, **more: str) -> str:
    """A job as somebody who can write to Redis would put it there."""
    queue, job = queue_name(office, EMAIL), f"planted-{office}"
    told: dict[Any, Any] = {
        "created_at": "2026-11-24T00:00:00.000000Z",
        "origin": queue,
        "status": "queued",
        "timeout": "10",
    }
    client.hset(f"rq:job:{job}", mapping=told | {"data": data} | more)
    client.rpush(f"rq:queue:{queue}", job)
    return job


def test_a_wake_up_runs_the_drain_once_and_leaves_nothing(
    valkey_server: EmbeddedValkey, office_name: str, client: redis.Redis
) -> None:
    Waker(valkey_server.url, office_name).wake(EMAIL)
    assert work_off(valkey_server.url, office_name) == ["run"]
    assert not {key for key in keys_of(client, office_name) if ":job:" in key or ":results:" in key}
    assert work_off(valkey_server.url, office_name) == []


def test_a_second_wake_up_waits_behind_none(
    valkey_server: EmbeddedValkey, office_name: str, client: redis.Redis
) -> None:
    waker = Waker(valkey_server.url, office_name)
    for _ in range(5):
        waker.wake(EMAIL)
    assert client.llen(f"rq:queue:{queue_name(office_name, EMAIL)}") == 1


def test_a_wake_up_that_was_taken_keeps_no_other_from_coming(
    valkey_server: EmbeddedValkey, office_name: str, client: redis.Redis
) -> None:
    waker = Waker(valkey_server.url, office_name)
    queue = f"rq:queue:{queue_name(office_name, EMAIL)}"
    waker.wake(EMAIL)
    client.delete(queue)  # a worker took it and was killed; its hash is still there
    waker.wake(EMAIL)
    assert client.llen(queue) == 1


def test_what_becomes_due_after_the_last_look_of_a_run_has_a_run_of_its_own(
    valkey_server: EmbeddedValkey, office_name: str
) -> None:
    """Not a second later: within the same one, the run that is about to end had to do for both."""
    waker = Waker(valkey_server.url, office_name)

    looks: list[str] = []

    def last_look() -> None:
        looks.append("look")
        if len(looks) == 1:
            waker.wake(EMAIL)

    waker.wake(EMAIL)
    assert work_off(valkey_server.url, office_name, last_look) == ["run", "run"]


def test_a_wake_up_carries_the_carrier_and_nothing_else(
    valkey_server: EmbeddedValkey, office_name: str, client: redis.Redis
) -> None:
    Waker(valkey_server.url, office_name).wake(EMAIL)
    (key,) = client.scan_iter(f"rq:job:junban-{office_name}*")
    told: dict[bytes, bytes] = client.hgetall(key)  # type: ignore[assignment]
    assert json.loads(zlib.decompress(told[b"data"])) == [FUNCTION, None, [str(EMAIL)], {}]
    assert told[b"description"] == b"drain"
    assert (told[b"result_ttl"], told[b"failure_ttl"], told[b"ttl"]) == (b"0", b"600", b"60")
    assert 0 < client.ttl(key) <= 60


def proof_of(path: Path) -> None:
    path.touch()


@pytest.mark.parametrize("kind", ["function", "other", "callback", "webhook", "instance", "arguments", "pickle"])
def test_what_is_planted_never_runs(
    valkey_server: EmbeddedValkey, office_name: str, client: redis.Redis, tmp_path: Path, kind: str
) -> None:
    proof = tmp_path / "it-ran"
    command = f"touch {proof}"
    ours: list[Any] = [FUNCTION, None, [str(EMAIL)], {}]
    data = json.dumps(ours).encode()
    more: dict[str, str] = {}
    match kind:
        case "function":
            data = json.dumps(["os.system", None, [command], {}]).encode()
        case "other":
            data = json.dumps(["tests.workers.test_jobs.proof_of", None, [str(proof)], {}]).encode()
        case "callback":
            more = {"success_callback_name": "tests.workers.test_jobs.called_back", "meta": json.dumps(str(proof))}
        case "webhook":
            more = {"webhooks": json.dumps([{"url": "http://127.0.0.1:1/", "events": ["finished"]}])}
        case "instance":
            data = json.dumps([FUNCTION, {"a": 1}, [str(EMAIL)], {}]).encode()
        case "arguments":
            data = json.dumps([FUNCTION, None, [str(EMAIL), "more"], {}]).encode()
        case "pickle":
            data = pickle.dumps(Bomb(command))
        case _:
            raise AssertionError(kind)
    plant(client, office_name, data, **more)
    Waker(valkey_server.url, office_name).wake(EMAIL)  # one waits already: nothing new
    runs = work_off(valkey_server.url, office_name)
    assert not proof.exists()
    assert runs == (["run"] if kind in ("callback", "webhook") else [])
    assert client.llen(f"rq:queue:{queue_name(office_name, EMAIL)}") == 0


class Bomb:
    def __init__(self, command: str) -> None:
        self._command = command

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (self._command,)


def called_back(*given: Any) -> None:
    Path(given[0].meta).touch()


def test_the_plants_of_these_tests_would_run_in_an_ordinary_worker(
    valkey_server: EmbeddedValkey, office_name: str, client: redis.Redis, tmp_path: Path
) -> None:
    """Otherwise the test above could not fail."""
    from rq import SimpleWorker

    proof = tmp_path / "it-ran"
    plant(client, office_name, json.dumps(["os.system", None, [f"touch {proof}"], {}]).encode())
    queue = Queue(queue_name(office_name, EMAIL), connection=client, serializer=JSONSerializer)
    SimpleWorker([queue], connection=client, serializer=JSONSerializer).work(burst=True, logging_level="CRITICAL")
    assert proof.exists()


def test_a_planted_job_does_not_keep_the_next_wake_up_from_running(
    valkey_server: EmbeddedValkey, office_name: str, client: redis.Redis
) -> None:
    plant(client, office_name, b"\xff\xfe no json", created_at="no date at all", timeout="x")
    client.rpush(f"rq:queue:{queue_name(office_name, EMAIL)}", "no-hash-at-all")
    assert work_off(valkey_server.url, office_name) == []
    Waker(valkey_server.url, office_name).wake(EMAIL)
    assert work_off(valkey_server.url, office_name) == ["run"]


def test_a_run_that_fails_leaves_no_word_of_its_own_in_redis(
    valkey_server: EmbeddedValkey, office_name: str, client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise ValueError("canary@example.jp")

    Waker(valkey_server.url, office_name).wake(EMAIL)
    assert work_off(valkey_server.url, office_name, fail) == ["run"]
    (key,) = client.scan_iter(f"rq:results:junban-{office_name}*")
    assert 0 < client.ttl(key) <= 600
    job = Job.fetch(key.decode().removeprefix("rq:results:"), connection=client, serializer=JSONSerializer)
    kept = job.latest_result()
    assert kept is not None
    assert kept.exc_string is not None
    assert "Failed" in kept.exc_string  # RQ compresses it: read as RQ reads it
    assert "canary" not in kept.exc_string
    assert "canary" not in repr(job.to_dict())
    assert not any("canary" in record.getMessage() for record in caplog.records if record.name.startswith("rq"))
    Waker(valkey_server.url, office_name).wake(EMAIL)
    assert work_off(valkey_server.url, office_name) == ["run"]


def test_a_run_that_takes_too_long_is_over_before_the_next_begins(
    valkey_server: EmbeddedValkey, office_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two at once would speak on one connection: a letter with two addressees."""
    monkeypatch.setattr(jobs, "RUNS_S", 1)
    told: list[str] = []

    async def drain() -> None:
        if told:
            return told.append("the next began")
        Waker(valkey_server.url, office_name).wake(EMAIL)
        told.append("the first began")
        try:
            await asyncio.Event().wait()
        finally:
            told.append("the first is over")

    Waker(valkey_server.url, office_name).wake(EMAIL)
    Executor(valkey_server.url, office_name, EMAIL, drain).run(nothing, burst=True)
    assert told == ["the first began", "the first is over", "the next began"]


def test_a_fresh_worker_looks_before_anybody_wakes_it_and_is_not_torn_out_of_it(
    valkey_server: EmbeddedValkey, office_name: str
) -> None:
    """Torn out of a letter, nobody could know whether it arrived."""
    told: list[str] = []

    async def drain() -> None:
        told.append("begun")
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0)
        told.append("done")

    Executor(valkey_server.url, office_name, EMAIL, drain).run(nothing)
    assert told == ["begun", "done"]


def test_whoever_is_asked_to_stop_twice_says_goodbye_once(valkey_server: EmbeddedValkey, office_name: str) -> None:
    told: list[str] = []

    async def drain() -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    async def goodbye() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0)
        told.append("goodbye")

    Executor(valkey_server.url, office_name, EMAIL, drain).run(goodbye)
    assert told == ["goodbye"]


def test_a_run_after_which_there_is_no_use_ends_the_process(valkey_server: EmbeddedValkey, office_name: str) -> None:
    async def over() -> None:
        raise LookupError

    said: list[str] = []

    async def goodbye() -> None:
        said.append("goodbye")

    executor = Executor(valkey_server.url, office_name, EMAIL, over, ends=(LookupError,))
    Waker(valkey_server.url, office_name).wake(EMAIL)
    executor.run(goodbye)
    assert isinstance(executor.ended_by, LookupError)
    assert said == ["goodbye"]


def test_the_executor_outlives_its_server_and_shows_that_it_lives(
    tmp_path: Path, office_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed while idle, started again: the next wake-up runs, on the same event loop."""
    monkeypatch.setattr(jobs, "PAUSE_S", 0.05)
    loops: list[object] = []
    lives: list[int] = []
    with EmbeddedValkey(tmp_path / "valkey") as server:

        async def drain() -> None:
            loops.append(asyncio.get_running_loop())
            threading.Thread(target=next_step).start()

        def next_step() -> None:
            if len(loops) == 1:
                server.kill()
                alive_before = len(lives)
                while len(lives) == alive_before:  # it turns without a store
                    pass
                restart.set()
            else:
                os.kill(os.getpid(), signal.SIGTERM)

        restart = threading.Event()
        executor = Executor(
            server.url, office_name, EMAIL, drain, on_alive=on_alive(lives, restart, server, office_name)
        )
        Waker(server.url, office_name).wake(EMAIL)
        executor.run(nothing)
    assert len(loops) == 2
    assert loops[0] is loops[1]


def on_alive(lives: list[int], restart: threading.Event, server: EmbeddedValkey, office: str) -> Callable[[], None]:
    """Starts the server again, on the main thread as it must be, and wakes."""

    def alive() -> None:
        lives.append(1)
        if restart.is_set():
            restart.clear()
            server.start()
            Waker(server.url, office).wake(EMAIL)

    return alive


def test_a_waker_says_that_the_store_is_away(tmp_path: Path) -> None:
    with pytest.raises(StoreAway) as away:
        Waker(f"unix://{tmp_path / 'nobody'}", "ward").wake(EMAIL)
    assert away.value.__cause__ is None
