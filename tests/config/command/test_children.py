"""What an office consists of comes back when it is killed or hangs, and that is said."""

import os
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from config import supervisor
from config.embedded import EmbeddedValkey
from config.office_folder import STORE_FOLDER
from config.ports import with_free_ports
from config.posts import HubPost, StorePost
from config.settings import Machine
from config.store_users import StoreUsers
from config.supervisor import SILENT_TIMES, Supervisor
from hub.store.access import Part
from tests.config.command.running import (
    ENDED_WITHIN_S,
    PRACTICE,
    WITHIN_S,
    Running,
    free_port,
    is_ready,
    is_up,
    running,
)
from tests.eventually import eventually

pytestmark = pytest.mark.timeout(400)  # whole offices, one after the other


@pytest.fixture(scope="module")
async def office(anyio_backend: str) -> AsyncIterator[Running]:
    """One for all: whoever is killed in a story is there again at its end."""
    with (
        tempfile.TemporaryDirectory(prefix="t-") as folder,
        running(Path(folder), "up", "--practice", "--port", free_port()) as office,
    ):
        await is_up(office)
        yield office
        office.process.terminate()
        office.process.wait(ENDED_WITHIN_S)


@pytest.mark.parametrize(("word", "name"), PRACTICE.items())
async def test_a_child_that_was_killed_comes_back_and_it_is_said(office: Running, word: str, name: str) -> None:
    said, host, port = len(office.said), *office.address("混雑状況")[:2]
    child = await eventually(lambda: office.child(word), within_s=WITHIN_S)
    assert child
    os.kill(child, signal.SIGKILL)
    await eventually(lambda: f"{name}を起動し直しました" in office.said[said:], within_s=WITHIN_S)
    await eventually(lambda: is_ready(host, port), within_s=WITHIN_S)
    assert office.child(word) != child
    assert f"{name}が止まりました" in office.said[said:]


async def test_only_those_who_send_are_given_what_opens_a_contact(office: Running) -> None:
    await eventually(lambda: all(office.child(word) for word in PRACTICE), within_s=WITHIN_S)
    holders = set()
    for pid, words in office.family().items():
        if "JUNBAN_MASTER_KEY=" in Path(f"/proc/{pid}/environ").read_text():
            holders |= {word for word in PRACTICE if word in words}
    assert holders == {"cli keeper", "cli worker line", "cli worker email", "cli worker phone"}


async def test_temporary_files_lie_where_the_keeper_looks(office: Running) -> None:
    await eventually(lambda: all(office.child(word) for word in PRACTICE), within_s=WITHIN_S)
    told = {}
    for pid, words in office.family().items():
        if word := next((word for word in PRACTICE if word.startswith("cli ") and word in words), None):
            lines = Path(f"/proc/{pid}/environ").read_text().split("\0")
            told[word] = dict(line.split("=", 1) for line in lines if "=" in line)
    searched = {Path(one["JUNBAN_SEARCH_DIRS"]) for one in told.values()}
    assert len(searched) == 1
    places = {Path(one["TMPDIR"]) for one in told.values()}
    assert {place.parent for place in places} == searched
    assert all(place.stat().st_mode & 0o777 == 0o700 for place in places)


async def test_a_hub_that_hangs_is_replaced_and_its_store_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "ASK_EVERY_S", 0.1)
    monkeypatch.setattr(supervisor, "ASK_FIRST_EVERY_S", 0.0)
    said: list[str] = []
    store = EmbeddedValkey(tmp_path / STORE_FOLDER)
    users, machine = StoreUsers("sakura"), with_free_ports(Machine())

    def on_store() -> Machine:
        return machine.model_copy(update={"redis_url": users.url(store, Part.HUB)})

    hub = HubPost(machine, on_store, practice=True, log=tmp_path / "hub.log", temporary=tmp_path)
    both = Supervisor([StorePost(store, users, lambda: True), hub], said.append)
    with ExitStack() as ends:
        ends.callback(both.stop)
        both.start()

        def is_answering() -> bool:
            both.tend()
            return hub.answers()

        await eventually(lambda: is_answering() and is_answering(), within_s=WITHIN_S)  # the second time tend heard it
        assert said == []  # it may take its time at the start
        first, its_store = hub.pid, store.pid
        os.kill(first, signal.SIGSTOP)
        await eventually(is_answering, within_s=WITHIN_S)
        assert said[0] == f"ハブが {SILENT_TIMES} 回続けて応答しません。強制終了します。"
        assert (hub.pid == first, store.pid == its_store) == (False, True)
