"""The store of our own: up when it says so, still there after kill -9, gone with its parent. Told of both servers."""

import os
import signal
import stat
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
import redis

from config import embedded, processes
from config.embedded import LOCK, LOG, EmbeddedValkey, NotWanted, StoreDidNotStart
from config.given_store import given_server
from tests.config.stores import binary, client, store
from tests.eventually import eventually

__all__ = ["binary", "client", "store"]


def test_it_answers_as_soon_as_it_has_started(client: redis.Redis) -> None:
    assert client.ping()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("appendonly", "yes"),
        ("appendfsync", "always"),
        ("aof-use-rdb-preamble", "yes"),
        ("save", ""),
        ("maxmemory-policy", "noeviction"),
        ("hz", "100"),
        ("slowlog-log-slower-than", "-1"),
        ("crash-log-enabled", "no"),
        ("port", "0"),
        ("unixsocketperm", "700"),
        ("daemonize", "no"),
    ],
)
def test_it_keeps_everything_and_logs_nothing_of_anybody(client: redis.Redis, name: str, value: str) -> None:
    assert client.config_get(name) == {name: value}


def test_valkeys_other_command_logs_are_off_as_well(valkey_server: EmbeddedValkey) -> None:
    with closing(given_server(valkey_server.url)) as client:
        thresholds = client.config_get("commandlog-*-than")
    assert len(thresholds) == 3
    assert set(thresholds.values()) == {"-1"}


def test_nobody_else_may_come_in(store: EmbeddedValkey) -> None:
    assert stat.S_IMODE(store.socket_path.stat().st_mode) == 0o700
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700


def test_what_was_acknowledged_survives_kill_9(store: EmbeddedValkey, client: redis.Redis) -> None:
    url, first = store.url, store.pid
    client.set("{office}:ticket", "105")
    store.kill()
    assert not store.is_running
    with pytest.raises(redis.ConnectionError):
        client.ping()
    store.start()
    assert (store.url, store.pid == first) == (url, False)
    assert client.get("{office}:ticket") == "105"


def test_what_was_acknowledged_survives_an_orderly_stop(store: EmbeddedValkey, client: redis.Redis) -> None:
    client.set("{office}:ticket", "105")
    store.stop()
    store.stop()
    assert not store.socket_path.exists()
    store.start()
    store.start()
    assert client.get("{office}:ticket") == "105"


def test_a_second_store_on_the_same_folder_is_refused(store: EmbeddedValkey, binary: Path | None) -> None:
    second = EmbeddedValkey(store.folder, binary=binary)
    with pytest.raises(StoreDidNotStart, match="ほかの junban が使っています"):
        second.start(within_s=0.1)
    with pytest.raises(NotWanted):
        second.start(is_wanted=lambda: False)
    assert store.is_running
    second.stop()
    assert store.is_running


PARENT = """
import pathlib, signal, sys
from config.embedded import EmbeddedValkey
binary = pathlib.Path(sys.argv[2]) if sys.argv[2] else None
store = EmbeddedValkey(pathlib.Path(sys.argv[1]), binary=binary)
store.start()
print(store.url, flush=True)
signal.pause()
"""


@pytest.mark.skipif(not processes.DIES_WITH_PARENT, reason="only Linux ends a child with its parent")
async def test_it_ends_with_a_killed_parent_and_the_next_one_finds_the_data(
    tmp_path: Path, binary: Path | None
) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path), str(binary or "")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        with closing(given_server(parent.stdout.readline().strip())) as client:
            client.set("{office}:ticket", "105")
            os.kill(parent.pid, signal.SIGKILL)

            def is_gone() -> bool:
                try:
                    return not client.ping()
                except redis.ConnectionError:
                    return True

            await eventually(is_gone)
    with EmbeddedValkey(tmp_path, binary=binary) as store, closing(given_server(store.url)) as client:
        assert client.get("{office}:ticket") == "105"


def test_a_folder_with_a_path_too_long_for_a_socket_gets_it_elsewhere(
    tmp_path: Path, binary: Path | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = EmbeddedValkey(tmp_path / ("a-very-long-name-" * 6), binary=binary)
    with pytest.raises(RuntimeError, match=r"先に start\(\) を"):
        _ = store.url
    with tempfile.TemporaryDirectory(prefix="t-") as temporary:
        monkeypatch.setattr("tempfile.tempdir", temporary)
        with store:
            url = store.url
            assert store.socket_path.is_relative_to(temporary)
            with closing(given_server(url)) as client:
                client.set("{office}:ticket", "105")
                store.kill()
                store.start()
                assert store.url == url
                assert client.get("{office}:ticket") == "105"
        assert list(Path(temporary).iterdir()) == []


def test_a_failed_start_does_not_move_the_socket(tmp_path: Path, binary: Path | None) -> None:
    with EmbeddedValkey(tmp_path / ("a-very-long-name-" * 6), binary=binary) as store:
        url = store.url
        store.kill()
        files = store.folder / "appendonlydir"
        files.rename(store.folder / "aside")
        files.touch()
        with pytest.raises(StoreDidNotStart):
            store.start()
        files.unlink()
        (store.folder / "aside").rename(files)
        store.start()
        assert store.url == url


def test_where_no_short_place_is_left_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = tmp_path / ("a-very-long-name-" * 6)
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    with pytest.raises(StoreDidNotStart, match=r"ソケットのパス .* が長すぎます"):
        EmbeddedValkey(temporary / "store").start()
    assert list(temporary.glob("junban-*")) == []


def test_a_folder_name_may_be_japanese_and_have_spaces(tmp_path: Path, binary: Path | None) -> None:
    with (
        EmbeddedValkey(tmp_path / "区役所 100%#1?", binary=binary) as store,
        closing(given_server(store.url)) as client,
    ):
        assert client.ping()


def test_a_machine_with_an_unknown_language_does_not_stop_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "xx_YY.UTF-8")
    with EmbeddedValkey(tmp_path) as store:
        assert store.is_running


def test_a_broken_file_is_named_with_the_end_of_the_log(tmp_path: Path, binary: Path | None) -> None:
    with EmbeddedValkey(tmp_path, binary=binary):
        pass
    (tmp_path / "appendonlydir" / "appendonly.aof.manifest").write_text("nonsense\n")
    with pytest.raises(
        StoreDidNotStart, match=r"終了コード 1 ですぐに終わりました。\S+ の終わりの行で.*:\n(.*\n)*.*manifest"
    ):
        EmbeddedValkey(tmp_path, binary=binary).start()


def test_a_server_that_never_answers_is_given_up_and_ended(tmp_path: Path) -> None:
    mute = tmp_path / "mute"
    mute.write_text('#!/bin/sh\n[ "$1" = --version ] && { echo Redis; exit; }\nexec sleep 1000\n')
    mute.chmod(0o700)
    store = EmbeddedValkey(tmp_path / "store", binary=mute)
    with pytest.raises(StoreDidNotStart, match=r"0\.1 秒以内に応答しません"):
        store.start(within_s=0.1)
    assert not store.is_running


@pytest.mark.parametrize("binary", [Path("/nowhere/server"), Path("/bin/false")])
def test_what_is_no_server_is_said_to_be_none(tmp_path: Path, binary: Path) -> None:
    with pytest.raises(StoreDidNotStart, match="データストアとして起動できません"):
        EmbeddedValkey(tmp_path, binary=binary).start()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreDidNotStart, match="作れません"):
        EmbeddedValkey(tmp_path / "file" / "store").start()


@pytest.mark.parametrize("name", [LOCK, LOG])
def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(StoreDidNotStart, match=rf"{name} を開けません"):
        EmbeddedValkey(tmp_path).start()


LOADING = """#!{python}
import signal, socket, sys, threading
if sys.argv[1] == "--version":
    sys.exit(print("Redis"))
place = socket.socket(socket.AF_UNIX)
place.bind(sys.argv[sys.argv.index("--unixsocket") + 1])
place.listen()
for turn in range(3000):
    line, _ = place.accept()
    line.recv(64)
    line.sendall(b"-LOADING\\r\\n" if turn < 800 else b"+PONG\\r\\n")
"""


def test_a_server_that_reads_a_long_file_gets_its_time(tmp_path: Path) -> None:
    slow = tmp_path / "slow"
    slow.write_text(LOADING.format(python=sys.executable))
    slow.chmod(0o700)
    store = EmbeddedValkey(tmp_path / "store", binary=slow)
    store.start(within_s=2.0)  # 800 questions, 3 ms apart, take longer
    assert store.answers()
    store.stop()
    with pytest.raises(NotWanted):
        store.start(is_wanted=lambda: False)
    assert not store.is_running


async def test_a_store_that_hangs_does_not_answer(store: EmbeddedValkey) -> None:
    assert store.answers()
    os.kill(store.pid, signal.SIGSTOP)
    assert not store.answers()
    store.kill()
    assert not store.answers()


def test_the_options_name_nothing_twice() -> None:
    assert not set(embedded.OPTIONS) & (set(embedded.OPTIONS_OF_REDIS) | set(embedded.OPTIONS_OF_VALKEY))
