"""A child ends with its parent however that ends; a workshop does not outlive its owner beyond the next start."""

import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from config import processes
from config.processes import CannotStart, CannotStop, Workshop
from tests.eventually import eventually

on_linux = pytest.mark.skipif(not processes.DIES_WITH_PARENT, reason="only Linux ends a child with its parent")

FOREVER = [sys.executable, "-c", "import signal; signal.pause()"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); signal.pause()",
]


@contextmanager
def somebody_else(program: str, *arguments: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Another Python process, and the first line that it said."""
    command = [sys.executable, "-c", program, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def is_gone(pid: int) -> bool:
    """Ended: no longer there, or there only because nobody has asked for its exit code yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


PARENT = """
import signal, sys
from config.processes import start
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job is born deaf to Ctrl-C
child = start([sys.executable, "-c", "import signal; signal.pause()"], name="a child")
print(child.pid, flush=True)
signal.pause()
"""

GRANDPARENT = f"""
import signal, sys
from config.processes import start
child = start([sys.executable, "-c", {PARENT!r}], name="a parent")
signal.pause()
"""


@on_linux
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
async def test_a_child_ends_when_its_parent_is_killed(how: signal.Signals) -> None:
    with somebody_else(PARENT) as (parent, said):
        child = int(said)
        assert not is_gone(child)
        parent.send_signal(how)
        await eventually(lambda: is_gone(child), within_s=30)


@on_linux
async def test_a_grandchild_ends_as_well() -> None:
    with somebody_else(GRANDPARENT) as (grandparent, said):
        grandchild = int(said)
        assert not is_gone(grandchild)
        grandparent.kill()
        await eventually(lambda: is_gone(grandchild), within_s=30)


@on_linux
def test_a_child_whose_parent_ended_before_it_could_ask_never_becomes_the_command(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    not_its_parent = os.getppid()
    child = subprocess.Popen(["touch", trace], preexec_fn=processes.tie_to_parent(not_its_parent))
    assert child.wait(30) == 1
    assert not trace.exists()


def test_only_the_main_thread_may_start_a_child() -> None:
    refusals: list[str] = []

    def try_it() -> None:
        try:
            processes.start(FOREVER, name="ハブ").kill()
        except CannotStart as error:
            refusals.append(str(error))

    thread = threading.Thread(target=try_it)
    thread.start()
    thread.join()
    assert refusals == ["ハブはメインスレッドから起動してください。起動したスレッドが終わると一緒に終わります。"]


def test_a_command_that_is_not_there_is_named() -> None:
    with pytest.raises(CannotStart, match=r"ハブを起動できません（/nowhere/hub: .*）"):
        processes.start(["/nowhere/hub"], name="ハブ")


def test_a_stopped_child_was_asked_first() -> None:
    child = processes.start(FOREVER, name="a child")
    assert child.is_running
    assert child.exit_code is None
    assert child.stop() == -signal.SIGTERM
    assert child.stop() == -signal.SIGTERM
    assert not child.is_running


def test_a_child_that_does_not_listen_is_killed_after_its_grace(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    with open(reader) as said, open(writer, "wb") as out:
        child = processes.start(STUBBORN, name="a stubborn child", stdout=out)
        assert said.readline() == "deaf\n"
    assert child.stop(grace_s=0.05) == -signal.SIGKILL


def test_a_child_that_even_a_kill_does_not_end_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    child = processes.start(FOREVER, name="子")
    with monkeypatch.context() as deaf:
        deaf.setattr(processes, "KILLED_WITHIN_S", 0.01)
        deaf.setattr(os, "killpg", lambda *_: None)
        with pytest.raises(CannotStop, match=f"子（プロセス {child.pid}）を終了できません"):
            child.kill()
    child.kill()


def test_ctrl_c_reaches_the_parent_alone() -> None:
    child = processes.start(FOREVER, name="a child")
    assert os.getpgid(child.pid) == child.pid
    assert child.kill() == -signal.SIGKILL


def test_a_workshop_is_private_and_gone_afterwards(tmp_path: Path) -> None:
    with Workshop(parent=tmp_path) as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert folder.name.startswith("junban-")
        (folder / "data").mkdir()
        (folder / "data" / "file").write_text("something")
    assert list(tmp_path.iterdir()) == []


def test_a_workshop_is_gone_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), Workshop(parent=tmp_path):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


OWNER = """
import pathlib, signal, sys
from config.processes import Workshop
with Workshop(parent=pathlib.Path(sys.argv[1])) as folder:
    print(folder, flush=True)
    signal.pause()
"""


def test_the_next_start_removes_what_a_killed_owner_left(tmp_path: Path) -> None:
    with somebody_else(OWNER, str(tmp_path)) as (owner, said):
        left = Path(said)
        owner.kill()
        owner.wait()
        assert left.is_dir()
        with Workshop(parent=tmp_path) as folder:
            assert list(tmp_path.iterdir()) == [folder]


def test_a_held_workshop_is_left_alone(tmp_path: Path) -> None:
    with somebody_else(OWNER, str(tmp_path)) as (_, said), Workshop(parent=tmp_path):
        assert (Path(said) / processes.LOCK).exists()
        assert processes.sweep(tmp_path) == []


def test_many_may_start_at_once(tmp_path: Path) -> None:
    with ExitStack() as all_of_them:
        folders = {all_of_them.enter_context(somebody_else(OWNER, str(tmp_path)))[1] for _ in range(4)}
        assert {str(path) for path in tmp_path.iterdir()} == folders


@pytest.mark.parametrize("content", [[], ["data.aof"], ["lock"], ["valkey.lock", "appendonlydir"]])
def test_a_folder_that_only_has_such_a_name_is_no_workshop(tmp_path: Path, content: list[str]) -> None:
    backup = tmp_path / "junban-backup"
    backup.mkdir()
    for name in content:
        (backup / name).touch()
    os.utime(backup, (0, 0))
    assert processes.sweep(tmp_path) == []
    assert sorted(path.name for path in backup.iterdir()) == sorted(content)


def test_a_workshop_in_the_making_is_left_alone_for_a_minute(tmp_path: Path) -> None:
    half_made = tmp_path / "junban-half"
    half_made.mkdir()
    (half_made / processes.LOCK_BEING_MADE).touch()
    assert processes.sweep(tmp_path) == []
    os.utime(half_made / processes.LOCK_BEING_MADE, (0, 0))
    assert processes.sweep(tmp_path) == [half_made]


def test_a_link_is_never_followed(tmp_path: Path) -> None:
    treasure = tmp_path / "treasure"
    treasure.mkdir()
    (treasure / processes.LOCK).touch()
    (tmp_path / "junban-link").symlink_to(treasure)
    assert processes.sweep(tmp_path) == []
    assert treasure.is_dir()


def test_a_workshop_can_be_opened_without_a_block(tmp_path: Path) -> None:
    with closing(Workshop(parent=tmp_path).open()) as workshop:
        assert workshop.path.is_dir()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(RuntimeError, match="not open"):
        _ = workshop.path
