"""A practice office from its start to its end: every page answers, and nothing is left behind."""

import asyncio
import os
import signal
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from config import processes
from config.office_process import INBOX_PORT, start_office
from tests.config.command.running import (
    ENDED_WITHIN_S,
    PRACTICE,
    WITHIN_S,
    free_port,
    get,
    is_gone,
    is_ready,
    is_up,
    left_over,
    running,
    running_into,
    signed_in,
)
from tests.eventually import eventually

pytestmark = pytest.mark.timeout(400)  # whole offices, one after the other


async def test_a_practice_office_answers_on_every_page_and_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    with running(tmp_path, "up", "--practice", "--port", free_port()) as office:
        await is_up(office)
        for page in ("混雑状況", "番号表示モニター", "窓口"):
            status, body = get(*office.address(page))
            assert (status, "さくら区役所" in body) == (200, True)
        for page, path in (("番号の画面", "/t"), ("管理", "/admin"), ("監査", "/audit"), ("監視", "/metrics")):
            host, port, printed = office.address(page)
            assert (printed, get(host, port, path)[0]) == (path, 200)
        host, port, _ = office.address("監視")
        for path in ("/live", "/ready"):
            assert f"{host}:{port}{path} " in office.said
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
