"""The command line as its operator meets it: real processes, one sentence for each mistake, nothing left behind."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from pathlib import Path

import pytest
import websockets

from config import office_process, processes, supervisor
from config.embedded import EmbeddedValkey, given_server
from config.office_folder import STORE_FOLDER
from config.office_process import INBOX_PORT, OfficeProcess, start_office
from config.ports import with_free_ports
from config.posts import HubPost, OfficeDidNotStart, StorePost
from config.practice.entering import SESSION_COOKIE, post_form
from config.practice.simulated_days import PAUSE_AFTER_FAILURE_S, SimulatedDays
from config.settings import Machine
from config.store_users import StoreUsers
from config.supervisor import SILENT_TIMES, Supervisor
from hub.edge.access import DEVICE_COOKIE
from hub.store import library
from hub.store.access import Part
from tests.eventually import eventually

pytestmark = pytest.mark.timeout(400)  # whole offices, one after the other

JUNBAN = Path(sys.executable).with_name("junban")
# What runs in a practice office, by a word of its command line; with what it is called when it ends.
PRACTICE = {
    "valkey-server": "データストア",
    "cli inbox": "受信箱",
    "cli keeper": "見張り",
    "cli worker line": "LINEのワーカー",
    "cli worker email": "メールのワーカー",
    "cli worker phone": "電話のワーカー",
    "cli hub": "ハブ",
}
WITHIN_S = 100.0  # a start takes one second on an idle machine, and is given up after ninety
ENDED_WITHIN_S = 30.0  # likewise


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A short one: where the path is long, the store's socket has a folder of its own beside the office's."""
    with tempfile.TemporaryDirectory(prefix="t-") as folder:
        yield Path(folder)


def clean(tmp_path: Path, **settings: str) -> dict[str, str]:
    """An environment without settings of the house, with data and temporary files of its own."""
    temporary = tmp_path / "tmp"
    temporary.mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JUNBAN_")}
    return kept | {"TMPDIR": str(temporary), "XDG_DATA_HOME": str(tmp_path / "home")} | settings


def junban(tmp_path: Path, *words: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [JUNBAN, *words], capture_output=True, text=True, timeout=60, env=clean(tmp_path, **settings), cwd=tmp_path
    )


class Running:
    """A `junban` that runs until it is stopped, and what it has printed so far."""

    def __init__(self, process: "subprocess.Popen[str]", output: Path) -> None:
        self.process = process
        self._output = output

    @property
    def said(self) -> str:
        return self._output.read_text(encoding="utf-8")

    def address(self, page: str) -> tuple[str, int, str]:
        """Host, port and path of the page that the line with this word names."""
        found = re.search(rf"^ +{page}.* http://([\d.]+):(\d+)(/\S*)$", self.said, re.MULTILINE)
        assert found, self.said
        return found[1], int(found[2]), found[3]

    def way_in(self, role: str) -> tuple[str, str]:
        """Account and password of this role, as they are printed."""
        found = re.search(rf"^  {role}のサインイン +(\S+) +(\S+)$", self.said, re.MULTILINE)
        assert found, self.said
        return found[1], found[2]

    def family(self) -> dict[int, str]:
        """Every process below it, with its command line."""
        lines = subprocess.run(
            ["ps", "-eww", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True
        ).stdout
        rows = [
            (int(pid), int(parent), words) for pid, parent, words in (row.split(None, 2) for row in lines.splitlines())
        ]
        known, found = {self.process.pid}, dict[int, str]()
        for _ in rows:
            fresh = {pid: words for pid, parent, words in rows if parent in known and pid not in known}
            known |= fresh.keys()
            found |= fresh
        return found

    def child(self, word: str) -> int | None:
        return next((pid for pid, words in self.family().items() if word in words and "defunct" not in words), None)


def running(tmp_path: Path, *words: str, **settings: str) -> AbstractContextManager[Running]:
    return running_into(None, tmp_path, *words, **settings)


@contextmanager
def running_into(stdout: int | None, tmp_path: Path, *words: str, **settings: str) -> Iterator[Running]:
    """`stdout` None: all that it says is kept; otherwise only what it complains about."""
    output = tmp_path / f"output-{len(list(tmp_path.iterdir()))}"
    with output.open("w") as file:
        process = subprocess.Popen(
            [JUNBAN, *words],
            stdout=file if stdout is None else stdout,
            stderr=file,
            text=True,
            env=clean(tmp_path, **settings),
            cwd=tmp_path,
        )
    try:
        yield Running(process, output)
    finally:
        process.kill()
        process.wait()


def free_port() -> str:
    """The lower of two neighbours that nobody uses."""
    while True:
        with ExitStack() as held:
            first = held.enter_context(socket.socket())
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            second = held.enter_context(socket.socket())
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return str(port)


def get(host: str, port: int, path: str, session: str = "", device: str = "") -> tuple[int, str]:
    """Status and text of a page; one that leads to staff's door, or lets a screen in, is gone through."""
    line = HTTPConnection(host, port, timeout=30)
    held = {SESSION_COOKIE: session, DEVICE_COOKIE: device}
    try:
        line.request("GET", path, headers={"Cookie": "; ".join(f"{name}={one}" for name, one in held.items() if one)})
        answer = line.getresponse()
        status, body, place = answer.status, answer.read().decode(), answer.getheader("Location") or ""
        given = SimpleCookie(answer.getheader("Set-Cookie") or "").get(DEVICE_COOKIE)
    finally:
        line.close()
    if status != 303 or not (place.startswith("/sign-in") or given):
        return status, body
    return get(host, port, place, session, given.value if given else device)


def signed_in(host: str, port: int, name: str, password: str) -> str:
    """A session, got as a browser gets it."""
    status, place, session = post_form(f"http://{host}:{port}", "/sign-in", {"name": name, "password": password})
    assert (status, place) == (303, "/desk")
    return session


def is_ready(host: str, port: int) -> bool:
    try:
        return get(host, port, "/ready")[0] == 200
    except OSError:
        return False


async def is_up(office: Running) -> None:
    await eventually(lambda: "Ctrl-C" in office.said or office.process.poll() is not None, within_s=WITHIN_S)
    assert office.process.poll() is None, office.said


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def left_over(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "tmp").iterdir())


async def test_a_practice_office_answers_on_every_page_and_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    with running(tmp_path, "up", "--practice", "--port", free_port()) as office:
        await is_up(office)
        for page in ("混雑状況", "呼出表示", "窓口"):
            status, body = get(*office.address(page))
            assert (status, "さくら区役所" in body) == (200, True)
        _, body = get(*office.address("窓口"))
        name, password = office.way_in("窓口担当")
        assert f'value="{password}"' in body, "the door offers who is printed, to be pressed"
        host, port, _ = office.address("窓口")
        session = signed_in(host, port, name, password)
        assert "さくら区役所" in get(host, port, "/desk", session)[1]
        status, body = get(*office.address("メールの受信箱"))
        assert (status, "まだメールは届いていません" in body) == (200, True)
        assert "発券機" not in office.said
        family = office.family()
        assert len(family) == len(PRACTICE), family
        office.process.send_signal(signal.SIGINT)
        assert office.process.wait(ENDED_WITHIN_S) == 0
        assert all(map(is_gone, family))
        assert "Traceback" not in office.said
    assert left_over(tmp_path) == []
    assert not list(tmp_path.glob("**/valkey"))


@pytest.mark.skipif(not processes.DIES_WITH_PARENT, reason="only Linux ends a child with its parent")
async def test_after_kill_9_no_process_lives_and_the_next_start_removes_the_folder(tmp_path: Path) -> None:
    with running(tmp_path, "up", "--practice", "--port", free_port()) as office:
        await is_up(office)
        family = office.family()
        (folder,) = left_over(tmp_path)
        office.process.kill()
        await eventually(lambda: all(map(is_gone, family)), within_s=ENDED_WITHIN_S)
    with running(tmp_path, "up", "--practice", "--port", free_port()) as second:
        await is_up(second)
        assert len(left_over(tmp_path)) == 1
        assert not folder.exists()
        second.process.terminate()
        assert second.process.wait(ENDED_WITHIN_S) == 0
    assert left_over(tmp_path) == []


@pytest.mark.parametrize(("word", "name"), PRACTICE.items())
async def test_a_child_that_was_killed_comes_back_and_it_is_said(tmp_path: Path, word: str, name: str) -> None:
    with running(tmp_path, "up", "--practice", "--port", free_port()) as office:
        await is_up(office)
        child = office.child(word)
        assert child, office.family()
        os.kill(child, signal.SIGKILL)
        await eventually(lambda: f"{name}を起動し直しました" in office.said, within_s=WITHIN_S)
        host, port, _ = office.address("混雑状況")

        await eventually(lambda: is_ready(host, port), within_s=WITHIN_S)
        assert office.child(word) != child
        assert f"{name}が止まりました" in office.said


async def test_an_office_whose_words_nobody_reads_goes_on(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    port = free_port()
    with running_into(writer, tmp_path, "up", "--practice", "--port", port) as office:
        os.close(writer)
        with os.fdopen(reader, encoding="utf-8") as words:
            assert any("Ctrl-C" in line for line in words)  # all of it is up; a start has its own limit
        hub = office.child("hub")
        assert hub
        os.kill(hub, signal.SIGKILL)
        await eventually(lambda: office.child("hub") not in (None, hub), within_s=WITHIN_S)
        await eventually(lambda: is_ready("127.0.0.1", int(port)), within_s=WITHIN_S)
        office.process.terminate()
        assert office.process.wait(ENDED_WITHIN_S) == 0
        assert office.said == ""


async def test_ctrl_c_twice_leaves_nothing_either(tmp_path: Path) -> None:
    with running(tmp_path, "up", "--practice", "--port", free_port()) as office:
        await is_up(office)
        family = office.family()
        hub = office.child("hub")
        assert hub
        os.kill(hub, signal.SIGSTOP)  # it will not listen to a friendly word
        office.process.send_signal(signal.SIGINT)
        await eventually(lambda: "終了しています" in office.said, within_s=ENDED_WITHIN_S)
        office.process.send_signal(signal.SIGINT)
        assert office.process.wait(ENDED_WITHIN_S) == 130
        await eventually(lambda: all(map(is_gone, family)), within_s=ENDED_WITHIN_S)
    assert left_over(tmp_path) == []


async def test_a_second_office_on_one_folder_is_refused_at_once(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    with running(tmp_path, "up", "--practice", "--data", data, "--port", free_port()) as office:
        await is_up(office)
        said = junban(tmp_path, "up", "--practice", "--data", data, "--port", free_port())
        assert (said.returncode, said.stdout) == (1, "")
        assert re.fullmatch(r"junban: \S+ はほかの junban が使っています。.*\n", said.stderr)
        assert office.process.poll() is None


async def test_a_store_that_is_away_is_named_as_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(office_process, "READY_WITHIN_S", 2.0)
    machine = with_free_ports(Machine(redis_url="redis://127.0.0.1:1"))
    office = OfficeProcess(machine, tmp_path, print, practice=False)
    with pytest.raises(OfficeDidNotStart, match=r"ストアが応答しません（.*127.0.0.1:1.*JUNBAN_REDIS_URL"):
        office.start()


def test_a_log_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "hub.log").mkdir(parents=True)
    said = junban(tmp_path, "up", "--practice", "--data", str(data), "--port", free_port())
    assert (said.returncode, said.stdout) == (1, "")
    assert re.fullmatch(r"junban: \S+hub\.log を開けません（.*\n", said.stderr)


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

    hub = HubPost(machine, on_store, practice=True, log=tmp_path / "hub.log")
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


async def test_a_number_survives_the_end_of_an_office_with_a_folder(tmp_path: Path) -> None:
    words = ("up", "--practice", "--data", str(tmp_path / "data"), "--port", free_port())
    for wanted in ("F101", "F102"):
        with running(tmp_path, *words) as office:
            await is_up(office)
            host, port, _ = office.address("窓口")
            session = signed_in(host, port, *office.way_in("窓口担当"))
            sent = {"Cookie": f"{SESSION_COOKIE}={session}", "Origin": f"http://{host}:{port}"}
            async with websockets.connect(f"ws://{host}:{port}/ws/desk", additional_headers=sent, proxy=None) as desk:
                await desk.send(json.dumps({"type": "issue", "id": wanted * 6, "lane": "seal"}))
                while (told := json.loads(await desk.recv()))["type"] != "reply":
                    pass
            assert told["answer"]["number"] == wanted
            office.process.terminate()
            assert office.process.wait(ENDED_WITHIN_S) == 0


async def test_an_office_starts_on_the_folder_of_another_release(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with (
        EmbeddedValkey(data / STORE_FOLDER) as yesterday,
        closing(given_server(yesterday.url)) as client,
    ):
        client.function_load(library.source() + "\n-- yesterday", replace=True)
    (data / "practice").touch()
    with running(tmp_path, "up", "--practice", "--data", str(data), "--port", free_port()) as office:
        await is_up(office)


@pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles", "Pacific/Kiritimati"])
async def test_the_day_is_tokyos_wherever_the_machine_stands(tmp_path: Path, zone: str) -> None:
    def tokyo() -> str:
        return (datetime.now(UTC) + timedelta(hours=9)).date().isoformat()

    with running(tmp_path, "up", "--practice", "--port", free_port(), TZ=zone) as office:
        await is_up(office)
        host, port, _ = office.address("混雑状況")
        before = tokyo()
        async with websockets.connect(f"ws://{host}:{port}/ws/board", proxy=None) as board:
            shown = json.loads(await board.recv())["day"]
        assert shown in {before, tokyo()}


async def test_practice_and_earnest_never_share_a_folder(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(tmp_path, "up", "--practice", "--data", str(data), "--port", free_port()) as office:
        await is_up(office)
    said = junban(tmp_path, "up", "--data", str(data), "--port", free_port())
    assert (said.returncode, said.stdout) == (1, "")
    assert re.fullmatch(r"junban: \S+ は練習用のデータです。.*\n", said.stderr)
    (data / "practice").unlink()
    said = junban(tmp_path, "up", "--practice", "--data", str(data), "--port", free_port())
    assert re.fullmatch(r"junban: \S+ は本番のデータです。.*\n", said.stderr)


def test_a_taken_port_that_was_asked_for_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        said = junban(tmp_path, "up", "--practice", "--port", port)
        assert (said.returncode, said.stdout) == (1, "")
        assert re.fullmatch(rf"junban: ポート {port} は.*\n", said.stderr)
        free = with_free_ports(Machine())
        settings = {"JUNBAN_PORT": port, "JUNBAN_INSIDE_PORT": str(free.inside_port)}
        said = junban(tmp_path, "hub", JUNBAN_REDIS_URL="unix:///nowhere", **settings)
        assert said.returncode == 1
        assert port in said.stderr
    assert left_over(tmp_path) == []


@pytest.mark.parametrize("host", ["192.0.2.1", "nowhere.invalid"])
def test_an_address_that_is_not_ours_is_named_and_no_port_is_blamed(tmp_path: Path, host: str) -> None:
    for words in (("up", "--practice"), ("hub",)):
        settings = {"JUNBAN_REDIS_URL": "unix:///nowhere"} if words == ("hub",) else {}
        said = junban(tmp_path, *words, JUNBAN_PUBLIC_HOST=host, JUNBAN_PORT=free_port(), **settings)
        assert (said.returncode, said.stdout) == (1, "")
        assert re.fullmatch(
            rf"junban: JUNBAN_PUBLIC_HOST の {host} はこの機械のアドレスではありません。.*\n", said.stderr
        )


def test_one_port_for_both_listeners_is_refused(tmp_path: Path) -> None:
    port = free_port()
    said = junban(tmp_path, "check", JUNBAN_PORT=port, JUNBAN_INSIDE_PORT=port)
    assert (said.returncode, said.stdout.count("\n")) == (1, 1)
    assert f"JUNBAN_PORT と同じ {port} です" in said.stdout
    said = junban(tmp_path, "up", "--practice", "--port", port, JUNBAN_INSIDE_PORT=port)
    assert (said.returncode, said.stdout) == (1, "")
    assert re.fullmatch(rf"junban: JUNBAN_INSIDE_PORT が --port と同じ {port} です。.*\n", said.stderr)


def test_practice_accounts_are_never_offered_in_earnest(tmp_path: Path) -> None:
    said = junban(tmp_path, "hub", "--credentials", "credentials.json", JUNBAN_REDIS_URL="unix:///nowhere")
    assert (said.returncode, said.stdout) == (2, "")
    assert re.fullmatch(r"junban: --credentials は --practice と一緒に.*\n", said.stderr)


async def test_a_hub_ends_with_its_store_away_as_well(tmp_path: Path) -> None:
    free = with_free_ports(Machine())
    settings = {"JUNBAN_PORT": str(free.port), "JUNBAN_INSIDE_PORT": str(free.inside_port)}
    with running(tmp_path, "hub", JUNBAN_REDIS_URL="unix:///nowhere", **settings) as hub:

        def is_live() -> bool:
            try:
                return get("127.0.0.1", free.inside_port, "/live")[0] == 200
            except OSError:
                return False

        await eventually(is_live, within_s=WITHIN_S)
        assert get("127.0.0.1", free.inside_port, "/ready")[0] == 503
        hub.process.send_signal(signal.SIGINT)
        assert hub.process.wait(ENDED_WITHIN_S) == 0
        assert "Traceback" not in hub.said


async def test_two_hubs_serve_one_office(tmp_path: Path, valkey_server: EmbeddedValkey) -> None:
    with ExitStack() as hubs:
        ports = []
        for _ in range(2):
            free = with_free_ports(Machine())
            ports.append(free.port)
            settings = {"JUNBAN_PORT": str(free.port), "JUNBAN_INSIDE_PORT": str(free.inside_port)}
            hubs.enter_context(running(tmp_path, "hub", JUNBAN_REDIS_URL=valkey_server.url, **settings))

        def are_ready() -> bool:
            try:
                return [get("127.0.0.1", port, "/ready")[0] for port in ports] == [200, 200]
            except OSError:
                return False

        await eventually(are_ready, within_s=WITHIN_S)


async def test_a_demonstration_plays_a_day_and_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):  # then somebody else has taken it already
            taken.bind(("127.0.0.1", Machine().port))
            taken.listen()
        with running(tmp_path, "demo") as demo:
            await is_up(demo)
            assert f"{Machine().port}" in demo.said.splitlines()[0]
            assert "使用中のため" in demo.said.splitlines()[0]
            simulation = await eventually(lambda: demo.child("simulate"), within_s=WITHIN_S)
            host, port, _ = demo.address("窓口")
            async with websockets.connect(f"ws://{host}:{port}/ws/board", proxy=None) as board:
                while json.loads(await board.recv())["type"] != "TicketIssued":
                    pass
            family = demo.family()
            assert simulation in family
            demo.process.send_signal(signal.SIGINT)
            assert demo.process.wait(ENDED_WITHIN_S) == 0
            assert all(map(is_gone, family))
            assert "Traceback" not in demo.said
            assert "模擬の一日（種 1）は失敗" not in demo.said
    assert left_over(tmp_path) == []


async def test_every_address_of_a_demonstration_answers_and_after_kill_9_no_process_lives(tmp_path: Path) -> None:
    with running(tmp_path, "demo", "--port", free_port()) as demo:
        await is_up(demo)
        for page in ("混雑状況", "呼出表示", "窓口", "発券機", "受付票", "メールの受信箱"):
            assert get(*demo.address(page))[0] == 200, page
        host, port, _ = demo.address("発券機")
        number = str(await eventually(lambda: touched(host, port), within_s=WITHIN_S))
        await eventually(lambda: f"{number} の画面を開く" in get(*demo.address("受付票"))[1], within_s=WITHIN_S)
        page = get(*demo.address("受付票"))[1]
        found = re.search(r'href="http://([\d.]+):(\d+)(/t)\?openExternalBrowser=1#[\w-]{22}"', page)
        assert found, page
        assert get(found[1], int(found[2]), found[3])[0] == 200
        family = demo.family()
        assert len(family) == len(PRACTICE) + 2, family  # a ticket machine and a simulated day more
        demo.process.kill()
        await eventually(lambda: all(map(is_gone, family)), within_s=ENDED_WITHIN_S)


def touched(host: str, port: int) -> str | None:
    """The number on the ticket machine's screen; the first lane is touched as long as it can be."""
    state = json.loads(get(host, port, "/state")[1])
    if state["state"] == "choosing" and state["fresh"]:
        line = HTTPConnection(host, port, timeout=30)
        line.request("POST", f"/choose/{state['lanes'][0]['lane']}")
        line.getresponse().read()
        line.close()
    number: str | None = state["number"]
    return number


async def test_a_taken_port_of_a_stand_in_gives_way_to_a_free_one(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):  # then somebody else has taken it already
            taken.bind(("127.0.0.1", INBOX_PORT))
            taken.listen()
        with running(tmp_path, "up", "--practice", "--port", free_port()) as office:
            await is_up(office)
            address = office.address("メールの受信箱")
            assert address[1] != INBOX_PORT
            assert get(*address)[0] == 200


async def test_practice_never_sends_to_a_real_server_whatever_the_settings_say(tmp_path: Path) -> None:
    async with asyncio.timeout(WITHIN_S * 2):
        server = await asyncio.start_server(lambda *_: pytest.fail("a practice office called"), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        settings = {"JUNBAN_SMTP_URL": f"smtp://127.0.0.1:{port}?starttls=never", "JUNBAN_MAIL_FROM": "a@example.jp"}
        with running(tmp_path, "up", "--practice", "--port", free_port(), **settings) as office:
            await is_up(office)
            worker = office.child("cli worker email")
            assert worker
            given = Path(f"/proc/{worker}/environ").read_text().split("\0")
            assert not [line for line in given if str(port) in line or "example.jp" in line]
        server.close()


async def test_only_those_who_send_are_given_what_opens_a_contact(tmp_path: Path) -> None:
    with running(tmp_path, "up", "--practice", "--port", free_port()) as office:
        await is_up(office)
        holders = set()
        for pid, words in office.family().items():
            if "JUNBAN_MASTER_KEY=" in Path(f"/proc/{pid}/environ").read_text():
                holders |= {word for word in PRACTICE if word in words}
        assert holders == {"cli keeper", "cli worker line", "cli worker email", "cli worker phone"}


async def test_an_office_in_earnest_says_whether_it_sends_notices(tmp_path: Path) -> None:
    with running(tmp_path, "up", "--data", str(tmp_path / "off"), "--port", free_port()) as office:
        await is_up(office)
        assert "メールのお知らせは出しません。" in office.said
        assert office.child("cli keeper")  # it archives all the same
        assert not office.child("cli worker email")
        assert len(office.family()) == 3
        await eventually(lambda: (tmp_path / "off" / "ledger-signing.pem").exists(), within_s=WITHIN_S)
    settings = {
        "JUNBAN_SMTP_URL": "smtp://127.0.0.1:9?starttls=never",
        "JUNBAN_MAIL_FROM": "junban@example.jp",
        "JUNBAN_PUBLIC_URL": "https://junban.example.jp",
        "JUNBAN_MASTER_KEY": "0" * 64,
    }
    with running(tmp_path, "up", "--data", str(tmp_path / "on"), "--port", free_port(), **settings) as office:
        await is_up(office)
        assert "メールのお知らせは出しません" not in office.said
        await eventually(lambda: office.child("cli worker email") and office.child("cli keeper"), within_s=WITHIN_S)
        await eventually(lambda: list((tmp_path / "on" / "keys").iterdir()), within_s=WITHIN_S)


def test_a_half_done_set_up_of_notices_is_told_before_anything_starts(tmp_path: Path) -> None:
    settings = {"JUNBAN_SMTP_URL": "smtp://127.0.0.1:9?starttls=never", "JUNBAN_MASTER_KEY": "0" * 64}
    said = junban(tmp_path, "up", "--data", str(tmp_path / "data"), "--port", free_port(), **settings)
    assert (said.returncode, said.stdout) == (1, "")
    assert "JUNBAN_MAIL_FROM" in said.stderr
    assert "JUNBAN_PUBLIC_URL" in said.stderr


async def test_a_day_that_failed_is_told_and_another_follows_after_a_pause(tmp_path: Path) -> None:
    said: list[str] = []
    now = [0.0]
    credentials = tmp_path / "credentials.json"
    log = tmp_path / "log"
    days = SimulatedDays("http://127.0.0.1:1", log, said.append, lambda: now[0], credentials=credentials)

    def has_said(words: str) -> bool:
        days.tend()
        return any(words in line for line in said)

    await eventually(lambda: has_said("模擬の一日（種 1）は失敗に終わりました: junban: "), within_s=WITHIN_S)
    days.tend()
    assert days.seed == 1
    now[0] += PAUSE_AFTER_FAILURE_S
    days.tend()
    assert (days.seed, said[-1]) == (2, "次の模擬の一日（種 2）を始めます。")
    days.stop()


async def test_a_simulation_gets_an_office_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    async with start_office() as office:
        host, port = office.inside.removeprefix("http://").split(":")
        assert get(host, int(port), "/ready")[0] == 200
        inbox_host, inbox_port = office.inbox.removeprefix("http://").split(":")
        assert get(inbox_host, int(inbox_port), "/mails.json")[0] == 200
        assert len(left_over(tmp_path)) == 1
    assert left_over(tmp_path) == []
    with pytest.raises(OSError, match="refused"):
        get(host, int(port), "/ready")


def test_check_finds_nothing_wrong_without_settings(tmp_path: Path) -> None:
    said = junban(tmp_path, "check")
    assert (said.returncode, said.stdout, said.stderr) == (0, "設定に誤りはありません。\n", "")
    assert json.loads(junban(tmp_path, "check", "--json").stdout) == {"ok": True, "faults": []}


def test_check_says_nothing_of_its_own_where_nobody_reads_on(tmp_path: Path) -> None:
    command = [JUNBAN, "check", "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean(tmp_path), cwd=tmp_path
    ) as checking:
        assert checking.stdout is not None
        assert checking.stderr is not None
        checking.stdout.close()
        assert checking.stderr.read() == ""
    assert checking.returncode == 0


def test_check_names_every_fault_at_once(tmp_path: Path) -> None:
    office = tmp_path / "office.toml"
    office.write_text('key = "X"\nnaem = "y"\n')
    settings = {"JUNBAN_PROT": "1", "JUNBAN_OFFICE": str(office), "JUNBAN_REDIS_URL": f"unix://{tmp_path}/nowhere"}
    said = junban(tmp_path, "check", **settings)
    assert (said.returncode, said.stderr) == (1, "")
    assert [line.split(": ")[1] for line in said.stdout.splitlines()] == [
        "JUNBAN_PROT",
        "key",
        "name",
        "lanes",
        "counters",
        "naem",
        "JUNBAN_REDIS_URL",
    ]
    told = json.loads(junban(tmp_path, "check", "--json", **settings).stdout)
    assert (told["ok"], len(told["faults"]), set(told["faults"][0])) == (False, 7, {"where", "key", "remedy"})


def test_check_looks_into_the_store(tmp_path: Path, valkey_server: EmbeddedValkey) -> None:
    assert junban(tmp_path, "check", JUNBAN_REDIS_URL=valkey_server.url).returncode == 0


def test_an_office_with_faulty_settings_is_not_started(tmp_path: Path) -> None:
    said = junban(tmp_path, "up", "--practice", JUNBAN_PORT="x", JUNBAN_INSIDE_PORT="y")
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr.count("整数で") == 2
    assert left_over(tmp_path) == []


@pytest.mark.parametrize(
    ("words", "about"),
    [
        ([], "命令"),
        (["serve"], "serve"),
        (["up", "--prot", "1"], "--prot"),
        (["up", "--practic"], "--practic"),
        (["up", "--port"], "--port"),
        (["up", "--port", "http"], "--port"),
        (["up", "--port", "65535"], "--port"),
        (["demo", "now"], "now"),
        (["check", "office.toml"], "office.toml"),
        (["hub"], "JUNBAN_REDIS_URL"),
        (["device"], "命令"),
        (["device", "let-in"], "CODE"),
    ],
)
def test_wrong_use_is_one_sentence_and_exit_2(tmp_path: Path, words: list[str], about: str) -> None:
    said = junban(tmp_path, *words)
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr.startswith("junban: ")
    assert said.stderr.count("\n") == 1
    assert about in said.stderr


def test_practice_never_runs_on_a_given_store(tmp_path: Path) -> None:
    said = junban(tmp_path, "up", "--practice", JUNBAN_REDIS_URL="redis://store.example.jp")
    assert said.returncode == 2
    assert "練習" in said.stderr
